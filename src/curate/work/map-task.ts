/**
 * Stages on one shard, one document after another: stages that stand in a row see a document together, so that it is decoded
 * once, but each leaves a marker of its own and, where it changes documents, a file. What is finished is not done again.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { writeFileAtomically } from "../../io/files.ts";
import { readJson } from "../../io/json.ts";
import { type StageMarker, stageMarker } from "./marker.ts";
import type { PlannedStage } from "../pipeline.ts";
import { type NewShard, newShard } from "./shard-file.ts";
import { advance, readAlive, type ShardState } from "./shard-state.ts";
import type { MapStage, OpenStage, Outcome } from "../stage.ts";
import { createTally, type Tally } from "./tally.ts";

/** Where a stage's marker of a shard is. */
export function markerPath(folder: string, shard: string): string {
  return `stages/${folder}/${shard}.json`;
}

/** Whether a stage has anything to do with a shard. */
export function isFor({ for: only }: PlannedStage, { source, kinds }: Pick<ShardState, "source" | "kinds">): boolean {
  return only === undefined || only.includes(source) || kinds.some((kind) => only.includes(kind));
}

/** The same of a document. */
export function isForDocument({ for: only }: PlannedStage, { source, kind }: CorpusDocument): boolean {
  return only === undefined || only.includes(source) || only.includes(kind);
}

export interface MapSettings {
  readonly output: string;
  readonly createdBy: string;
  /** An open stage for each planned one. */
  open(planned: PlannedStage): Promise<OpenStage>;
}

/** A stage and the folder of its work. */
export interface PlacedStage {
  readonly planned: PlannedStage;
  readonly folder: string;
}

interface Running {
  readonly planned: PlannedStage;
  readonly path: string;
  readonly stage: OpenStage;
  readonly tally: Tally;
  readonly dropped: number[];
  readonly file: NewShard | undefined;
}

/** Runs `group`, stages in a row, on a shard; the last one's marker is returned, the others are written. */
export async function runStages(
  group: readonly PlacedStage[],
  start: ShardState,
  settings: MapSettings,
): Promise<StageMarker> {
  const { output, createdBy } = settings;
  let state = start;
  let first = 0;
  for (; first < group.length - 1; first++) {
    const path = markerPath(group[first]!.folder, state.name);
    if (!existsSync(join(output, path))) break;
    state = advance(state, path, await readJson(join(output, path), stageMarker));
  }
  const running: Running[] = [];
  try {
    for (const { planned, folder } of group.slice(first)) {
      const path = markerPath(folder, state.name);
      const { rewrites } = planned.stage as MapStage<unknown>;
      const file = rewrites ? await newShard(output, path.replace(/json$/, "parquet"), createdBy) : undefined;
      running.push({ planned, path, stage: await settings.open(planned), tally: createTally(), dropped: [], file });
    }
    for await (const { documents, rows } of readAlive(output, state)) await pass(running, documents, rows);
    let marker: StageMarker | undefined;
    for (const [i, { path, tally, dropped, file }] of running.entries()) {
      marker = tally.marker(file === undefined ? dropped : [], await file?.finish());
      if (i < running.length - 1) {
        await writeFileAtomically(join(output, path), `${JSON.stringify(marker)}\n`, { sweeps: false });
      }
    }
    return marker!;
  } catch (error) {
    for (const { file } of running) await file?.abandon();
    throw error;
  }
}

async function pass(
  running: readonly Running[],
  documents: readonly CorpusDocument[],
  rows: readonly number[],
): Promise<void> {
  let [alive, places] = [documents, rows];
  for (const { planned, stage, tally, dropped, file } of running) {
    const concerned = alive.filter((one) => isForDocument(planned, one));
    const outcomes = concerned.length === 0 ? [] : await stage.run(concerned);
    const [left, leftRows]: [CorpusDocument[], number[]] = [[], []];
    const firstRow = file?.documents ?? 0;
    let next = 0;
    for (const [i, document] of alive.entries()) {
      const outcome: Outcome = concerned[next] === document ? outcomes[next++]! : { keep: true };
      tally.add(document, outcome);
      if (!outcome.keep) {
        dropped.push(places[i]!);
        continue;
      }
      left.push(outcome.document ?? document);
      // What a stage writes has rows of its own.
      leftRows.push(file === undefined ? places[i]! : firstRow + leftRows.length);
    }
    await file?.add(left);
    [alive, places] = [left, leftRows];
  }
}
