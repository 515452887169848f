/**
 * The numbers of a key-value cache: for every layer the keys and the values of every row, [rows, key heads, room, width],
 * with room for so many tokens a row. A step reads them whole, room included.
 */
import type { CacheShape } from "../models/family.ts";
import type { Tensors } from "../runtime/session.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** Where new tokens of a row stand: from place `at` on. */
interface Added {
  readonly at: number;
  readonly tokens: number;
}

export interface Store {
  /** Rows and tokens that there is room for. */
  readonly rows: number;
  readonly room: number;
  /** Makes room for so many, keeping the tokens that are cached. */
  resize(rows: number, room: number, cached: readonly (readonly number[])[]): void;
  /** Puts the keys or values of new tokens, [rows, key heads, T, width], into the rows from `first` on. */
  put(part: number, present: Tensor<"float32">, first: number, added: readonly Added[]): void;
  /** Tokens `start` to `end` of a row into another. */
  copy(from: number, to: number, start: number, end: number): void;
  /** The cache of `lengths.length` rows from `first` on as the network takes it, with the tokens that each row has. */
  inputs(lengths: readonly number[], first: number): Tensors;
}

/** The cache's tensors by their names in the graph without a prefix: of every layer `0.key`, `0.value`, `1.key`, … */
export function partsOf({ layers }: CacheShape): string[] {
  return Array.from({ length: 2 * layers }, (_, i) => `${i >> 1}.${i % 2 === 0 ? "key" : "value"}`);
}

/** Bytes that a token's keys and values take. */
export function tokenBytes({ layers, keyHeads, headWidth }: CacheShape): number {
  return 2 * layers * keyHeads * headWidth * Float32Array.BYTES_PER_ELEMENT;
}

export function pastKeyValues(parts: readonly string[], tensorOf: (part: number) => Tensor): Tensors {
  return Object.fromEntries(parts.map((name, i) => [`past_key_values.${name}`, tensorOf(i)]));
}

export function createStore(cache: CacheShape): Store {
  const { keyHeads, headWidth } = cache;
  const parts = partsOf(cache);
  let [rows, room] = [0, 0];
  let [headSize, rowSize] = [0, 0];
  let buffers = parts.map(() => new Float32Array());
  /** Of the first rows, by their number: tensors that are handed over again cost nothing. */
  const known = new Map<number, { readonly past: Tensor<"int32">; readonly cache: Tensors }>();

  const tensorsOf = (count: number, first: number): { readonly past: Tensor<"int32">; readonly cache: Tensors } => {
    const found = first === 0 ? known.get(count) : undefined;
    if (found !== undefined) return found;
    const shape = [count, keyHeads, room, headWidth];
    const rowsOf = (part: number): Float32Array => buffers[part]!.subarray(first * rowSize, (first + count) * rowSize);
    const made = {
      past: tensor("int32", [count, room]),
      cache: pastKeyValues(parts, (part) => tensor("float32", shape, rowsOf(part))),
    };
    if (first === 0) known.set(count, made);
    return made;
  };

  return {
    get rows(): number {
      return rows;
    },
    get room(): number {
      return room;
    },
    resize(newRows, newRoom, cached): void {
      const [oldHead, newHead] = [headSize, newRoom * headWidth];
      buffers = buffers.map((old) => {
        const next = new Float32Array(newRows * keyHeads * newHead);
        cached.forEach(({ length }, row) => {
          for (let head = row * keyHeads; head < (row + 1) * keyHeads; head++) {
            next.set(old.subarray(head * oldHead, head * oldHead + length * headWidth), head * newHead);
          }
        });
        return next;
      });
      [rows, room, headSize, rowSize] = [newRows, newRoom, newHead, keyHeads * newHead];
      known.clear();
    },
    put(part, { data, dims }, first, added): void {
      const size = dims[2]! * headWidth;
      added.forEach(({ at, tokens }, i) => {
        for (let head = 0; head < keyHeads; head++) {
          const from = (i * keyHeads + head) * size;
          const to = (first + i) * rowSize + head * headSize + at * headWidth;
          buffers[part]!.set(data.subarray(from, from + tokens * headWidth), to);
        }
      });
    },
    copy(from, to, start, end): void {
      for (const buffer of buffers) {
        for (let head = 0; head < keyHeads; head++) {
          const source = from * rowSize + head * headSize;
          const target = to * rowSize + head * headSize;
          buffer.copyWithin(target + start * headWidth, source + start * headWidth, source + end * headWidth);
        }
      }
    },
    inputs(lengths, first): Tensors {
      const { past, cache: keysAndValues } = tensorsOf(lengths.length, first);
      lengths.forEach((length, row) =>
        past.data.fill(1, row * room, row * room + length).fill(0, row * room + length, (row + 1) * room),
      );
      return { past, ...keysAndValues };
    },
  };
}
