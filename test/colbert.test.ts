/**
 * ColBERT against PyLate (scripts/goldens/retrieval.py) and Sentence Transformers (multi-vector.py): token vectors,
 * MaxSim, all three directory formats, round trip.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { readTensor } from "../src/checkpoints/safetensors.ts";
import { type Colbert, type ColbertOptions, loadColbert } from "../src/retrieval/colbert.ts";
import { saveColbertFolder } from "../src/retrieval/colbert-folder.ts";
import { createMaxSim, maxSim, type TokenVectors } from "../src/retrieval/max-sim.ts";
import { random } from "../src/tensor/random.ts";

const folder = fileURLToPath(new URL("goldens/retrieval", import.meta.url));
const multiVector = fileURLToPath(new URL("goldens/multi-vector", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));
const texts = goldens.texts as string[];
const queries = goldens.queries as string[];
const quiet = { threads: 1, onCut: () => undefined } as const;
const scratch = await mkdtemp(join(tmpdir(), "galen-colbert-"));
afterAll(() => rm(scratch, { recursive: true }));

function expectVectors(actual: readonly TokenVectors[], expected: readonly number[][], apart = 1e-4): void {
  expect(actual.map(({ data }) => data.length)).toEqual(expected.map((row) => row.length));
  const errors = actual.map(({ data }, i) => Math.max(...data.map((x, k) => Math.abs(x - expected[i]![k]!))));
  expect(Math.max(...errors)).toBeLessThan(apart);
}

async function expectGolden(
  model: Colbert,
  golden: Record<"queries" | "documents" | "scores", number[][]>,
): Promise<void> {
  for (const batchSize of [1, 3, 32]) {
    expectVectors(await model.encodeQueries(queries, { batchSize }), golden.queries);
    expectVectors(await model.encodeDocuments(texts, { batchSize }), golden.documents);
  }
  const documents = await model.encodeDocuments(texts);
  await using scorer = await createMaxSim(documents, { threads: 1 });
  for (const [i, query] of (await model.encodeQueries(queries)).entries()) {
    const scores = await scorer.score(query);
    documents.forEach((document, j) => {
      expect(scores[j]).toBeCloseTo(golden.scores[i]![j]!, 3);
      expect(maxSim(query, document)).toBeCloseTo(scores[j]!, 5);
    });
  }
}

const cases: Record<string, [directory: string, settings: ColbertOptions["settings"]]> = {
  colbert: ["colbert", {}],
  attending: ["colbert", { attendsToExpansion: true }],
  plain: ["colbert", { expandsQueries: false, skiplist: [] }],
  stanford: ["stanford", {}],
};

describe("token vectors and scores equal PyLate's", () => {
  test.each(Object.entries(cases))("%s", async (name, [directory, settings = {}]) => {
    await using model = await loadColbert(`${folder}/${directory}`, { ...quiet, settings });
    await expectGolden(model, goldens.colbert[name]);
  });
});

describe("Sentence Transformers' multi-vector directories", () => {
  const { models } = JSON.parse(readFileSync(`${multiVector}/goldens.json`, "utf8")) as {
    models: Record<string, Record<"queries" | "documents" | "scores", number[][]>>;
  };

  test.each(Object.entries(models))("%s: its vectors and scores", async (name, golden) => {
    await using model = await loadColbert(`${multiVector}/${name}`, quiet);
    const found = await model.encodeQueries(queries, { batchSize: 2 });
    const documents = await model.encodeDocuments(texts, { batchSize: 3 });
    expectVectors(found, golden.queries, 1e-5);
    expectVectors(documents, golden.documents, 1e-5);
    found.forEach((query, i) =>
      documents.forEach((document, j) => {
        const expected = golden.scores[i]![j]!;
        expect(Math.abs(maxSim(query, document) - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      }),
    );
  });

  test("pooling of token vectors, and settings that PyLate's format cannot hold, are refused", async () => {
    await expect(loadColbert(`${multiVector}/pooling`, quiet)).rejects.toThrow("HierarchicalTokenPooling");
    await using model = await loadColbert(`${multiVector}/min`, quiet);
    const { config } = model.folder.model;
    const parts = { config, tokenizer: model.tokenizer, parameters: new Map() };
    await expect(saveColbertFolder(join(scratch, "min"), parts, model.folder)).rejects.toThrow("PyLate's format");
  });
});

test.each(["colbert", "stanford"])("a PyLate directory written from %s gives the same vectors", async (name) => {
  await using model = await loadColbert(`${folder}/${name}`, quiet);
  const { entries, model: network, ...rest } = model.folder;
  const parameters = new Map(
    await Promise.all(
      [...entries]
        .filter(([key]) => key !== "linear.weight")
        .map(async ([key, entry]) => [key, await readTensor(entry)] as const),
    ),
  );
  const copy = join(scratch, name);
  await saveColbertFolder(copy, { config: network.config, tokenizer: model.tokenizer, parameters }, rest);
  await using again = await loadColbert(copy, quiet);
  expect(again.settings).toEqual(model.settings);
  await expectGolden(again, goldens.colbert[name]);
});

test("says how many documents were cut", async () => {
  const messages: string[] = [];
  const warn = vi.spyOn(console, "warn").mockImplementation((message: string) => void messages.push(message));
  await using model = await loadColbert(`${folder}/colbert`, { threads: 1 });
  await model.encodeDocuments(texts);
  await model.encodeDocuments(["A"]);
  warn.mockRestore();
  expect(messages).toEqual(["2 of 7 documents have more than 40 tokens and were cut; set documentLength to keep more"]);
});

test("a prefix that the tokenizer lacks, and a directory with pooling, are refused", async () => {
  await expect(loadColbert(`${folder}/colbert`, { ...quiet, settings: { queryPrefix: "[X] " } })).rejects.toThrow(
    'expected the prefix "[X] "',
  );
  await expect(loadColbert(`${folder}/mean`, quiet)).rejects.toThrow("expected a Transformer and Dense modules");
});

test("scores over several chunks equal the definition, also of documents without vectors", async () => {
  const numbers = random(5);
  const vectors = (count: number): TokenVectors => ({
    width: 4,
    count,
    data: Float32Array.from({ length: 4 * count }, () => numbers.normal()),
  });
  const documents = [0, 9000, 4, 0, 5000, 4000, 3, 0, 1].map(vectors);
  const query = vectors(6);
  await using scorer = await createMaxSim(documents, { threads: 1 });
  const scores = await scorer.score(query);
  documents.forEach((document, i) => expect(scores[i]).toBeCloseTo(maxSim(query, document), 4));
});
