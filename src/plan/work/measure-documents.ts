/**
 * Rates of indexing and of mining on this machine: the work itself on samples of its own inputs, in a folder that goes
 * afterwards, each sample twice as large as the one before, so that what does not grow as the documents do is seen.
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { readDocuments } from "../../corpus/documents.ts";
import { DataError } from "../../errors.ts";
import type { ColumnNames } from "../../io/csv.ts";
import type { MeasureOptions } from "./measure-corpus.ts";
import { type DocumentRates, thisMachine } from "./rates.ts";
import { listingOf, takeSample } from "./sample.ts";

export interface DocumentJob {
  readonly job: DocumentRates["job"];
  readonly model: string | null;
  readonly store: string | null;
  readonly threads: number | undefined;
  readonly columns: ColumnNames;
  /** Does the work on files, into a folder that is not there. */
  run(paths: readonly string[], output: string): Promise<void>;
}

const usual = { sampleBytes: 4e6, repeats: 3 } as const;

/** @throws as the job itself; DataError where nothing of a sample can be read. */
export async function measureDocuments(
  inputs: readonly string[],
  { job, model, store, threads, columns, run }: DocumentJob,
  options: MeasureOptions = {},
): Promise<DocumentRates> {
  const { sampleBytes = usual.sampleBytes, repeats = usual.repeats, onProgress, signal } = options;
  const listing = await listingOf(inputs);
  const scratch = await mkdtemp(join(options.scratch ?? tmpdir(), "galen-plan-"));
  try {
    const samples: DocumentRates["samples"] = [];
    for (let i = -1; i < repeats; i++) {
      signal?.throwIfAborted();
      onProgress?.(i < 0 ? "warming up" : `sample ${i + 1} of ${repeats}`);
      const [folder, output] = [join(scratch, `sample${i}`), join(scratch, `output${i}`)];
      const worth = sampleBytes / 2 ** (repeats - 1 - Math.max(0, i));
      const { paths, bytes } = await takeSample(listing, worth, Math.max(0, i) / repeats, folder);
      const held = await heldIn(paths, columns, signal);
      const started = performance.now();
      await run(paths, output);
      const seconds = (performance.now() - started) / 1000;
      // The first is for code that is compiled as it runs.
      if (i >= 0) samples.push({ bytes, ...held, seconds, disk: await sizeOf(output) });
      await rm(output, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    }
    return {
      format: "galen-rates",
      version: 1,
      job,
      measured: new Date().toISOString(),
      machine: await thisMachine(),
      model,
      store,
      threads: threads ?? availableParallelism(),
      files: { count: listing.files.length, bytes: listing.bytes },
      samples,
      memory: 1024 * process.resourceUsage().maxRSS,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function heldIn(
  paths: readonly string[],
  columns: ColumnNames,
  signal: AbortSignal | undefined,
): Promise<{ documents: number; characters: number; failures: number }> {
  const held = { documents: 0, characters: 0, failures: 0 };
  const onFailure = (): void => void (held.failures += 1);
  for await (const { title, text } of readDocuments(paths, { columns, signal, onFailure })) {
    held.documents += 1;
    held.characters += title.length + text.length;
  }
  if (held.documents > 0 && held.characters > 0) return held;
  throw new DataError(`${paths.join(", ").slice(0, 200)}: expected documents in a sample, got none that can be read`, {
    hint: "a larger one (--sample) has more",
  });
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) bytes += (await stat(join(folder, name))).size;
  return Math.max(1, bytes);
}
