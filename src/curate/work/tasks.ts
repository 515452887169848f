/** The kinds of tasks, as any thread does them: each reads what earlier steps wrote, writes its own, and returns its marker. */
import type { ListedFile } from "../../corpus/sources/open.ts";
import { clusterLosses, spreadEdges, type Star, starStep } from "./components.ts";
import { importFiles } from "./import-task.ts";
import { applyLosses, collectKeys, compareKeys, type KeyedSettings, readShardList } from "./keyed-tasks.ts";
import { runStages } from "./map-task.ts";
import type { Shard } from "./marker.ts";
import { type CorpusPipeline, type PlannedStage, planPipeline, readPipeline } from "../pipeline.ts";
import { writeResult } from "./result-task.ts";
import type { ShardState } from "./shard-state.ts";
import { isKeyed, type MapStage, type OpenStage } from "../stage.ts";
import { updates } from "../stages/updates.ts";
import type { Task } from "./work.ts";

export interface TaskSettings {
  readonly output: string;
  readonly createdBy: string;
  /** The pipeline's file, or its value with the folder that paths are relative to. */
  readonly file: string;
  readonly value?: unknown;
  readonly folder?: string | undefined;
}

/** Stands for updates and withdrawals, which every pipeline begins with. */
export const updatesIndex = -1;
export const updatesStage: PlannedStage = { stage: updates, settings: {}, for: undefined, fingerprint: "updates-1" };

export function stageAt({ stages }: Pick<CorpusPipeline, "stages">, index: number): PlannedStage {
  return index === updatesIndex ? updatesStage : stages[index]!;
}

interface Range {
  readonly index: number;
  readonly parts: number;
}

type Arguments = {
  import: { name: string; source: string; files: readonly ListedFile[] };
  map: { stages: { index: number; folder: string }[]; state: ShardState };
  keys: { stage: number; state: ShardState; path: string; deletions: Shard["deletions"] };
  compare: { stage: number; files: string[]; range: Range; path: string };
  spread: { files: string[]; index: number; star: Star; path: string };
  star: { files: string[]; range: Range; star: Star; path: string };
  clusters: { files: string[]; range: Range; path: string };
  apply: { stage: number; folder: string; list: string; index: number; files: string[] };
  result: { state: ShardState; path: string; repeat: number; reported: boolean };
};
export type TaskKind = keyof Arguments;

/** A task's arguments, checked by the compiler. */
export function taskOf<Kind extends TaskKind>(kind: Kind, marker: string, bytes: number, given: Arguments[Kind]): Task {
  return { kind, marker, bytes, arguments: given };
}

export interface TaskRunner {
  /** The task's marker. */
  run(task: Task): Promise<unknown>;
  /** Closes what stages have open. */
  close(): Promise<void>;
}

/** Does tasks one after another; stages that were opened stay open. */
export function createTaskRunner(settings: TaskSettings): TaskRunner {
  const { output, file, value, folder } = settings;
  let reading: Promise<CorpusPipeline> | undefined;
  const pipeline = (): Promise<CorpusPipeline> =>
    (reading ??= value === undefined ? readPipeline(file) : planPipeline(value, file, folder ?? "."));
  const opened = new Map<PlannedStage, Promise<OpenStage>>();
  const openMap = async (planned: PlannedStage): Promise<OpenStage> => {
    const { folder: base } = await pipeline();
    let stage = opened.get(planned);
    if (stage === undefined) {
      const made = (planned.stage as MapStage<unknown>).open(planned.settings, { folder: base });
      opened.set(planned, (stage = Promise.resolve(made)));
    }
    return stage;
  };
  const keyed = async (index: number, stageFolder: string): Promise<KeyedSettings> => {
    const all = await pipeline();
    const planned = stageAt(all, index);
    const { stage } = planned;
    if (!isKeyed(stage)) throw new TypeError(`${stage.name} has no keys`);
    const open = await stage.open(planned.settings, { folder: all.folder });
    return { ...settings, planned, folder: stageFolder, stage, open };
  };
  // Of the step that is being done: each of its tasks needs the whole list.
  let listed: { readonly path: string; readonly states: Promise<ShardState[]> } | undefined;
  const shardsOf = (list: string): Promise<ShardState[]> => {
    if (listed?.path !== list) listed = { path: list, states: readShardList(output, list) };
    return listed.states;
  };
  const run: { readonly [Kind in TaskKind]: (given: Arguments[Kind]) => Promise<unknown> } = {
    async import(given) {
      const { sources } = await pipeline();
      return importFiles(given, sources[given.source]!, settings);
    },
    async map({ stages, state }) {
      const all = await pipeline();
      const group = stages.map((one) => ({ planned: stageAt(all, one.index), folder: one.folder }));
      return runStages(group, state, { ...settings, open: openMap });
    },
    keys: async ({ stage, state, path, deletions }) => collectKeys(state, path, await keyed(stage, ""), deletions),
    compare: async ({ stage, files, range, path }) => compareKeys(files, range, path, await keyed(stage, "")),
    spread: ({ files, index, star, path }) => spreadEdges(files, index, star, path, output),
    star: ({ files, range, star, path }) => starStep(files, range, star, path, output),
    clusters: ({ files, range, path }) => clusterLosses(files, range, path, output),
    async apply({ stage, folder: stageFolder, list, index, files }) {
      return applyLosses(index, await shardsOf(list), files, await keyed(stage, stageFolder));
    },
    async result({ state, ...given }) {
      return writeResult(state, { ...given, seed: (await pipeline()).seed }, settings);
    },
  };
  return {
    run: (task) => run[task.kind as TaskKind](task.arguments as never),
    async close() {
      for (const stage of await Promise.allSettled(opened.values())) {
        if (stage.status === "fulfilled") await stage.value.close?.();
      }
    },
  };
}
