/** The encoder commands, called as the program calls them: train, use, evaluate. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetReadObjects } from "hyparquet";
import { afterAll, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import mine from "../src/cli/commands/mine.ts";
import { type Figure, valueOf } from "../src/metrics/report.ts";
import { pathFingerprint } from "../src/io/fingerprint.ts";
import { readOrigin } from "../src/io/origin.ts";
import { stdoutOf } from "./support/command-line.ts";
import { writeTinyTask } from "./support/tiny-task.ts";

const embeddings = fileURLToPath(new URL("goldens/retrieval/mean", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-encoder-commands-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const lines = (name: string, rows: readonly object[]): string => {
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return at(name);
};

/** Of the fields that the tests look at. */
interface Printed {
  readonly id: string;
  readonly type: string;
  readonly loss: number;
  readonly embedding: number[];
  readonly score: number;
  readonly label: string;
  readonly labels: string[];
  readonly ranked: { readonly text: string }[];
  readonly figures: readonly Figure[];
  readonly entities: object[];
  readonly int8: { readonly pairs: number; readonly most: number; readonly rankCorrelation: number };
}

/** What a command prints with --json, line by line. */
async function galen(...args: string[]): Promise<Printed[]> {
  const printed = await stdoutOf(...args, "--json", "--threads", "1");
  return printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Printed);
}

/** What a command that fails says. */
async function complaint(...args: string[]): Promise<string> {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  try {
    expect(await main([...args, "--threads", "1"])).not.toBe(0);
  } finally {
    spy.mockRestore();
  }
  return said.join("").replaceAll(/\s+/g, " ");
}

const words = ["kidney", "heart", "stroke", "insulin"];
const texts = Array.from({ length: 32 }, (_, i) => ({ text: `the ${words[i % 4]} of ${i}`, label: words[i % 4]! }));

test("embed: the same vectors as lines, as .npy and as .parquet, with ids", async () => {
  const file = lines(
    "texts.jsonl",
    texts.map(({ text }, i) => ({ id: `t${i}`, text })),
  );
  const printed = await galen("embed", "--model", embeddings, "--file", file);
  expect(printed.map(({ id }) => id)).toEqual(texts.map((_, i) => `t${i}`));
  await galen("embed", "--model", embeddings, "--file", file, "--output", at("vectors.npy"));
  const npy = readFileSync(at("vectors.npy"));
  expect(npy.toString("latin1", 1, 6)).toBe("NUMPY");
  expect(npy.toString("latin1", 10, 128)).toContain("'shape': (32, 20)");
  await galen("embed", "--model", embeddings, "--file", file, "--output", at("vectors.parquet"));
  const bytes = readFileSync(at("vectors.parquet"));
  const rows = (await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    compressors: { ZSTD: (input: Uint8Array) => process.getBuiltinModule("node:zlib").zstdDecompressSync(input) },
  })) as { id: string; embedding: number[] }[];
  printed.forEach(({ id, embedding }, i) => {
    expect(rows[i]!.id).toBe(id);
    embedding.forEach((value, k) => {
      expect(rows[i]!.embedding[k]).toBeCloseTo(value, 6);
      expect(npy.readFloatLE(128 + 4 * (i * 20 + k))).toBeCloseTo(value, 6);
    });
  });
});

test("similarity and rerank: a text is most like itself, and scores go into training", async () => {
  const scores = await galen("similarity", "--model", embeddings, "heart", "insulin", "heart");
  expect(scores[1]!.score).toBeCloseTo(1, 5);
  expect(scores[0]!.score).toBeLessThan(scores[1]!.score);
  const lists = lines(
    "lists.jsonl",
    words.map((query) => ({ query, documents: [query, "a gene", "of and"] })),
  );
  const [first] = await galen("rerank", lists, "--model", embeddings);
  expect(first!.ranked[0]!.text).toBe("kidney");
  await galen("rerank", lists, "--model", embeddings, "--output", at("scored.jsonl"));
  const settings = ["documents=3", "batch=2", "queryTokens=16", "documentTokens=16"];
  const events = await galen(
    "train",
    "embeddings-kl",
    ...settings,
    "--model",
    embeddings,
    "--data",
    at("scored.jsonl"),
    "--output",
    at("kl"),
  );
  expect(events.at(-1)).toMatchObject({ type: "result", step: 2, stopped: false });
  const evaluated = await galen("evaluate", "similarity", lists, "--model", at("kl/model"));
  expect(valueOf(evaluated[0]!, "recall@1")).toBeGreaterThan(0.5);
});

