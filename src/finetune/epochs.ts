/** What learned after each of the last epochs, and their mean: fairseq's `checkpointN.pt` and average_checkpoints.py. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors, readFloat32, writeSafetensors } from "../checkpoints/safetensors.ts";
import { CheckpointError } from "../errors.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { FinetuneConfig } from "./config.ts";
import type { Run } from "./run.ts";
import { mergedTensors } from "./trainable.ts";

const nameOf = (epoch: number): string => `epoch-${String(epoch).padStart(6, "0")}.safetensors`;

/** Keeps the weights after `epoch` (from 1), and no more than `count` in all; one alone needs no file. */
export async function keepEpoch(
  output: string,
  epoch: number,
  tensors: ReadonlyMap<string, Tensor<"float32">>,
  count: number,
): Promise<void> {
  if (count < 2) return;
  const folder = join(output, "epochs");
  await writeSafetensors(
    join(folder, nameOf(epoch)),
    [...tensors].map(([name, value]) => ({ name, ...value })),
  );
  for (const name of await readdir(folder)) {
    if (/^epoch-\d+\.safetensors$/.test(name) && name <= nameOf(epoch - count)) await rm(join(folder, name));
  }
}

/**
 * The mean of the weights after the last `config.average` epochs, adapters merged; `last` counts epochs from 1.
 * @throws CheckpointError when an epoch's file is missing.
 */
export async function averagedModel(
  run: Run,
  config: FinetuneConfig,
  output: string,
  last: number,
): Promise<Map<string, Tensor<"float32">>> {
  const count = Math.min(config.average, last);
  if (count < 2) return mergedTensors(run.parameters, config.lora);
  const sums = new Map<string, Tensor<"float32">>();
  for (let epoch = last + 1 - count; epoch <= last; epoch++) {
    await loadEpoch(join(output, "epochs", nameOf(epoch)), run);
    for (const [name, { dims, data }] of mergedTensors(run.parameters, config.lora)) {
      const sum = sums.get(name)?.data;
      if (sum === undefined) sums.set(name, tensor("float32", dims, data.slice()));
      else for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
    }
  }
  for (const { data } of sums.values()) for (let i = 0; i < data.length; i++) data[i]! /= count;
  return sums;
}

async function loadEpoch(path: string, run: Run): Promise<void> {
  const { entries } = await openSafetensors(path);
  for (const [name, { data }] of run.trainable.tensors) {
    const entry = entries.get(name);
    if (entry === undefined) throw new CheckpointError(`${path}: expected "${name}", got ${entries.size} others`);
    await readFloat32(entry, data as Float32Array);
  }
  run.trainable.scatter();
}
