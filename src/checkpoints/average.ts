/** The mean of several checkpoints of one model, as fairseq's `scripts/average_checkpoints.py` computes it. */
import { CheckpointError } from "../errors.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { readFloat32, readTensor, type TensorEntry } from "./entries.ts";
import { isFloat } from "./floats.ts";
import { writeSafetensors, type TensorSource, type WriteOptions } from "./safetensors.ts";

/**
 * Writes the mean of `paths` (files or folders of any format) to the safetensors file `target`: float tensors are
 * summed in float32, in order; others must be equal. One tensor of one checkpoint is in memory at a time.
 * @throws CheckpointError when the checkpoints differ in names, shapes or integers.
 */
export async function averageCheckpoints(
  paths: readonly string[],
  target: string,
  options: WriteOptions = {},
): Promise<void> {
  const checkpoints: Map<string, TensorEntry>[] = [];
  for (const path of paths) checkpoints.push(await openCheckpoint(path));
  const [first] = checkpoints;
  if (first === undefined) throw new CheckpointError("expected checkpoints to average, got none");
  const sources = [...first].map(([name, entry]): TensorSource => {
    const same = checkpoints.map((checkpoint, index) => matching(paths[index] as string, checkpoint, name, entry));
    const dtype = isFloat(entry.dtype) ? "float32" : entry.dtype;
    return { name, dtype, dims: entry.dims, data: () => (isFloat(entry.dtype) ? mean(same) : equal(same)) };
  });
  const extra = checkpoints.findIndex((checkpoint) => checkpoint.size !== first.size);
  if (extra > 0)
    throw new CheckpointError(
      `${paths[extra]}: expected ${first.size} tensors as in ${paths[0]}, got ${checkpoints[extra]?.size}`,
    );
  await writeSafetensors(target, sources, options);
}

function matching(path: string, checkpoint: Map<string, TensorEntry>, name: string, like: TensorEntry): TensorEntry {
  const entry = checkpoint.get(name);
  if (entry !== undefined && entry.dims.join() === like.dims.join() && isFloat(entry.dtype) === isFloat(like.dtype))
    return entry;
  const got = entry === undefined ? "none" : `${entry.dtype} [${entry.dims.join(", ")}]`;
  throw new CheckpointError(
    `${path}: tensor ${JSON.stringify(name)}: expected ${like.dtype} [${like.dims.join(", ")}], got ${got}`,
    { hint: "only checkpoints of one model can be averaged" },
  );
}

async function mean(entries: readonly TensorEntry[]): Promise<Float32Array> {
  const [first, ...rest] = entries as [TensorEntry, ...TensorEntry[]];
  const sum = await readFloat32(first);
  for (const entry of rest) {
    const values = await readFloat32(entry);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number);
  }
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) / entries.length;
  return sum;
}

async function equal(entries: readonly TensorEntry[]): Promise<Awaited<ReturnType<typeof readTensor>>["data"]> {
  const [first, ...rest] = entries as [TensorEntry, ...TensorEntry[]];
  const { data } = await readTensor(first);
  for (const entry of rest) {
    const other = (await readTensor(entry)).data;
    if (entry.dtype !== first.dtype || other.some((value, index) => value !== data[index]))
      throw new CheckpointError(
        `${entry.file}: expected ${entry.name} to equal that of ${first.file}, got other integers`,
      );
  }
  return data;
}
