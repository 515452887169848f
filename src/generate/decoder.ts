/**
 * Decoding with a key-value cache: prompts once, then one token or a few a row and step. The cache is kept here: ONNX
 * Runtime reads it and gives the new tokens' keys and values alone, because onnxruntime-node copies whatever a run
 * returns. Rows come with their prompts and go when a search drops them. Rows of unequal length are padded on the right;
 * of the padding nothing is kept.
 */
// R scored tokens, V vocabulary
import type { CacheShape } from "../models/family.ts";
import { int64 } from "../runtime/batch.ts";
import type { Session, Tensors } from "../runtime/session.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { createStore, partsOf, pastKeyValues, tokenBytes } from "./store.ts";

export interface DecoderSizes {
  readonly cache: CacheShape;
  readonly vocabSize: number;
  /** Numbers in the model's weights. */
  readonly weights: number;
}

/** What continues texts: a compiled decoding graph (`createDecoding`), or another engine (`src/llama-cpp.ts`). */
export interface Decoder extends DecoderSizes {
  /** What a token gets depends on what else is in its pass, by more than rounding: some formats of weights. */
  readonly acrossRows?: boolean | undefined;
  /** No rows yet. What runs the network throws the signal's reason once it is aborted. */
  start(options: DecodingOptions): Decoding;
}

/** What the network gives after a token. */
export interface TokenScores {
  /** Of the whole vocabulary. */
  readonly logits: Float32Array;
  /** log Σ exp(logits): a logit less this is a log-probability. */
  readonly logSum: number;
}

/** The caches of the rows that one call decodes. Rows are counted from 0, without gaps. */
export interface Decoding extends Disposable {
  /**
   * Computes prompts in new rows, behind those there are.
   * @returns the first of these rows, and scores after each prompt's last token, or after every token with `all`.
   */
  prefill(prompts: readonly (readonly number[])[], all?: boolean): Promise<{ first: number; scores: TokenScores[][] }>;
  /**
   * Appends tokens to the first rows, at least one each; gives the scores after each of them, valid until the next step.
   * @param bestOnly of which rows nobody looks at more than the two best scores: others may be -Infinity.
   */
  step(tokens: readonly (readonly number[])[], bestOnly?: readonly boolean[]): Promise<TokenScores[][]>;
  /** Appends tokens to one row; gives the scores after the last, or after each with `all`. */
  extend(row: number, tokens: readonly number[], all?: boolean): Promise<TokenScores[]>;
  /** Makes row `to`, which may be new, the same as row `from`, copying what follows the tokens that they have in common. */
  copy(from: number, to: number): void;
  /** Forgets all but a row's first `tokens`. */
  cut(row: number, tokens: number): void;
  /** Keeps the first `rows` rows alone. */
  keepRows(rows: number): void;
}

/** The most tokens of prompts that are computed at once: what a layer makes of them stays in a processor's cache. */
export const prefillTokens = 1024;
/** Bytes of keys and values that a pass may give: they are in memory three times until they are put into the cache. */
const passBytes = 64 * 2 ** 20;
/** Tokens that the caches grow by: they are read whole at every step, so they are kept short. */
const growth = 64;

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

export interface DecodingOptions {
  /** Rows that there will be as a rule: room for them is made at once. */
  readonly rows: number;
  /** Most tokens of a row. */
  readonly capacity: number;
  /** Every run of the network is preceded by a look at it. */
  readonly signal?: AbortSignal | undefined;
}

/** The most tokens of a pass: any number where a token depends on what else is in its pass. */
function passTokens({ cache, acrossRows }: Pick<Decoder, "cache" | "acrossRows">): number {
  if (acrossRows === true) return Infinity;
  return Math.max(1, Math.min(prefillTokens, Math.floor(passBytes / tokenBytes(cache))));
}

