/** Plans of curation and of documents: amounts, what grows how, what breaks first; on rates that are written here. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../errors.ts";
import { amountFrom, converted } from "./amount.ts";
import { type CorpusPlan, planCorpus } from "./plan-corpus.ts";
import { planDocuments } from "./plan-documents.ts";
import { corpusRates, type CorpusRates, type DocumentRates } from "./rates.ts";

const machine = { processor: "a processor", threads: 2, memory: 16e9, node: "24.0.0", galen: "0.1.0" };

type Step = CorpusRates["samples"][number]["steps"][number];

/** A sample of 10 MB of text at 1 MB/s, of which `seconds` of a step may be said otherwise. */
function rates(given: Partial<CorpusRates["samples"][number]> = {}, more: Partial<CorpusRates> = {}): CorpusRates {
  const step = (name: string, kind: Step["kind"], seconds: number, rest: Partial<Step> = {}): Step => {
    return { name, kind, seconds, tasks: 2, ...rest };
  };
  const sample = {
    bytes: 2e6,
    documents: 5000,
    characters: 10e6,
    words: 1.6e6,
    failures: 3,
    shards: 2,
    processor: 1,
    disk: 17e6,
    result: 9e6,
    steps: [
      step("import", "import", 0.5),
      step("clean", "documents", 7.5),
      step("near-duplicates: keys", "keys", 1.5, { records: 70_000 }),
      step("near-duplicates: comparison", "comparison", 0.1, { records: 20, tasks: 1 }),
      step("near-duplicates: clusters", "clusters", 0.01, { rounds: 2 }),
      step("near-duplicates", "documents", 0.4),
    ],
    finish: 0.1,
    ...given,
  };
  return corpusRates.parse({
    format: "galen-rates",
    version: 1,
    job: "corpus",
    measured: "2026-01-01T00:00:00.000Z",
    machine,
    files: { count: 100, bytes: 1e9, tasks: 80, largest: 20e6 },
    samples: [sample],
    together: { threads: 2, slower: 1.5 },
    memory: 0.6e9,
    open: { low: 1e-4, high: 2e-4 },
    ...more,
  });
}

describe("an amount", () => {
  test.each([
    ["28TB", { value: 28e12, unit: "bytes" }],
    ["1.2 tb", { value: 1.2e12, unit: "bytes" }],
    ["4e12tokens", { value: 4e12, unit: "tokens" }],
    ["38e6 documents", { value: 38e6, unit: "documents" }],
    ["1 document", { value: 1, unit: "documents" }],
    ["38,000,000documents", { value: 38e6, unit: "documents" }],
  ])("%s is read", (text, amount) => {
    expect(amountFrom(text)).toEqual(amount);
  });

  test.each(["", "28", "TB", "0TB", "-1TB", "1e999tokens", "12 parsecs", "1e12e2tokens"])("%j is refused", (text) => {
    expect(() => amountFrom(text)).toThrow(/amount: expected a number with B to PB/);
  });

  test("becomes another by the samples' own proportions, from the least to the most", () => {
    const samples = [
      { bytes: 10, documents: 2, characters: 40 },
      { bytes: 10, documents: 4, characters: 50, tokens: 10 },
    ];
    expect(converted({ value: 100, unit: "bytes" }, "characters", samples)).toEqual({ low: 400, high: 500 });
    expect(converted({ value: 100, unit: "tokens" }, "characters", samples)).toEqual({ low: 400, high: 500 });
    expect(() => converted({ value: 1, unit: "words" }, "bytes", samples)).toThrow(ConfigError);
  });
});

