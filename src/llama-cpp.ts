/**
 * GGUF files run by llama.cpp instead of ONNX Runtime, through node-llama-cpp (an optional peer): it is given ids and gives
 * logits, and all else (tokens, processors, draws, drafts, beams) is as with any decoder. A row is a list of ids; before a
 * pass each row takes the sequence of llama.cpp's that begins with most of them, and what differs is computed anew, so rows
 * can be copied, cut and dropped. Left out: GPUs; rows that come later share no pass with those before them.
 */
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { ConfigError, RuntimeError } from "./errors.ts";
import { requireMemory } from "./runtime/memory.ts";
import type { Decoder, DecoderSizes, Decoding, DecodingOptions, TokenScores } from "./generate/decoder.ts";
import { tokenBytes } from "./generate/store.ts";
import { logSumExp } from "./generate/scores.ts";
import { commonLength } from "./tokenizers/ids.ts";

/** What is used of node-llama-cpp 3.22, whose types are not here where it is not installed. */
interface Sequence {
  readonly contextTokens: readonly number[];
  readonly nextTokenIndex: number;
  eraseContextTokenRanges(ranges: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  controlledEvaluate(input: readonly Evaluated[]): Promise<readonly ({ readonly next: Next } | undefined)[]>;
}
type Evaluated =
  | number
  | readonly [
      token: number,
      options: { readonly generateNext: { readonly logits: true | object; readonly totalLogitWeight: true } },
    ];
interface Next {
  /** By token, the largest first. */
  readonly logits: ReadonlyMap<number, number>;
  /** Σ exp(logit - the largest). */
  readonly totalLogitWeight: number;
}
interface Context {
  readonly contextSize: number;
  getSequence(): Sequence;
  dispose(): Promise<void>;
}
interface Loaded {
  createContext(options: object): Promise<Context>;
}
interface Library {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<Loaded>; dispose(): Promise<void> }>;
}

export interface LlamaCppOptions {
  /** Default: as many as there are cores. */
  readonly threads?: number | undefined;
  /** "any": weights that are larger than the free memory are loaded all the same. */
  readonly memory?: "any" | undefined;
  /** How keys and values are held. Default "float16", as llama.cpp does; "float32" is exact and takes twice as much. */
  readonly cache?: "float16" | "float32" | undefined;
}

/** A place for a row in llama.cpp. */
interface Place {
  readonly context: Context;
  readonly sequence: Sequence;
  /** Whether no row has it. */
  free: boolean;
}

interface Row {
  readonly ids: number[];
  place: Place | undefined;
}

/** Tokens of a new context's rows, at least: one that outgrows them is computed anew in a larger context. */
const leastRoom = 1024;

/** What a row is to hold after a pass. */
interface Wanted {
  readonly row: Row;
  readonly ids: readonly number[];
  /** So many of them are not scored, and may be there already. */
  readonly keep: number;
  readonly bestOnly: boolean;
}

async function load(): Promise<Library> {
  const name = "node-llama-cpp";
  try {
    return (await import(name)) as Library;
  } catch (error) {
    throw new ConfigError(`engine: expected ${name} to be installed for "llama.cpp", got none that loads`, {
      cause: error,
      hint: `npm install ${name}@3.22.1, or leave the engine out`,
    });
  }
}

/**
 * A decoder over a GGUF file that has a vocabulary; without one llama.cpp ends the process.
 * @throws ConfigError where node-llama-cpp is not installed, or the weights are larger than what is free; RuntimeError
 * where it cannot load the file.
 */
