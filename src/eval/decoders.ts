/**
 * A decoder that was tuned to no benchmark, as something that can be asked: by log-likelihoods of choices, and by
 * writing, as it is or as a conversation, with or without steps before the answer. Several drawn answers are for
 * self-consistency (Wang et al. 2022). As in lm-evaluation-harness prompts too long for the model lose their beginning,
 * and a template that takes no turn of the system is not given a benchmark's description. Answers that are sentences
 * about names may be held to these: names are copied from the text, all else is chosen from the benchmark's words.
 */
import { ConfigError } from "../errors.ts";
import { type Likelihoods, loadLikelihoods } from "../likelihoods.ts";
import { loadModel, type LoadOptions, type Model } from "../model.ts";
import { identityOf } from "../runtime/network.ts";
import { required } from "../schema.ts";
import { chatIds, type ChatMessage, chatPrompt } from "../tokenizers/chat.ts";
import { type CopyOnly, copyOnly } from "../soft-prompts/copy-only.ts";
import { wholeSentences } from "../soft-prompts/predict.ts";
import type { AnswerForm, Prompt, Turn } from "../tasks/benchmark.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { Abilities, AbilityOptions, Written } from "./abilities.ts";

/** How a model is asked that was not tuned to answer; the same for a decoder here and one behind an address. */
export interface Asking {
  /** Prompts are turns of a conversation, laid out by the model's chat template. */
  readonly chat: boolean;
  /** With `chat`: what is said before. */
  readonly system: string | undefined;
  /** Asks for steps before the answer: a written answer ends with what counts. */
  readonly think: boolean;
  /** Answers drawn for each prompt, of which the commonest counts. Default 1, the likeliest tokens. */
  readonly samples: number;
  /** Of drawn answers. Default 0.7. */
  readonly temperature: number;
  /** Of the draws. Default 1. */
  readonly seed: number;
  /** In place of the benchmark's own. */
  readonly maxNewTokens: number | undefined;
  /** Answers are the benchmark's sentences, with names that stand in the text, where it has such answers. Default false. */
  readonly copyOnly: boolean;
}

export type AskingOptions = { readonly [Name in keyof Asking]?: Asking[Name] | undefined };

/** @throws ConfigError for options that contradict one another or are out of range. */
export function askingOf(options: AskingOptions): Asking {
  required("ask: options", options, "object");
  const {
    chat = false,
    system,
    think = false,
    samples = 1,
    temperature = 0.7,
    seed = 1,
    maxNewTokens,
    copyOnly = false,
  } = options;
  if (system !== undefined && !chat) {
    throw new ConfigError("ask: system: expected a conversation, got prompts", { hint: "ask with chat" });
  }
  if (copyOnly && think) {
    throw new ConfigError("ask: copyOnly: expected answers alone, got steps before them", {
      hint: "ask without think",
    });
  }
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ConfigError(`ask: samples: expected an integer of at least 1, got ${samples}`);
  }
  return { chat, system, think, samples, temperature, seed, maxNewTokens, copyOnly };
}

/** What answers depend on, for the protocol: nothing that has no effect. */
export function protocolOf({ chat, system, think, samples, temperature, seed, maxNewTokens, copyOnly }: Asking): {
  readonly decoding: Readonly<Record<string, unknown>>;
} {
  return {
    decoding: {
      chat,
      ...(system === undefined ? {} : { system }),
      think,
      samples,
      ...(samples === 1 ? {} : { temperature, seed }),
      ...(maxNewTokens === undefined ? {} : { maxNewTokens }),
      ...(copyOnly ? { copyOnly } : {}),
    },
  };
}

/** Room for steps before an answer. */
const thinking = 512; // tokens

