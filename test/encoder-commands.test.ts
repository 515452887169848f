/** The encoder commands, called as the program calls them: train, use, evaluate. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetReadObjects } from "hyparquet";
import { afterAll, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";

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
  readonly embedding: number[];
  readonly score: number;
  readonly label: string;
  readonly ranked: { readonly text: string }[];
  readonly figures: Readonly<Record<string, { readonly value: number }>>;
  readonly entities: object[];
}

/** What a command prints with --json, line by line. */
async function galen(...args: string[]): Promise<Printed[]> {
  const printed: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  try {
    expect(await main([...args, "--json", "--threads", "1"])).toBe(0);
  } finally {
    spy.mockRestore();
  }
  return printed
    .join("")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Printed);
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
  expect(evaluated[0]!.figures["recall@1"]!.value).toBeGreaterThan(0.5);
});

test("a classifier is trained, evaluated and used", async () => {
  const data = lines("classes.jsonl", texts);
  const settings = ["epochs=40", "batch=8", "schedule.peak=2e-3", "documentTokens=16"];
  await galen("train", "classifier", ...settings, "--model", embeddings, "--data", data, "--output", at("classes"));
  const [report] = await galen("evaluate", "classification", data, "--model", at("classes/model"));
  expect(report!.figures["accuracy"]!.value).toBeGreaterThan(0.9);
  const [found] = await galen("classify", "--model", at("classes/model"), "the heart of 1");
  expect(found!.label).toBe("heart");
});

test("a tagger is trained, evaluated and used", async () => {
  const sentences = texts.map(({ text }) => {
    const tokens = text.split(" ");
    return { tokens, tags: tokens.map((token) => (words.includes(token) ? "B-Organ" : "O")) };
  });
  const data = lines("tags.jsonl", sentences);
  const iob = sentences.map(({ tokens, tags }) => `${tokens.map((token, i) => `${token}\t${tags[i]}\n`).join("")}\n`);
  writeFileSync(at("test.tsv"), iob.join(""));
  const settings = ["epochs=15", "batch=8", "schedule.peak=5e-3", "documentTokens=16"];
  await galen("train", "tagger", ...settings, "--model", embeddings, "--data", data, "--output", at("tags"));
  const [report] = await galen("evaluate", "ner", at("test.tsv"), "--model", at("tags/model"));
  expect(report!.figures["f1"]!.value).toBeGreaterThan(0.9);
  const kept = ["evaluate", "ner", at("test.tsv"), "--model", at("tags/model"), "--output", at("ner-run")];
  expect(await galen(...kept)).toEqual([report]);
  expect(await galen(...kept, "--resume")).toEqual([report]);
  expect(JSON.parse(readFileSync(at("ner-run/report.json"), "utf8"))).toEqual(report);
  expect(readFileSync(at("ner-run/report.txt"), "utf8")).toContain("protocol");
  const [found] = await galen("tag", "--model", at("tags/model"), "the stroke of 5");
  expect(found!.entities).toEqual([{ type: "Organ", start: 4, end: 10, text: "stroke" }]);
});
