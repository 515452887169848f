/**
 * PubMed XML to a dataset folder on several threads: this thread reads, decompresses and cuts at record boundaries,
 * workers parse and encode row groups, and the groups are written here in file order, so that the bytes written depend
 * on the inputs and filters only, not on the number of threads. Records that lost to a newer version are taken out at
 * the end. The folder appears under its name only when all of it is written.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, readdir, writeFile, type FileHandle } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ConfigError } from "../../errors.ts";
import { writing } from "../../io/files.ts";
import { lockBeside } from "../../io/lock.ts";
import { checkSeparate } from "../../io/outputs.ts";
import { ownVersion } from "../../io/version.ts";
import { nothingRead } from "../failures.ts";
import { datasetFormat, datasetVersion, readManifest, type DatasetManifest } from "../dataset.ts";
import type { ImportJob, JobBlock, JobResult } from "./import-job.ts";
import { createImportPool, type ImportPool } from "./import-pool.ts";
import { defaultCompression, type Compression, type EncodedGroup } from "../parquet-codec.ts";
import { pubmedColumns } from "./columns.ts";
import { recordFilter, type PubMedFilters } from "./filter.ts";
import { listPubMedSources, readBlocks } from "./reader.ts";
import type { ReadFailure } from "./record.ts";
import { createLedger, type RecordLedger } from "./record-ledger.ts";
import { dropRows, writeShards, type ShardFile, type ShardSettings } from "../shard-files.ts";
import type { SourceFile } from "../source-files.ts";

export interface ImportProgress {
  /** On disk, so compressed where the sources are. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Records read so far, before filters. */
  readonly records: number;
  readonly failures: number;
  readonly secondsElapsed: number;
  /** From the mean rate so far; undefined before there is one. */
  readonly secondsLeft: number | undefined;
}