/** `Decoder.start` on a compiled decoding graph (`models/graphs.ts`). */
export function createDecoding(
  {
    session,
    cache,
    vocabSize,
    acrossRows,
  }: Pick<Decoder, "cache" | "vocabSize" | "acrossRows"> & { readonly session: Session },
  { rows: usual, capacity, signal }: DecodingOptions,
): Decoding {
  const parts = partsOf(cache);
  const most = passTokens({ cache, acrossRows });
  /** Tokens that a row comes to have whose prompt is computed in parts. */
  let coming = 0;
  const store = createStore(cache);
  /** The tokens in each row's cache. */
  const cached: number[][] = [];
  let scratch = new Float32Array();

  /** Room for rows of so many tokens; less than before where shorter rows took the place of longer. */
  const makeRoom = (rows: number, now: number): void => {
    const tokens = Math.max(now, coming);
    const wanted = Math.max(tokens, Math.min(capacity, tokens + growth));
    const fits = rows <= store.rows && tokens <= store.room;
    if (fits && wanted > 0.75 * store.room) return;
    // Where rows come one by one, the cache is not copied for each of them.
    const more = rows > store.rows ? Math.ceil(1.25 * rows) : rows;
    store.resize(rows > usual ? more : usual, wanted, cached);
  };

  const scoresOf = (logits: Float32Array, outputs: Tensors, at: number): TokenScores => ({
    logits: logits.subarray(at * vocabSize, (at + 1) * vocabSize),
    logSum: (outputs["logSums"]!.data as Float32Array)[at]!,
  });

  /** Rows from `first` on, empty as yet, in one pass. */
  const prefillRun = async (
    prompts: readonly (readonly number[])[],
    first: number,
    all: boolean,
  ): Promise<TokenScores[][]> => {
    signal?.throwIfAborted();
    const { inputs, scored } = promptInputs(cache, prompts, all);
    const logits_RV = tensor("float32", [scored.flat().length, vocabSize]);
    const outputs = await session.run(inputs, { logits: logits_RV });
    parts.forEach((name, part) =>
      store.put(
        part,
        outputs[`present.${name}`]! as Tensor<"float32">,
        first,
        prompts.map((ids) => ({ at: 0, tokens: ids.length })),
      ),
    );
    let next = 0;
    return scored.map((places) => places.map(() => scoresOf(logits_RV.data, outputs, next++)));
  };

  /** Tokens behind those of the rows from `first` on, in one pass. */
  const appendRun = async (
    first: number,
    tokens: readonly (readonly number[])[],
    roomFor: (size: number) => Float32Array,
    all = true,
  ): Promise<TokenScores[][]> => {
    signal?.throwIfAborted();
    const rows = tokens.length;
    const starts = cached.slice(first, first + rows).map(({ length }) => length);
    makeRoom(
      Math.max(cached.length, first + rows),
      Math.max(longestOf(cached), ...tokens.map((ids, i) => starts[i]! + ids.length)),
    );
    const width = longestOf(tokens);
    // Padding stands at its row's last position: one that the model has.
    const positions = tokens.map(({ length }, row) =>
      Array.from({ length: width }, (_, i) => starts[row]! + Math.min(i, length - 1)),
    );
    const scored = tokens.map((ids) => (all ? ids.map((_, i) => i) : [ids.length - 1]));
    const places = scored.flatMap((own, row) => own.map((i) => row * width + i));
    const size = sizeOf([places.length, vocabSize]);
    const logits = roomFor(size);
    const logits_RV = tensor("float32", [places.length, vocabSize], logits.subarray(0, size));
    const inputs = {
      ids: int64(tokens, width),
      positions: int64(positions, width),
      last: tensor("int64", [places.length], BigInt64Array.from(places, BigInt)),
      ...store.inputs(starts, first),
    };
    const outputs = await session.run(inputs, { logits: logits_RV });
    const added = tokens.map(({ length }, row) => ({ at: starts[row]!, tokens: length }));
    parts.forEach((name, part) => store.put(part, outputs[`present.${name}`]! as Tensor<"float32">, first, added));
    tokens.forEach((ids, row) => cached[first + row]!.push(...ids));
    let next = 0;
    return scored.map((own) => own.map(() => scoresOf(logits, outputs, next++)));
  };

  /** Tokens behind those of one row, in as many passes as they need. */
  const appendParts = async (row: number, tokens: readonly number[], all: boolean): Promise<TokenScores[]> => {
    const scores: TokenScores[] = [];
    for (let at = 0; at < tokens.length; at += most) {
      const part = tokens.slice(at, at + most);
      const [own] = await appendRun(row, [part], (size) => new Float32Array(size), all);
      if (all || at + most >= tokens.length) scores.push(...own!);
    }
    return scores;
  };

  /** The same in a new row. */
  const prefillParts = async (row: number, tokens: readonly number[], all: boolean): Promise<TokenScores[]> => {
    const begun = tokens.slice(0, most);
    coming = tokens.length;
    try {
      const [scores] = await prefillRun([begun], row, all);
      cached.push([...begun]);
      const rest = await appendParts(row, tokens.slice(most), all);
      return all ? [...scores!, ...rest] : rest;
    } finally {
      coming = 0;
    }
  };

  return {
    async prefill(prompts, all = false): Promise<{ first: number; scores: TokenScores[][] }> {
      const scores: TokenScores[][] = [];
      const before = cached.length;
      makeRoom(before + prompts.length, longestOf([...cached, ...prompts]));
      for (let first = 0; first < prompts.length;) {
        if (prompts[first]!.length > most) {
          scores.push(await prefillParts(before + first, prompts[first]!, all));
          first += 1;
          continue;
        }
        let longest = prompts[first]!.length;
        let end = first + 1;
        for (; end < prompts.length; end++) {
          longest = Math.max(longest, prompts[end]!.length);
          if (longest * (end + 1 - first) > Math.min(most, prefillTokens)) break;
        }
        const part = prompts.slice(first, end);
        scores.push(...(await prefillRun(part, before + first, all)));
        for (const ids of part) cached.push([...ids]);
        first = end;
      }
      return { first: before, scores };
    },
    step: (tokens) =>
      appendRun(0, tokens, (size) => (scratch.length < size ? (scratch = new Float32Array(size)) : scratch)),
    extend: (row, tokens, all = false) => appendParts(row, tokens, all),
    copy(from, to): void {
      if (from === to) return;
      const wanted = cached[from]!;
      makeRoom(Math.max(cached.length, to + 1), longestOf(cached));
      let start = 0;
      while (start < wanted.length && wanted[start] === cached[to]?.[start]) start++;
      store.copy(from, to, start, wanted.length);
      cached[to] = [...wanted];
    },
    cut: (row, tokens): void => void (cached[row]!.length = Math.min(tokens, cached[row]!.length)),
    keepRows: (rows): void => void (cached.length = Math.min(rows, cached.length)),
    [Symbol.dispose]: (): void => undefined,
  };
}

