/** `galen plan corpus` and `index`: measured on the samples that the package has, planned again from the rates that were kept. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { type CorpusPlan, type DocumentPlan, measureCorpus, planCorpus, readCorpusRates } from "../src/plan/index.ts";
import { stdoutOf } from "./support/command-line.ts";

const samples = fileURLToPath(new URL("../samples", import.meta.url));
const pipeline = join(samples, "corpus.yaml");
const folder = mkdtempSync(join(tmpdir(), "galen-plan-work-"));
afterAll(() => rmSync(folder, { recursive: true }));

const scratch = join(folder, "scratch");
mkdirSync(scratch);
const rates = join(folder, "rates.json");

async function errorOf(...words: string[]): Promise<string> {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(said.push(String(text))));
  try {
    expect(await main(words)).not.toBe(0);
  } finally {
    spy.mockRestore();
  }
  return said.join("");
}

describe("a pipeline", () => {
  test("is measured, its rates are kept, nothing else stays, and the sources are planned whole", async () => {
    const words = ["plan", "corpus", pipeline, "--sample", "1", "--repeats", "1", "--cores", "4", "--scratch", scratch];
    const plan = JSON.parse(await stdoutOf(...words, "--save-rates", rates, "--json")) as CorpusPlan;
    expect(readdirSync(scratch)).toEqual([]);
    expect(plan.rates).toEqual(await readCorpusRates(rates));
    const names = plan.steps.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["import", "near-duplicates: clusters", "mixture", "dataset, report"]),
    );
    const [sample] = plan.rates.samples;
    // The samples are smaller than what was asked for: all of them was measured, and the plan is of just that.
    expect(sample!.bytes).toBe(plan.rates.files.bytes);
    expect(plan.amount.documents).toEqual({ low: sample!.documents, high: sample!.documents });
    expect(plan.disk.low).toBeCloseTo(sample!.disk, 0);
    const seconds = sample!.steps.reduce((sum, step) => sum + step.seconds, 0);
    expect(plan.coreHours.low * 3600).toBeGreaterThanOrEqual(seconds);
  });

  test("is planned again from kept rates alone, the same each time, in words too", async () => {
    const words = ["plan", "corpus", "--rates", rates, "--amount", "4e12tokens", "--cores", "1000", "--price", "0.05"];
    const first = await stdoutOf(...words, "--json");
    expect(await stdoutOf(...words, "--json")).toBe(first);
    const plan = JSON.parse(first) as CorpusPlan;
    expect(plan.amount.characters.low).toBeCloseTo(16e12, -6);
    const text = await stdoutOf(...words);
    expect(text).toMatch(/on 1,000 cores of 16 machines\ntext +16\.00 TB/);
    expect(text).toMatch(/no {3}markers: [\d,]+ of 100,000, reached at [\d.]+ [GT]B of text/);
    expect(text).toMatch(/near-duplicates: clusters .* rounds, and files opened as n²/);
    expect(text).toMatch(/assumed +characters of a token: 4/);
    expect(text).toContain("What to doubt");
  });

  test("in TypeScript with a stage of its own is measured, but not thread beside thread", async () => {
    const file = join(folder, "corpus.mjs");
    const stage = `{ name: "mine", about: "drops nothing", version: 1, rewrites: false, settings: { safeParse: (data) => ({ success: true, data }) },
      open: () => ({ run: (documents) => documents.map(() => ({ keep: true })) }) }`;
    const source = JSON.stringify(join(samples, "topics.jsonl"));
    writeFileSync(file, `export default { sources: { topics: { paths: ${source} } }, stages: [{ stage: ${stage} }] };`);
    const measured = await measureCorpus(file, { sampleBytes: 1e5, repeats: 1, scratch });
    expect(measured.together).toBeNull();
    expect(planCorpus(measured).constants[1]).toMatchObject({ basis: "assumed", high: 2 });
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("that cannot run is refused as galen corpus run refuses it, and leaves nothing", async () => {
    const file = join(folder, "bare.yaml");
    writeFileSync(file, `sources: { notes: { paths: ${join(samples, "notes.jsonl")}, kind: clinical-notes } }`);
    expect(await errorOf("plan", "corpus", file, "--scratch", scratch)).toContain("clinical notes to be de-identified");
    expect(readdirSync(scratch)).toEqual([]);
  });
});

test("what is called the wrong way is refused before anything is measured", async () => {
  expect(await errorOf("plan", "corpus")).toContain("expected a pipeline, or --rates FILE, got neither");
  expect(await errorOf("plan", "corpus", pipeline, "--amount", "28parsecs")).toContain("amount: expected a number");
  expect(await errorOf("plan", "index", "--rates", rates)).toContain("job: expected");
  expect(await errorOf("plan", "corpus", "--rates", rates, "--save-rates", join(folder, "x.json"))).toContain(
    "got both",
  );
  writeFileSync(join(folder, "there.json"), "mine");
  const refused = await errorOf("plan", "corpus", pipeline, "--save-rates", join(folder, "there.json"));
  expect(refused).toContain("--overwrite");
  expect(readFileSync(join(folder, "there.json"), "utf8")).toBe("mine");
});

test("an index is planned from samples that double, and again from their rates", async () => {
  const [input, kept] = [join(samples, "pubmed-sample.xml"), join(folder, "index.json")];
  const words = ["plan", "index", input, "--amount", "38e6documents", "--scratch", scratch, "--repeats", "2"];
  const plan = JSON.parse(await stdoutOf(...words, "--save-rates", kept, "--json")) as DocumentPlan;
  expect(plan.amount.documents).toEqual({ low: 38e6, high: 38e6 });
  expect(plan.rates).toMatchObject({ job: "index", model: null, store: "exact" });
  expect(plan.memory.high).toBeGreaterThan(plan.disk.high);
  expect(plan.warnings.join("\n")).toContain("--store lance");
  expect(existsSync(kept)).toBe(true);
  const text = await stdoutOf("plan", "index", "--rates", kept, "--amount", "38e6documents");
  expect(text).toMatch(/^An index by words alone, store exact, on 1 machine/);
  expect(text).toMatch(/documents +38\.0M/);
  expect(readdirSync(scratch)).toEqual([]);
});

test("a recipe is planned as before, wherever its options stand", async () => {
  const first = await stdoutOf("plan", "biogpt-nano", "--accelerators", "2xh100", "--json");
  expect(JSON.parse(first)).toMatchObject({ recipe: "biogpt-nano" });
  expect(await stdoutOf("plan", "--accelerators", "2xh100", "--json", "biogpt-nano")).toBe(first);
});
