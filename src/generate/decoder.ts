/**
 * Decoding with a key-value cache: prompts once, then one token a row and step. The cache holds what the call needs,
 * ONNX Runtime writes it in place, and rows move only when a search asks. Prompts of unequal length are padded on the
 * right; the padding's keys lie beyond each row's length, where the row's next tokens overwrite them.
 */
// B rows, G key heads, M capacity in tokens, K width of a head, R scored tokens, V vocabulary
import type { CacheShape } from "../models/family.ts";
import { int64 } from "../runtime/batch.ts";
import type { Session, Tensors } from "../runtime/ort.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

/** A compiled decoding graph (`models/programs.ts`). */
export interface Decoder {
  readonly session: Session;
  readonly cache: CacheShape;
  readonly vocabSize: number;
}

/** The caches of the rows that one call decodes. */
export interface Decoding {
  /**
   * Computes prompt i in row i, from an empty cache.
   * @returns logits after each prompt's last token, or after every token with `all`: one array a scored token.
   */
  prefill(prompts: readonly (readonly number[])[], all?: boolean): Promise<Float32Array[][]>;
  /** Appends one token to each of the first `ids.length` rows; gives each row's logits, valid until the next step. */
  step(ids: readonly number[]): Promise<Float32Array[]>;
  /** Makes row `to` the same as row `from`, by copying what comes after the tokens that they have in common. */
  copy(from: number, to: number): void;
}

/** The most tokens of prompts that are computed at once: it bounds the memory of activations. */
const prefillTokens = 4096;

interface Inputs {
  readonly ids: Tensor<"int64">;
  readonly positions: Tensor<"int64">;
  readonly lengths: Tensor<"int32">;
  readonly total: Tensor<"int32">;
  readonly last: Tensor<"int64">;
  readonly logits: Tensor<"float32">;
  readonly cacheIn: Tensors;
  readonly cacheOut: Tensors;
}

/** Empty caches for `rows` rows of at most `capacity` tokens each. */
export function createDecoding({ session, cache, vocabSize }: Decoder, rows: number, capacity: number): Decoding {
  const { layers, keyHeads, headWidth } = cache;
  const headSize = capacity * headWidth;
  const rowSize = keyHeads * headSize;
  const buffers = Array.from({ length: 2 * layers }, () => new Float32Array(rows * rowSize));
  /** The tokens in each row's cache. */
  const cached = Array.from({ length: rows }, (): number[] => []);
  const scratch = new Float32Array(rows * vocabSize);
  const stepInputs = new Map<number, Inputs>();

  const caches = (first: number, count: number): { cacheIn: Tensors; cacheOut: Tensors } => {
    const cacheIn: Record<string, Tensor> = {};
    const cacheOut: Record<string, Tensor> = {};
    buffers.forEach((buffer, i) => {
      const name = `${i >> 1}.${i % 2 === 0 ? "key" : "value"}`;
      const part = buffer.subarray(first * rowSize, (first + count) * rowSize);
      const rows_BGMK = tensor("float32", [count, keyHeads, capacity, headWidth], part);
      cacheIn[`past_key_values.${name}`] = rows_BGMK;
      cacheOut[`present.${name}`] = rows_BGMK;
    });
    return { cacheIn, cacheOut };
  };

  const run = async ({ cacheIn, cacheOut, logits, ...rest }: Inputs): Promise<void> => {
    await session.run({ ...rest, ...cacheIn }, { logits, ...cacheOut });
  };

  /** Rows from `first` on, in one pass. */
  const prefillRun = async (
    prompts: readonly (readonly number[])[],
    first: number,
    all: boolean,
  ): Promise<Float32Array[][]> => {
    const count = prompts.length;
    const longest = Math.max(...prompts.map((ids) => ids.length));
    const scored = prompts.map((ids, row) =>
      all ? ids.map((_, at) => row * longest + at) : [row * longest + ids.length - 1],
    );
    const last = scored.flat();
    const logits_RV = tensor("float32", [last.length, vocabSize]);
    prompts.forEach((ids, i) => (cached[first + i] = [...ids]));
    const places = prompts.map(() => Array.from({ length: longest }, (_, at) => at));
    await run({
      ids: int64(prompts, longest),
      positions: int64(places, longest),
      lengths: tensor(
        "int32",
        [count],
        Int32Array.from(prompts, (ids) => ids.length - 1),
      ),
      total: tensor("int32", [1], Int32Array.of(longest)),
      last: tensor("int64", [last.length], BigInt64Array.from(last, BigInt)),
      logits: logits_RV,
      ...caches(first, count),
    });
    let next = 0;
    return scored.map((places) => places.map(() => logits_RV.data.subarray(next * vocabSize, ++next * vocabSize)));
  };

  const inputsOf = (count: number): Inputs => {
    const known = stepInputs.get(count);
    if (known !== undefined) return known;
    const made: Inputs = {
      ids: tensor("int64", [count, 1]),
      positions: tensor("int64", [count, 1]),
      lengths: tensor("int32", [count]),
      total: tensor("int32", [1]),
      last: tensor(
        "int64",
        [count],
        BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
      ),
      logits: tensor("float32", [count, vocabSize], scratch.subarray(0, sizeOf([count, vocabSize]))),
      ...caches(0, count),
    };
    stepInputs.set(count, made);
    return made;
  };

  const copy = (from: number, to: number): void => {
    const wanted = cached[from]!;
    const end = wanted.length;
    let start = 0;
    while (start < end && wanted[start] === cached[to]![start]) start++;
    if (from === to) return;
    cached[to] = [...wanted];
    for (const buffer of buffers) {
      for (let head = 0; head < keyHeads; head++) {
        const source = from * rowSize + head * headSize;
        const target = to * rowSize + head * headSize;
        buffer.copyWithin(target + start * headWidth, source + start * headWidth, source + end * headWidth);
      }
    }
  };

  return {
    copy,
    async prefill(prompts, all = false): Promise<Float32Array[][]> {
      const results: Float32Array[][] = [];
      for (let first = 0; first < prompts.length;) {
        let longest = prompts[first]!.length;
        let end = first + 1;
        for (; end < prompts.length; end++) {
          longest = Math.max(longest, prompts[end]!.length);
          if (longest * (end + 1 - first) > prefillTokens) break;
        }
        results.push(...(await prefillRun(prompts.slice(first, end), first, all)));
        first = end;
      }
      return results;
    },
    async step(ids): Promise<Float32Array[]> {
      const inputs = inputsOf(ids.length);
      let most = 0;
      ids.forEach((id, row) => {
        const length = cached[row]!.push(id) - 1;
        inputs.ids.data[row] = BigInt(id);
        inputs.positions.data[row] = BigInt(length);
        inputs.lengths.data[row] = length;
        most = Math.max(most, length + 1);
      });
      inputs.total.data[0] = most;
      await run(inputs);
      return ids.map((_, row) => scratch.subarray(row * vocabSize, (row + 1) * vocabSize));
    },
  };
}

/**
 * Moves the rows `slots` to the front of the cache, so that a step computes no others.
 * @returns the new place of each.
 */
export function pack(decoding: Decoding, slots: readonly number[]): number[] {
  const count = slots.length;
  const taken = new Set(slots);
  const free = Array.from({ length: count }, (_, i) => i).filter((slot) => !taken.has(slot));
  return slots.map((slot) => {
    if (slot < count) return slot;
    const target = free.pop()!;
    decoding.copy(slot, target);
    return target;
  });
}
