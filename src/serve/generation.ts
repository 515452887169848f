/**
 * What a request for text asks of a decoder, as OpenAI names it, and how its sequences come: as pieces of text with the
 * scores that they were chosen by. Defaults are the model's generation_config.json's, then OpenAI's.
 */
import { randomInt } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { type Constraint, createConstraint, type Vocabulary, vocabularyOf } from "../generate/constraint.ts";
import { anyObject, schemaGrammar } from "../generate/json-schema.ts";
import { resolveOptions, type Settings } from "../generate/options.ts";
import { namedTokens, occurrencePenalties, type Processor, tokenBias } from "../generate/processors.ts";
import { createJob, type Job } from "../generate/search.ts";
import type { TokenScores } from "../generate/decoder.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { ServeContext } from "./context.ts";
import { refusal } from "./failures.ts";
import type { LoadedDecoder } from "./models.ts";
import { createTextFlow, newTextOf } from "./text-flow.ts";

const penalty = z.number().min(-2).max(2).nullish();

/** What completions and chats have in common. */
export const generationFields = {
  model: z.string().max(500),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().min(-1).nullish().openapi({ description: "Not OpenAI's. 0 or -1: all" }),
  min_p: z.number().min(0).max(1).nullish().openapi({ description: "Not OpenAI's" }),
  repetition_penalty: z.number().gt(0).max(10).nullish().openapi({ description: "Not OpenAI's" }),
  presence_penalty: penalty,
  frequency_penalty: penalty,
  n: z.int().min(1).max(64).nullish(),
  stop: z.union([z.string(), z.array(z.string().min(1).max(200)).max(16)]).nullish(),
  seed: z.int().nullish(),
  logit_bias: z.record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100)).nullish(),
  response_format: z
    .object({
      type: z.enum(["text", "json_object", "json_schema"]),
      json_schema: z
        .object({ name: z.string().max(200).nullish(), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
    })
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
};

const asked = z.object(generationFields);
export type GenerationFields = z.infer<typeof asked>;

export interface Plan {
  readonly prompts: readonly (readonly number[])[];
  readonly settings: Settings;
  readonly jobs: readonly Job[];
  readonly stops: readonly string[];
  /** Sequences of each prompt. */
  readonly copies: number;
}

export interface Piece {
  readonly id: number;
  readonly text: string;
  /** Valid during the call. */
  readonly scores: TokenScores;
  readonly finish: "stop" | "length" | null;
}

export interface Listener {
  /** The scores after token `at` of a prompt; without this they are not computed. */
  readonly onPrompt?: ((prompt: number, at: number, scores: TokenScores) => void) | undefined;
  onPiece(choice: number, piece: Piece): void;
}

export interface PlanOptions {
  /** Most new tokens; undefined: `usual`, or what there is room for. */
  readonly maxTokens: number | undefined;
  readonly usual: number;
}

/** @throws HTTPException 400 for a prompt that is too long, or ids that the model does not have. */
export function planOf(
  { generator, tokenizer }: LoadedDecoder,
  prompts: readonly (readonly number[])[],
  fields: GenerationFields,
  { maxTokens, usual }: PlanOptions,
): Plan {
  const { config, decoder } = generator;
  const { maxTokens: positions } = decoder.cache;
  const settings = settingsOf(generator, fields);
  const constraint = constraintOf(tokenizer, fields.response_format, settings.eosTokenId);
  const stops = [fields.stop ?? []].flat().filter((stop) => stop !== "");
  const jobs = prompts.map((prompt, i) => {
    const room = positions - prompt.length;
    const wanted = maxTokens ?? Math.min(usual, Math.max(1, room));
    if (wanted > room) throw tooLong(prompt.length, wanted, positions);
    if (prompt.length === 0) throw refusal(400, `prompt: expected at least one token, got none`, { param: "prompt" });
    const bad = prompt.find((id) => id >= config.vocab_size);
    if (bad !== undefined) {
      throw refusal(400, `prompt: expected ids below ${config.vocab_size}, got ${bad} in prompt ${i}`, {
        param: "prompt",
      });
    }
    const text = newTextOf(tokenizer, prompt);
    const stopsAt = (ids: readonly number[]): boolean => {
      if (constraint?.isDone(ids, prompt.length) === true) return true;
      if (stops.length === 0) return false;
      const found = text(ids);
      return stops.some((stop) => found.includes(stop));
    };
    const limits = { most: prompt.length + wanted, least: 0 };
    return createJob(prompt, limits, settings, stopsAt, [
      ...namedTokens(config.vocab_size, tokenizer),
      ...processorsOf(fields, prompt, config.vocab_size, constraint),
    ]);
  });
  return { prompts, settings, jobs, stops, copies: fields.n ?? 1 };
}

function tooLong(prompt: number, wanted: number, positions: number): Error {
  const room = positions - prompt;
  return refusal(
    400,
    room < 1
      ? `prompt: expected fewer than ${positions} tokens, which are all that the model has places for, got ${prompt}`
      : `max_tokens: expected at most ${room}, since the model has ${positions} places and the prompt takes ${prompt}, got ${wanted}`,
    { param: room < 1 ? "prompt" : "max_tokens", code: "context_length_exceeded" },
  );
}

function settingsOf({ defaults, config }: LoadedDecoder["generator"], fields: GenerationFields): Settings {
  const { temperature, top_p, top_k, min_p } = fields;
  const own = (defaults ?? {}) as Readonly<Record<string, unknown>>;
  const warmth =
    temperature ?? (own["do_sample"] === true ? (own["temperature"] as number | undefined) : undefined) ?? 1;
  const repetition = fields.repetition_penalty;
  const common = {
    numBeams: 1,
    numReturnSequences: 1,
    maxLength: 1,
    ...(repetition === undefined || repetition === null ? {} : { repetitionPenalty: repetition }),
  };
  if (warmth === 0) return resolveOptions({ ...common, doSample: false }, withoutSampling(own), config);
  const all = top_k === -1 ? 0 : top_k;
  return resolveOptions(
    {
      ...common,
      doSample: true,
      temperature: warmth,
      topK: all ?? (own["top_k"] as number | undefined) ?? 0,
      ...(top_p === undefined || top_p === null ? {} : { topP: top_p }),
      ...(min_p === undefined || min_p === null ? {} : { minP: min_p }),
      // Any number: what a sequence draws by is given with it.
      seed: 0,
    },
    own,
    config,
  );
}

/** A model's own settings of sampling have no part in greedy search. */
function withoutSampling(own: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { temperature: _t, top_k: _k, top_p: _p, min_p: _m, do_sample: _s, ...others } = own;
  return others;
}

function processorsOf(
  { presence_penalty, frequency_penalty, logit_bias }: GenerationFields,
  prompt: readonly number[],
  vocabulary: number,
  constraint: Constraint | undefined,
): Processor[] {
  const processors: Processor[] = [];
  const bias = new Map(Object.entries(logit_bias ?? {}).map(([id, value]) => [Number(id), value]));
  const bad = [...bias.keys()].find((id) => id >= vocabulary);
  if (bad !== undefined) {
    throw refusal(400, `logit_bias: expected ids below ${vocabulary}, got ${bad}`, { param: "logit_bias" });
  }
  const [presence, frequency] = [presence_penalty ?? 0, frequency_penalty ?? 0];
  if (presence !== 0 || frequency !== 0) processors.push(occurrencePenalties(prompt.length, presence, frequency));
  if (bias.size > 0) processors.push(tokenBias(bias));
  if (constraint !== undefined) processors.push(constraint.processor(prompt.length));
  return processors;
}

const vocabularies = new WeakMap<Tokenizer, Vocabulary>();

/** What holds an answer to a form. @throws ConfigError for a schema that cannot be followed, or a tokenizer that cannot be held. */
function constraintOf(
  tokenizer: Tokenizer,
  format: GenerationFields["response_format"],
  endIds: readonly number[],
): Constraint | undefined {
  if (format === undefined || format === null || format.type === "text") return undefined;
  const schema = format.json_schema?.schema;
  if (format.type === "json_schema" && schema === undefined) {
    throw refusal(400, "response_format.json_schema: expected {schema: …}", { param: "response_format" });
  }
  const grammar = format.type === "json_object" ? anyObject() : schemaGrammar(schema);
  let vocabulary = vocabularies.get(tokenizer);
  if (vocabulary === undefined) vocabularies.set(tokenizer, (vocabulary = vocabularyOf(tokenizer)));
  return createConstraint(vocabulary, grammar, endIds);
}

/** @throws HTTPException 429 where more would wait for the model than may. */
export function requireRoom(waiting: number, more: number, { limits }: Pick<ServeContext, "limits">): void {
  if (waiting + more <= limits.waiting) return;
  throw refusal(429, `the server has ${waiting} waiting, of at most ${limits.waiting}: try again`, {
    code: "queue_full",
    headers: { "Retry-After": String(Math.min(60, 1 + Math.ceil(waiting / 100))) },
  });
}

/** Runs all of a plan's sequences; choice `i * copies + k` is the k-th of prompt i. @throws the signal's reason. */
export async function runPlan(
  { engine, name, tokenizer }: LoadedDecoder,
  plan: Plan,
  {
    seed,
    signal,
    context,
  }: { seed: number | null | undefined; signal: AbortSignal; context: Pick<ServeContext, "metrics"> },
  listener: Listener,
): Promise<void> {
  const { metrics } = context;
  const { settings, copies } = plan;
  const start = performance.now();
  // Of a request that names no seed another answer is expected each time.
  const chosen = seed ?? randomInt(2 ** 31);
  const labels = { model: name };
  const others = new AbortController();
  const ending = AbortSignal.any([signal, others.signal]);
  const owner = {};
  let begun = false;
  const runOne = async (job: Job, index: number): Promise<void> => {
    const flows = Array.from({ length: copies }, () => createTextFlow(tokenizer, job.prompt, plan.stops));
    const only = job.limits.most === job.prompt.length;
    if (only && listener.onPrompt === undefined) return;
    await engine.run({
      job,
      owner,
      signal: ending,
      draws: only
        ? []
        : flows.map((_, copy) => (settings.doSample ? { seed: chosen, row: index * copies + copy } : undefined)),
      onPrompt: listener.onPrompt && ((at, scores) => listener.onPrompt!(index, at, scores)),
      onToken(copy, { row, id, scores }): void {
        if (!begun) metrics.observe("galen_first_token_seconds", labels, (performance.now() - start) / 1000);
        begun = true;
        const { text, stopped } = flows[copy]!(row.ids, row.ended);
        const finish = row.ended ? (stopped || job.ends(row.ids) ? "stop" : "length") : null;
        metrics.count("galen_generated_tokens_total", labels);
        if (finish !== null) metrics.count("galen_generations_total", { ...labels, end: finish });
        listener.onPiece(index * copies + copy, { id, text, scores, finish });
      },
    });
    metrics.count("galen_prompt_tokens_total", labels, job.prompt.length);
  };
  try {
    await Promise.all(plan.jobs.map(runOne));
  } catch (error) {
    others.abort(error);
    if (signal.aborted)
      metrics.count("galen_generations_total", { ...labels, end: "cancelled" }, plan.jobs.length * copies);
    throw error;
  }
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function usageOf({ prompts }: Plan, completion: number): Usage {
  const prompt = prompts.reduce((sum, { length }) => sum + length, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
