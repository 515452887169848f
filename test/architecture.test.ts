/** The layers of docs/architecture.md as a table: what each folder may import. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Folder (or file) of src/ → what it may import besides itself, errors and tensor; each line stands on those above it. */
const base = ["errors", "schema", "tensor"];
const engine = [...base, "io", "graph", "nn", "models", "checkpoints", "runtime", "tokenizers"];
const library = [...engine, "generate", "model", "metrics", "corpus", "tasks"];
const uses = [...library, "features", "labellers", "retrieval", "soft-prompts"];
const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  schema: ["errors"],
  tensor: base,
  io: base,
  checkpoints: [...base, "io"],
  tokenizers: [...base, "io"],
  graph: base,
  nn: [...base, "graph"],
  models: [...base, "graph", "nn"],
  runtime: [...base, "io", "graph", "models", "checkpoints"],
  generate: engine,
  model: [...engine, "generate"],
  corpus: [...base, "io", "tokenizers"],
  metrics: base,
  tasks: [...base, "io", "tokenizers", "corpus", "metrics"],
  export: engine,
  convert: [...engine, "model"],
  features: library,
  labellers: library,
  retrieval: library,
  "soft-prompts": library,
  encoders: [...uses, "train", "recipes"],
  finetune: [...uses, "train", "eval"],
  train: uses,
  recipes: [...uses, "train"],
  quickstart: [...uses, "train", "recipes"],
  eval: uses,
  extract: [...uses, "finetune"],
};
/** These run in browsers too: no node:* and no ONNX Runtime. */
const pure = ["errors", "schema", "tensor", "graph", "nn", "models", "tokenizers"];
const exceptions = new Set(["tokenizers/files.ts"]);

interface Import {
  readonly file: string;
  readonly from: string;
  readonly layer: string;
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
    return { file, from: from!, layer: layerOf(file), target: from!.startsWith(".") ? layerOf(path) : path };
  }),
);

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
      ({ file, layer, from }) =>
        pure.includes(layer) &&
        !exceptions.has(file) &&
        /^node:|^onnxruntime/.test(from) &&
        file !== "tokenizers/index.ts",
    );
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([]);
  });

  test("one file imports ONNX Runtime", () => {
    const importers = imports.filter(({ from }) => from.startsWith("onnxruntime")).map(({ file }) => file);
    expect(new Set(importers)).toEqual(new Set(["runtime/ort.ts"]));
  });

  test("no file is longer than 500 lines, tables excepted", () => {
    const long = files.filter((file) => {
      const lines = readFileSync(join(source, file), "utf8").split("\n").length;
      return lines > 500 && !file.includes("tables");
    });
    expect(long).toEqual([]);
  });
});
