/** Two runs never write to one output: the second is refused by its name, before it writes, whatever the command. */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { commandsOf, galen } from "../src/cli/commands/index.ts";
import { main } from "../src/cli/main.ts";
import { lockBeside, lockFolder } from "../src/io/lock.ts";
import { runPipeline } from "../src/curate/index.ts";
import { indexDocuments } from "../src/search/index.ts";
import { writeTinyTask } from "./support/tiny-task.ts";
import { trainBy } from "./support/training.ts";

const golden = (name: string): string => fileURLToPath(new URL(`goldens/retrieval/${name}`, import.meta.url));
const sample = fileURLToPath(new URL("../samples/pubmed-sample.xml", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-one-output-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const lines = (name: string, rows: readonly object[]): string => {
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return at(name);
};

const words = ["kidney", "heart", "stroke"];
const texts = lines(
  "texts.jsonl",
  words.map((text) => ({ text, label: "a" })),
);
const lists = lines(
  "lists.jsonl",
  words.map((query) => ({ query, documents: [query] })),
);
const sentences = lines("sentences.jsonl", [{ tokens: words, tags: words.map(() => "O") }]);
const labelled = (name: string, architecture: string, id2label: object): string => {
  cpSync(golden("cross-three"), at(name), { recursive: true });
  const config = JSON.parse(readFileSync(at(`${name}/config.json`), "utf8")) as object;
  writeFileSync(at(`${name}/config.json`), JSON.stringify({ ...config, architectures: [architecture], id2label }));
  return at(name);
};
const classifier = labelled("classifier", "BertForSequenceClassification", { 0: "a", 1: "b", 2: "c" });
const tagger = labelled("tagger", "BertForTokenClassification", { 0: "O", 1: "B-Gene", 2: "I-Gene" });
const answered = lines("answered.jsonl", [{ prompt: "Why?", answers: words }]);
mkdirSync(at("beir/qrels"), { recursive: true });
lines("beir/corpus.jsonl", [{ _id: "d", title: "", text: "heart" }]);
lines("beir/queries.jsonl", [{ _id: "q", text: "heart" }]);
writeFileSync(at("beir/qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\td\t1\n");

const notes = lines("notes.jsonl", [{ text: "Dr. Will", identifiers: [{ class: "NAME", start: 4, end: 8 }] }]);
const pipeline = at("corpus.yaml");
writeFileSync(pipeline, `sources: { pubmed: { paths: ${JSON.stringify(sample)} } }\n`);

let tiny: Awaited<ReturnType<typeof writeTinyTask>>;
let tuned: string;
beforeAll(async () => {
  tiny = await writeTinyTask(at("tiny"));
  const settings = ["tokensPerBatch=600", "accumulate=1", "threads=1", "steps=1", "average=1", "evaluate.examples=0"];
  await indexDocuments([sample], { output: at("index") });
  await runPipeline({ file: pipeline, output: at("corpus"), workers: 0 });
  ({ model: tuned } = await trainBy(tiny.schema, settings, { model: tiny.start, data: tiny.data, output: at("run") }));
});

/** Of jobs: nothing is handed in. */
const waiting = ["--on", "slurm", "--dry-run"];
const model = Buffer.from("weights");
const file = { bytes: model.length, sha256: createHash("sha256").update(model).digest("hex") };
mkdirSync(at("done/model"), { recursive: true });
writeFileSync(at("done/model/model.safetensors"), model);
writeFileSync(at("done/job.json"), "{}");
writeFileSync(at("done/done.json"), JSON.stringify({ step: 1, stopped: false, files: { "model.safetensors": file } }));

/** The words of every command that has --output, without it; where it is a file, its ending. */
const commands: Readonly<Record<string, { readonly args: () => readonly string[]; readonly ending?: string }>> = {
  quickstart: { args: () => ["--steps", "1"] },
  "corpus import": { args: () => [sample] },
  "corpus run": { args: () => [pipeline] },
  "corpus train-quality": { args: () => [texts, "--bad", texts], ending: ".json" },
  "corpus report": { args: () => [at("corpus")], ending: ".html" },
  "evaluate deidentification": { args: () => [notes], ending: ".json" },
  "tokenizer train": { args: () => [sample, "--vocab-size", "600"] },
  "tokenizer extend": { args: () => [tuned, sample, "--tokens", "5"] },
  tokenize: { args: () => ["--tokenizer", tuned, sample] },
  train: { args: () => ["biogpt-nano", "--scale", "debug", "--data", texts, "--tokenizer", tuned] },
  "launch training": { args: () => ["biogpt-nano", ...waiting, "--data", texts, "--tokenizer", tuned] },
  "launch array": { args: () => ["plot", "{input}", ...waiting, "--over", "a", "b"] },
  "jobs fetch": { args: () => [at("done")] },
  extract: { args: () => ["--model", tuned, texts] },
  embed: { args: () => ["--model", golden("mean"), "--file", texts], ending: ".npy" },
  rerank: { args: () => [lists, "--model", golden("mean")], ending: ".jsonl" },
  mine: { args: () => [lists, "--model", "bm25"], ending: ".jsonl" },
  feedback: { args: () => ["--prompts", answered, "--port", "0"], ending: ".jsonl" },
  "evaluate perplexity": { args: () => ["--model", tuned, texts] },
  "evaluate similarity": { args: () => [lists, "--model", golden("mean")] },
  "evaluate retrieval": { args: () => [at("beir"), "--model", golden("mean")] },
  "evaluate classification": { args: () => [texts, "--model", classifier] },
  "evaluate ner": { args: () => [sentences, "--model", tagger] },
  "evaluate suite": { args: () => ["medqa", "--model", tuned, "--data", tiny.data] },
  "evaluate task": { args: () => ["--model", tuned, "--data", tiny.data] },
  convert: { args: () => [tuned] },
  quantize: { args: () => [tuned, "--bits", "8"] },
  review: { args: () => ["aspirin", "--index", at("index")], ending: ".md" },
  search: { args: () => ["aspirin", "--index", at("index"), "--format", "ris"], ending: ".ris" },
  "export onnx": { args: () => ["--model", tuned], ending: ".onnx" },
};

/** Waits for another that fetches to the same place: it may bring the same (src/hub/download.test.ts). */
const waits = ["pull"];
/** Adds to what is there; who writes second is refused by the index itself. */
const adds = ["index"];

test("every command with --output is among them", async () => {
  const writing: string[] = [];
  for (const { name, entry } of commandsOf(galen)) {
    if ("output" in (await entry.load()).default.options) writing.push(name);
  }
  expect([...Object.keys(commands), ...waits, ...adds].toSorted()).toEqual(writing.toSorted());
});

/** All that is there but locks. */
const written = (path: string): string[] =>
  existsSync(path) && statSync(path).isDirectory()
    ? readdirSync(path).filter((name) => name !== ".galen.lock")
    : [path].filter(existsSync);

const cases = [...Object.entries(commands), ["embed", { ...commands["embed"]!, ending: ".parquet" }] as const];
test.each(cases)("%s", async (name, { args, ending = "" }) => {
  const output = at(`held-${name.replaceAll(" ", "-")}${ending}`);
  const locks = [await lockBeside(output), ...(ending === "" ? [await lockFolder(output)] : [])];
  const said: string[] = [];
  const spies = [process.stderr, process.stdout].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((text) => Boolean(said.push(String(text)))),
  );
  try {
    expect(await main([...name.split(" "), ...args(), "--output", output])).toBe(1);
  } finally {
    for (const spy of spies) spy.mockRestore();
    for (const lock of locks) await lock[Symbol.asyncDispose]();
  }
  const owner = `got one of process ${process.pid}`;
  expect(said.join("")).toContain(`error: ${output}: expected an output that no other run writes to, ${owner}`);
  expect(written(output)).toEqual([]);
});

/** Silently, with its exit status and all that was said. */
async function run(words: readonly string[]): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const spies = [process.stderr, process.stdout].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((text) => Boolean(said.push(String(text)))),
  );
  try {
    return { code: await main([...words]), said: said.join("") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Its output is judgements, which it adds to; what is none of its own it refuses (test/feedback.test.ts). */
const appends = "feedback";
const files = [
  ...cases
    .filter(([name, { ending }]) => ending !== undefined && name !== appends)
    .map(([name, rest]) => ({ name, option: "--output", ...rest })),
  { name: "plot", option: "--svg", args: () => [at("run")], ending: ".svg" },
  { name: "plan", option: "--svg", args: () => ["biogpt-nano", "--accelerators", "2xh100"], ending: ".svg" },
  { name: "evaluate task", option: "--predictions", args: commands["evaluate task"]!.args, ending: ".jsonl" },
];
test.each(files)("$name $option FILE$ending replaces no file unasked", async ({ name, option, args, ending = "" }) => {
  const output = at(`filled-${name.replaceAll(" ", "-")}${ending}`);
  writeFileSync(output, "mine");
  // Before a model is looked for, so that none need be there.
  const words = args().map((word, i, all) => (all[i - 1] === "--model" ? at("no-model") : word));
  const { code, said } = await run([...name.split(" "), ...words, option, output]);
  expect(said).toContain(`error: ${output}: expected a file that does not exist, got one`);
  expect(said).toContain("--overwrite");
  expect(code).toBe(1);
  expect(readFileSync(output, "utf8")).toBe("mine");

  const replaced = await run([...name.split(" "), ...args(), option, output, "--overwrite"]);
  expect(replaced.code, replaced.said).toBe(0);
  expect(readFileSync(output, "utf8")).not.toBe("mine");
  writeFileSync(output, "");
  const empty = await run([...name.split(" "), ...args(), option, output]);
  expect(empty.code, empty.said).toBe(0);
});

/** They write beside what is there; only what one of their own runs left is in their way. */
const besides = new Set(["extract", ...Object.keys(commands).filter((name) => name.startsWith("evaluate "))]);
const folders = Object.entries(commands).filter(([, { ending }]) => ending === undefined);
test.each(folders)("%s --output DIR replaces nothing unasked", async (name, { args }) => {
  const output = at(`filled-${name.replaceAll(" ", "-")}`);
  mkdirSync(output);
  writeFileSync(join(output, "thesis.txt"), "mine");
  const words = [...name.split(" "), ...args(), "--output", output];
  if (besides.has(name)) expect((await run(words)).code).toBe(0);
  const { code, said } = await run(words);
  expect(said).toMatch(/expected an? .*, got one/);
  expect(said).toContain(output);
  expect(code).toBe(1);
  expect(readFileSync(join(output, "thesis.txt"), "utf8")).toBe("mine");
});