export interface ImportPubMedOptions {
  /** Files and folders, oldest first: of two records with the same PMID and version, the later one stays. */
  readonly inputs: readonly string[];
  /** The dataset folder to make. */
  readonly output: string;
  readonly filters?: PubMedFilters | undefined;
  /** Threads that parse; 0 parses on this thread. Default: the processors, or 0 for a few megabytes. */
  readonly workers?: number | undefined;
  readonly compression?: Compression | undefined;
  /** Size at which a Parquet file is ended. Default 256 MB. */
  readonly shardBytes?: number | undefined;
  /** XML bytes in one row group, at most 32 MB, which is what readers take. Default 16 MB. */
  readonly groupBytes?: number | undefined;
  /** A larger record is a failure. Default 64 MB, which is the most. */
  readonly recordLimit?: number | undefined;
  /** Replaces a dataset that is already there. */
  readonly overwrite?: boolean | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Gets what could not be read, as failures.jsonl does. */
  readonly onFailure?: ((failure: ReadFailure) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface PendingJob {
  readonly job: ImportJob;
  readonly failures: readonly ReadFailure[];
  readonly bytesDone: number;
}

/** Everything the import counts while it runs. */
interface Tally {
  /** Records and withdrawals. */
  found: number;
  records: number;
  kept: number;
  failures: number;
  firstFailure: ReadFailure | undefined;
  readonly filled: Map<string, number>;
  readonly sources: Map<string, { records: number; failures: number; sha256: string; bytes: number }>;
}

function createTally(sources: readonly SourceFile[]): Tally {
  const empty = (source: SourceFile) => ({ records: 0, failures: 0, sha256: "", bytes: source.bytes });
  return {
    found: 0,
    records: 0,
    kept: 0,
    failures: 0,
    firstFailure: undefined,
    filled: new Map(Object.keys(pubmedColumns).map((name) => [name, 0])),
    sources: new Map(sources.map((source) => [source.name, empty(source)])),
  };
}

/** Two inputs may hold files of the same name; the manifest and the failures tell them apart. */
function withUniqueNames(sources: readonly SourceFile[]): SourceFile[] {
  const seen = new Map<string, number>();
  return sources.map((source) => {
    const times = (seen.get(source.name) ?? 0) + 1;
    seen.set(source.name, times);
    return times === 1 ? source : { ...source, name: `${source.name}#${times}` };
  });
}

/** Reads all sources and makes parse jobs of about `groupBytes`. */
async function* makeJobs(
  sources: readonly SourceFile[],
  tally: Tally,
  options: ImportPubMedOptions,
): AsyncGenerator<PendingJob> {
  const { groupBytes = 16 << 20, recordLimit = 64 << 20, signal } = options;
  let blocks: JobBlock[] = [];
  let failures: ReadFailure[] = [];
  let size = 0;
  let bytesDone = 0;
  const cut = (): PendingJob => {
    const pending: PendingJob = { job: { kind: "parse", blocks }, failures, bytesDone };
    blocks = [];
    failures = [];
    size = 0;
    return pending;
  };
  for (const source of sources) {
    const hash = createHash("sha256");
    const onRaw = (chunk: Uint8Array): void => {
      hash.update(chunk);
      bytesDone += chunk.length;
    };
    const blockBytes = Math.min(4 << 20, groupBytes);
    for await (const part of readBlocks(source, { onRaw, recordLimit, blockBytes, signal })) {
      if (!("ranges" in part)) {
        failures.push(part);
        continue;
      }
      const { buffer, offset, ranges } = part;
      const { byteOffset, length } = buffer;
      blocks.push({ source: source.name, bytes: buffer.buffer, byteOffset, length, offset, ranges });
      size += ranges.at(-1)! - ranges[0]!;
      if (size >= groupBytes) yield cut();
    }
    tally.sources.get(source.name)!.sha256 = hash.digest("hex");
  }
  yield cut();
}

/** Adds one job's outcome; call in file order. */
async function account(
  result: JobResult,
  failures: readonly ReadFailure[],
  tally: Tally,
  ledger: RecordLedger,
  log: FileHandle,
): Promise<void> {
  for (let index = 0; index < result.pmids.length; index++) {
    ledger.add(result.pmids[index]!, result.versions[index]!, result.states[index]!);
  }
  tally.found += result.pmids.length;
  for (const [source, records] of Object.entries(result.records)) {
    tally.sources.get(source)!.records += records;
    tally.records += records;
  }
  for (const [name, filled] of Object.entries(result.fill)) tally.filled.set(name, tally.filled.get(name)! + filled);
  tally.kept += Number(result.encoded?.group.num_rows ?? 0);
  for (const failure of failures) tally.sources.get(failure.source)!.failures++;
  tally.failures += failures.length;
  tally.firstFailure ??= failures[0];
  if (failures.length > 0) await log.writeFile(failures.map((failure) => `${JSON.stringify(failure)}\n`).join(""));
}

/** Runs the jobs, as many at a time as keep the pool busy, and gives their row groups in order. */
async function* runJobs(
  jobs: AsyncIterator<PendingJob>,
  pool: ImportPool,
  depth: number,
  onDone: (result: JobResult, pending: PendingJob) => Promise<void>,
): AsyncGenerator<EncodedGroup> {
  const running: { pending: PendingJob; result: Promise<JobResult> }[] = [];
  let exhausted = false;
  for (;;) {
    while (!exhausted && running.length < depth) {
      const next = await jobs.next();
      if (next.done === true) exhausted = true;
      else {
        const result = pool.run(next.value.job);
        // Awaited below, in order; until then a rejection is not unhandled.
        result.catch(() => {});
        running.push({ pending: next.value, result });
      }
    }
    const first = running.shift();
    if (first === undefined) return;
    const result = await first.result;
    await onDone(result, first.pending);
    if (result.encoded !== undefined) yield result.encoded;
  }
}

/** Takes the rows that lost out of the shards; files that end up empty go, unless it is the only one. */
async function dropLosers(
  shards: ShardFile[],
  ledger: RecordLedger,
  tally: Tally,
  pool: ImportPool,
  settings: ShardSettings,
): Promise<ShardFile[]> {
  const dropped = Float64Array.from(ledger.dropped).sort();
  const left: ShardFile[] = [];
  let first = 0;
  let taken = 0;
  for (const shard of shards) {
    const rows: number[] = [];
    const next = first + shard.rows;
    while (taken < dropped.length && dropped[taken]! < next) rows.push(dropped[taken++]! - first);
    first = next;
    const onDropped = (fill: Record<string, number>): void => {
      for (const [name, filled] of Object.entries(fill)) tally.filled.set(name, tally.filled.get(name)! - filled);
    };
    const after = rows.length === 0 ? shard : await dropRows(shard, rows, pool, settings, onDropped);
    if (after.rows > 0 || shards.length === 1) left.push(after);
    else await rm(after.path);
  }
  return left;
}

/** Fails early where the output cannot become a dataset folder. */
async function checkOutput(output: string, overwrite: boolean): Promise<"free" | "taken"> {
  const entries = await readdir(output).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ConfigError(`output ${output} expected a folder, got something else`, { cause: error });
  });
  if (entries === undefined) return "free";
  if (entries.length === 0) return "taken";
  if (!overwrite) {
    throw new ConfigError(`output ${output} expected a folder that does not exist yet, got one with files`, {
      hint: "choose another folder, or set overwrite to replace a dataset",
    });
  }
  // Only what an import made is ever replaced.
  await readManifest(output);
  return "taken";
}

/** What a killed import left beside its output: a dataset that was about to be replaced gets its name back. */
async function recover(output: string): Promise<void> {
  const [folder, name] = [dirname(output), basename(output)];
  const siblings = await readdir(folder).catch(() => [] as string[]);
  for (const sibling of siblings.filter(
    (one) => one.startsWith(`${name}.`) && /\.[0-9a-f]{8}\.tmp(?:\.old)?$/.test(one),
  )) {
    if (sibling.endsWith(".old") && !existsSync(output)) await rename(join(folder, sibling), output);
    else await rm(join(folder, sibling), { recursive: true, force: true });
  }
}

