/** A name of Hugging Face's hub in every place that takes a model's folder: of the library, and of the command. */
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { commandsOf, galen } from "../src/cli/commands/index.ts";
import { main } from "../src/cli/main.ts";
import { convertModel } from "../src/convert.ts";
import { evaluatePerplexity, openPerplexityText } from "../src/eval/index.ts";
import { exportOnnx } from "../src/export.ts";
import { openFeatures } from "../src/features.ts";
import { loadClassifier, loadTagger } from "../src/labellers.ts";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { loadModel } from "../src/model.ts";
import { quantizeModel } from "../src/quantize.ts";
import { configure } from "../src/recipes/index.ts";
import { loadColbert, loadCrossEncoder, loadEmbedder, openScorer, writeVectors } from "../src/retrieval/index.ts";
import { openModelFolder } from "../src/runtime/index.ts";
import { openTuned } from "../src/soft-prompts/index.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { train } from "../src/train/index.ts";
import { stdoutOf } from "./support/command-line.ts";
import { writeEncoderData } from "./support/encoder-data.ts";
import { filesOfFolder, mainCommit } from "./support/hub-server.ts";
import { type HubWorld, hubWorld } from "./support/hub-env.ts";
import { writeTinyTask } from "./support/tiny-task.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-names-"));
const before = process.cwd();
const golden = (name: string): string => fileURLToPath(new URL(`goldens/${name}`, import.meta.url));
const embeddings = golden("retrieval/mean");
const data = writeEncoderData(folder, "train", 12, 1);
const tiny = await writeTinyTask(folder);
let world: HubWorld;

