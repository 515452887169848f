/**
 * Options of generation: transformers' names in camel case, with its meanings and defaults (GenerationConfig,
 * transformers 5), a model directory's generation_config.json between the two. A wrong option is an error, not a warning.
 */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";
import type { ModelConfig } from "../models/family.ts";
import type { Processor } from "./processors.ts";

export interface GenerateOptions {
  /** Prompts as ids, one list or several of any length. Either these or `prompts`. */
  readonly ids?: readonly number[] | readonly (readonly number[])[] | undefined;
  /** Prompts as texts, encoded with the model directory's tokenizer. */
  readonly prompts?: string | readonly string[] | undefined;
  /** Most tokens of a sequence, the prompt's included; a list: for each prompt. Default: the prompt's and 20 more. */
  readonly maxLength?: number | readonly number[] | undefined;
  /** Most new tokens; goes before `maxLength`. */
  readonly maxNewTokens?: number | undefined;
  /** No end before this many tokens, the prompt's included. Default 0. */
  readonly minLength?: number | undefined;
  /** No end before this many new tokens. Default 0. */
  readonly minNewTokens?: number | undefined;
  /** Default 1: no beam search. */
  readonly numBeams?: number | undefined;
  /** Beam scores are divided by length^lengthPenalty. Default 1. */
  readonly lengthPenalty?: number | undefined;
  /** Whether beam search ends with `numBeams` finished sequences; "never": only when none can do better. Default false. */
  readonly earlyStopping?: boolean | "never" | undefined;
  /** Draws tokens rather than taking the most likely. Default false. */
  readonly doSample?: boolean | undefined;
  readonly temperature?: number | undefined;
  /** Default 50; 0: all. */
  readonly topK?: number | undefined;
  /** Default 1. */
  readonly topP?: number | undefined;
  readonly minP?: number | undefined;
  readonly repetitionPenalty?: number | undefined;
  readonly noRepeatNgramSize?: number | undefined;
  /** Sequences of ids that must not be generated. */
  readonly badWordsIds?: readonly (readonly number[])[] | undefined;
  /** Sequences for each prompt. Default 1. */
  readonly numReturnSequences?: number | undefined;
  /** A sequence ends when one of these reaches into its last token; it may begin in the prompt. */
  readonly stopStrings?: string | readonly string[] | undefined;
  readonly eosTokenId?: number | readonly number[] | undefined;
  readonly padTokenId?: number | undefined;
  /** Draws are a function of the seed, the row and the step. Default 0. */
  readonly seed?: number | undefined;
  /** What draws take for a prompt's number, so that they do not depend on the others. Default: its place in the list. */
  readonly numbers?: readonly number[] | undefined;
  /** How beams are scored and end: as transformers does (default), or as fairseq does, prompt included. */
  readonly scoring?: "huggingface" | "fairseq" | undefined;
  /**
   * Ends a sequence that goes in circles, once it may end; "beams": with beam search only. Not in transformers.
   * Default false.
   */
  readonly repeatGuard?: boolean | "beams" | undefined;
  /**
   * Greedy search tries tokens that stand in the prompt or in what was written, several in one pass, and keeps those that
   * it would have chosen: the same sequences, sooner where they quote. Not in sampling, in beam search, and with weights
   * in int8, whose rounding depends on what else is in a pass. Default true.
   */
  readonly lookup?: boolean | undefined;
  /** Bytes of keys and values at once: prompts beyond wait until others end. Default: all begin together. */
  readonly cacheBytes?: number | undefined;
  /** Further changes to the scores of each prompt's sequences, made before all others; `index` is the prompt's. */
  readonly processors?: ((prompt: readonly number[], index: number) => readonly Processor[]) | undefined;
  /** Called with its prompt's index for every sequence that has ended. */
  readonly onEnd?: ((prompt: number) => void) | undefined;
  /** Looked at before every step; once it is aborted, generation ends with its reason as the error. */
  readonly signal?: AbortSignal | undefined;
}

