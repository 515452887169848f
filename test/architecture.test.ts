/** The layers of docs/architecture.md as a table: what each folder may import. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Folder (or file) of src/ → what it may import besides itself, errors and tensor; each line stands on those above it. */
const base = ["errors", "schema", "tensor"];
const engine = [...base, "io", "hub", "graph", "nn", "models", "checkpoints", "runtime", "tokenizers"];
const library = [...engine, "generate", "model", "metrics", "corpus", "tasks"];
const uses = [...library, "suggest", "features", "labellers", "likelihoods", "retrieval", "rewards", "soft-prompts"];
const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  schema: ["errors"],
  suggest: [],
  tensor: base,
  io: base,
  hub: [...base, "io", "suggest"],
  checkpoints: [...base, "io"],
  tokenizers: [...base, "io", "hub", "checkpoints"],
  graph: base,
  nn: [...base, "graph"],
  models: [...base, "graph", "nn"],
  runtime: [...base, "io", "hub", "graph", "models", "checkpoints"],
  generate: engine,
  "llama-cpp": [...engine, "generate"],
  model: [...engine, "generate", "llama-cpp"],
  corpus: [...base, "io", "tokenizers"],
  metrics: base,
  tasks: [...base, "io", "tokenizers", "corpus", "metrics"],
  export: engine,
  convert: [...engine, "model", "retrieval"],
  quantize: engine,
  features: library,
  labellers: library,
  likelihoods: library,
  rewards: library,
  retrieval: library,
  "soft-prompts": library,
  train: uses,
  recipes: [...uses, "train"],
  plan: [...uses, "train", "recipes", "curate", "extract", "search"],
  launch: [...uses, "train", "recipes", "plan"],
  quickstart: [...uses, "train", "recipes"],
  curate: uses,
  eval: uses,
  extract: uses,
  search: uses,
  answers: [...uses, "search", "extract"],
  feedback: [...base, "io", "metrics", "corpus"],
  serve: [...uses, "search", "answers", "extract", "train", "feedback"],
  // The page runs in browsers: of the rest it has types alone.
  page: ["search", "answers", "extract", "serve"],
  browser: [...engine, "generate", "retrieval", "search"],
};
/** These run in browsers too: no node:* and no ONNX Runtime. */
const pure = ["errors", "schema", "tensor", "graph", "nn", "models", "tokenizers", "generate"];
const exceptions = new Set(["tokenizers/files.ts"]);

/** Doors of the package that promise a browser. */
const pureDoors = ["graph/index.ts", "models/index.ts", "tokenizers/index.ts"];

/** What only a family's own files may say: its name, its parameters' names, its marks of pieces, fairseq's rows. */
const familyWords = /biogpt|(?<![a-z])bert|"##"|embed_tokens|word_embeddings|learned(?=[\d[$<])/i;
/** Where such a word is the subject: files, and folders that end in "/". */
const speakOfFamilies: Readonly<Record<string, string>> = {
  "models/bert/": "a family",
  "models/biogpt/": "a family",
  "models/gpt2/": "a family",
  "models/llama/": "a family",
  "models/modernbert/": "a family",
  "models/index.ts": "exports the families",
  "models/registry.ts": "lists the families",
  "tokenizers/bert/": "a kind of tokenizer",
  "tokenizers/biogpt/": "a kind of tokenizer",
  "tokenizers/pipeline/": "kinds of tokenizer",
  "tokenizers/gguf.ts": "a kind of vocabulary",
  "tokenizers/index.ts": "exports the kinds",
  "tokenizers/registry.ts": "lists the kinds",
  "tokenizers/tokenizer-json.ts": "a component of tokenizer.json is called BertProcessing",
  "corpus/sampled-answers.ts": "a field is called bert_score_f1",
  "eval/suites.ts": "a suite is of a paper",
  "recipes/": "a recipe is of a family",
  "quickstart.ts": "makes a BioGPT",
  "cli/commands/tokenizer-train.ts": "names of kinds, which help must not load",
  "retrieval/sentence-modules.ts": "files of Sentence Transformers are called sentence_bert_config.json",
  "retrieval/sentence-write.ts": "files of Sentence Transformers are called sentence_bert_config.json",
  "soft-prompts/prompt-rows.ts": "names a prompt's rows as fairseq does",
  "tasks/relations.ts": "published answers may begin with the names of a prompt's rows",
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly layer: string;
  /** The imported file, or the package. */
  readonly path: string;
  readonly target: string;
}

function layerOf(path: string): string {
  return path.split("/")[0]!.replace(/\.ts$/, "");
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));

const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(join(source, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, from]) => {
    const path = from!.startsWith(".") ? relative(source, join(source, dirname(file), from!)) : from!;
    return { file, from: from!, layer: layerOf(file), path, target: from!.startsWith(".") ? layerOf(path) : path };
  }),
);

