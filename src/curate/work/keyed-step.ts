/** The steps of a stage that looks for the same things in several documents: keys, comparison, clusters, and telling the shards. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { writeFileAtomically } from "../../io/files.ts";
import { fingerprintOf } from "../../io/fingerprint.ts";
import { type StarMarker, starMarker } from "./components.ts";
import { counted, edgeWidth, keyWidth } from "./keyed-tasks.ts";
import { markerPath } from "./map-task.ts";
import { type Shard, type StageMarker, stageMarker } from "./marker.ts";
import type { PlannedStage } from "../pipeline.ts";
import { partsFor } from "./ranges.ts";
import type { ShardState } from "./shard-state.ts";
import { isKeyed } from "../stage.ts";
import { taskOf, updatesIndex } from "./tasks.ts";
import { doTasks, type WorkOptions } from "./work.ts";

export interface Step {
  readonly index: number;
  readonly planned: PlannedStage;
  readonly name: string;
  /** Of all that came before, and of the stage. */
  readonly fingerprint: string;
}

export interface Joined {
  /** Of the markers. */
  readonly folder: string;
  /** Of the stage on these very shards. */
  readonly fingerprint: string;
  readonly markers: StageMarker[];
}

/** Goes through a keyed stage on `states`, in the corpus's order. */
export async function joinDocuments(
  step: Step,
  states: readonly ShardState[],
  shards: readonly Shard[],
  work: WorkOptions,
): Promise<Joined> {
  const { index: stage, planned, name } = step;
  const keysFolder = `stages/${name}-${step.fingerprint.slice(0, 10)}-keys`;
  const fingerprint = fingerprintOf(step.fingerprint, ...states.map((state) => state.name));
  const folder = `${name}-${fingerprint.slice(0, 10)}`;
  const list = `stages/${folder}/shards.json`;
  const deletionsOf = new Map(shards.map((shard) => [shard.name, shard.deletions]));
  const keyTasks = states.map((state) => {
    const path = `${keysFolder}/${state.name}.keys`;
    const deletions = stage === updatesIndex ? deletionsOf.get(state.name)! : [];
    return taskOf("keys", `${path}.json`, state.bytes, { stage, state, path, deletions });
  });
  const keys = await doTasks(`${name}: keys`, keyTasks, counted, work);
  const keyFiles = states.map((state) => `${keysFolder}/${state.name}.keys`);
  // Every rank would write the same; over a network what is exchanged is gone for who is reading it.
  if (!existsSync(join(work.output, list))) {
    await writeFileAtomically(join(work.output, list), `${JSON.stringify(states)}\n`, { sweeps: false });
  }
  const keyBytes = 4 * (keyWidth + 1) * keys.reduce((sum, one) => sum + one.records, 0);
  const compare = rangesOf(`stages/${folder}/compare`, partsFor(keyBytes, work.rangeBytes));
  const compareTasks = compare.map(({ path, ...range }) =>
    taskOf("compare", `${path}.json`, keyBytes / range.parts, { stage, files: keyFiles, range, path }),
  );
  const compared = await doTasks(`${name}: comparison`, compareTasks, counted, work);
  const { stage: kind } = planned;
  const isLinked = isKeyed(kind) && kind.join === "linked";
  const found = compare.map(({ path }) => path);
  const edgeBytes = 4 * edgeWidth * compared.reduce((sum, one) => sum + one.records, 0);
  const files = isLinked
    ? await clustersOf(name, folder, found, partsFor(4 * edgeBytes, work.rangeBytes), work)
    : found;
  const applyTasks = states.map((state, index) =>
    taskOf("apply", markerPath(folder, state.name), state.bytes, { stage, folder, list, index, files }),
  );
  return { folder, fingerprint, markers: await doTasks(name, applyTasks, stageMarker, work) };
}

interface RangeFile {
  readonly index: number;
  readonly parts: number;
  readonly path: string;
}

function rangesOf(path: string, parts: number): RangeFile[] {
  return Array.from({ length: parts }, (_, index) => ({ index, parts, path: `${path}-${index}-of-${parts}` }));
}

/** Follows edges until each document has one, to the first of its cluster; returns the files of losses. */
async function clustersOf(
  name: string,
  folder: string,
  edges: readonly string[],
  parts: number,
  work: WorkOptions,
): Promise<string[]> {
  let files = [...edges];
  const step = `${name}: clusters`;
  const spread = async (star: "large" | "small", path: string): Promise<string[]> => {
    const tasks = files.map((_, index) =>
      taskOf("spread", `${path}-spread-${index}.json`, 0, { files, index, star, path: `${path}-spread-${index}` }),
    );
    await doTasks(step, tasks, starMarker, work);
    return files.map((_, index) => `${path}-spread-${index}`);
  };
  for (let round = 0; ; round++) {
    let changed = 0;
    for (const star of ["large", "small"] as const) {
      const path = `stages/${folder}/round-${round}-${star}`;
      const sent = await spread(star, path);
      const ranges = rangesOf(path, parts);
      const tasks = ranges.map(({ path: to, ...range }) =>
        taskOf("star", `${to}.json`, 0, { files: sent, range, star, path: to }),
      );
      const markers: StarMarker[] = await doTasks(step, tasks, starMarker, work);
      changed += markers.reduce((sum, marker) => sum + marker.changed, 0);
      files = ranges.map((range) => range.path);
    }
    if (changed === 0) break;
  }
  const sent = await spread("small", `stages/${folder}/last`);
  const ranges = rangesOf(`stages/${folder}/clusters`, parts);
  const tasks = ranges.map(({ path, ...range }) => taskOf("clusters", `${path}.json`, 0, { files: sent, range, path }));
  await doTasks(step, tasks, z.object({ records: z.int() }), work);
  return ranges.map(({ path }) => path);
}
