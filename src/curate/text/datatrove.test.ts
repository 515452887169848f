/**
 * Words, sentences, rules and signatures are datatrove's, document by document: over 5,000 real texts of ../shared and hostile
 * ones of test/goldens/curation.json, which scripts/goldens/curation.py made and describes.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readDocumentDataset } from "../../corpus/document-dataset.ts";
import { readLines } from "../../io/lines.ts";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { createMinHash } from "./minhash.ts";
import { mersenneTwister } from "./mersenne-twister.ts";
import { c4, c4Defaults } from "../rules/c4.ts";
import { fineWebDrop, fineWebDefaults } from "../rules/fineweb.ts";
import { gopherDrop, gopherDefaults } from "../rules/gopher.ts";
import { judged, type Drop, type Judged } from "../rules/judged.ts";
import { repetitionDrop, repetitionDefaults } from "../rules/repetition.ts";
import { runPipeline } from "../run.ts";
import { countSentences, splitBySentencizer } from "./words.ts";

interface Golden {
  readonly files: Readonly<Record<string, number>>;
  readonly hostile: readonly string[];
  readonly reasons: Readonly<Record<"gopher" | "repetition" | "c4" | "fineweb", readonly string[]>>;
  readonly clusters: readonly (readonly number[])[];
  readonly parameters: readonly string[];
  readonly words: string;
  readonly sentences: string;
  readonly gopher: string;
  readonly repetition: string;
  readonly c4: string;
  readonly c4Text: string;
  readonly fineweb: string;
  readonly xxhash: string;
  readonly sha1: string;
}

const golden = JSON.parse(
  readFileSync(new URL("../../../test/goldens/curation.json", import.meta.url), "utf8"),
) as Golden;
const real = Object.values(golden.files).reduce((sum, count) => sum + count, 0);
const hasCorpus = hasShared("data/corpus");

/** datatrove's names of what our rules are called. */
const theirs: Readonly<Record<string, string>> = {
  "gopher-few-words": "gopher_short_doc",
  "gopher-many-words": "gopher_long_doc",
  "gopher-short-words": "gopher_below_avg_threshold",
  "gopher-long-words": "gopher_above_avg_threshold",
  "gopher-hashes": "gopher_too_many_hashes",
  "gopher-ellipses": "gopher_too_many_ellipsis",
  "gopher-bullets": "gopher_too_many_bullets",
  "gopher-ellipsis-lines": "gopher_too_many_end_ellipsis",
  "gopher-few-letters": "gopher_below_alpha_threshold",
  "gopher-few-stop-words": "gopher_enough_stop_words",
  "repetition-empty": "empty",
  "repetition-paragraphs": "dup_para_frac",
  "repetition-paragraph-characters": "dup_para_char_frac",
  "repetition-lines": "dup_line_frac",
  "repetition-line-characters": "dup_line_char_frac",
  "c4-lorem-ipsum": "lorem_ipsum",
  "c4-curly-bracket": "curly_bracket",
  "c4-few-sentences": "too_few_sentences",
  "fineweb-empty": "empty",
  "fineweb-punctuated-lines": "line_punct_ratio",
  "fineweb-short-lines": "short_line_ratio",
  "fineweb-repeated-lines": "char_dup_ratio",
  "fineweb-lists": "list_ratio",
};

function theirName(drop: Drop | undefined): string {
  if (drop === undefined) return "kept";
  const top = /^repetition-top-(\d+)-words$/.exec(drop.rule);
  if (top !== null) return `top_${top[1]}_gram`;
  const repeated = /^repetition-(\d+)-words$/.exec(drop.rule);
  return repeated === null ? theirs[drop.rule]! : `duplicated_${repeated[1]}_n_grams`;
}

const digest = (data: string | Uint8Array): string => createHash("sha1").update(data).digest("hex").slice(0, 8);
async function realTexts(): Promise<string[]> {
  const texts: string[] = [];
  for (const [name, count] of Object.entries(golden.files)) {
    const lines: string[] = [];
    for await (const { text } of readLines(shared(`data/corpus/${name}.jsonl.zst`))) if (text !== "") lines.push(text);
    for (let i = 0; i < count; i++)
      texts.push((JSON.parse(lines[Math.floor((i * lines.length) / count)]!) as { text: string }).text);
  }
  return texts;
}

function* nearCopies(texts: readonly string[]): Generator<string> {
  for (let i = 0; i < 4000; i += 20) {
    const period = 15 + (Math.floor(i / 20) % 56);
    yield texts[i]!.split(" ")
      .filter((_, k) => k % period !== 7)
      .join(" ");
  }
}

/** Texts by their number; without ../shared the hostile ones alone. */
async function numberedTexts(): Promise<ReadonlyMap<number, Judged>> {
  const texts = new Map(golden.hostile.map((text, i) => [real + i, judged(text)]));
  if (!hasCorpus) return texts;
  const read = await realTexts();
  for (const [i, text] of read.entries()) texts.set(i, judged(text));
  for (const [i, text] of [...nearCopies(read)].entries()) texts.set(real + golden.hostile.length + i, judged(text));
  return texts;
}

let texts: ReadonlyMap<number, Judged> = new Map();
beforeAll(async () => {
  texts = await numberedTexts();
});

