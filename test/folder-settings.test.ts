/**
 * Settings of model directories: used by whatever opens one, with the values that sentence-transformers and PyLate give
 * (scripts/goldens/settings.py), and kept by whatever writes one.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { loadColbert } from "../src/retrieval/colbert.ts";
import { loadCrossEncoder } from "../src/retrieval/cross-encoder.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { openScorer } from "../src/retrieval/scorers.ts";

interface Case {
  readonly folder: string;
  /** File → dotted path → value. */
  readonly changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface Goldens {
  readonly queries: string[];
  readonly texts: string[];
  readonly embedders: Record<string, Case & { readonly plain: number[]; readonly scores: number[][] }>;
  readonly colberts: Record<string, Case & { readonly counts: number[]; readonly scores: number[][] }>;
  readonly crossEncoders: Record<string, Case & { readonly scores: number[] }>;
}

const root = fileURLToPath(new URL("goldens", import.meta.url));
const goldens = JSON.parse(readFileSync(`${root}/settings.json`, "utf8")) as Goldens;
const { queries, texts } = goldens;
const scratch = mkdtempSync(join(tmpdir(), "galen-folder-settings-"));
afterAll(() => rmSync(scratch, { recursive: true }));
vi.spyOn(console, "warn").mockImplementation(() => undefined);
const options = { threads: 1 } as const;

type Json = Record<string, unknown>;
const readJson = (path: string): Json => JSON.parse(readFileSync(path, "utf8")) as Json;

/** A copy of a directory with these settings. */
function changed({ folder, changes }: Case): string {
  const copy = mkdtempSync(join(scratch, `${folder}-`));
  cpSync(`${root}/retrieval/${folder}`, copy, { recursive: true });
  for (const [file, values] of Object.entries(changes)) {
    const json = readJson(join(copy, file));
    for (const [path, value] of Object.entries(values)) {
      const parents = path.split(".");
      const last = parents.pop()!;
      parents.reduce((place, name) => place[name] as Json, json)[last] = value;
    }
    writeFileSync(join(copy, file), JSON.stringify(json));
  }
  return copy;
}

/** Relative to the values' own size, since a dot product may be in the thousands. */
function expectClose(actual: Iterable<number>, expected: readonly number[]): void {
  const found = [...actual];
  expect(found).toHaveLength(expected.length);
  const apart = found.map((value, i) => Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!)));
  expect(Math.max(...apart)).toBeLessThan(1e-4);
}

const pairs = queries.flatMap((query) => texts.map((text) => [query, text] as const));

describe("embedding models are used as their directories say", () => {
  test.each(Object.entries(goldens.embedders))("%s", async (_, { plain, scores, ...golden }) => {
    const folder = changed(golden);
    await using embedder = await loadEmbedder(folder, options);
    expectClose(
      (await embedder.embed(texts)).flatMap((vector) => [...vector]),
      plain,
    );
    await using scorer = await openScorer(folder, options);
    expectClose(await scorer.pairs(pairs), scores.flat());
    const { encode, compare } = scorer.encoder!;
    await using comparer = await compare(await encode("document", texts));
    for (const [i, query] of (await encode("query", queries)).entries()) {
      expectClose(await comparer.score(query), scores[i]!);
    }
  });
});

describe("ColBERTs are used as their directories say", () => {
  test.each(Object.entries(goldens.colberts))("%s", async (_, { counts, scores, ...golden }) => {
    const folder = changed(golden);
    await using colbert = await loadColbert(folder, options);
    expect((await colbert.encodeDocuments(texts)).map(({ count }) => count)).toEqual(counts);
    await using scorer = await openScorer(folder, options);
    expectClose(await scorer.pairs(pairs), scores.flat());
  });
});

describe("cross-encoders are used as their directories say", () => {
  test.each(Object.entries(goldens.crossEncoders))("%s", async (_, { scores, ...golden }) => {
    await using encoder = await loadCrossEncoder(changed(golden), options);
    expectClose((await encoder.score(pairs)).scores, scores);
  });
});
