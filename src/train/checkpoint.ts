/**
 * Training checkpoints: OUTPUT/checkpoints/step-00000100/ is a model directory of its field, whole, with the optimiser's
 * moments and the counters beside the weights. It is written under another name and renamed, so one that exists is whole.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { openSafetensors, readFloat32, sourcesOf, writeSafetensors } from "../checkpoints/safetensors.ts";
import { CheckpointError } from "../errors.ts";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { OptimiserState } from "./optimiser.ts";

type Named = ReadonlyMap<string, Tensor<"float32">>;

/** Everything that the next step depends on. */
export interface TrainState {
  /** Updates done. */
  step: number;
  /** What learns, by name. */
  readonly learned: Named;
  readonly optimiser: OptimiserState;
  /** Of mixed precision: the factor of the loss, and the updates since it last changed. */
  lossScale?: { readonly value: number; readonly updates: number };
}

/** training.json. */
const counters = z.object({
  step: z.int().min(0),
  /** Absent in files of before it was kept. */
  optimiserStep: z.int().min(0).optional(),
  lossScale: z.object({ value: z.number().positive(), updates: z.int().min(0) }).optional(),
});

const weightsFile = "model.safetensors";
/** What learned and is not in the weights of the model: adapters, layers that are left out of it. */
const learnedFile = "trainable.safetensors";

function folderOf(output: string, step: number): string {
  return join(output, "checkpoints", `step-${String(step).padStart(8, "0")}`);
}

/** Writes a Hugging Face directory: weights, and the files that make them a model (config.json, the tokenizer's). */
export async function saveModel(
  folder: string,
  tensors: ReadonlyMap<string, Tensor>,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [name, contents] of files) await writeFileAtomically(join(folder, name), contents);
  await writeTensors(join(folder, weightsFile), tensors);
}

/** Tensors by name as one safetensors file. */
export function writeTensors(path: string, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  return writeSafetensors(path, sourcesOf(tensors));
}

/** Writes a checkpoint, a model as `write` writes it, and removes all but the last `keep`. */
export async function saveCheckpoint(
  output: string,
  state: TrainState,
  write: (folder: string) => Promise<void>,
  { keep }: { keep: number },
): Promise<string> {
  const folder = folderOf(output, state.step);
  const temporary = `${folder}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await write(temporary);
    const { entries: written } = await openSafetensors(join(temporary, weightsFile));
    const rest = new Map([...state.learned].filter(([name]) => !written.has(name)));
    if (rest.size > 0) await writeTensors(join(temporary, learnedFile), rest);
    const moments = { first_moment: state.optimiser.firstMoment, second_moment: state.optimiser.secondMoment };
    await writeTensors(
      join(temporary, "optimiser.safetensors"),
      new Map(Object.entries(moments).map(([name, data]) => [name, tensor("float32", [data.length], data)])),
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

/** Removes what an interrupted save left behind. For whoever has the run's folder alone. */
export async function sweepCheckpoints(output: string): Promise<void> {
  const folder = join(output, "checkpoints");
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) if (name.endsWith(".tmp")) await rm(join(folder, name), { recursive: true, force: true });
}

/** Steps of the checkpoints of a run, oldest first. */
export async function listCheckpoints(output: string): Promise<number[]> {
  const folder = join(output, "checkpoints");
  const names = await readdir(folder).catch(() => [] as string[]);
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
  const rest = join(folder, learnedFile);
  const { optimiser } = state;
  await readInto(state.learned, existsSync(rest) ? [join(folder, weightsFile), rest] : [join(folder, weightsFile)]);
  const moments = { first_moment: optimiser.firstMoment, second_moment: optimiser.secondMoment };
  await readInto(
    new Map(Object.entries(moments).map(([name, data]) => [name, tensor("float32", [data.length], data)])),
    [join(folder, "optimiser.safetensors")],
  );
  const { step, optimiserStep = last, lossScale } = await readJson(join(folder, "training.json"), counters);
  if (step !== last) throw new CheckpointError(`${folder}/training.json: expected step ${last}, got ${String(step)}`);
  state.step = last;
  // Fewer than the updates where one was skipped because its gradient was not finite.
  optimiser.step = optimiserStep;
  if (lossScale !== undefined) state.lossScale = lossScale;
  return true;
}

/** Fills tensors from those of the same name in any of the files. @throws CheckpointError where one is missing or unlike. */
export async function readInto(tensors: Named, paths: readonly string[]): Promise<void> {
  const entries = new Map<string, TensorEntry>();
  for (const path of paths) for (const one of (await openSafetensors(path)).entries) entries.set(...one);
  for (const [name, { dims, data }] of tensors) {
    const entry = entries.get(name);
    if (entry?.dims.join() !== dims.join()) {
      const got = entry === undefined ? "none" : `[${entry.dims.join(", ")}]`;
      throw new CheckpointError(`${paths[0]}: expected "${name}" [${dims.join(", ")}], got ${got}`, {
        hint: "the checkpoint belongs to a run with other settings",
      });
    }
    await readFloat32(entry, data as Float32Array);
  }
}
