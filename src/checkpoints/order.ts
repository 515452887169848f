/**
 * Tensors made of stored ones as they are read: rows in another order, a matrix transposed, parts of several files
 * put together. One is in memory at a time, twice.
 */
import { CheckpointError } from "../errors.ts";
import { allocate, byteSize, sizeOf, type TypedArrays, type DType } from "../tensor/tensor.ts";
import type { GroupedWeight } from "../tensor/grouped.ts";
import { readFloat32, readTensor, type TensorEntry } from "./entries.ts";

/** Rows of each head between Meta's order (pairs beside each other) and Hugging Face's (half a head apart). */
export interface Pairs {
  readonly kind: "pairs";
  readonly heads: number;
}
export type Order = Pairs | { readonly kind: "transposed" };

/** An entry of these dims whose numbers `make` gives. */
export function madeEntry(
  of: TensorEntry,
  dims: readonly number[],
  make: () => Promise<TypedArrays[DType]>,
): TensorEntry {
  const { name, file, open, dtype } = of;
  return { name, file, open, dtype, dims, offset: 0, byteLength: sizeOf(dims) * byteSize[dtype], make };
}

/** A stored tensor in Hugging Face's order. @throws CheckpointError where its rows are not so many heads'. */
export function unordered(entry: TensorEntry, order: Order): TensorEntry {
  return reordered(entry, order, (half, within) => 2 * (within % half) + Math.floor(within / half));
}

/** A tensor in the library's order, as it is written. @throws CheckpointError where its rows are not so many heads'. */
export function ordered(entry: TensorEntry, order: Order): TensorEntry {
  return reordered(entry, order, (half, within) => (within % 2) * half + Math.floor(within / 2));
}

/** `from`: the row of a head that its row `within` comes from, where half a head has so many. */
function reordered(entry: TensorEntry, order: Order, from: (half: number, within: number) => number): TensorEntry {
  if (order.kind === "transposed") return transposed(entry);
  const { dims, dtype } = entry;
  const rows = dims[0] ?? 0;
  const head = rows / order.heads;
  if (!Number.isInteger(head) || head % 2 !== 0) {
    throw new CheckpointError(
      `${entry.file}: tensor ${JSON.stringify(entry.name.slice(0, 100))}: expected rows of ${order.heads} heads of even width, got ${rows}`,
    );
  }
  const inOrder = <T extends TypedArrays[DType]>(data: T, out: T): T => {
    const width = data.length / rows;
    for (let row = 0; row < rows; row++) {
      const source = row - (row % head) + from(head / 2, row % head);
      out.set(data.subarray(source * width, (source + 1) * width) as never, row * width);
    }
    return out;
  };
  const made = madeEntry(entry, dims, async () => {
    const { data } = await readTensor(entry);
    return inOrder(data, allocate(dtype, data.length));
  });
  const { grouped } = entry;
  if (grouped === undefined || grouped.transposed === true) return made;
  const { bits, group, shifted } = grouped;
  const read = async (): Promise<GroupedWeight> => {
    const { whole, scales, shifts, ...weight } = await grouped.read();
    return {
      ...weight,
      whole: inOrder(whole, new Uint8Array(whole.length)),
      scales: inOrder(scales, new Float32Array(scales.length)),
      ...(shifts === undefined ? {} : { shifts: inOrder(shifts, new Float32Array(shifts.length)) }),
    };
  };
  return { ...made, grouped: { bits, group, shifted, read } };
}

export function transposed(entry: TensorEntry): TensorEntry {
  const { dims, dtype } = entry;
  if (dims.length < 2) return entry;
  const [rows, columns] = dims as [number, number];
  const made = madeEntry(entry, [columns, rows], async () => {
    const { data } = await readTensor(entry);
    const out = allocate(dtype, data.length);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]!;
    }
    return out;
  });
  const { grouped } = entry;
  if (grouped === undefined) return made;
  // Groups lie along a layer's inputs, whichever way round its matrix is.
  const { parts: _, ...weight } = grouped;
  return { ...made, grouped: { ...weight, transposed: grouped.transposed !== true } };
}

/** A tensor, in float32, whose first rows are multiplied. */
export function multiplied(entry: TensorEntry, { rows, factor }: { rows: number; factor: number }): TensorEntry {
  return madeEntry({ ...entry, dtype: "float32" }, entry.dims, async () => {
    const numbers = Float32Array.from(await readFloat32(entry));
    const end = rows * sizeOf(entry.dims.slice(1));
    for (let i = 0; i < end; i++) numbers[i]! *= factor;
    return numbers;
  });
}

/** Parts of one tensor put together along an axis, 0 or 1. @throws CheckpointError where they do not fit. */
export function joined(parts: readonly TensorEntry[], axis: number): TensorEntry {
  const [first] = parts as [TensorEntry];
  if (parts.length === 1) return first;
  for (const part of parts) {
    const fits = part.dtype === first.dtype && part.dims.with(axis, 0).join() === first.dims.with(axis, 0).join();
    if (fits) continue;
    throw new CheckpointError(
      `${part.file}: tensor ${JSON.stringify(part.name.slice(0, 100))}: expected ${first.dtype} [${first.dims.join(", ")}] ` +
        `as in ${first.file}, but for axis ${axis}; got ${part.dtype} [${part.dims.join(", ")}]`,
      { hint: "the files belong to different models, or one is missing" },
    );
  }
  const dims = first.dims.with(
    axis,
    parts.reduce((sum, part) => sum + part.dims[axis]!, 0),
  );
  const width = sizeOf(dims.slice(axis));
  return madeEntry(first, dims, async () => {
    const out = allocate(first.dtype, sizeOf(dims));
    let before = 0;
    for (const part of parts) {
      const { data } = await readTensor(part);
      const run = sizeOf(part.dims.slice(axis));
      for (let row = 0; row * run < data.length; row++) {
        out.set(data.subarray(row * run, (row + 1) * run) as never, row * width + before);
      }
      before += run;
    }
    return out;
  });
}