describe("a corpus", () => {
  test("that is all of the sources takes their bytes over the rate of a thread", () => {
    const plan = planCorpus(rates(), { cores: 1, machines: 1 });
    // 1 GB as it lies is 5 GB of text, at 1 MB/s.
    expect(plan.amount.characters).toEqual({ low: 5e9, high: 5e9 });
    expect(plan.coreHours.low).toBeGreaterThan(5000 / 3600);
    expect(plan.coreHours.low).toBeLessThan(1.05 * (5000 / 3600));
    expect(plan.coreHours.high).toBeGreaterThan((1.5 * 5000) / 3600);
    expect(plan.disk).toEqual({ low: 8.5e9, high: 8.5e9 });
    expect(plan.amount.shards).toBe(80);
    expect(plan.limits.some(({ breaks }) => breaks)).toBe(false);
  });

  test("of trillions of tokens breaks at its markers first, and says how much does not", () => {
    const plan = planCorpus(rates({}, { files: { count: 9, bytes: 1e9, tasks: 9, largest: 2e8 } }), {
      amount: amountFrom("4e12tokens"),
      cores: 1000,
      price: 0.05,
    });
    expect(plan.amount.characters.low).toBe(16e12);
    expect(plan.amount.shards).toBe(Math.ceil(16e12 / 2 ** 26));
    const markers = plan.limits.find(({ name }) => name === "markers")!;
    expect(markers).toMatchObject({ breaks: true, limit: 100_000 });
    expect(markers.characters! / 6.7e12).toBeCloseTo(1, 1);
    expect(plan.warnings.join("\n")).toContain("238,419 shards are more markers than a rank holds");
    expect(plan.machines).toBe(16);
    expect(plan.cost!.low).toBeGreaterThanOrEqual(0.05 * plan.coreHours.low);
  });

  test("opens files as the square of the text where keys are compared", () => {
    const opens = (amount: string): number =>
      planCorpus(rates(), { amount: amountFrom(amount) }).steps.find(({ kind }) => kind === "comparison")!.opens;
    expect(opens("20TB") / opens("2TB")).toBeGreaterThan(90);
    expect(opens("20TB") / opens("2TB")).toBeLessThan(110);
  });

  test("with more cores than tasks has cores without one, which is said", () => {
    const plan = planCorpus(rates(), { cores: 500 });
    expect(plan.limits[0]).toMatchObject({ name: "cores without a task", breaks: true, limit: 80 });
    expect(plan.hours.low).toBeCloseTo(planCorpus(rates(), { cores: 200 }).hours.low, 2);
  });

  test("of more machines than an array of Slurm has is warned of", () => {
    const plan = planCorpus(rates(), { amount: amountFrom("1PB"), cores: 4000, machines: 2000 });
    expect(plan.warnings.join("\n")).toContain("MaxArraySize");
  });

  test("whose tokens are written by the first rank alone is told so", () => {
    const plan = planCorpus(rates({ tokens: 2.5e6, finish: 5 }), { amount: amountFrom("1TB"), cores: 64 });
    expect(plan.steps.at(-1)!.name).toBe("dataset, report, tokens");
    expect(plan.warnings.join("\n")).toContain('leave "tokens" out');
    expect(plan.amount.tokens.low).toBeCloseTo(1.25e12, -6);
  });

  test("has ranges from samples that differ, each sample's steps summed by itself", () => {
    const one = rates();
    const slow = rates().samples[0]!;
    const second = { ...slow, steps: slow.steps.map((step) => ({ ...step, seconds: 2 * step.seconds })) };
    const plan = planCorpus({ ...one, samples: [slow, second] }, { cores: 1 });
    const single = planCorpus(one, { cores: 1 });
    expect(plan.coreHours.low).toBeCloseTo(single.coreHours.low, 9);
    expect(plan.coreHours.high / single.coreHours.high).toBeCloseTo(2, 1);
  });

  test("that was measured on a busy machine says so", () => {
    expect(planCorpus(rates({ processor: 0.4 })).warnings.join("\n")).toContain("a thread had 40 % of a processor");
    expect(planCorpus(rates()).warnings.join("\n")).not.toContain("of a processor");
  });

  test.each([{ cores: 0 }, { cores: 4, machines: 5 }, { price: Number.NaN }])("refuses %j", (options) => {
    expect(() => planCorpus(rates(), options)).toThrow(ConfigError);
  });

  test("of any size: ranges are in order, more text takes no less, more cores no longer", () => {
    const amounts = fc.double({ min: 1e8, max: 1e15, noNaN: true });
    const inOrder = ({ hours, coreHours, disk, memory, steps }: CorpusPlan): void => {
      for (const { low, high } of [
        hours,
        coreHours,
        disk,
        memory,
        ...steps.flatMap((one) => [one.hours, one.coreHours]),
      ]) {
        expect(Number.isFinite(high)).toBe(true);
        expect(low).toBeLessThanOrEqual(high * (1 + 1e-12));
      }
    };
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 5000 }), (value, cores) => {
        const plan = planCorpus(rates(), { amount: { value, unit: "bytes" }, cores, machines: 1 });
        inOrder(plan);
        const more = planCorpus(rates(), { amount: { value: 2 * value, unit: "bytes" }, cores, machines: 1 });
        expect(more.coreHours.low).toBeGreaterThanOrEqual(plan.coreHours.low);
        expect(more.coreHours.high).toBeGreaterThanOrEqual(plan.coreHours.high);
        const wider = planCorpus(rates(), { amount: { value, unit: "bytes" }, cores: 2 * cores, machines: 1 });
        expect(wider.hours.high).toBeLessThanOrEqual(plan.hours.high * (1 + 1e-9));
      }),
      { numRuns: 300 },
    );
  });
});

