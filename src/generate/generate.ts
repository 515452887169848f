/** From options to sequences: prompts become jobs, a search continues them, and results become texts. */
import { ConfigError } from "../errors.ts";
import { beamSearch } from "./beam.ts";
import type { Codec, Generator } from "./open.ts";
import type { LookupCounts } from "./lookup.ts";
import { type GenerateOptions, limitsOf, resolveOptions, type Settings } from "./options.ts";
import { namedTokens } from "./processors.ts";
import { type Chosen, sampleTokens } from "./sample.ts";
import { required } from "../schema.ts";
import { createJob, type Job } from "./search.ts";
import { stopRule } from "./stop.ts";
import { createTextStream } from "./stream.ts";

export interface Generated {
  /** For each prompt its `numReturnSequences` sequences, prompt and end token included, without padding. */
  readonly sequences: number[][];
  /** Beam search: the beam's score. Otherwise the sum of the new tokens' log-probabilities. */
  readonly scores: number[];
  /** Of each sequence's new tokens; with beam search after the processors' changes. */
  readonly logProbabilities: (readonly number[])[];
  /** The sequences as text, without special tokens; empty where the directory has no tokenizer. */
  readonly texts: string[];
  /** Tokens that `lookup` tried, and those of them that were kept. */
  readonly lookup: Readonly<LookupCounts>;
}

/** One token of a stream. */
export interface Piece {
  /** Index of the sequence. */
  readonly row: number;
  readonly id: number;
  /** What the text gained, once later tokens cannot change it; the last piece of a row brings the rest. */
  readonly text: string;
}

/**
 * Continues every prompt.
 * @throws ConfigError on options that are wrong or contradict one another; the signal's reason where it is aborted.
 */
export async function generate(generator: Generator, options: GenerateOptions): Promise<Generated> {
  const { settings, jobs } = prepare(generator, options);
  const { decoder } = generator;
  const { onEnd } = options;
  const sequences: number[][] = [];
  const scores: number[] = [];
  const logProbabilities: (readonly number[])[] = [];
  const lookup = { tried: 0, kept: 0 };
  if (settings.numBeams === 1 && settings.scoring === "huggingface") {
    for await (const chosen of sampleTokens(decoder, jobs, settings, options, lookup)) {
      if (!chosen.ended) continue;
      sequences[chosen.row] = [...chosen.ids];
      scores[chosen.row] = chosen.score;
      logProbabilities[chosen.row] = chosen.logProbabilities;
      onEnd?.(Math.floor(chosen.row / settings.numReturnSequences));
    }
  } else {
    for (const found of (await beamSearch(decoder, jobs, settings, options)).flat()) {
      sequences.push(found.ids);
      scores.push(found.score);
      logProbabilities.push(found.logProbabilities);
    }
  }
  return { sequences, scores, logProbabilities, texts: sequences.map((ids) => textOf(generator, ids)), lookup };
}

/** The same tokens as they come. @throws ConfigError as `generate`, and with beam search, which knows its result last. */
export async function* generateStream(generator: Generator, options: GenerateOptions): AsyncGenerator<Piece> {
  const { settings, jobs } = prepare(generator, options);
  if (settings.numBeams > 1 || settings.scoring === "fairseq") {
    throw new ConfigError(`generateStream: numBeams: expected 1, got ${settings.numBeams}`, {
      hint: "beam search knows its best sequence only at its end: use generate",
    });
  }
  const streams = new Map<number, (chosen: Chosen) => string>();
  for await (const chosen of sampleTokens(generator.decoder, jobs, settings, options)) {
    const { row, id } = chosen;
    const { prompt } = jobs[Math.floor(row / settings.numReturnSequences)]!;
    let stream = streams.get(row);
    if (stream === undefined) streams.set(row, (stream = createTextStream(prompt, (ids) => textOf(generator, ids))));
    yield { row, id, text: stream(chosen) };
  }
}

function textOf({ tokenizer }: Generator, ids: readonly number[]): string {
  return tokenizer instanceof Error ? "" : tokenizer.decode(ids, { skipSpecialTokens: true });
}

function prepare(generator: Generator, options: GenerateOptions): { settings: Settings; jobs: Job[] } {
  const { config, defaults, decoder } = generator;
  const settings = resolveOptions(options, defaults, config);
  const stops =
    settings.stopStrings.length === 0
      ? (): boolean => false
      : stopRule(settings.stopStrings, needTokenizer(generator, "stopStrings"), (ids) => textOf(generator, ids));
  if (settings.scoring === "fairseq" && settings.eosTokenId.length === 0) {
    throw new ConfigError("generate: eosTokenId: fairseq's scoring expects one, got none");
  }
  const prompts = promptIds(generator, options);
  const { maxLength } = settings;
  if (typeof maxLength === "object" && maxLength.length !== prompts.length) {
    throw new ConfigError(
      `generate: maxLength: expected one for each of ${prompts.length} prompts, got ${maxLength.length}`,
    );
  }
  const { numbers } = options;
  if (numbers !== undefined && numbers.length !== prompts.length) {
    throw new ConfigError(
      `generate: numbers: expected one for each of ${prompts.length} prompts, got ${numbers.length}`,
    );
  }
  const named = generator.tokenizer instanceof Error ? [] : namedTokens(config.vocab_size, generator.tokenizer);
  const jobs = prompts.map((prompt, i) =>
    createJob(prompt, limitsOf(settings, prompt.length, decoder.cache.maxTokens, i), settings, stops, [
      ...named,
      ...(options.processors?.(prompt, i) ?? []),
    ]),
  );
  return { settings, jobs };
}

function needTokenizer({ tokenizer }: Generator, name: string): Codec {
  if (!(tokenizer instanceof Error)) return tokenizer;
  throw new ConfigError(
    `generate: ${name}: expected a tokenizer in the model directory, got none: ${tokenizer.message}`,
    {
      cause: tokenizer,
      hint: "put the tokenizer's files beside the weights, or give ids",
    },
  );
}

function promptIds(generator: Generator, { ids, prompts }: GenerateOptions): number[][] {
  if ((ids === undefined) === (prompts === undefined)) {
    throw new ConfigError(`generate: expected either ids or prompts, got ${ids === undefined ? "neither" : "both"}`);
  }
  let rows: number[][];
  if (prompts !== undefined) {
    const tokenizer = needTokenizer(generator, "prompts");
    const texts = typeof prompts === "string" ? [prompts] : prompts;
    required("generate: prompts", texts, "list of texts");
    rows = texts.map((prompt) => tokenizer.encodeIds(prompt));
  } else {
    required("generate: ids", ids, "list");
    const lists = typeof ids![0] === "number" ? [ids as number[]] : (ids as number[][]);
    required("generate: ids", lists, "list of lists of numbers");
    rows = lists.map((row) => [...row]);
  }
  const { vocab_size } = generator.config;
  if (rows.length === 0) throw new ConfigError("generate: expected at least one prompt, got none");
  rows.forEach((row, i) => {
    if (row.length === 0) throw new ConfigError(`generate: ids[${i}]: expected at least one id, got none`);
    const bad = row.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocab_size);
    if (bad >= 0)
      throw new ConfigError(`generate: ids[${i}][${bad}]: expected an id in [0, ${vocab_size}), got ${row[bad]}`);
  });
  return rows;
}