export async function openLlamaCpp(
  path: string,
  { cache, vocabSize, weights }: DecoderSizes,
  { threads = availableParallelism(), memory, cache: held = "float16" }: LlamaCppOptions = {},
): Promise<Decoder & AsyncDisposable> {
  if (memory !== "any") requireMemory({ where: path, weights: statSync(path).size, cache: tokenBytes(cache) / 2 });
  const { getLlama } = await load();
  let said = "";
  const failed = (error: unknown): RuntimeError => {
    const reason = error instanceof Error ? error.message : String(error);
    return new RuntimeError(`${path}: llama.cpp failed: ${reason}${said === "" ? "" : ` (${said})`}`, { cause: error });
  };
  const logger = (_level: unknown, message: string): void => void (said = message.trim());
  // A binary that fits is in its packages, or it is not: nothing is compiled or fetched.
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    maxThreads: threads,
    logLevel: "error",
    logger,
  }).catch((error: unknown) => Promise.reject(failed(error)));
  const model = await llama
    .loadModel({ modelPath: path, gpuLayers: 0, ignoreMemorySafetyChecks: true })
    .catch(async (error: unknown) => {
      await llama.dispose();
      throw failed(error);
    });
  const places = createPlaces(model, threads, held);
  return {
    cache,
    vocabSize,
    weights,
    start: (options) => createDecoding({ vocabSize, failed, ...places }, options),
    [Symbol.asyncDispose]: () => llama.dispose(),
  };
}

interface Places {
  /** Free places with room for so many tokens: best that which has most of `ids`. */
  find(ids: readonly number[], room: number): Place | undefined;
  /** Makes more of them; contexts that no row is in are given up. */
  add(count: number, room: number): Promise<void>;
}

