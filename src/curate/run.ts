/**
 * Runs a pipeline: import, updates, its stages in order, the mixture. On one machine with a thread a core; or as one of several
 * ranks, wherever a launcher starts them, that share nothing but the output folder. What is finished is never done again.
 */
import { mkdir, readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { fingerprintOf } from "../io/fingerprint.ts";
import { readJson } from "../io/json.ts";
import { isLock, lockBeside, lockFolder } from "../io/lock.ts";
import { checkSeparate } from "../io/outputs.ts";
import { ownVersion } from "../io/version.ts";
import { placeDataset } from "./work/dataset-folder.ts";
import { planImports } from "./work/import-plan.ts";
import { joinDocuments, type Step } from "./work/keyed-step.ts";
import { isFor, markerPath, type PlacedStage } from "./work/map-task.ts";
import { readMarkers } from "./work/finished.ts";
import { importMarker, type ImportMarker, type Shard, type StageMarker, stageMarker } from "./work/marker.ts";
import { repeatsOf } from "./mixture.ts";
import { type CorpusPipeline, type PlannedStage, planPipeline, readPipeline } from "./pipeline.ts";
import { createTaskPool } from "./work/pool.ts";
import { prune, removeLeft, removeSpare } from "./work/prune.ts";
import { resultMarker } from "./work/result-task.ts";
import { advance, type ShardState } from "./work/shard-state.ts";
import { isKeyed } from "./stage.ts";
import { createSummary, type CorpusSummary, type SummaryBuilder } from "./summary.ts";
import { stageAt, taskOf, updatesIndex } from "./work/tasks.ts";
import { writeTokenFiles } from "./work/token-step.ts";
import { doTasks, type WorkOptions, type WorkProgress } from "./work/work.ts";

export interface RunPipelineOptions {
  /** The pipeline's file, in YAML, TypeScript or JavaScript; or, with `value`, what messages call it. */
  readonly file: string;
  /** A pipeline as plain data, instead of the file's; paths are relative to `folder`. */
  readonly value?: unknown;
  readonly folder?: string | undefined;
  /** Folder of the work and of the result: dataset/, report.json. */
  readonly output: string;
  /** Which share of the work is done here, 0 to world - 1. */
  readonly rank?: number | undefined;
  readonly world?: number | undefined;
  /** Whether to wait for other ranks between steps. Default true. */
  readonly wait?: boolean | undefined;
  /** Threads; 0 works on this one. Default: the processors. */
  readonly workers?: number | undefined;
  /** Removes the work of earlier pipelines afterwards. Default: it stays, and is gone on with where it fits. */
  readonly prune?: boolean | undefined;
  /** Only sources are read: nothing is made for training, so that notes may be as they are, and there is no report. */
  readonly isImport?: boolean | undefined;
  readonly onProgress?: ((progress: WorkProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs this rank's share. @throws ConfigError, DataError; `WaitingForRanks` where it shall not wait and others are behind. */
export async function runPipeline(options: RunPipelineOptions): Promise<CorpusSummary> {
  const { file, value, rank = 0, world = 1, wait = true, onProgress, signal } = options;
  if (!(Number.isInteger(world) && world > 0 && Number.isInteger(rank) && rank >= 0 && rank < world)) {
    throw new ConfigError(`rank and world: expected a rank from 0 to world - 1, got ${rank} of ${world}`);
  }
  const output = resolve(options.output);
  const pipeline =
    value === undefined ? await readPipeline(file) : await planPipeline(value, file, options.folder ?? ".");
  const inputs = Object.values(pipeline.sources).flatMap(({ paths }) =>
    paths.map((path) => resolve(pipeline.folder, path)),
  );
  await checkSeparate(output, inputs);
  await using _ = await claim(output, rank);
  await removeLeft(output);
  const createdBy = `galen ${await ownVersion()}`;
  const pool = createTaskPool(options.workers ?? availableParallelism(), {
    output,
    createdBy,
    file,
    value,
    folder: options.folder,
  });
  try {
    const owners = new Set<string>();
    const work: WorkOptions = { output, pool, rank, world, wait, owners, onProgress, signal };
    const summary = await runSteps(pipeline, { ...work, createdBy, isImport: options.isImport === true });
    if (rank === 0 && options.prune === true) await prune(output, owners);
    return summary;
  } finally {
    await pool.close();
  }
}

/** Increased when tasks leave something else: what older versions of Galen left is not gone on with. */
const workVersion = 1;

/** What runs leave in their folder. */
const ownNames = /^(?:stages|dataset(?:\.old)?|tokens|report\.(?:json|html)|timings-\d+\.jsonl)$/;

/** The folder, or a rank's share of it, is this run's. @throws ConfigError where it is another's, or nobody's work. */
async function claim(output: string, rank: number): Promise<AsyncDisposable> {
  const there = await readdir(output).catch(() => [] as string[]);
  const alien = there.find((name) => !ownNames.test(name) && !isLock(name) && !name.endsWith(".tmp"));
  if (alien !== undefined) {
    throw new ConfigError(
      `${output}: expected an empty folder for a corpus, or one of an earlier run, got one with ${alien}`,
      {
        hint: "nothing there was touched: name another --output",
      },
    );
  }
  await mkdir(output, { recursive: true });
  // The first rank is the one that writes the result, however many there are.
  return rank === 0 ? lockFolder(output) : lockBeside(join(output, `rank-${rank}`));
}

interface RunWork extends WorkOptions {
  readonly createdBy: string;
  readonly isImport: boolean;
}

async function runSteps(pipeline: CorpusPipeline, work: RunWork): Promise<CorpusSummary> {
  const imports = await importSources(pipeline, work);
  const shards = imports.flatMap((one) => one.shards);
  checkImported(pipeline, imports, shards, work.isImport);
  const summary = createSummary(pipeline, imports);
  let states = shards.map((shard): ShardState => {
    const { name, source, kinds, file, amount } = shard;
    return { name, source, kinds, file: file.path, bytes: file.bytes, verdicts: [], amount };
  });
  let before = fingerprintOf(String(workVersion), String(pipeline.seed));
  const last = pipeline.stages.length;
  for (let at = updatesIndex; at < last;) {
    const planned = stageAt(pipeline, at);
    if (isKeyed(planned.stage)) {
      before = fingerprintOf(before, planned.fingerprint);
      const concerned = states.filter((state) => isFor(planned, state));
      const found = await joinDocuments(stepOf(at, planned, before), concerned, shards, work);
      // What comes after depends on which shards there were.
      before = found.fingerprint;
      states = behind(states, found.folder, concerned, found.markers, (marker) =>
        summary.add(at, marker.state, marker.marker),
      );
      at += 1;
      continue;
    }
    const group: (PlacedStage & { readonly index: number })[] = [];
    for (; at < last && !isKeyed(stageAt(pipeline, at).stage); at++) {
      const next = stageAt(pipeline, at);
      before = fingerprintOf(before, next.fingerprint);
      group.push({ planned: next, folder: `${next.stage.name}-${before.slice(0, 10)}`, index: at });
    }
    states = await mapShards(group, states, summary, work);
  }
  return finish(pipeline, states, before, summary, work);
}

async function importSources(pipeline: CorpusPipeline, work: WorkOptions): Promise<ImportMarker[]> {
  const jobs = await planImports(pipeline, work);
  const tasks = jobs.map(({ bytes, ...job }) => taskOf("import", `stages/import/${job.name}.json`, bytes, job));
  return doTasks("import", tasks, importMarker, work);
}

/** Something was read, and notes of patients will not be trained on as they are. */
function checkImported(
  pipeline: CorpusPipeline,
  imports: readonly ImportMarker[],
  shards: readonly Shard[],
  isImport: boolean,
): void {
  if (shards.every(({ amount }) => amount.documents === 0)) {
    const first = imports.flatMap(({ firstFailures }) => firstFailures)[0];
    const got = first === undefined ? "none" : `none that can be read (${first})`;
    throw new DataError(`${pipeline.file}: sources: expected documents, got ${got}`);
  }
  if (isImport) return;
  const isCovered = (shard: Shard): boolean =>
    pipeline.sources[shard.source]!.deidentified !== undefined ||
    pipeline.stages.some((planned) => planned.stage.name === "deidentify" && isFor(planned, shard));
  const bare = shards.find((shard) => shard.kinds.includes("clinical-notes") && !isCovered(shard));
  if (bare === undefined) return;
  throw new ConfigError(
    `${pipeline.file}: sources.${bare.source}: expected clinical notes to be de-identified, got no stage that does it`,
    {
      hint: 'add the stage "deidentify", or say under "deidentified" of the source who did it, and where the report is',
    },
  );
}

function stepOf(index: number, planned: PlannedStage, fingerprint: string): Step {
  return { index, planned, name: planned.stage.name, fingerprint };
}

/** States behind a stage that some of them went through. */
function behind(
  states: readonly ShardState[],
  folder: string,
  concerned: readonly ShardState[],
  markers: readonly StageMarker[],
  tell: (found: { readonly state: ShardState; readonly marker: StageMarker }) => void,
): ShardState[] {
  const byName = new Map(concerned.map(({ name }, i) => [name, markers[i]!]));
  return states.map((state) => {
    const marker = byName.get(state.name);
    if (marker === undefined) return state;
    tell({ state, marker });
    return advance(state, markerPath(folder, state.name), marker);
  });
}

async function mapShards(
  group: readonly (PlacedStage & { readonly index: number })[],
  states: readonly ShardState[],
  summary: SummaryBuilder,
  work: WorkOptions,
): Promise<ShardState[]> {
  const own = states.map((state) => group.filter(({ planned }) => isFor(planned, state)));
  const tasks = states.flatMap((state, i) => {
    const stages = own[i]!.map(({ index, folder }) => ({ index, folder }));
    if (stages.length === 0) return [];
    return [taskOf("map", markerPath(stages.at(-1)!.folder, state.name), state.bytes, { stages, state })];
  });
  await doTasks(group.map(({ planned }) => planned.stage.name).join(", "), tasks, stageMarker, work);
  const paths = states.flatMap((state, i) => own[i]!.map(({ folder }) => markerPath(folder, state.name)));
  const markers = (await readMarkers(work.output, paths, stageMarker, work.world > 1)).values();
  return states.map((state, i) => {
    let now = state;
    for (const { index, folder } of own[i]!) {
      const marker = markers.next().value!;
      summary.add(index, now, marker);
      now = advance(now, markerPath(folder, state.name), marker);
    }
    return now;
  });
}

/** The mixture, the dataset's folder, and what there is to report. */
async function finish(
  pipeline: CorpusPipeline,
  states: readonly ShardState[],
  before: string,
  summary: SummaryBuilder,
  work: RunWork,
): Promise<CorpusSummary> {
  const repeats = repeatsOf(pipeline, states);
  const fingerprint = fingerprintOf(before, JSON.stringify([pipeline.seed, [...repeats]]));
  const folder = `stages/result-${fingerprint.slice(0, 10)}`;
  const tasks = states.map((state) =>
    taskOf("result", `${folder}/${state.name}.json`, state.bytes, {
      state,
      path: `${folder}/${state.name}.parquet`,
      repeat: repeats.get(state.source)!,
      reported: !work.isImport,
    }),
  );
  const markers = await doTasks("mixture", tasks, resultMarker, work);
  const measured = await measuredOf(pipeline);
  const counted = summary.finish(states, markers, repeats);
  const found = measured === undefined ? counted : { ...counted, deidentification: measured };
  const { output, rank, createdBy, isImport, signal } = work;
  signal?.throwIfAborted();
  // Every rank knows all; one writes.
  if (rank !== 0) return found;
  await removeSpare(output, work.owners ?? []);
  await placeDataset(output, markers, { fingerprint, createdBy });
  if (isImport) return found;
  await writeFileAtomically(join(output, "report.json"), `${JSON.stringify(found, null, 2)}\n`);
  const { reportPage } = await import("./report/page.ts");
  await writeFileAtomically(join(output, "report.html"), await reportPage(found));
  await writeTokenFiles(pipeline, { output, dataset: fingerprint, signal });
  return found;
}

/** What was measured of the stage that de-identifies, where the pipeline names the file. */
async function measuredOf({ stages, folder }: CorpusPipeline): Promise<unknown> {
  const stage = stages.find(({ stage: kind }) => kind.name === "deidentify");
  const { measured } = (stage?.settings ?? {}) as { measured?: string };
  return measured === undefined ? undefined : readJson(resolve(folder, measured), z.looseObject({}));
}
