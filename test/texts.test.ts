/** Models applied to streams of texts: what the commands write, a program gets as well, and all read texts alike. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetMetadata } from "hyparquet";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type TextRow, titleAndText } from "../src/corpus/text.ts";
import { readTexts } from "../src/corpus/texts.ts";
import { evaluateNer } from "../src/eval/ner.ts";
import { featuresOfTexts, openFeatures } from "../src/features.ts";
import { writeJsonLines } from "../src/io/json.ts";
import { classifyTexts, loadClassifier, loadTagger, tagTexts } from "../src/labellers.ts";
import { valueOf } from "../src/metrics/report.ts";
import { embedTexts, loadEmbedder } from "../src/retrieval/embedder.ts";
import { ranked, scoreChange, scoreLists } from "../src/retrieval/rerank.ts";
import { openScorer, type Scorer } from "../src/retrieval/scorers.ts";
import { writeVectors } from "../src/retrieval/vector-files.ts";
import { readOrigin } from "../src/io/origin.ts";
import { pathFingerprint } from "../src/io/fingerprint.ts";
import { stdoutOf } from "./support/command-line.ts";

const golden = (name: string): string => fileURLToPath(new URL(`goldens/retrieval/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-texts-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const one = { threads: 1 } as const;

const rows = Array.from({ length: 40 }, (_, i) => ({
  id: `t${i}`,
  ...(i % 3 === 0 ? { title: `gene ${i}` } : {}),
  text: `the kidney of mouse ${i} ${"and insulin ".repeat(i % 5)}`.trim(),
}));
writeFileSync(at("texts.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const texts = rows.map(titleAndText);
const ids = rows.map(({ id }) => id);
const read = (): AsyncIterable<TextRow> => readTexts(at("texts.jsonl"));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const galen = async (...args: string[]): Promise<Record<string, unknown>[]> =>
  (await stdoutOf(...args, "--json", "--threads", "1"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("embedding", () => {
  test("a stream gives the vectors of its texts, titles included, window by window", async () => {
    await using embedder = await loadEmbedder(golden("mean"), one);
    const done: number[] = [];
    const found = await collect(embedTexts(embedder, read(), { window: 16, onProgress: (count) => done.push(count) }));
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(found.map(({ text }) => text)).toEqual(texts);
    expect(done).toEqual([16, 32, 40]);
    const windows = [texts.slice(0, 16), texts.slice(16, 32), texts.slice(32)];
    const expected: Float32Array[] = [];
    for (const some of windows) expected.push(...(await embedder.embed(some)));
    expect(found.map(({ vector }) => vector)).toEqual(expected);
  });

  test.each(["npy", "parquet"])("into .%s gives the command's bytes", async (ending) => {
    await galen("embed", "--model", golden("mean"), "--file", at("texts.jsonl"), "--output", at(`command.${ending}`));
    await using embedder = await loadEmbedder(golden("mean"), one);
    const sources = { model: golden("mean"), texts: at("texts.jsonl") };
    expect(await writeVectors(at(`own.${ending}`), embedder.width, embedTexts(embedder, read()), sources)).toBe(40);
    expect(readFileSync(at(`own.${ending}`)).equals(readFileSync(at(`command.${ending}`)))).toBe(true);
    if (ending === "npy") {
      const origin = await readOrigin(at("command.npy"));
      expect(origin).toEqual(await readOrigin(at("own.npy")));
      expect(origin?.model?.fingerprint).toBe(await pathFingerprint(golden("mean")));
      expect(origin?.texts).toEqual({ path: "texts.jsonl", fingerprint: await pathFingerprint(at("texts.jsonl")) });
      return;
    }
    const bytes = readFileSync(at("own.parquet"));
    const { key_value_metadata: found } = parquetMetadata(Uint8Array.from(bytes).buffer);
    expect(found).toEqual([{ key: "galen.model", value: await pathFingerprint(golden("mean")) }]);
  });

  test("leaves nothing behind where the stream breaks or the file has another ending", async () => {
    async function* broken(): AsyncGenerator<{ id: string; vector: Float32Array }> {
      yield { id: "1", vector: new Float32Array(4) };
      throw new Error("enough");
    }
    await expect(writeVectors(at("broken.npy"), 4, broken())).rejects.toThrow("enough");
    expect(existsSync(at("broken.npy"))).toBe(false);
    await expect(writeVectors(at("vectors.csv"), 4, [])).rejects.toThrow(/ends in \.parquet or \.npy, got .*\.csv/);
    expect(await writeVectors(at("none.npy"), 4, [])).toBe(0);
    expect(readFileSync(at("none.npy")).toString("latin1")).toContain("'shape': (0, 4)");
  });
});

describe("labelling", () => {
  test("a stream gives the classes that its texts have", async () => {
    await using classifier = await loadClassifier(golden("cross-three"), one);
    const found = await collect(classifyTexts(classifier, read(), { window: 40, maxTokens: 12 }));
    const expected = await classifier.classify(texts, { maxTokens: 12 });
    expect(found).toEqual(expected.map((classified, i) => ({ id: ids[i], text: texts[i], ...classified })));
    const args = ["--max-tokens", "12", "--file", at("texts.jsonl")];
    const printed = await galen("classify", "--model", golden("cross-three"), ...args);
    expect(printed).toEqual(
      found.map(({ id, label, probabilities, cut }) => ({ id, label, probabilities, ...(cut && { cut }) })),
    );
  });

  test("a tagger says what it did not read, and what a type without a name is", async () => {
    const model = at("bare-tagger");
    cpSync(golden("cross-three"), model, { recursive: true });
    const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as object;
    const id2label = { 0: "B", 1: "B", 2: "B" };
    const changed = { ...config, architectures: ["BertForTokenClassification"], id2label };
    writeFileSync(join(model, "config.json"), JSON.stringify(changed));
    const words = Array.from({ length: 70 }, () => "kidney");
    // 64 positions, of which two are for special tokens.
    const read = 62;
    const said: string[] = [];
    const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(said.push(String(text))));
    await stdoutOf("tag", "--model", model, "kidney", words.join(" "), "--threads", "1").finally(() =>
      spy.mockRestore(),
    );
    const [short, long] = await galen("tag", "--model", model, "kidney", words.join(" "));
    const notes = said.join("");
    expect(short).not.toHaveProperty("unread");
    expect(long).toMatchObject({ unread: 70 - read, tags: words.map((_, i) => (i < read ? "B" : "O")) });
    expect(notes.match(/1 of 2 texts are longer than the model takes and were cut, the first: kidney/g)).toHaveLength(
      1,
    );
    expect(notes.match(/"_": the tagger was trained on tags without a type/g)).toHaveLength(1);
    await using tagger = await loadTagger(model, one);
    const tags = words.map(() => "B");
    const report = await evaluateNer(tagger, [{ tokens: words, tags }]);
    expect(valueOf(report, "unread_words")).toBe(8);
    expect(valueOf(report, "recall")).toBe(62 / 70);
    const whole = await evaluateNer(tagger, [{ tokens: words.slice(8), tags: tags.slice(8) }]);
    expect(whole.figures.map(({ name }) => name)).not.toContain("unread_words");
  });

  test("a tagger's entities stand in the text, words being letters and digits or single marks", async () => {
    const model = at("tagger");
    cpSync(golden("cross-three"), model, { recursive: true });
    const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as object;
    const id2label = { 0: "O", 1: "B-Gene", 2: "I-Gene" };
    const changed = { ...config, architectures: ["BertForTokenClassification"], id2label };
    writeFileSync(join(model, "config.json"), JSON.stringify(changed));
    await using tagger = await loadTagger(model, one);
    const text = "BRCA1-mutated (β2) cells.";
    const [found] = await collect(tagTexts(tagger, [{ id: "a", text }]));
    expect(found!.words).toEqual(["BRCA1", "-", "mutated", "(", "β2", ")", "cells", "."]);
    expect([found!.tags]).toEqual(await tagger.tag([found!.words]));
    // Whatever the random weights call an entity, its place holds its text.
    const fixed = { ...tagger, tag: async () => [["B-Gene", "I-Gene", "O", "O", "B-Gene", "O", "O", "O"]] };
    const [placed] = await collect(tagTexts(fixed, [{ id: "a", text }]));
    expect(placed!.entities).toEqual([
      { type: "Gene", start: 0, end: 6, text: "BRCA1-" },
      { type: "Gene", start: 15, end: 17, text: "β2" },
    ]);
  });
});

describe("features", () => {
  test("of a stream are those of its texts; the command takes words, lines and JSON lines", async () => {
    await using extractor = await openFeatures(golden("mean"), one);
    const found = await collect(featuresOfTexts(extractor, read(), { pool: "first" }));
    const expected = await extractor.features(texts, { pool: "first" });
    expect(found).toEqual(expected.map((features, i) => ({ id: ids[i], text: texts[i], ...features })));
    const args = ["features", "--model", golden("mean"), "--pool", "first"];
    const printed = await galen(...args, "--file", at("texts.jsonl"));
    expect(printed.map(({ text }) => text)).toEqual(texts);
    expect(await galen(...args, texts[0]!)).toEqual([expect.objectContaining({ text: texts[0] })]);
    expect(printed[0]!["vector"]).toHaveLength(expected[0]!.vectors[0]!.length);
  });
});

describe("reranking", () => {
  const lists = [
    { query: "kidney", documents: ["insulin", "the kidney", "a kidney of a mouse"] },
    { query: "insulin", documents: ["insulin", "kidney"] },
  ];

  test("gives every document the scorer's score, and the lists that the command writes", async () => {
    await using scorer = await openScorer(golden("cross-one"), one);
    const scored = await collect(scoreLists(scorer, lists));
    for (const [i, { query, documents, scores }] of scored.entries()) {
      expect({ query, documents }).toEqual(lists[i]);
      expect(scores).toEqual([...(await scorer.pairs(documents.map((text) => [query, text] as const)))]);
      const best = ranked(scored[i]!);
      expect(best.map(({ score }) => score)).toEqual([...scores].sort((a, b) => b - a));
      for (const { text, score } of best) expect(scores[documents.indexOf(text)]).toBe(score);
    }
    writeFileSync(at("lists.jsonl"), lists.map((list) => `${JSON.stringify(list)}\n`).join(""));
    await galen("rerank", at("lists.jsonl"), "--model", golden("cross-one"), "--output", at("scored.jsonl"));
    await writeJsonLines(at("own.jsonl"), scored);
    expect(readFileSync(at("own.jsonl"), "utf8")).toBe(readFileSync(at("scored.jsonl"), "utf8"));
  });

  test("scores that were written are no labels: such lists can be scored again", async () => {
    const scores = [7.5, -3, 0];
    writeFileSync(at("again.jsonl"), `${JSON.stringify({ ...lists[0], scores, transform: "none" })}\n`);
    const [list] = await galen("rerank", at("again.jsonl"), "--model", "bm25");
    expect(list!["ranked"]).toHaveLength(3);
  });

  test("says how scores differ from those of the exact network", async () => {
    const scorer: Scorer = {
      kind: "reranker",
      pairs: async (pairs) => Float64Array.from(pairs, ([, document]) => document.length),
      async [Symbol.asyncDispose]() {},
    };
    const scored = await collect(scoreLists(scorer, lists));
    const moved = scored.map((list) => ({ ...list, scores: list.scores.map((score, i) => score + i) }));
    expect(await scoreChange(scorer, moved)).toMatchObject({ pairs: 5, mean: (0 + 1 + 2 + 0 + 1) / 5, most: 2 });
    expect((await scoreChange(scorer, scored)).rankCorrelation).toBeCloseTo(1, 12);
    const turned = scored.map((list) => ({ ...list, scores: list.scores.map((score) => -score) }));
    expect((await scoreChange(scorer, turned)).rankCorrelation).toBeCloseTo(-1, 12);
  });
});