/** Most tokens of an answer, and what ends it before: with steps in it, no blank line does. */
export function lengthsOf(
  { think, chat, maxNewTokens }: Asking,
  { writing }: AbilityOptions,
): { readonly maxNewTokens: number; readonly stop: readonly string[] } {
  const usual = (writing?.maxNewTokens ?? 256) + (think ? thinking : 0);
  return { maxNewTokens: maxNewTokens ?? usual, stop: think || chat ? [] : (writing?.stop ?? []) };
}

/** Kojima et al. 2022, "Large language models are zero-shot reasoners", with an end that parsers know. */
const steps = 'Think step by step, then end with "The answer is" and the answer.';

/** The prompt with what asks for steps; a text's answer begins behind it. */
export function asked(source: string, { think, chat }: Asking): string {
  if (!think) return source;
  return chat ? `${source}\n\n${steps}` : `${source} Let's think step by step.`;
}

/**
 * A text whose answer is written behind it: without blanks at its end, which are part of the next word's token, but with
 * its empty line, since a model that had to write that would end its answer by it.
 */
export const promptText = (source: string, asking: Asking): string => asked(source, asking).replace(/[^\S\n]+$/, "");

/** The turns before the answer. */
export function turnsOf(prompt: Prompt, asking: Asking): readonly Turn[] {
  const given: readonly Turn[] = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
  const described = given.flatMap(({ role, content }) => (role === "system" ? [content] : []));
  const system = [...(asking.system === undefined ? [] : [asking.system]), ...described].reduce(apart, "");
  const talk = given.filter(({ role }) => role !== "system");
  const last = talk.at(-1)!;
  return [
    ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
    ...talk.slice(0, -1),
    { ...last, content: asked(last.content, asking) },
  ];
}

/** An empty line between two texts, unless there is white space already (lm_eval's `maybe_delimit`). */
const apart = (before: string, text: string): string =>
  before === "" || text === "" || /\s$/.test(before) || /^\s/.test(text) ? before + text : `${before}\n\n${text}`;