function createPlaces(model: Loaded, threads: number, held: "float16" | "float32"): Places {
  let all: Place[] = [];
  const types = { experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" } as const;
  return {
    find(ids, room): Place | undefined {
      const fitting = all.filter(({ free, context }) => free && context.contextSize > room);
      return bestOf(fitting, ids);
    },
    async add(count, room): Promise<void> {
      const used = new Set(all.filter(({ free }) => !free).map(({ context }) => context));
      const unused = new Set(all.map(({ context }) => context).filter((context) => !used.has(context)));
      all = all.filter(({ context }) => used.has(context));
      for (const context of unused) await context.dispose();
      const context = await model.createContext({
        sequences: count,
        contextSize: room + 1, // it takes one token less
        threads,
        // Its keys, values and queries are rounded to float16 otherwise, whatever the cache is held in.
        flashAttention: false,
        ignoreMemorySafetyChecks: true,
        ...(held === "float32" ? types : {}),
      });
      const made = Array.from({ length: count }, () => ({ context, sequence: context.getSequence(), free: true }));
      all.push(...made);
    },
  };
}

function bestOf(places: readonly Place[], ids: readonly number[]): Place | undefined {
  let best: { place: Place; common: number } | undefined;
  for (const place of places) {
    const common = commonLength(place.sequence.contextTokens, ids);
    if (best === undefined || common > best.common) best = { place, common };
  }
  return best?.place;
}

function createDecoding(
  { vocabSize, failed, find, add }: Places & { readonly vocabSize: number; readonly failed: (error: unknown) => Error },
  { rows: usual, capacity, signal }: DecodingOptions,
): Decoding {
  const rows: Row[] = [];
  /** Places of rows that were dropped: others that were copied from them take these. */
  let spare: Place[] = [];

  /** Gives every row a place that has as many of its tokens as can be. */
  const settle = async (wanted: readonly Wanted[]): Promise<void> => {
    const fits = ({ context }: Place, { ids }: Wanted): boolean => context.contextSize > ids.length;
    for (const one of wanted) {
      const { row, ids, keep } = one;
      const has = row.place !== undefined && commonLength(row.place.sequence.contextTokens, ids) >= keep;
      if (has && fits(row.place!, one)) continue;
      const own = row.place === undefined ? [] : [row.place];
      const best = bestOf(
        [...own, ...spare].filter((place) => fits(place, one)),
        ids,
      );
      if (best === row.place) continue;
      spare = [...spare, ...own].filter((place) => place !== best);
      row.place = best;
    }
    for (const place of spare) place.free = true;
    spare = [];
    for (let lacking = wanted.filter(({ row }) => row.place === undefined); lacking.length > 0;) {
      for (const { row, ids } of lacking) {
        row.place = find(ids, ids.length);
        if (row.place !== undefined) row.place.free = false;
      }
      lacking = lacking.filter(({ row }) => row.place === undefined);
      if (lacking.length === 0) break;
      const longest = Math.max(...lacking.map(({ ids }) => ids.length));
      const room = Math.max(longest, Math.min(capacity, Math.max(leastRoom, 2 * longest)));
      // As many again as there are: where rows come one by one, few contexts hold them.
      const there = rows.filter(({ place }) => place !== undefined).length;
      await add(Math.max(lacking.length, there === 0 ? usual : there), room);
    }
  };

  const scoresOf = (logits: ReadonlyMap<number, number>, weight: number, bestOnly: boolean): TokenScores => {
    const scores = new Float32Array(vocabSize).fill(-Infinity);
    for (const [id, value] of logits) scores[id] = value;
    const [first = Number.NaN] = logits.values();
    const logSum = bestOnly ? first + Math.log(weight) : logSumExp(scores);
    if (Number.isFinite(logSum)) return { logits: scores, logSum };
    throw new RuntimeError(`llama.cpp: expected finite scores, got ${first}`, {
      hint: "the file's weights are damaged, or too large for its arithmetic",
    });
  };

  /** Tokens that a row's place has already and keeps. */
  const common = ({ row, ids, keep }: Wanted): number =>
    Math.min(keep, commonLength(row.place!.sequence.contextTokens, ids));

  const rewind = async (wanted: Wanted): Promise<void> => {
    const { sequence } = wanted.row.place!;
    const start = common(wanted);
    if (start < sequence.nextTokenIndex) {
      await sequence.eraseContextTokenRanges([{ start, end: sequence.nextTokenIndex }]);
    }
  };

  const evaluate = async (wanted: Wanted): Promise<TokenScores[]> => {
    const { row, ids, keep, bestOnly } = wanted;
    const start = common(wanted);
    const logits = bestOnly ? { filter: { tokens: [], includeTop: 2 } } : true;
    const input = ids
      .slice(start)
      .map((id, i): Evaluated => (start + i < keep ? id : [id, { generateNext: { logits, totalLogitWeight: true } }]));
    const found = await row.place!.sequence.controlledEvaluate(input);
    return found.slice(keep - start).map((one) => scoresOf(one!.next.logits!, one!.next.totalLogitWeight!, bestOnly));
  };

  /** Appends tokens to rows, in one pass where they lie in one context. */
  const append = async (
    to: readonly Row[],
    tokens: readonly (readonly number[])[],
    all: boolean,
    bestOnly: readonly boolean[] = [],
  ): Promise<TokenScores[][]> => {
    signal?.throwIfAborted();
    const wanted = to.map((row, i): Wanted => {
      const ids = [...row.ids, ...tokens[i]!];
      return { row, ids, keep: all ? row.ids.length : ids.length - 1, bestOnly: bestOnly[i] === true };
    });
    try {
      await settle(wanted);
      await Promise.all(wanted.map(rewind));
      const scores = await Promise.all(wanted.map(evaluate));
      to.forEach((row, i) => row.ids.push(...tokens[i]!));
      return scores;
    } catch (error) {
      throw error instanceof RuntimeError ? error : failed(error);
    }
  };

  const drop = (from: number): void => {
    for (const { place } of rows.splice(from)) if (place !== undefined) spare.push(place);
  };

  return {
    async prefill(prompts, all = false): Promise<{ first: number; scores: TokenScores[][] }> {
      const first = rows.length;
      const added = prompts.map((): Row => ({ ids: [], place: undefined }));
      rows.push(...added);
      return { first, scores: await append(added, prompts, all) };
    },
    step: (tokens, bestOnly) => append(rows.slice(0, tokens.length), tokens, true, bestOnly),
    extend: async (row, tokens, all = false) => (await append([rows[row]!], [tokens], all))[0]!,
    copy(from, to): void {
      if (from !== to) rows[to] = { ids: [...rows[from]!.ids], place: rows[to]?.place };
    },
    cut: (row, tokens): void => void (rows[row]!.ids.length = Math.min(tokens, rows[row]!.ids.length)),
    keepRows: drop,
    [Symbol.dispose](): void {
      drop(0);
      for (const place of spare) place.free = true;
      spare = [];
    },
  };
}
