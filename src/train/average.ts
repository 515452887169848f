/** What learned after each of the last epochs, and their mean: fairseq's `checkpointN.pt` and average_checkpoints.py. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { readInto, writeTensors } from "./checkpoint.ts";
import type { Learned } from "./trainable.ts";

type Named = ReadonlyMap<string, Tensor<"float32">>;

const nameOf = (epoch: number): string => `epoch-${String(epoch).padStart(6, "0")}.safetensors`;

/** Keeps the weights after `epoch` (from 1), and no more than `count` in all. */
export async function keepEpoch(output: string, epoch: number, learned: Named, count: number): Promise<void> {
  const folder = join(output, "epochs");
  await writeTensors(join(folder, nameOf(epoch)), learned);
  for (const name of await readdir(folder)) {
    if (/^epoch-\d+\.safetensors$/.test(name) && name <= nameOf(epoch - count)) await rm(join(folder, name));
  }
}

/**
 * The mean of the model's weights after the epochs up to `last`, `count` of them; `weights` gives those of what learned.
 * @throws CheckpointError when an epoch's file is missing.
 */
export async function averageEpochs(
  output: string,
  { last, count }: { readonly last: number; readonly count: number },
  learned: Learned,
  weights: () => Named,
): Promise<Map<string, Tensor<"float32">>> {
  const sums = new Map<string, Tensor<"float32">>();
  for (let epoch = last + 1 - count; epoch <= last; epoch++) {
    await readInto(learned.tensors, [join(output, "epochs", nameOf(epoch))]);
    learned.scatter();
    for (const [name, { dims, data }] of weights()) {
      const sum = sums.get(name)?.data;
      if (sum === undefined) sums.set(name, tensor("float32", dims, data.slice()));
      else for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
    }
  }
  for (const { data } of sums.values()) for (let i = 0; i < data.length; i++) data[i]! /= count;
  return sums;
}