describe("documents", () => {
  const sample = (characters: number, seconds: number): DocumentRates["samples"][number] => {
    return {
      bytes: characters * 2,
      documents: characters / 1000,
      characters,
      failures: 0,
      seconds,
      disk: characters * 3,
    };
  };
  const of = (samples: DocumentRates["samples"], more: Partial<DocumentRates> = {}): DocumentRates => ({
    format: "galen-rates",
    version: 1,
    job: "extract",
    measured: "2026-01-01T00:00:00.000Z",
    machine,
    model: "runs/ddi/model",
    store: null,
    threads: 2,
    files: { count: 3, bytes: 20e6 },
    samples,
    memory: 1e9,
    ...more,
  });
  const steady = [sample(1e6, 10), sample(2e6, 20), sample(4e6, 40)];

  test("take as long as they are many, shared by machines", () => {
    const plan = planDocuments(of(steady), { amount: amountFrom("38e6documents"), machines: 100, price: 2 });
    expect(plan.machineHours.low).toBeCloseTo(38e6 / 100 / 3600, 6);
    expect(plan.hours.high).toBeCloseTo(38e6 / 100 / 3600 / 100, 6);
    expect(plan.cost!.low).toBeCloseTo(2 * plan.machineHours.low, 6);
    expect(plan.growth).toBeCloseTo(1, 6);
    expect(plan.disk.low).toBe(3 * 38e9);
  });

  test("that took longer the more there were are told so, and the upper end is above the samples' own", () => {
    const plan = planDocuments(of([sample(1e6, 10), sample(4e6, 90)]));
    expect(plan.growth).toBeGreaterThan(1.5);
    expect(plan.warnings[0]).toContain("time grew faster than the documents did");
    expect(plan.machineHours.high * 3600).toBeGreaterThan((90 / 4e6) * 10e6);
  });

  test("in an index that is held in memory whole need that memory, and several machines make several indexes", () => {
    const index = of(steady, { job: "index", store: "exact", model: null });
    const plan = planDocuments(index, { amount: amountFrom("38e6documents"), machines: 2 });
    expect(plan.memory.high).toBe(1e9 + 3 * 38e9);
    expect(plan.warnings.join("\n")).toMatch(/2 machines make 2 indexes[^]*--store lance keeps it on disk/);
  });
});