/** Lines without comments and addresses; of the command line without prose too (strings with spaces): its examples name something. */
function codeOf(file: string): string[] {
  const comments = /\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm;
  const code = readFileSync(join(source, file), "utf8")
    .replace(comments, "")
    .replace(/https?:\/\/[^\s"`]+/g, "");
  const text = /"[^"\n]*"|'[^'\n]*'|`[^`\n]*`/g;
  const spoken = file.startsWith("cli/") ? code.replace(text, (one) => (one.includes(" ") ? '""' : one)) : code;
  return spoken.split("\n");
}

describe("layers", () => {
  test("a folder imports only what stands below it", () => {
    const wrong = imports.filter(
      ({ from, layer, target }) =>
        from.startsWith(".") &&
        target !== layer &&
        layer !== "cli" &&
        layer !== "index" &&
        !(allowed[layer] ?? []).concat(base).includes(target),
    );
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([]);
  });

  test("what runs in a browser imports neither node:* nor ONNX Runtime", () => {
    const wrong = imports.filter(
      ({ file, layer, from }) => pure.includes(layer) && !exceptions.has(file) && /^node:|^onnxruntime/.test(from),
    );
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([]);
  });

  test.each(pureDoors)("nothing that %s reaches does", (door) => {
    const reached = new Set([door]);
    for (const file of reached) {
      for (const { path } of imports.filter((one) => one.file === file && one.from.startsWith("."))) reached.add(path);
    }
    expect(reached.size).toBeGreaterThan(5);
    const wrong = imports.filter(({ file, from }) => reached.has(file) && /^node:|^onnxruntime/.test(from));
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([]);
  });

  test("nothing that galen/browser reaches uses Node, but for the engine that it does not load there", () => {
    const reached = new Set(["browser/index.ts"]);
    for (const file of reached) {
      const code = readFileSync(join(source, file), "utf8").replace(/\/\*[^]*?\*\//g, "");
      for (const [, named, loaded] of code.matchAll(
        /^(?:import|export)(?! type)[^"();=]*\bfrom "([^"]+)";|\bimport\("([^"]+)"\)/gm,
      )) {
        const from = (named ?? loaded)!;
        const path = relative(source, join(source, dirname(file), from));
        if (path !== "runtime/ort-node.ts") {
          if (from.startsWith(".")) reached.add(path);
          else expect(`${file}: ${from}`).toMatch(/: (zod|onnxruntime-web\/\w+)$/);
        }
      }
    }
    expect(reached.size).toBeGreaterThan(100);
  });

  test("of Galen the page runs only what the server serves", () => {
    const served = readFileSync(join(source, "serve/page-files.ts"), "utf8").match(/const shared = \[([^\]]*)\]/)![1]!;
    const needed = files
      .filter((file) => file.startsWith("page/"))
      .flatMap((file) => [
        ...readFileSync(join(source, file), "utf8").matchAll(/^import(?! type)[^"();=]*"\.\.\/([^"]+)\.ts";/gm),
      ]);
    expect([...new Set(needed.map(([, path]) => `"${path}"`))].join(", ")).toBe(served);
  });

  test("shared code knows no family, tokenizer or parameter by name", () => {
    const wrong = files
      .filter((file) => !Object.keys(speakOfFamilies).some((place) => file === place || file.startsWith(place)))
      .flatMap((file) =>
        codeOf(file)
          .filter((line) => familyWords.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(wrong).toEqual([]);
  });

  test("every place that may speak of a family does", () => {
    const idle = Object.keys(speakOfFamilies).filter(
      (place) => !files.some((file) => file.startsWith(place) && codeOf(file).some((line) => familyWords.test(line))),
    );
    expect(idle).toEqual([]);
  });

  test("one file imports ONNX Runtime for Node, one that for browsers, and one imports these", () => {
    const importersOf = (name: RegExp): string[] =>
      imports.filter(({ from }) => name.test(from)).map(({ file }) => file);
    expect(new Set(importersOf(/^onnxruntime-node/))).toEqual(new Set(["runtime/ort-node.ts"]));
    expect(new Set(importersOf(/^onnxruntime-web/))).toEqual(new Set(["runtime/ort-web.ts"]));
    expect(new Set(importersOf(/^onnxruntime/)).size).toBe(2);
    expect(new Set(importersOf(/ort-(node|web)\.ts$/))).toEqual(new Set(["runtime/session.ts"]));
  });

  test("one file imports the hub's client, and nothing loads it before a name is given", () => {
    expect(imports.filter(({ from }) => from === "@huggingface/hub").map(({ file }) => file)).toEqual([
      "hub/client.ts",
    ]);
    const reached = new Set(["index.ts", "cli/main.ts", ...files.filter((file) => file.startsWith("cli/commands/"))]);
    for (const file of reached) {
      const code = readFileSync(join(source, file), "utf8");
      for (const [, from] of code.matchAll(/^(?:import|export)(?! type)[^"();=]*"(\.[^"]+)";/gm)) {
        reached.add(relative(source, join(source, dirname(file), from!)));
      }
    }
    expect(reached.size).toBeGreaterThan(100);
    expect([...reached].filter((file) => file.startsWith("hub/")).toSorted()).toEqual(["hub/index.ts", "hub/name.ts"]);
  });

  test("no file is longer than 500 lines, tables excepted", () => {
    const long = files.filter((file) => {
      const lines = readFileSync(join(source, file), "utf8").split("\n").length;
      return lines > 500 && !file.includes("tables");
    });
    expect(long).toEqual([]);
  });
});