test("lists say what they were made of: changed pairs and scores of another model do not pass unseen", async () => {
  const rows = words.map((query) => ({ query, documents: [query, `a gene of ${query}`] }));
  const pairs = lines("made-of.jsonl", rows);
  await galen("mine", pairs, "--model", "bm25", "--negatives", "2", "--margin", "0", "--output", at("mined.jsonl"));
  const origin = await readOrigin(at("mined.jsonl"));
  expect(origin?.model).toEqual({ path: "bm25" });
  expect(origin?.texts).toEqual({ path: "made-of.jsonl", fingerprint: await pathFingerprint(pairs) });

  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  await galen("rerank", at("mined.jsonl"), "--model", embeddings, "--output", at("by-mean.jsonl"));
  expect(warn).not.toHaveBeenCalled();
  lines("made-of.jsonl", [...rows, { query: "more", documents: ["more"] }]);
  const other = fileURLToPath(new URL("goldens/retrieval/prompt", import.meta.url));
  await galen("rerank", at("mined.jsonl"), "--model", other, "--output", at("by-prompt.jsonl"));
  const warned = warn.mock.calls.map(([message]) => message);
  warn.mockRestore();
  expect(warned).toEqual([`${at("mined.jsonl")}: made of ${pairs}, which has changed since: make the lists again`]);

  const train = ["train", "embeddings-kl", "documents=3", "batch=2", "--scale", "debug", "--model", embeddings];
  const data = ["--data", at("by-mean.jsonl"), "--valid", at("by-prompt.jsonl"), "--output", at("two-teachers")];
  expect(await complaint(...train, ...data)).toMatch(
    /by-prompt\.jsonl: expected scores of the model of --data, .*mean \(\d+ bytes, \w+\), got those of .*prompt \(/,
  );
});

test.each(["mean", "cross-one", "colbert"])("rerank of %s in eight bits says how scores change", async (name) => {
  const model = fileURLToPath(new URL(`goldens/retrieval/${name}`, import.meta.url));
  const documents = ["a gene", "kidney", "insulin of the heart"];
  const lists = lines(
    "lists.jsonl",
    words.map((query) => ({ query, documents })),
  );
  const [result] = await galen(
    "rerank",
    lists,
    "--model",
    model,
    "--output",
    at(`${basename(model)}-int8.jsonl`),
    "--int8",
  );
  expect(result!.int8.pairs).toBe(Math.min(words.length, Math.ceil(64 / 3)) * 3);
  expect(result!.int8.most).toBeGreaterThan(0);
  expect(result!.int8.rankCorrelation).toBeGreaterThan(0.9);
  const exact = await galen("rerank", lists, "--model", model, "--output", at(`${basename(model)}-exact.jsonl`));
  expect(exact[0]).not.toHaveProperty("int8");
});

test("a classifier is trained beside held-out texts, evaluated and used", async () => {
  const data = lines("classes.jsonl", texts);
  const settings = ["epochs=40", "batch=8", "schedule.peak=2e-3", "documentTokens=16"];
  await galen("train", "classifier", ...settings, "--model", embeddings, "--data", data, "--output", at("classes"));
  const held = lines("held.jsonl", texts.slice(0, 5));
  const args = ["train", "classifier", ...settings, "--model", embeddings, "--data", data, "--valid", held];
  const events = await galen(...args, "--output", at("held"));
  const losses = events.filter(({ type }) => type === "evaluated").map(({ loss }) => loss);
  expect(events.at(-1)).toMatchObject({ type: "result", before: losses[0], after: losses[1] });
  expect(losses[1]!).toBeLessThan(losses[0]!);
  const [before, after] = losses.map((loss) => loss.toFixed(4));
  expect(await complaint(...args, "--output", at("held"))).toMatch(/expected a folder without a run.*--resume/);
  const printed = await stdoutOf(...args, "--threads", "1", "--output", at("held-again"));
  expect(printed).toContain(`\nheld-out loss        ${before} before, ${after} after\nmodel  `);
  const inputs = JSON.parse(readFileSync(at("held/run.json"), "utf8")) as { inputs: object };
  expect(inputs.inputs).toEqual({ model: embeddings, data: [data], valid: held });
  const [report] = await galen("evaluate", "classification", data, "--model", at("classes/model"));
  expect(valueOf(report!, "accuracy")).toBeGreaterThan(0.9);
  const [found] = await galen("classify", "--model", at("classes/model"), "the heart of 1");
  expect(found!.label).toBe("heart");
});

test("a BioGPT becomes a classifier of several labels a text, is evaluated and used", async () => {
  const { start } = await writeTinyTask(at("biogpt"));
  const rows = ["Aspirin", "Heparin", "Codeine"].flatMap((drug) => [
    { text: `${drug} raises levels.`, labels: [drug, "up"] },
    { text: `${drug} lowers levels.`, labels: [drug] },
  ]);
  const none = { text: "in man.", labels: [] };
  const data = lines("several.jsonl", [...rows, none, ...rows, none]);
  const settings = ["epochs=40", "batch=8", "schedule.peak=5e-3", "documentTokens=16"];
  await galen("train", "classifier", ...settings, "--model", start, "--data", data, "--output", at("several"));
  const [report] = await galen("evaluate", "classification", data, "--model", at("several/model"));
  expect(valueOf(report!, "micro_f1")).toBeGreaterThan(0.9);
  expect(valueOf(report!, "macro_f1")).toBeGreaterThan(0.9);
  const found = await galen("classify", "--model", at("several/model"), "Heparin raises levels.", "in man.");
  expect(found.map(({ labels }) => labels)).toEqual([["Heparin", "up"], []]);
});

test("a BioGPT becomes a tagger", async () => {
  const { start } = await writeTinyTask(at("biogpt"));
  const tagged = texts.map(({ text }) => ({ tokens: text.split(" "), tags: ["O", "B-Organ", "O", "O"] }));
  const data = lines("biogpt-tags.jsonl", tagged);
  const settings = ["epochs=10", "batch=8", "schedule.peak=5e-3"];
  await galen("train", "tagger", ...settings, "--model", start, "--data", data, "--output", at("biogpt-tags"));
  const [found] = await galen("tag", "--model", at("biogpt-tags/model"), "the stroke of 5");
  expect(found!.entities).toEqual([{ type: "Organ", start: 4, end: 10, text: "stroke" }]);
});

test("labels that the model does not know, and mixed or missing ones, are refused", async () => {
  const model = at("several/model");
  const evaluate = (rows: readonly object[]): Promise<string> =>
    complaint("evaluate", "classification", lines("wrong.jsonl", rows), "--model", model);
  expect(await evaluate([{ text: "a", labels: ["liver"] }])).toMatch(
    /wrong\.jsonl: text 1: expected labels among .*"liver"/,
  );
  expect(await evaluate([{ text: "a", label: "up" }])).toMatch(
    /text 1: expected "labels" as the model was trained on, got "label"/,
  );
  expect(
    await evaluate([
      { text: "a", labels: [] },
      { text: "b", label: "heart" },
    ]),
  ).toMatch(/text 2: expected "labels"/);
  expect(await evaluate([{ text: "a" }])).toMatch(/wrong\.jsonl:1: .*expected "label" or "labels"/);
  expect(await evaluate([])).toMatch(/expected texts with labels, got none/);
  writeFileSync(at("typed.tsv"), "heart\tB-Tissue\n");
  expect(await complaint("evaluate", "ner", at("typed.tsv"), "--model", at("biogpt-tags/model"))).toMatch(
    /expected entities of the model's types "Organ"; got "Tissue"/,
  );
  expect(await complaint("tag", "--model", model, "text")).toMatch(/expected a model ForTokenClassification/);
});

test("a tagger is trained on JSON lines or IOB2, evaluated and used", async () => {
  const sentences = texts.map(({ text }) => {
    const tokens = text.split(" ");
    return { tokens, tags: tokens.map((token) => (words.includes(token) ? "B-Organ" : "O")) };
  });
  const data = lines("tags.jsonl", sentences);
  const iob = sentences.map(({ tokens, tags }) => `${tokens.map((token, i) => `${token}\t${tags[i]}\n`).join("")}\n`);
  writeFileSync(at("test.tsv"), iob.join(""));
  const settings = ["epochs=30", "batch=8", "schedule.peak=5e-3", "documentTokens=16"];
  await galen("train", "tagger", ...settings, "--model", embeddings, "--data", data, "--output", at("tags"));
  writeFileSync(at("none.tsv"), "\n");
  expect(
    await complaint(
      "train",
      "tagger",
      "--model",
      embeddings,
      "--data",
      data,
      "--valid",
      at("none.tsv"),
      "--output",
      at("none"),
    ),
  ).toMatch(/none\.tsv: expected examples, got none/);
  await galen("train", "tagger", ...settings, "--model", embeddings, "--data", at("test.tsv"), "--output", at("iob"));
  const weights = (name: string): Buffer => readFileSync(at(`${name}/model/model.safetensors`));
  expect(weights("iob").equals(weights("tags"))).toBe(true);
  const [report] = await galen("evaluate", "ner", at("test.tsv"), "--model", at("tags/model"));
  expect(await galen("evaluate", "ner", data, "--model", at("tags/model"))).toEqual([
    { ...report, model: at("tags/model") },
  ]);
  expect(valueOf(report!, "f1")).toBeGreaterThan(0.9);
  const kept = ["evaluate", "ner", at("test.tsv"), "--model", at("tags/model"), "--output", at("ner-run")];
  expect(await galen(...kept)).toEqual([report]);
  expect(await galen(...kept, "--resume")).toEqual([report]);
  expect(JSON.parse(readFileSync(at("ner-run/report.json"), "utf8"))).toEqual(report);
  expect(readFileSync(at("ner-run/report.txt"), "utf8")).toContain("protocol");
  const [found] = await galen("tag", "--model", at("tags/model"), "the stroke of 5");
  expect(found!.entities).toEqual([{ type: "Organ", start: 4, end: 10, text: "stroke" }]);
});

test.each(["bm25", embeddings])(
  "mine by %s: lists under their name, and nothing at all when it is stopped",
  async (model) => {
    const output = join(mkdtempSync(at("mined-")), "lists.jsonl");
    const pairs = lines(
      "pairs.jsonl",
      texts.map(({ text, label }, i) => ({ query: `${label} ${i}`, documents: [text] })),
    );
    const controller = new AbortController();
    const printed: unknown[] = [];
    const stopped = mine.run({
      args: { pairs, model, output, negatives: 1, skip: 0, margin: 0, threads: 1 } as never,
      json: false,
      output: {
        write: async (text) => void printed.push(text),
        json: async (value) => void printed.push(value),
        note() {},
      },
      progress: () => ({
        update: ({ unit }) => {
          if (unit === "queries") controller.abort();
        },
        end() {},
      }),
      signal: controller.signal,
    });
    await expect(stopped).rejects.toThrow(controller.signal.reason as Error);
    expect(printed).toEqual([]);
    expect(readdirSync(dirname(output))).toEqual([]);
    const [summary] = await galen(
      "mine",
      "--model",
      model,
      pairs,
      "--output",
      output,
      "--negatives",
      "1",
      "--margin",
      "0",
    );
    expect(readdirSync(dirname(output))).toEqual(["lists.jsonl", "lists.jsonl.json"]);
    const found = readFileSync(output, "utf8").trim().split("\n");
    expect(summary).toEqual({ output, pairs: texts.length, lists: found.length });
    expect(found.length).toBeGreaterThan(0);
    expect(Object.keys(JSON.parse(found[0]!))).toEqual(["query", "documents"]);
    const more = ["--negatives", "1", "--margin", "0", "--scores", "--overwrite"];
    await galen("mine", "--model", model, pairs, "--output", output, ...more);
    expect(JSON.parse(readFileSync(output, "utf8").split("\n")[0]!).scores).toHaveLength(2);
  },
);