const count = (least: number): z.ZodNumber =>
  z.int(`expected an integer of at least ${least}`).min(least, `expected an integer of at least ${least}`);
const positive = z.number().positive("expected a number above 0");
const share = z.number().min(0, "expected a number in [0, 1]").max(1, "expected a number in [0, 1]");
const id = count(0);
const text = z.string().min(1, "expected a text that is not empty");

const fields = {
  maxLength: z
    .union([count(1), z.array(count(1))], "expected an integer of at least 1, or one for each prompt")
    .optional(),
  maxNewTokens: count(1).optional(),
  minLength: count(0).default(0),
  minNewTokens: count(0).default(0),
  numBeams: count(1).default(1),
  lengthPenalty: z.number().default(1),
  earlyStopping: z.union([z.boolean(), z.literal("never")], 'expected true, false or "never"').default(false),
  doSample: z.boolean().default(false),
  temperature: positive.default(1),
  topK: count(0).default(50),
  topP: share.default(1),
  minP: share.optional(),
  repetitionPenalty: positive.default(1),
  noRepeatNgramSize: count(0).default(0),
  badWordsIds: z.array(z.array(id).min(1)).default([]),
  numReturnSequences: count(1).default(1),
  stopStrings: z
    .union([text, z.array(text)], "expected a text or several")
    .transform((value) => [value].flat())
    .default([]),
  eosTokenId: z
    .union([id, z.array(id)])
    .transform((value) => [value].flat())
    .optional(),
  padTokenId: id.optional(),
  seed: z.int().default(0),
  scoring: z.enum(["huggingface", "fairseq"]).default("huggingface"),
  repeatGuard: z.union([z.boolean(), z.literal("beams")], 'expected true, false or "beams"').default(false),
  lookup: z.boolean().default(true),
  cacheBytes: positive.optional(),
};
const schema = z.object(fields);

/** Every option with a value; `eosTokenId` is a list, which may be empty. */
export type Settings = z.infer<typeof schema> & { readonly eosTokenId: readonly number[] };

/**
 * The settings of one call: `options` before `defaults` (generation_config.json's contents) before transformers'.
 * @throws ConfigError on an unknown name, a value out of range, or options that contradict one another.
 */
export function resolveOptions(options: GenerateOptions, defaults: unknown, config: ModelConfig): Settings {
  required("generate: options", options, "object");
  const { ids: _, prompts: __, processors: ___, onEnd: ____, signal: _____, numbers: ______, ...given } = options;
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue;
    const names = ["ids", "prompts", ...Object.keys(fields)].join(", ");
    throw new ConfigError(`generate: expected known options, got "${name}"`, { hint: `the options are ${names}` });
  }
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const tokens = config as { eos_token_id?: number; pad_token_id?: number };
  const base = { eosTokenId: tokens.eos_token_id, padTokenId: tokens.pad_token_id, ...fromFile(defaults) };
  const result = schema.safeParse({ ...base, ...chosen });
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const name = String(issue.path[0]);
    const got = JSON.stringify((chosen as Record<string, unknown>)[name] ?? (base as Record<string, unknown>)[name]);
    const hint = name === "temperature" ? "for the most likely token at every step, leave doSample out" : undefined;
    throw new ConfigError(`generate: ${name}: ${issue.message}, got ${got}`, { hint });
  }
  const settings = { ...result.data, eosTokenId: result.data.eosTokenId ?? [] };
  refuseContradictions(settings, options, config);
  warnOfIgnored(settings, options);
  return settings;
}

/** Says which options have no effect, as transformers does. */
function warnOfIgnored({ doSample, numBeams, scoring }: Settings, given: GenerateOptions): void {
  const ignored = (names: readonly (keyof GenerateOptions)[], without: string): void => {
    const set = names.filter((name) => given[name] !== undefined && given[name] !== false);
    if (set.length > 0)
      process.emitWarning(`generate: ${set.join(", ")}: no effect without ${without}`, "GalenWarning");
  };
  if (!doSample) ignored(["temperature", "topK", "topP", "minP"], "doSample: true");
  if (numBeams === 1 && scoring === "huggingface") ignored(["lengthPenalty", "earlyStopping"], "numBeams above 1");
}

