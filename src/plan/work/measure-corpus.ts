/**
 * Rates of a pipeline of curation on this machine: it runs as it stands on samples of its own sources, in a folder that goes
 * afterwards. One thread works, which is what cores are multiplied with; then as many as there are threads work at
 * once, each on its own, which says how much slower each is beside the others.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { readLines } from "../../io/lines.ts";
import { readJson } from "../../io/json.ts";
import { checked, parsedJson } from "../../schema.ts";
import type { CorpusPipeline } from "../../curate/pipeline.ts";
import type { CorpusSummary } from "../../curate/summary.ts";
import { type CorpusRates, type MeasuredStep, thisMachine } from "./rates.ts";
import { type Listing, listingOf, takeSample, worthOf } from "./sample.ts";

export interface MeasureOptions {
  /** About how many bytes of text a sample has. Default 16 MB. */
  readonly sampleBytes?: number | undefined;
  /** Samples, each of other files where there are enough. Default 3. */
  readonly repeats?: number | undefined;
  /** Where temporary files go: copies of what is sampled are among them. Default: the system's folder for them. */
  readonly scratch?: string | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const usual = { sampleBytes: 16e6, repeats: 3 } as const;
/** Before anything is measured: code is compiled as it runs. */
const warmUpShare = 1 / 8;
/** Of an import, in bytes as they are worth (`curate/work/import-plan.ts`). */
const taskBytes = 64 << 20;