async function buildDataset(
  folder: string,
  sources: readonly SourceFile[],
  options: ImportPubMedOptions,
  pool: ImportPool,
  depth: number,
): Promise<DatasetManifest> {
  const { filters = {}, compression = defaultCompression, shardBytes = 256 << 20, signal } = options;
  const createdBy = `galen ${await ownVersion()}`;
  const settings = { columns: pubmedColumns, compression, createdBy };
  const tally = createTally(sources);
  const ledger = createLedger();
  const started = performance.now();
  const bytesTotal = sources.reduce((sum, source) => sum + source.bytes, 0);
  await mkdir(join(folder, "data"));
  const log = await open(join(folder, "failures.jsonl"), "wx");
  let shards: ShardFile[];
  try {
    const groups = runJobs(makeJobs(sources, tally, options), pool, depth, async (result, pending) => {
      signal?.throwIfAborted();
      const found = [...pending.failures, ...result.failures];
      await account(result, found, tally, ledger, log);
      if (options.onFailure !== undefined) found.forEach(options.onFailure);
      const secondsElapsed = (performance.now() - started) / 1000;
      const { bytesDone } = pending;
      const secondsLeft = bytesDone === 0 ? undefined : (secondsElapsed * (bytesTotal - bytesDone)) / bytesDone;
      const { records, failures } = tally;
      options.onProgress?.({ bytesDone, bytesTotal, records, failures, secondsElapsed, secondsLeft });
    });
    shards = await writeShards(join(folder, "data"), groups, shardBytes, settings);
    await log.sync();
  } finally {
    await log.close();
  }
  if (tally.found === 0) throw nothingRead(options.inputs, "PubMed XML", tally.firstFailure);
  shards = await dropLosers(shards, ledger, tally, pool, settings);
  signal?.throwIfAborted();
  const names = shards.map((_, index) => {
    const padded = [index, shards.length].map((number) => String(number).padStart(5, "0"));
    return `data/train-${padded[0]}-of-${padded[1]}.parquet`;
  });
  for (const [index, shard] of shards.entries()) await rename(shard.path, join(folder, names[index]!));
  return {
    format: datasetFormat,
    schemaVersion: datasetVersion,
    createdBy,
    compression,
    records: tally.kept - ledger.dropped.length,
    counts: {
      read: tally.records,
      filtered: tally.records - tally.kept,
      superseded: ledger.superseded,
      deleted: ledger.deleted,
      failures: tally.failures,
    },
    filled: Object.fromEntries(tally.filled),
    filters: { ...filters },
    sources: [...tally.sources].map(([name, { bytes, sha256, records, failures }]) => ({
      name,
      bytes,
      sha256,
      records,
      failures,
    })),
    shards: shards.map(({ rows, bytes }, index) => ({ name: names[index]!, records: rows, bytes })),
  };
}

/**
 * Imports PubMed XML files and folders into a dataset folder and returns its manifest. Bad records are counted and
 * listed in `failures.jsonl` with file and byte position; the newest version of each PMID stays, withdrawn ones go.
 * Nothing is left under `output` when it throws.
 * @throws ConfigError where the output exists or a filter is wrong; DataError where an input cannot be found, or nothing
 * of them can be read.
 */
export async function importPubMed(options: ImportPubMedOptions): Promise<DatasetManifest> {
  const output = resolve(options.output);
  recordFilter(options.filters ?? {});
  for (const [name, most] of Object.entries({ groupBytes: 32 << 20, recordLimit: 64 << 20 })) {
    const value = options[name as "groupBytes"] ?? most;
    if (!(value > 0 && value <= most)) throw new ConfigError(`${name}: expected 1 to ${most}, got ${value}`);
  }
  await checkSeparate(output, options.inputs);
  const lock = await lockBeside(output);
  try {
    await recover(output);
    return await writing(output, () => importLocked(output, options));
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

async function importLocked(output: string, options: ImportPubMedOptions): Promise<DatasetManifest> {
  const { filters = {}, compression = defaultCompression, overwrite = false } = options;
  const state = await checkOutput(output, overwrite);
  const sources = withUniqueNames(await listPubMedSources(options.inputs));
  const bytes = sources.reduce((sum, source) => sum + source.bytes * (source.path.endsWith(".gz") ? 6 : 1), 0);
  const workers = options.workers ?? (bytes < 8 << 20 ? 0 : availableParallelism());
  const temporary = `${output}.${randomUUID().slice(0, 8)}.tmp`;
  const pool = createImportPool(workers, { filters, compression });
  try {
    await mkdir(temporary, { recursive: true });
    const manifest = await buildDataset(temporary, sources, options, pool, Math.max(1, workers * 2));
    await writeFile(join(temporary, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    if (state === "taken") {
      const old = `${temporary}.old`;
      await rename(output, old);
      await rename(temporary, output);
      await rm(old, { recursive: true });
    } else await rename(temporary, output);
    return manifest;
  } finally {
    await pool.close();
    await rm(temporary, { recursive: true, force: true });
  }
}