/** generation_config.json: the names that this code knows, in camel case; null means absent. */
function fromFile(json: unknown): Record<string, unknown> {
  if (typeof json !== "object" || json === null) return {};
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (Object.hasOwn(fields, name) && value !== null) found[name] = value;
  }
  return found;
}

function refuseContradictions(settings: Settings, given: GenerateOptions, { vocab_size }: ModelConfig): void {
  const { numBeams, numReturnSequences, doSample, scoring } = settings;
  if (!doSample && numReturnSequences > numBeams) {
    throw new ConfigError(
      `generate: numReturnSequences: expected at most numBeams (${numBeams}), got ${numReturnSequences}`,
      {
        hint: "raise numBeams, or sample with doSample: true",
      },
    );
  }
  if (doSample && numBeams > 1 && numReturnSequences > numBeams) {
    throw new ConfigError(
      `generate: numReturnSequences: expected at most numBeams (${numBeams}), got ${numReturnSequences}`,
    );
  }
  if (scoring === "fairseq" && doSample) {
    throw new ConfigError('generate: scoring: expected "huggingface" with doSample, got "fairseq"', {
      hint: "fairseq's dialect is of beam search; leave out doSample or scoring",
    });
  }
  if (scoring === "fairseq" && given.earlyStopping !== undefined && given.earlyStopping !== true) {
    throw new ConfigError(`generate: earlyStopping: expected true with scoring "fairseq", got ${given.earlyStopping}`, {
      hint: "fairseq always ends a search with numBeams finished sequences",
    });
  }
  for (const [name, ids] of [
    ["eosTokenId", settings.eosTokenId],
    ["badWordsIds", settings.badWordsIds.flat()],
  ] as const) {
    const bad = ids.find((value) => value >= vocab_size);
    if (bad !== undefined) throw new ConfigError(`generate: ${name}: expected ids below ${vocab_size}, got ${bad}`);
  }
}

/** The most and least tokens of a sequence whose prompt has `prompt` tokens. */
export interface Limits {
  readonly most: number;
  readonly least: number;
}

/** Of prompt `index`. @throws ConfigError when the prompt leaves no room, or more tokens are asked for than the model has positions. */
export function limitsOf(settings: Settings, prompt: number, positions: number, index: number = 0): Limits {
  const { maxNewTokens, minLength, minNewTokens } = settings;
  const maxLength = typeof settings.maxLength === "object" ? settings.maxLength[index] : settings.maxLength;
  const asked = maxNewTokens === undefined ? maxLength : prompt + maxNewTokens;
  const most = asked ?? Math.min(prompt + 20, positions); // 20: transformers' default
  if (most > positions) {
    const name = maxNewTokens === undefined ? "maxLength" : "maxNewTokens";
    const room = maxNewTokens === undefined ? positions : positions - prompt;
    throw new ConfigError(
      `generate: ${name}: the model has ${positions} positions, got ${most} tokens for a prompt of ${prompt}`,
      {
        hint: room > 0 ? `${name} can be at most ${room}` : "shorten the prompt",
      },
    );
  }
  if (prompt >= most) {
    throw new ConfigError(`generate: expected a prompt shorter than ${most} tokens, got ${prompt}`, {
      hint: most === positions ? "shorten the prompt" : "raise maxLength, or set maxNewTokens",
    });
  }
  const least = Math.max(minLength, prompt + minNewTokens);
  if (minNewTokens > 0 || minLength > 0) {
    if (least <= most) return { most, least };
    const name = minLength > most ? "minLength" : "minNewTokens";
    throw new ConfigError(`generate: ${name}: expected at most ${most} tokens in all, got ${least}`, {
      hint: "lower it, or raise maxLength or maxNewTokens",
    });
  }
  return { most, least: 0 };
}
