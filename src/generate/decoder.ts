/**
 * Decoding with a key-value cache: prompts once, then one token a row and step. The cache is kept here: ONNX Runtime
 * reads it and gives the new tokens' keys and values alone, because onnxruntime-node copies whatever a run returns.
 * Rows move only when a search asks. Prompts of unequal length are padded on the right; of the padding nothing is kept.
 */
// R scored tokens, V vocabulary
import type { CacheShape } from "../models/family.ts";
import { int64 } from "../runtime/batch.ts";
import type { Session, Tensors } from "../runtime/session.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

/** A compiled decoding graph (`models/graphs.ts`). */
export interface Decoder {
  readonly session: Session;
  readonly cache: CacheShape;
  readonly vocabSize: number;
}

/** What the network gives after a token. */
export interface TokenScores {
  /** Of the whole vocabulary. */
  readonly logits: Float32Array;
  /** log Σ exp(logits): a logit less this is a log-probability. */
  readonly logSum: number;
}

/** The caches of the rows that one call decodes. */
export interface Decoding {
  /**
   * Computes prompt i in row i, from an empty cache.
   * @returns scores after each prompt's last token, or after every token with `all`.
   */
  prefill(prompts: readonly (readonly number[])[], all?: boolean): Promise<TokenScores[][]>;
  /** Appends one token to each of the first `ids.length` rows; gives each row's scores, valid until the next step. */
  step(ids: readonly number[]): Promise<TokenScores[]>;
  /** Makes row `to` the same as row `from`, by copying what comes after the tokens that they have in common. */
  copy(from: number, to: number): void;
}

/** The most tokens of prompts that are computed at once: what a layer makes of them stays in a processor's cache. */
const prefillTokens = 1024;
/** Tokens that the caches grow by: they are read whole at every step, so they are kept short. */
const growth = 64;

interface StepInputs {
  readonly ids: Tensor<"int64">;
  readonly positions: Tensor<"int64">;
  readonly past: Tensor<"int32">;
  readonly last: Tensor<"int64">;
  readonly cache: Tensors;
  readonly logits: Tensor<"float32">;
}

/** The cache's tensors by their names in the graph without a prefix: of every layer `0.key`, `0.value`, `1.key`, … */
function partsOf({ layers }: CacheShape): string[] {
  return Array.from({ length: 2 * layers }, (_, i) => `${i >> 1}.${i % 2 === 0 ? "key" : "value"}`);
}

function pastKeyValues(parts: readonly string[], tensorOf: (part: number) => Tensor): Tensors {
  return Object.fromEntries(parts.map((name, i) => [`past_key_values.${name}`, tensorOf(i)]));
}

/**
 * Inputs that compute prompts from an empty cache, and the places among all tokens, padding included, of those that are
 * scored, by prompt: its last token, or every one with `all`.
 */
export function promptInputs(
  cache: CacheShape,
  prompts: readonly (readonly number[])[],
  all = false,
): { inputs: Tensors; scored: number[][] } {
  const count = prompts.length;
  const longest = Math.max(...prompts.map((ids) => ids.length));
  const scored = prompts.map((ids, row) =>
    all ? ids.map((_, at) => row * longest + at) : [row * longest + ids.length - 1],
  );
  const places = prompts.map(() => Array.from({ length: longest }, (_, at) => at));
  const nothing = tensor("float32", [count, cache.keyHeads, 1, cache.headWidth]);
  const inputs = {
    ids: int64(prompts, longest),
    positions: int64(places, longest),
    past: tensor("int32", [count, 1]),
    last: tensor("int64", [scored.flat().length], BigInt64Array.from(scored.flat(), BigInt)),
    ...pastKeyValues(partsOf(cache), () => nothing),
  };
  return { inputs, scored };
}

interface DecodingOptions {
  readonly rows: number;
  /** Most tokens of a row. */
  readonly capacity: number;
  /** Every run of the network is preceded by a look at it. */
  readonly signal?: AbortSignal | undefined;
}