beforeAll(async () => {
  process.chdir(folder);
  const tokenizer = Object.entries(filesOfFolder(embeddings)).filter(([name]) => name.startsWith("tokenizer"));
  const withTokenizer = (name: string): Record<string, Uint8Array> => ({
    ...filesOfFolder(golden(name)),
    ...Object.fromEntries(tokenizer),
  });
  world = await hubWorld({
    "org/embeddings": { files: { ...filesOfFolder(embeddings), "README.md": Buffer.from("---\nlicense: mit\n---\n") } },
    "org/colbert": { files: filesOfFolder(golden("retrieval/stanford")) },
    "org/reranker": { files: filesOfFolder(golden("retrieval/cross-one")) },
    "org/decoder": { files: filesOfFolder(tiny.start) },
    "org/classes": { files: withTokenizer("bert/several") },
    "org/tags": { files: withTokenizer("bert/tokens") },
  });
});
afterAll(async () => {
  process.chdir(before);
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const opens = async (opened: Promise<AsyncDisposable>): Promise<void> => (await opened)[Symbol.asyncDispose]();
const threads = { threads: 1 };

/** Every public function that takes the folder of a model. */
const doors: Readonly<Record<string, () => Promise<unknown>>> = {
  loadModel: () => opens(loadModel("org/decoder", threads)),
  loadTokenizer: () => loadTokenizer("org/decoder"),
  openModelFolder: () => openModelFolder("org/decoder"),
  openFeatures: () => opens(openFeatures("org/embeddings", threads)),
  loadClassifier: () => opens(loadClassifier("org/classes", threads)),
  loadTagger: () => opens(loadTagger("org/tags", threads)),
  loadLikelihoods: () => opens(loadLikelihoods("org/decoder", threads)),
  loadEmbedder: () => opens(loadEmbedder("org/embeddings", threads)),
  loadColbert: () => opens(loadColbert("org/colbert", threads)),
  loadCrossEncoder: () => opens(loadCrossEncoder("org/reranker", threads)),
  openScorer: async () => {
    for (const name of ["org/embeddings", "org/colbert", "org/reranker"]) await opens(openScorer(name, threads));
  },
  exportOnnx: () => exportOnnx("org/decoder", join(folder, "decoder.onnx")),
  convertModel: () => convertModel({ source: "org/decoder", output: join(folder, "converted") }),
  quantizeModel: () => quantizeModel({ source: "org/decoder", output: join(folder, "few"), bits: 8 }),
  writeVectors: () =>
    writeVectors("v.parquet", 1, [{ id: "a", vector: Float32Array.of(1) }], { model: "org/embeddings" }),
  evaluatePerplexity: async () => {
    writeFileSync("text.txt", "Aspirin raises Warfarin levels in man.\n");
    await evaluatePerplexity("org/decoder", await openPerplexityText(["text.txt"], "org/decoder"), threads);
  },
  configure: () => configure("classifier", { inputs: { model: "org/embeddings", data: data.classes } }),
};

test.each(Object.entries(doors))("%s takes a name", async (_, open) => {
  await open();
});

test("a model of the cache, whose files are links, gives what its folder gives", async () => {
  await using own = await loadModel(golden("biogpt/model"), threads);
  world.hub.models.set("org/links", { files: filesOfFolder(golden("biogpt/model")) });
  await using named = await loadModel("org/links", threads);
  expect(lstatSync(join(named.folder, "model.safetensors")).isSymbolicLink()).toBe(true);
  const ids = [[2, 5, 6, 7]];
  expect((await named.forward({ ids })).logits.data).toEqual((await own.forward({ ids })).logits.data);
});

test("a model that is trained from a name says so: in its card, in the record, and as files of its own", async () => {
  const output = join(folder, "run");
  const inputs = { model: "org/embeddings", data: data.classes };
  const config = await configure("classifier", { inputs, scale: "debug", settings: ["epochs=1", "threads=1"] });
  await train(config, { ...inputs, output });
  const source = `org/embeddings@${mainCommit}`;
  const record = JSON.parse(readFileSync(join(output, "run.json"), "utf8")) as {
    inputs: { model: string };
    fingerprints: { model: string };
  };
  expect(record.inputs.model).toBe(source);
  expect(record.fingerprints.model).toMatch(/^\d+ bytes, [0-9a-f]{16}$/);
  const card = readFileSync(join(output, "model/README.md"), "utf8");
  expect(card).toMatch(/^---\nlanguage: en\nlicense: mit\nbase_model: org\/embeddings\nlibrary_name/);
  expect(card).toContain(`| started from | ${source} |`);
  expect(card).not.toContain(world.home);
  // The record's words are a name again, and the same one.
  await train(config, { ...inputs, model: source, output, resume: true });
  // Nothing of it hangs on the cache.
  await train(await configure("embeddings-ranking", { inputs: { ...inputs, data: data.lists }, scale: "debug" }), {
    model: "org/embeddings",
    data: data.lists,
    output: join(folder, "vectors"),
  });
  for (const run of ["run/model", "vectors/model"]) {
    const files = readdirSync(join(folder, run), { recursive: true, encoding: "utf8" });
    expect(files.filter((name) => lstatSync(join(folder, run, name)).isSymbolicLink())).toEqual([]);
  }
});

test("a converted model is of files, not of links", async () => {
  const output = join(folder, "copy");
  await convertModel({ source: "org/decoder", output });
  await (await loadModel("org/embeddings", threads)).save(join(folder, "saved"));
  for (const one of [output, join(folder, "saved")]) {
    const files = readdirSync(one, { recursive: true, encoding: "utf8" });
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((name) => lstatSync(join(one, name)).isSymbolicLink())).toEqual([]);
  }
  expect(existsSync(join(folder, "saved/1_Pooling/config.json"))).toBe(true);
});

test("every command with --model, --teacher or --tokenizer takes a name, and its help says so", async () => {
  for (const { name, entry } of commandsOf(galen)) {
    const { default: command } = await entry.load();
    for (const option of ["model", "teacher", "tokenizer"]) {
      const declared = command.options[option];
      if (declared === undefined) continue;
      expect(declared, `${name} --${option}`).toMatchObject({
        hint: "MODEL",
        part: option === "tokenizer" ? "tokenizer" : "model",
      });
      const help = await stdoutOf(...name.split(" "), "--help");
      expect(help.replaceAll("\n", " ")).toContain("a name of Hugging Face's hub: org/name, org/name@revision");
    }
  }
});

test("every model that is a command's first word may be a name", async () => {
  const found = await Promise.all(
    commandsOf(galen).map(async ({ name, entry }) => ({ name, ...(await entry.load()).default })),
  );
  const words = found.flatMap(({ name, positionals = {} }) =>
    Object.entries(positionals)
      .filter(([word]) => word === "model" || word === "source")
      .map(([word, { part }]) => `${name} ${word} ${part}`),
  );
  expect(words.toSorted()).toEqual(["convert source model", "quantize model model"]);
});

test("a command fetches a name before it runs; nothing but its result is on stdout", async () => {
  world.hub.models.set("org/fresh", { files: filesOfFolder(embeddings) });
  const printed = await stdoutOf("embed", "--model", "org/fresh", "--threads", "1", "--json", "Aspirin.");
  const own = await stdoutOf("embed", "--model", embeddings, "--threads", "1", "--json", "Aspirin.");
  expect(JSON.parse(printed)).toEqual(JSON.parse(own));
  const ids = await stdoutOf("tokenize", "--tokenizer", "org/decoder", join(folder, "text.txt"));
  expect(JSON.parse(ids)).toHaveProperty("ids");
});

test("a report says which model it is of, by name and commit", async () => {
  const printed = await stdoutOf("evaluate", "perplexity", "--model", "org/decoder", "text.txt", "--json");
  expect(JSON.parse(printed)).toMatchObject({ model: `org/decoder@${mainCommit}` });
});

test("galen pull prints where it is, and as JSON what came", async () => {
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const path = (await stdoutOf("pull", "org/reranker")).trim();
  expect(path).toBe(join(world.model("org/reranker"), "snapshots", mainCommit));
  const said = stderr.mock.calls.map(([text]) => String(text)).join("");
  expect(said).toMatch(/^org\/reranker, commit 0123456: \d+ files, \d+\.\d MB; fetched now: /m);
  stderr.mockClear();
  const json = JSON.parse(await stdoutOf("pull", "org/reranker@main", "--output", "reranker", "--json")) as object;
  expect(json).toMatchObject({ name: "org/reranker", commit: mainCommit, path: "reranker", fetched: 0 });
  expect(stderr).not.toHaveBeenCalled();
  expect(lstatSync("reranker/model.safetensors").isFile()).toBe(true);
  stderr.mockRestore();
});

/** What a command that fails says. */
async function saidBy(...args: string[]): Promise<string> {
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    expect(await main(args)).toBeGreaterThan(0);
    return stderr.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    stderr.mockRestore();
  }
}

test("a mistyped folder is no name: nobody is asked, and the one that is meant is named", async () => {
  world.hub.requests.length = 0;
  for (const path of ["run/modle", "rum/model", "runn"]) {
    expect(await saidBy("forward", "--model", path, "--ids", "2")).toMatch(/Hint: did you mean --model run\/model\?/);
  }
  expect(world.hub.requests).toEqual([]);
  expect(await saidBy("forward", "--model", "org/nothing", "--ids", "2")).toMatch(
    /error: org\/nothing: expected a model of/,
  );
  expect(await saidBy("pull", "../x")).toMatch(/expected a name of Hugging Face's hub, org\/name, got/);
});

test("a tuned model of the hub answers by its name", async () => {
  const output = join(folder, "tuned");
  const inputs = { model: "org/decoder", data: tiny.data };
  const config = await configure(tiny.schema, { inputs, scale: "debug", settings: ["steps=1", "threads=1"] });
  await train(config, { ...inputs, output });
  world.hub.models.set("org/tuned", { files: filesOfFolder(join(output, "model")) });
  await using tuned = await openTuned("org/tuned", threads);
  expect(tuned.task.name).toBe("tiny");
});