const decoded = new Map<string, Buffer>();
function digestAt(column: string, i: number): string {
  const bytes = decoded.get(column) ?? Buffer.from(column, "base64");
  decoded.set(column, bytes);
  return bytes.toString("hex", i * 4, i * 4 + 4);
}

/** Numbers of the texts where what `ours` gives is another than the column's. */
function differing(column: string, ours: (text: Judged) => string): number[] {
  return [...texts].flatMap(([i, text]) => (ours(text) === digestAt(column, i) ? [] : [i]));
}

function differingDecisions(name: keyof Golden["reasons"], ours: (text: Judged) => Drop | undefined): string[] {
  const codes = Buffer.from(golden[name], "base64");
  return [...texts].flatMap(([i, text]) => {
    const expected = golden.reasons[name][codes[i]!];
    const actual = theirName(ours(text));
    // 255: datatrove divides by zero.
    return codes[i] === 255 || actual === expected ? [] : [`${i}: expected ${expected}, got ${actual}`];
  });
}

/** Numbers of the texts that a pipeline of near duplicates alone leaves. */
async function leftByPipeline(folder: string, some: readonly number[]): Promise<number[]> {
  const lines = some.map((i) => JSON.stringify({ id: String(i), text: texts.get(i)!.text }));
  await writeFile(join(folder, "texts.jsonl"), `${lines.join("\n")}\n`);
  const value = { sources: { texts: { paths: "texts.jsonl", kind: "rows" } }, stages: ["near-duplicates"] };
  await runPipeline({ file: "test", value, folder, output: join(folder, "out"), workers: 0 });
  const left: number[] = [];
  for await (const { id } of readDocumentDataset(join(folder, "out/dataset"))) left.push(Number(id.split(":").at(-1)));
  return left;
}

describe(`of hostile texts${hasCorpus ? ", 5,440 real ones and near copies" : ""}`, () => {
  test("words are datatrove's", () => {
    const ours = ({ words }: Judged): string => digest(words().length === 0 ? "" : `${words().join("\n")}\n`);
    expect(differing(golden.words, ours)).toEqual([]);
  });

  test("sentences are datatrove's", () => {
    const ours = ({ text }: Judged): string => digest(`${splitBySentencizer(text).join("\0")}\0`);
    expect(differing(golden.sentences, ours)).toEqual([]);
  });

  test("sentences that are only counted are as many", () => {
    for (const text of golden.hostile) expect(countSentences(text)).toBe(splitBySentencizer(text).length);
  });

  test("Gopher's rules decide as datatrove's", () => {
    expect(differingDecisions("gopher", (text) => gopherDrop(text, gopherDefaults))).toEqual([]);
  });

  test("Gopher's rules on repetition decide as datatrove's", () => {
    expect(differingDecisions("repetition", (text) => repetitionDrop(text, repetitionDefaults))).toEqual([]);
  });

  test("C4's rules decide as datatrove's and leave the same text", () => {
    expect(differingDecisions("c4", ({ text }) => c4([text], c4Defaults).drop)).toEqual([]);
    const ours = ({ text }: Judged): string => {
      const left = c4([text], c4Defaults).texts;
      return left === undefined ? "00000000" : digest(left[0]!);
    };
    expect(differing(golden.c4Text, ours)).toEqual([]);
  });

  test("FineWeb's rules decide as datatrove's", () => {
    expect(differingDecisions("fineweb", (text) => fineWebDrop(text, fineWebDefaults))).toEqual([]);
  });

  test.each(["xxhash", "sha1"] as const)("MinHash signatures by %s are datatrove's", (hash) => {
    const signature = createMinHash({ hash });
    const wrong = [...texts].flatMap(([i, { text }]) => {
      const hashes = signature(text);
      const ours = hashes === undefined ? "00000000" : digest(new Uint8Array(hashes.buffer));
      return ours === digestAt(golden[hash], i) ? [] : [i];
    });
    expect(wrong).toEqual([]);
  });

  test.skipIf(!hasCorpus)("a pipeline leaves of each of datatrove's clusters the first, and all others", async () => {
    const folder = await mkdtemp(join(tmpdir(), "galen-clusters-"));
    try {
      const isHostile = (i: number): boolean => i >= real && i < real + golden.hostile.length;
      const some = [...texts.keys()].filter((i) => !isHostile(i)).sort((a, b) => a - b);
      const lost = new Set(golden.clusters.flatMap((cluster) => cluster.slice(1)));
      expect(await leftByPipeline(folder, some)).toEqual(some.filter((i) => !lost.has(i)));
      // datatrove leaves as many, but whichever comes first in its union.
      expect(
        golden.clusters.flatMap((cluster) => cluster.slice(1)).filter((i) => !isHostile(i)).length,
      ).toBeGreaterThan(100);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test("MinHash's functions are those that numpy draws for datatrove", () => {
  const draw = mersenneTwister(1);
  const prime = (1n << 61n) - 1n;
  const drawn = [1n, 0n].map((low) => Array.from({ length: 112 }, () => draw.between(low, prime)));
  expect(drawn.flatMap((some) => [`${some[0]}`, `${some[111]}`])).toEqual(golden.parameters);
});