/** Empty caches. What runs the network throws the signal's reason once it is aborted. */
export function createDecoding(
  { session, cache, vocabSize }: Decoder,
  { rows, capacity, signal }: DecodingOptions,
): Decoding {
  const { keyHeads, headWidth } = cache;
  const parts = partsOf(cache);
  /** Tokens that a row of the buffers has room for now. */
  let room = 0;
  let headSize = 0;
  let rowSize = 0;
  let buffers = parts.map(() => new Float32Array());
  /** The tokens in each row's cache. */
  const cached = Array.from({ length: rows }, (): number[] => []);
  const scratch = new Float32Array(rows * vocabSize);
  const stepInputs = new Map<number, StepInputs>();

  const makeRoom = (tokens: number): void => {
    if (tokens <= room) return;
    const before = headSize;
    room = Math.max(tokens, Math.min(capacity, tokens + growth));
    headSize = room * headWidth;
    rowSize = keyHeads * headSize;
    buffers = buffers.map((old) => {
      const larger = new Float32Array(rows * rowSize);
      for (let from = 0, to = 0; from < old.length; from += before, to += headSize) {
        larger.set(old.subarray(from, from + before), to);
      }
      return larger;
    });
    stepInputs.clear();
  };

  const scoresOf = (logits: Float32Array, outputs: Tensors, row: number): TokenScores => ({
    logits: logits.subarray(row * vocabSize, (row + 1) * vocabSize),
    logSum: (outputs["logSums"]!.data as Float32Array)[row]!,
  });

  /** Puts the keys and values of new tokens behind those that row `first + i` has. */
  const keep = (outputs: Tensors, first: number, added: readonly { at: number; tokens: number }[]): void => {
    parts.forEach((name, part) => {
      const { data, dims } = outputs[`present.${name}`]! as Tensor<"float32">;
      const size = dims[2]! * headWidth;
      for (const [i, { at, tokens }] of added.entries()) {
        for (let head = 0; head < keyHeads; head++) {
          const from = (i * keyHeads + head) * size;
          const to = (first + i) * rowSize + head * headSize + at * headWidth;
          buffers[part]!.set(data.subarray(from, from + tokens * headWidth), to);
        }
      }
    });
  };

  /** Rows from `first` on, in one pass. */
  const prefillRun = async (
    prompts: readonly (readonly number[])[],
    first: number,
    all: boolean,
  ): Promise<TokenScores[][]> => {
    signal?.throwIfAborted();
    const { inputs, scored } = promptInputs(cache, prompts, all);
    prompts.forEach((ids, i) => (cached[first + i] = [...ids]));
    const logits_RV = tensor("float32", [scored.flat().length, vocabSize]);
    const outputs = await session.run(inputs, { logits: logits_RV });
    keep(
      outputs,
      first,
      prompts.map((ids) => ({ at: 0, tokens: ids.length })),
    );
    let next = 0;
    return scored.map((places) => places.map(() => scoresOf(logits_RV.data, outputs, next++)));
  };

  const inputsOf = (count: number): StepInputs => {
    const known = stepInputs.get(count);
    if (known !== undefined) return known;
    const shape = [count, keyHeads, room, headWidth];
    const made: StepInputs = {
      ids: tensor("int64", [count, 1]),
      positions: tensor("int64", [count, 1]),
      past: tensor("int32", [count, room]),
      last: tensor(
        "int64",
        [count],
        BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
      ),
      cache: pastKeyValues(parts, (part) => tensor("float32", shape, buffers[part]!.subarray(0, count * rowSize))),
      logits: tensor("float32", [count, vocabSize], scratch.subarray(0, sizeOf([count, vocabSize]))),
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
    async prefill(prompts, all = false): Promise<TokenScores[][]> {
      const results: TokenScores[][] = [];
      makeRoom(Math.max(...prompts.map((ids) => ids.length)));
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
    async step(ids): Promise<TokenScores[]> {
      signal?.throwIfAborted();
      makeRoom(1 + Math.max(...ids.map((_, row) => cached[row]!.length)));
      const { cache: past_key_values, logits, ...inputs } = inputsOf(ids.length);
      const added = ids.map((id, row) => {
        const at = cached[row]!.push(id) - 1;
        inputs.ids.data[row] = BigInt(id);
        inputs.positions.data[row] = BigInt(at);
        const [start, end] = [row * room, (row + 1) * room];
        inputs.past.data.fill(1, start, start + at).fill(0, start + at, end);
        return { at, tokens: 1 };
      });
      const outputs = await session.run({ ...inputs, ...past_key_values }, { logits });
      keep(outputs, 0, added);
      return ids.map((_, row) => scoresOf(scratch, outputs, row));
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
