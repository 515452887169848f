/**
 * Memory for a training's flat buffers (parameters, gradients, moments) on which WebAssembly computes in place. ONNX
 * Runtime takes views of it like any other array, without a copy. The kernels walk buffers chunk by chunk; a chunk that
 * lies elsewhere is copied to a staging area and back, which is slower and gives the same bits. So buffers of any origin
 * and size will do, although addresses have 32 bits and reach no further than 4 GiB.
 */
import { ShapeError } from "../errors.ts";
import { kernels as base64 } from "./kernels.ts";

/** The factors of one step of Adam, rounded to float32 on the way in; assembly/kernels.ts explains them. */
export type AdamFactors = [
  scale: number,
  coupled: number,
  keep1: number,
  new1: number,
  keep2: number,
  new2: number,
  rate: number,
  epsilon: number,
  decay: number,
];

/** What assembly/kernels.ts exports. Buffers are byte addresses. */
export interface Kernels {
  adam(p: number, m: number, v: number, g: number, length: number, ...factors: AdamFactors): void;
  squares(values: number, length: number): number;
  add(target: number, source: number, length: number): void;
}

/** The little that is used here: Node's types have none of it, and the browser's would bring in all of the DOM. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/**
 * Elements of a chunk: enough that calls cost nothing, and four of them, 1 MiB, stay in the cache while they are copied
 * in and out. Sums are made chunk by chunk, so their last bits depend on it.
 */
const chunk = 1 << 16;
/** Kernels have no tails: they take whole lines of so many elements, 64 bytes, to which buffers are aligned as well. */
const line = 16;
const wholeLines = (length: number): number => Math.ceil(length / line) * line;

const pageBytes = 1 << 16;
const stagingBytes = 4 * (4 * chunk);

/** One memory and its kernels. The staging area is at its beginning. */
interface Space {
  readonly memory: ArrayBuffer;
  readonly kernels: Kernels;
  readonly allocate: (length: number) => Float32Array;
}

const spaces = new WeakMap<ArrayBufferLike, Space>();
let compiled: object | undefined;

function createSpace(bytes: number): Space {
  // Its final size from the start: growing would detach every view.
  const pages = Math.ceil((stagingBytes + bytes) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  compiled ??= new WebAssembly.Module(Buffer.from(base64, "base64"));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const { buffer } = memory;
  let next = stagingBytes;
  const allocate = (length: number): Float32Array => {
    const start = next;
    const end = start + 4 * wholeLines(length);
    if (end > buffer.byteLength) return new Float32Array(length);
    next = end;
    return new Float32Array(buffer, start, length);
  };
  const space = { memory: buffer, kernels: exports as Kernels, allocate };
  spaces.set(buffer, space);
  return space;
}

export interface Arena {
  /** Zeros, at a multiple of 64 bytes; an ordinary array once the arena is full. */
  readonly allocate: (length: number) => Float32Array;
}

/** An arena with room for `count` buffers of `length` elements, or for as many of them as fit into 4 GiB. */
export function createArena(length: number, count: number): Arena {
  const bytes = 4 * wholeLines(length);
  const most = Math.floor((2 ** 32 - stagingBytes) / Math.max(1, bytes));
  const { allocate } = createSpace(bytes * Math.min(count, most));
  return { allocate };
}

/** Zeros as long as `neighbour`, in the arena that it lies in if there is one and it has room. */
export function allocateBeside(neighbour: Float32Array): Float32Array {
  const { length } = neighbour;
  return spaces.get(neighbour.buffer)?.allocate(length) ?? new Float32Array(length);
}

/** Stages buffers of which none lies in an arena. */
let outside: Space | undefined;

/**
 * Walks buffers of one length side by side, at most four: `work` gets the address of a chunk of each and the chunk's
 * length in elements, padded with zeros to whole lines. It may write to the first `written` of them.
 */
export function walk(
  buffers: readonly Float32Array[],
  written: number,
  work: (kernels: Kernels, addresses: readonly number[], length: number) => void,
): void {
  const lengths = buffers.map(({ length }) => length);
  const total = lengths[0]!;
  if (lengths.some((length) => length !== total)) {
    throw new ShapeError(`flat buffers: expected equal lengths, got ${lengths.join(", ")}`);
  }
  const home = buffers.map(({ buffer }) => spaces.get(buffer)).find((space) => space !== undefined);
  const { memory, kernels } = home ?? (outside ??= createSpace(0));
  const staged = (part: Float32Array, slot: number): Float32Array => {
    const copy = new Float32Array(memory, slot * 4 * chunk, wholeLines(part.length));
    copy.set(part);
    return copy.fill(0, part.length);
  };
  for (let start = 0; start < total; start += chunk) {
    const parts = buffers.map((buffer) => buffer.subarray(start, start + chunk));
    const inMemory = parts.map((part, slot) =>
      part.buffer === memory && part.length % line === 0 ? part : staged(part, slot),
    );
    work(
      kernels,
      inMemory.map(({ byteOffset }) => byteOffset),
      inMemory[0]!.length,
    );
    for (let slot = 0; slot < written; slot++) {
      const [part, result] = [parts[slot]!, inMemory[slot]!];
      if (result !== part) part.set(result.subarray(0, part.length));
    }
  }
}
