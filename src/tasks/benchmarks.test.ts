/** Every benchmark on its real files: checksums, sizes, what right answers and the baseline score, and `scores`. */
import { describe, expect, it } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { type Counts, mean, microF1 } from "../metrics/counts.ts";
import { valueOf } from "../metrics/report.ts";
import type { Benchmark, Example, Split } from "./benchmark.ts";
import { checkDataFiles } from "./data-files.ts";
import { tasks } from "./index.ts";
import { moreBenchmarks } from "./more-benchmarks.ts";

const all = new Map([...Object.values(tasks), ...moreBenchmarks].map((one) => [one.name, one]));
const splits = ["train", "valid", "test"] as const;

interface Known {
  /** Examples of train, valid and test; null: not among the files. */
  readonly sizes: readonly [number | null, number | null, number | null];
  /** What right answers of the test set score by the primary figure, in percent: less than 100 where the form of answers cannot say all. */
  readonly right: number;
  /** The baseline's. */
  readonly baseline?: number;
}

const known: Readonly<Record<string, Known>> = {
  bc5cdr: { sizes: [500, 500, 500], right: 98.08, baseline: 15.77 },
  "kd-dti": { sizes: [null, 1000, 1159], right: 99.83 },
  ddi: { sizes: [469, 41, 191], right: 100, baseline: 2.69 },
  pubmedqa: { sizes: [450, 50, 500], right: 100, baseline: 55.2 },
  "pubmedqa-large": { sizes: [450, 50, 500], right: 100, baseline: 55.2 },
  hoc: { sizes: [9972, null, 4947], right: 100, baseline: 67.9 },
  "ner-chemical": { sizes: [4560, 4581, 4797], right: 100 },
  "ner-gene": { sizes: [12574, 2519, 5038], right: 100 },
  "ner-jnlpba": { sizes: [16807, 1739, 3856], right: 99.79, baseline: 42.9 },
  "ner-bc5cdr-chemical": { sizes: [4560, 4581, 4797], right: 100, baseline: 65.99 },
  "ner-bc5cdr-disease": { sizes: [4560, 4581, 4797], right: 100, baseline: 68.73 },
  "ner-ncbi-disease": { sizes: [5424, 923, 940], right: 99.9, baseline: 58.82 },
  "ner-bc2gm": { sizes: [12574, 2519, 5038], right: 100, baseline: 42.35 },
  "ner-bc5cdr": { sizes: [4545, 4567, 4784], right: 99.95, baseline: 67.27 },
  "ner-ncbi-disease-pubtator": { sizes: [6235, null, 908], right: 99.9, baseline: 60.85 },
  "bioasq-yesno": { sizes: [292, 117, 123], right: 100, baseline: 66.67 },
  "bioasq-7b-yesno": { sizes: [0, 0, 140], right: 100 },
  "bioasq-factoid": { sizes: [313, 163, 166], right: 100, baseline: 2.71 },
  "bioasq-list": { sizes: [163, 97, 85], right: 100, baseline: 7.01 },
  nli4ct: { sizes: [1700, 200, 5500], right: 100, baseline: 66.67 },
  "medical-abstracts": { sizes: [8615, null, 2888], right: 100, baseline: 33.28 },
  "structured-abstracts": { sizes: [47525, 2669, 2700], right: 100, baseline: 31.33 },
  "mts-dialog": { sizes: [1201, 100, 200], right: 100, baseline: 17.64 },
  "mts-dialog-sum": { sizes: [1201, 100, 200], right: 100, baseline: 15.79 },
  "article-summaries": { sizes: [600, 150, 200], right: 100, baseline: 40.1 },
};

/** What `scores` come to, as the harness puts them together. */
function together(scores: readonly (number | Counts)[]): number {
  return typeof scores[0] === "number" ? mean(scores as number[]) : microF1(scores as Counts[]);
}

/** Right answers but for every third, which is the next example's. */
function spoiled(benchmark: Benchmark, examples: readonly Example[]): unknown[] {
  const right = examples.map((one) => benchmark.parse(benchmark.target(one)));
  return right.map((answer, i) => (i % 3 === 2 ? right[(i + 1) % right.length] : answer));
}