/** Scores after every token of rows without a past, [rows, tokens, vocabulary]; those of padding are 0. */
export async function scoreAll(decoder: Decoder, ids: readonly (readonly number[])[]): Promise<Tensor<"float32">> {
  const { vocabSize } = decoder;
  const longest = longestOf(ids);
  const logits = tensor("float32", [ids.length, longest, vocabSize]);
  using decoding = decoder.start({ rows: ids.length, capacity: longest });
  const { scores } = await decoding.prefill(ids, true);
  scores.forEach((own, row) => own.forEach((one, at) => logits.data.set(one.logits, (row * longest + at) * vocabSize)));
  return logits;
}

function longestOf(rows: readonly (readonly number[])[]): number {
  return rows.reduce((most, { length }) => Math.max(most, length), 0);
}

/**
 * Moves the rows `slots` to the front of the cache and drops the others, so that a step computes no others.
 * @param last a row that is kept behind them.
 * @returns the new place of each.
 */
export function pack(decoding: Decoding, slots: readonly number[], last?: number): number[] {
  const count = slots.length;
  const taken = new Set(slots);
  const free = Array.from({ length: count }, (_, i) => i).filter((slot) => !taken.has(slot));
  const places = slots.map((slot) => {
    if (slot < count) return slot;
    const target = free.pop()!;
    decoding.copy(slot, target);
    return target;
  });
  if (last !== undefined) decoding.copy(last, count);
  decoding.keepRows(last === undefined ? count : count + 1);
  return places;
}