/** The text before the first of `stops`. */
export function untilStop(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

/** Bytes of keys and values at once; prompts beyond wait. */
const cacheBytes = 2 ** 30;

/**
 * @throws ConfigError for a model that with `chat` has no template, DataError without a tokenizer; when it is asked,
 * ConfigError for one that is no decoder.
 */
export async function askDecoder(
  source: string,
  options: AskingOptions & LoadOptions = {},
): Promise<Abilities & AsyncDisposable> {
  required("askDecoder: model directory", source, "text");
  const { device, threads, weights, memory, ...how } = options;
  const asking = askingOf(how);
  const load = { device, threads, weights, memory };
  const tokenizer = await loadTokenizer(source);
  // Each is a session over all weights: what is not asked for is not opened.
  let likelihoods: Promise<Likelihoods> | undefined;
  let model: Promise<Model> | undefined;
  if (asking.chat) await chatPrompt(tokenizer, turnsOf("?", asking) as ChatMessage[]);
  return {
    protocol: protocolOf(asking),
    identity: identityOf(load),
    converses: asking.chat,
    // Steps before an answer are for writing.
    ...(asking.think ? {} : { prefers: "likelihood" }),
    async logLikelihoods(contexts, choices, more) {
      const opened = await (likelihoods ??= loadLikelihoods(source, load));
      if (!asking.chat) return opened.logLikelihoods(contexts as readonly string[], choices, more);
      const prompts: string[] = [];
      for (const context of contexts) prompts.push(await conversation(tokenizer, context, asking));
      // An answer begins its turn, so nothing stands before it.
      return opened.logLikelihoods(
        prompts,
        choices.map((own) => own.map((choice) => choice.trimStart())),
        more,
      );
    },
    async generate(sources, more) {
      model ??= loadModel(source, load);
      return write(await model, tokenizer, sources, asking, more);
    },
    async [Symbol.asyncDispose]() {
      await (await likelihoods)?.[Symbol.asyncDispose]();
      await (await model)?.dispose();
    },
  };
}

/** What a template makes of the turns, or of those without the benchmark's description, where it takes none. */
async function laidOut<T>(prompt: Prompt, asking: Asking, lay: (turns: readonly Turn[]) => Promise<T>): Promise<T> {
  const turns = turnsOf(prompt, asking);
  try {
    return await lay(turns);
  } catch (error) {
    const isOurs = asking.system === undefined && turns[0]!.role === "system";
    if (!(error instanceof ConfigError) || !isOurs) throw error;
    return await lay(turns.slice(1));
  }
}

/** A prompt's turns as text, without the first token where the tokenizer puts it before every text. */
async function conversation(tokenizer: Tokenizer, context: Prompt, asking: Asking): Promise<string> {
  const text = await laidOut(context, asking, (turns) => chatPrompt(tokenizer, turns as ChatMessage[]));
  const first = tokenizer.frame.before.length === 0 ? undefined : tokenizer.tokenOf(tokenizer.frame.before[0]!);
  return first !== undefined && text.startsWith(first) ? text.slice(first.length) : text;
}

async function write(
  model: Model,
  tokenizer: Tokenizer,
  sources: readonly Prompt[],
  asking: Asking,
  options: AbilityOptions,
): Promise<Written[]> {
  const { samples, temperature, seed } = asking;
  const naming = asking.copyOnly ? options.naming : undefined;
  const lengths = lengthsOf(asking, options);
  const { maxNewTokens } = lengths;
  // What ends another answer may stand within a name.
  const stop = naming === undefined ? lengths.stop : [];
  const room = model.config.max_position_embeddings - maxNewTokens;
  if (room < 1) {
    throw new ConfigError(
      `ask: maxNewTokens: expected fewer than the ${model.config.max_position_embeddings} positions of the model, got ${maxNewTokens}`,
      { hint: "ask for shorter answers: maxNewTokens, --max-new-tokens" },
    );
  }
  const prompts: number[][] = [];
  for (const source of sources) {
    prompts.push((await promptIds(tokenizer, source, asking)).slice(-room));
  }
  const copying = naming?.texts.map((text, i) => namesFrom(naming.form, tokenizer, text, prompts[i]!.length));
  let done = 0;
  const { sequences } = await model.generate({
    ids: prompts,
    maxNewTokens,
    ...(stop.length === 0 ? {} : { stopStrings: stop }),
    ...(samples === 1 ? {} : { doSample: true, temperature, seed, numReturnSequences: samples }),
    ...(copying && {
      eosTokenId: tokenizer.special.eos!,
      processors: (_: unknown, i: number) => [copying[i]!.process],
    }),
    cacheBytes,
    signal: options.signal,
    onEnd: () => options.onDone?.(Math.floor((done += 1) / samples)),
  });
  return prompts.map(({ length }, row) => {
    const texts = sequences.slice(row * samples, (row + 1) * samples).map((ids) => {
      const text = untilStop(tokenizer.decode(ids.slice(length), { skipSpecialTokens: true }), stop);
      // The last name of an answer that was broken off may be half a name.
      return copying === undefined || copying[row]!.isWhole(ids) ? text : wholeSentences(text);
    });
    return samples === 1 ? { text: texts[0]! } : { text: texts[0]!, texts };
  });
}

async function promptIds(tokenizer: Tokenizer, prompt: Prompt, asking: Asking): Promise<number[]> {
  if (asking.chat) {
    const contentIsText = tokenizer.literal !== undefined;
    return laidOut(prompt, asking, (turns) => chatIds(tokenizer, turns as ChatMessage[], { contentIsText }));
  }
  const ids = tokenizer.encodeIds(promptText(prompt as string, asking));
  return ids.slice(0, ids.length - tokenizer.frame.after.length);
}

function namesFrom(form: AnswerForm, tokenizer: Tokenizer, source: string, prompt: number): CopyOnly {
  const { before, after } = tokenizer.frame;
  const kept = tokenizer.encodeIds(source).length - before.length - after.length;
  return copyOnly(form, tokenizer, { source, kept, prompt });
}