/** @throws as the pipeline itself. */
export async function measureCorpus(file: string, options: MeasureOptions = {}): Promise<CorpusRates> {
  const { sampleBytes = usual.sampleBytes, repeats = usual.repeats, onProgress, signal } = options;
  // Loaded where something is measured, not by every plan.
  const { pipelineValue, planPipeline } = await import("../../curate/pipeline.ts");
  const value = (await pipelineValue(file)) as Record<string, unknown>;
  const folder = resolve(file, "..");
  const pipeline = await planPipeline(value, file, folder);
  const listings = await listingsOf(pipeline);
  const scratch = await mkdtemp(join(options.scratch ?? tmpdir(), "galen-plan-"));
  try {
    const place = { file, folder, value, scratch, signal };
    const sampled = (name: string, bytes: number, part: number): Promise<Sampled> =>
      sampledPipeline(place, listings, bytes, part, join(scratch, name));
    onProgress?.("warming up");
    const warm = await sampled("warm", warmUpShare * sampleBytes, 0);
    await measuredRun(place, warm, join(scratch, "warm-output"), 0);
    const samples: CorpusRates["samples"] = [];
    for (let i = 0; i < repeats; i++) {
      onProgress?.(`sample ${i + 1} of ${repeats}`);
      const sample = await sampled(String(i), sampleBytes, i / repeats);
      const output = join(scratch, `${i}-output`);
      samples.push(await measuredRun(place, sample, output, 0));
      await rm(output, { recursive: true });
    }
    const memory = 1024 * process.resourceUsage().maxRSS;
    const together = await togetherOf(place, warm, onProgress);
    return {
      format: "galen-rates",
      version: 1,
      job: "corpus",
      measured: new Date().toISOString(),
      machine: await thisMachine(),
      files: filesOf([...listings.values()]),
      samples,
      together,
      memory,
      open: await opening(scratch),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Place {
  readonly file: string;
  readonly folder: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

interface Sampled {
  readonly value: Readonly<Record<string, unknown>>;
  readonly bytes: number;
}

async function listingsOf({ sources, folder }: CorpusPipeline): Promise<Map<string, Listing>> {
  const listings = new Map<string, Listing>();
  for (const [name, { paths }] of Object.entries(sources)) {
    listings.set(name, await listingOf(paths.map((path) => resolve(folder, path))));
  }
  return listings;
}

/** The same pipeline on a sample of each source, as large a part of the whole as the source is. */
async function sampledPipeline(
  { value }: Place,
  listings: ReadonlyMap<string, Listing>,
  sampleBytes: number,
  part: number,
  folder: string,
): Promise<Sampled> {
  const worth = [...listings.values()].reduce((sum, one) => sum + one.worth, 0);
  const sources: Record<string, unknown> = {};
  let bytes = 0;
  for (const [name, listing] of listings) {
    const share = (sampleBytes * listing.worth) / worth;
    const sample = await takeSample(listing, share, part, join(folder, name));
    bytes += sample.bytes;
    const given = (value["sources"] as Record<string, object>)[name]!;
    sources[name] = { ...given, paths: sample.paths };
  }
  // Of a sample the words that the whole is to have would be many repeats.
  const { words: _, ...mixture } = (value["mixture"] ?? {}) as Record<string, unknown>;
  return { bytes, value: { ...value, sources, ...("mixture" in value ? { mixture } : {}) } };
}

async function measuredRun(
  { file, folder, signal }: Place,
  { value, bytes }: Sampled,
  output: string,
  workers: number,
): Promise<CorpusRates["samples"][number]> {
  const { runPipeline } = await import("../../curate/run.ts");
  const started = performance.now();
  const before = process.cpuUsage();
  let mixed = started;
  const summary = await runPipeline({
    file,
    value,
    folder,
    output,
    workers,
    signal,
    onProgress() {
      mixed = performance.now();
    },
  });
  const finish = (performance.now() - mixed) / 1000;
  const { user, system } = process.cpuUsage(before);
  const { documents, characters, words } = summed(summary);
  const tokens = await tokensIn(join(output, "tokens"));
  return {
    bytes,
    documents,
    characters,
    words,
    ...(tokens === undefined ? {} : { tokens }),
    failures: summary.sources.reduce((sum, one) => sum + one.failures, 0),
    shards: Math.max(
      1,
      (await readdir(join(output, "stages/import"))).filter((one) => one.endsWith(".parquet")).length,
    ),
    processor: (user + system) / 1000 / (performance.now() - started),
    disk: await diskOf(output),
    result: summary.result.amount.characters,
    steps: await stepsOf(output),
    finish,
  };
}

function summed({ sources }: CorpusSummary): { documents: number; characters: number; words: number } {
  const sum = (of: "documents" | "characters" | "words"): number =>
    sources.reduce((all, { read }) => all + read[of], 0);
  return { documents: sum("documents"), characters: sum("characters"), words: sum("words") };
}

const timing = z.object({ step: z.string(), task: z.string(), seconds: z.number() });
const counted = z.object({ records: z.int().nonnegative() });

/** What the run noted of its tasks, step by step. */
async function stepsOf(output: string): Promise<MeasuredStep[]> {
  const path = join(output, "timings-0.jsonl");
  const steps = new Map<string, { -readonly [Key in keyof MeasuredStep]: MeasuredStep[Key] }>();
  for await (const { text } of readLines(path)) {
    if (text === "") continue;
    const { step: name, task, seconds } = checked(timing, parsedJson(text, path), path);
    const kind = kindOf(name, task);
    const found = steps.get(name) ?? { name, kind, seconds: 0, tasks: 0 };
    found.seconds += seconds;
    found.tasks += 1;
    if (kind === "keys" || kind === "comparison") {
      found.records = (found.records ?? 0) + (await readJson(join(output, task), counted)).records;
    }
    const [, round] = /\/round-(\d+)-/.exec(task) ?? [];
    if (round !== undefined) found.rounds = Math.max(found.rounds ?? 0, Number(round) + 1);
    steps.set(name, found);
  }
  return [...steps.values()];
}

function kindOf(step: string, task: string): MeasuredStep["kind"] {
  if (step === "import") return "import";
  if (task.endsWith(".keys.json")) return "keys";
  if (/\/compare-\d+-of-\d+\.json$/.test(task)) return "comparison";
  return step.endsWith(": clusters") ? "clusters" : "documents";
}

/** Where the pipeline names a tokenizer. */
async function tokensIn(folder: string): Promise<number | undefined> {
  if (!existsSync(folder)) return undefined;
  const split = z.object({ tokens: z.int().nonnegative() });
  const { train, valid } = await readJson(join(folder, "tokens.json"), z.object({ train: split, valid: split }));
  return train.tokens + valid.tokens;
}

/** A file under several names counts once; the report's page is as large for any corpus. */
async function diskOf(folder: string): Promise<number> {
  const seen = new Set<string>();
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const { size, dev, ino } = await stat(join(folder, name));
    if (name.startsWith("report.") || seen.has(`${dev}:${ino}`)) continue;
    seen.add(`${dev}:${ino}`);
    bytes += size;
  }
  return bytes;
}

/** Thread beside thread, each on a sample of its own. A module's own stages do not go to other threads: not measured. */
async function togetherOf(
  place: Place & { readonly scratch: string },
  sample: Sampled,
  onProgress: MeasureOptions["onProgress"],
): Promise<CorpusRates["together"]> {
  const threads = availableParallelism();
  if (threads < 2 || !isPlain(place.value)) return null;
  onProgress?.(`${threads} threads at once`);
  const secondsOf = async (count: number): Promise<number> => {
    const runs = Array.from({ length: count }, (_, i) =>
      measuredRun(place, sample, join(place.scratch, `together-${count}-${i}`), 1),
    );
    // All have ended before the folder goes, or what one still writes, maybe notes of patients, would stay.
    const ended = await Promise.allSettled(runs);
    const steps = ended.flatMap((run) => {
      if (run.status === "rejected") throw run.reason;
      return run.value.steps;
    });
    return steps.reduce((sum, { seconds }) => sum + seconds, 0) / count;
  };
  const alone = await secondsOf(1);
  const beside = await secondsOf(threads);
  return { threads, slower: Math.max(1, beside / alone) };
}

function isPlain(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function filesOf(listings: readonly Listing[]): CorpusRates["files"] {
  let tasks = 0;
  for (const { files } of listings) {
    let held = 0;
    for (const file of files) {
      if (held === 0 || held + worthOf(file) > taskBytes) [tasks, held] = [tasks + 1, 0];
      held += worthOf(file);
    }
  }
  const all = listings.flatMap(({ files }) => files);
  return {
    count: all.length,
    bytes: listings.reduce((sum, one) => sum + one.bytes, 0),
    tasks,
    largest: all.reduce((most, one) => Math.max(most, one.bytes), 1),
  };
}

/** Of a disk on which the files were just written: a network's is slower. */
async function opening(scratch: string): Promise<CorpusRates["open"]> {
  const folder = join(scratch, "open");
  await mkdir(folder);
  const paths = Array.from({ length: 100 }, (_, i) => join(folder, String(i)));
  for (const path of paths) await writeFile(path, "x");
  const took: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    for (const path of paths) await readFile(path);
    took.push((performance.now() - started) / 1000 / paths.length);
  }
  return { low: Math.min(...took), high: Math.max(...took) };
}
