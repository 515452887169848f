/**
 * Training checkpoints: OUTPUT/checkpoints/step-00000100/ is a Hugging Face directory with the optimiser's moments and
 * the counters beside the weights. It is written under another name and renamed, so one that exists is whole.
 */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { openSafetensors, readFloat32, writeSafetensors } from "../checkpoints/safetensors.ts";
import { CheckpointError } from "../errors.ts";
import type { Parameters } from "../runtime/parameters.ts";
import { tensor } from "../tensor/tensor.ts";
import type { OptimiserState } from "./optimiser.ts";

/** Everything that the next step depends on. */
export interface TrainState {
  /** Updates done. */
  step: number;
  readonly parameters: Parameters;
  readonly optimiser: OptimiserState;
  /** Of mixed precision: the factor of the loss, and the updates since it last changed. */
  lossScale?: { readonly value: number; readonly updates: number };
}

/** training.json. */
type Counters = Partial<Pick<TrainState, "step" | "lossScale">> & { readonly optimiserStep?: number };

/** Files that make the checkpoint a model directory: config.json and the tokenizer's. */
export type ModelFiles = ReadonlyMap<string, string>;

function folderOf(output: string, step: number): string {
  return join(output, "checkpoints", `step-${String(step).padStart(8, "0")}`);
}

/** Writes a Hugging Face directory: weights and the files given. */
export async function saveModel(folder: string, parameters: Parameters, files: ModelFiles): Promise<void> {
  for (const [name, contents] of files) await writeFileAtomically(join(folder, name), contents);
  const tensors = [...parameters.tensors].map(([name, value]) => ({ name, ...value }));
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
}

/** Writes a checkpoint and removes all but the last `keep`. */
export async function saveCheckpoint(
  output: string,
  state: TrainState,
  files: ModelFiles,
  { keep }: { keep: number },
): Promise<string> {
  const folder = folderOf(output, state.step);
  const temporary = `${folder}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await saveModel(temporary, state.parameters, files);
    const moments = { first_moment: state.optimiser.firstMoment, second_moment: state.optimiser.secondMoment };
    await writeSafetensors(
      join(temporary, "optimiser.safetensors"),
      Object.entries(moments).map(([name, data]) => ({ name, ...tensor("float32", [data.length], data) })),
    );
    await writeFileAtomically(
      join(temporary, "training.json"),
      `${JSON.stringify({ step: state.step, optimiserStep: state.optimiser.step, lossScale: state.lossScale })}\n`,
    );
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  const steps = await listCheckpoints(output);
  for (const old of steps.slice(0, -keep)) await rm(folderOf(output, old), { recursive: true, force: true });
  return folder;
}

/** Steps of the checkpoints of a run, oldest first; what an interrupted save left behind is removed. */
export async function listCheckpoints(output: string): Promise<number[]> {
  const folder = join(output, "checkpoints");
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) if (name.endsWith(".tmp")) await rm(join(folder, name), { recursive: true, force: true });
  return names
    .map((name) => /^step-(\d+)$/.exec(name)?.[1])
    .filter((step) => step !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Fills `state` from the last checkpoint; false when there is none.
 * @throws CheckpointError when it belongs to another model.
 */
export async function restoreCheckpoint(output: string, state: TrainState): Promise<boolean> {
  const last = (await listCheckpoints(output)).at(-1);
  if (last === undefined) return false;
  const folder = folderOf(output, last);
  const path = join(folder, "model.safetensors");
  const { entries } = await openSafetensors(path);
  for (const [name, { data }] of state.parameters.tensors) {
    const entry = entries.get(name);
    if (entry === undefined) throw new CheckpointError(`${path}: expected parameter "${name}", got none`);
    await readFloat32(entry, data as Float32Array);
  }
  const moments = await openSafetensors(join(folder, "optimiser.safetensors"));
  for (const [name, data] of [
    ["first_moment", state.optimiser.firstMoment],
    ["second_moment", state.optimiser.secondMoment],
  ] as const) {
    const entry = moments.entries.get(name);
    if (entry === undefined) throw new CheckpointError(`${moments.path}: expected "${name}", got none`);
    await readFloat32(entry, data);
  }
  const saved = JSON.parse(await readFile(join(folder, "training.json"), "utf8")) as Counters;
  const { step, optimiserStep = last, lossScale } = saved;
  if (step !== last) throw new CheckpointError(`${folder}/training.json: expected step ${last}, got ${String(step)}`);
  state.step = last;
  // Fewer than the updates where one was skipped because its gradient was not finite.
  state.optimiser.step = optimiserStep;
  if (lossScale !== undefined) state.lossScale = lossScale;
  return true;
}