it("every benchmark says which files it is of, but for one that is of two corpora", () => {
  expect(all.size).toBe(Object.keys(tasks).length + moreBenchmarks.length);
  const without = [...all.values()].filter(({ data }) => data === undefined).map(({ name }) => name);
  expect(without).toEqual(["ner-disease"]);
  const elsewhere = [...all.keys()].filter((name) => known[name] === undefined && !without.includes(name));
  expect(elsewhere).toEqual(["gad", "chemprot"]);
  for (const { data } of all.values()) {
    if (data !== undefined)
      expect([data.from, data.licence]).toEqual([expect.stringMatching(/https?:\/\//), expect.any(String)]);
  }
});

it("asks for the very words that it reads, and knows an answer that says nothing", () => {
  for (const benchmark of moreBenchmarks.filter(({ choices }) => choices !== undefined)) {
    const example = benchmark.exampleOf(
      "1",
      benchmark.name.startsWith("bioasq") || benchmark.name === "nli4ct" ? "a\tb" : "a",
    );
    for (const choice of benchmark.choices!.of(example)) {
      const answer = benchmark.parse(choice);
      expect(answer).not.toBe("failed");
      expect(benchmark.target({ ...example, gold: answer })).toBe(choice);
      // With the prompt before it, and as a chat says it.
      expect(benchmark.parse(`${benchmark.source(example)}${choice}\n\nmore`)).toBe(answer);
      expect(benchmark.parse(`**${choice.trim().toUpperCase()}**, because of it.`)).toBe(answer);
      expect(benchmark.parse(`We weigh it.\nThe answer is${choice}.`)).toBe(answer);
    }
    expect(benchmark.parse("I cannot say.")).toBe("failed");
    expect(benchmark.plain!(example)).not.toContain(benchmark.source(example).split("\n")[0]);
  }
});

describe.each(Object.entries(known))("%s", (name, { sizes, right, baseline }) => {
  const benchmark = all.get(name)!;
  const folder = shared(`data/benchmarks/${benchmark.data!.folder}`);
  const isThere = hasShared(`data/benchmarks/${benchmark.data!.folder}`);
  const read = (split: Split): Promise<Example[]> => benchmark.read(folder, split);

  it.skipIf(!isThere)("has its files, its sizes, and ids that differ", async () => {
    for (const [i, split] of splits.entries()) {
      if (sizes[i] === null) {
        await expect(read(split)).rejects.toThrow(/: expected /);
        continue;
      }
      const examples = await read(split);
      expect([split, examples.length]).toEqual([split, sizes[i]]);
      expect(new Set(examples.map(({ id }) => id)).size).toBe(examples.length);
      const files = benchmark.data!.files[split] ?? [];
      const digests = await checkDataFiles(benchmark, folder, split);
      expect(digests).toEqual(Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256])));
    }
  });

  it.skipIf(!isThere)("gives right answers full marks, and the baseline few", async () => {
    const examples = await read("test");
    const answers = examples.map((one) => benchmark.parse(benchmark.target(one)));
    const measured = benchmark.evaluate(examples, answers);
    expect(measured.failed ?? 0).toBe(0);
    expect((100 * valueOf(measured, measured.primary)).toFixed(2)).toBe(right.toFixed(2));
    if (baseline === undefined) return;
    const found = benchmark.evaluate(examples, benchmark.baseline!.answers(await read("train"), examples));
    expect((100 * valueOf(found, found.primary)).toFixed(2)).toBe(baseline.toFixed(2));
  });

  it.skipIf(!isThere || benchmark.scores === undefined)("has scores that make its primary figure", async () => {
    const examples = (await read("test")).slice(0, 600);
    const answers = spoiled(benchmark, examples);
    const measured = benchmark.evaluate(examples, answers, { bootstrap: { seed: 1, resamples: 20 } });
    const value = valueOf(measured, measured.primary);
    expect(value).toBeLessThan(0.99);
    expect(together(benchmark.scores!(examples, answers))).toBeCloseTo(value, 12);
    const { interval } = measured.figures.find((one) => one.name === measured.primary)!;
    expect(interval!.low).toBeLessThanOrEqual(value);
    expect(interval!.high).toBeGreaterThanOrEqual(value);
  });
});
