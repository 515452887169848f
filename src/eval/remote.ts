/**
 * A model behind an OpenAI-compatible server as something that can be asked. Log-likelihoods come from `echo` with
 * `logprobs`; many servers take these and score only what they write, so that every model scores chance (llama.cpp's,
 * ggml-org/llama.cpp issue 27174): a first request sees whether the prompt's own tokens come back scored. Choices are cut
 * off where lm-evaluation-harness does, behind as many tokens as the context has by itself.
 */
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import type { Abilities, Written } from "./abilities.ts";
import {
  askingOf,
  type Asking,
  type AskingOptions,
  lengthsOf,
  protocolOf,
  turnsOf,
  untilStop,
  promptText,
} from "./decoders.ts";
import type { Prompt } from "../tasks/benchmark.ts";
import { openServer, type OpenAiServer } from "./openai-server.ts";

const logprobs = z.looseObject({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
});
const completions = z.looseObject({
  choices: z.array(z.looseObject({ index: z.int(), text: z.string(), logprobs: logprobs.nullish() })),
});
const chats = z.looseObject({
  choices: z.array(z.looseObject({ index: z.int(), message: z.looseObject({ content: z.string().nullable() }) })),
});

/** Requests under way at once; a server puts them together. */
const atOnce = 8;

/** @throws ConfigError where there is no server, it has no such model, or options contradict one another. */
export async function askRemote(source: string, options: AskingOptions = {}): Promise<Abilities> {
  const asking = askingOf(options);
  if (asking.copyOnly) {
    throw new ConfigError("ask: copyOnly: expected a model here, whose every token can be chosen; got a server", {
      hint: "ask the server without --copy-only, or name the model's folder",
    });
  }
  const server = await openServer(source);
  const scores = asking.chat ? undefined : await scoresPrompts(server);
  return {
    protocol: protocolOf(asking),
    identity: { server: server.base, model: server.model },
    converses: asking.chat,
    generate(sources, more) {
      let done = 0;
      return inOrder(sources, async (one) => {
        const written = await write(server, one, asking, more);
        more.onDone?.((done += 1));
        return written;
      });
    },
    ...(scores === false && { unable: noEcho }),
    ...(scores === true && {
      ...(asking.think ? {} : { prefers: "likelihood" as const }),
      logLikelihoods(contexts, choices, { signal, onDone } = {}) {
        let done = 0;
        // Conversations are not scored: these are texts.
        return inOrder(contexts as readonly string[], async (context, i) => {
          const scored = await scoreChoices(server, context, choices[i]!, signal);
          onDone?.((done += 1));
          return scored;
        });
      },
    }),
  };
}

/** Why log-likelihoods cannot be had, for whoever wants them. */
const noEcho =
  "the server scores only what it writes (no echo with logprobs): log-likelihoods of it would be chance; ask it to write";

/** Results of all, a few under way at once. */
async function inOrder<T, R>(items: readonly T[], compute: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await compute(items[i]!, i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}

/** Whether the tokens of a prompt come back with their log-probabilities, one and no more being written. */
async function scoresPrompts(server: OpenAiServer): Promise<boolean> {
  try {
    const [first] = await echoed(server, ["Aspirin inhibits cyclooxygenase."]);
    return first!.length > 2 && first!.slice(1).every((one) => Number.isFinite(one) && one! <= 0);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof DataError) return false;
    throw error;
  }
}

/** Log-probabilities of each prompt's tokens, the first of which has none, and of no other token. */
async function echoed(
  server: OpenAiServer,
  prompts: readonly string[],
  signal?: AbortSignal,
): Promise<(number | null)[][]> {
  const body = { prompt: prompts, max_tokens: 1, temperature: 0, echo: true, logprobs: 1 };
  const { choices } = await server.post("/completions", body, completions, signal);
  const found: (number | null)[][] = [];
  for (const { index, logprobs: scored } of choices) {
    if (scored === null || scored === undefined) throw new DataError(`${server.base}: expected logprobs, got none`);
    found[index] = scored.token_logprobs.slice(0, -1);
  }
  if (found.length !== prompts.length || found.includes(undefined as never)) {
    throw new DataError(`${server.base}: expected ${prompts.length} choices, got ${choices.length}`);
  }
  return found;
}

async function scoreChoices(
  server: OpenAiServer,
  context: string,
  choices: readonly string[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const [start, ...wholes] = await echoed(server, [context.trimEnd(), ...choices.map((one) => context + one)], signal);
  return wholes.map((whole, i) => {
    const tokens = whole.slice(start!.length);
    if (tokens.length === 0 || tokens.includes(null)) {
      throw new ConfigError(`choices: expected at least one token behind the context, got none: "${choices[i]}"`);
    }
    return (tokens as number[]).reduce((sum, one) => sum + one, 0);
  });
}

async function write(
  server: OpenAiServer,
  source: Prompt,
  asking: Asking,
  options: Parameters<NonNullable<Abilities["generate"]>>[1],
): Promise<Written> {
  const { chat, samples, temperature, seed } = asking;
  const { maxNewTokens, stop } = lengthsOf(asking, options);
  const decoding = {
    max_tokens: maxNewTokens,
    ...(stop.length === 0 ? {} : { stop }),
    ...(samples === 1 ? { temperature: 0 } : { temperature, seed, n: samples }),
  };
  const { signal } = options;
  let found: { index: number; text: string }[];
  if (chat) {
    const body = { messages: turnsOf(source, asking), ...decoding };
    const { choices } = await server.post("/chat/completions", body, chats, signal);
    found = choices.map(({ index, message }) => ({ index, text: message.content ?? "" }));
  } else {
    const body = { prompt: promptText(source as string, asking), ...decoding };
    found = (await server.post("/completions", body, completions, signal)).choices;
  }
  const texts = found.sort((a, b) => a.index - b.index).map(({ text }) => untilStop(text, stop));
  if (texts.length !== samples) throw new DataError(`${server.base}: expected ${samples} answers, got ${texts.length}`);
  return samples === 1 ? { text: texts[0]! } : { text: texts[0]!, texts };
}
