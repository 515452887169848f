/**
 * Answers of models to prompts, to be judged: of chat models by their template, of others as they go on with the text. Several
 * prompts are decoded at once; each gets what it would get alone, a function of the seed, the item and the model.
 */
import { createHash } from "node:crypto";
import { HTTPException } from "hono/http-exception";
import { ConfigError } from "../../errors.ts";
import type { ItemAnswer, Drawn, Item, ItemStore } from "../../feedback/items.ts";
import { chatIds, chatTemplates } from "../../tokenizers/chat.ts";
import { defaultLimits } from "../context.ts";
import { planOf, runPlan } from "../generation.ts";
import { createMetrics } from "../metrics.ts";
import { createModels, type KnownModel, type LoadedDecoder } from "../models.ts";
import type { LoadOptions } from "../../model.ts";

export interface AnswerOptions {
  readonly models: readonly KnownModel[];
  /** Of each model to each prompt. */
  readonly answers: number;
  /** 0: the likeliest token each time. */
  readonly temperature: number;
  readonly topP: number;
  /** Most new tokens of an answer. */
  readonly tokens: number;
  readonly seed: number;
  readonly load?: LoadOptions | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Prompts that are decoded together. */
const together = 16;

const numberOf = (...words: string[]): number =>
  createHash("sha256").update(JSON.stringify(words)).digest().readUInt32BE(0) >>> 1;

async function promptIds({ tokenizer, name }: LoadedDecoder, { prompt }: Item): Promise<readonly number[]> {
  if (chatTemplates(tokenizer).has("default")) {
    const messages = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
    return chatIds(tokenizer, messages, { contentIsText: tokenizer.literal !== undefined });
  }
  if (typeof prompt === "string") return tokenizer.encodeIds(prompt);
  throw new ConfigError(`${name}: expected a chat template for prompts of messages, got a model without`, {
    hint: "give prompts as texts, or a chat model",
  });
}

/**
 * Has every model answer the items that have no answers of their own, and keeps what is written, model after model.
 * @returns how many answers were written now.
 * @throws ConfigError where kept answers are of other models or were drawn otherwise; the signal's reason.
 */
export async function writeAnswers(items: ItemStore, options: AnswerOptions): Promise<number> {
  const { seed, temperature, topP, tokens, answers, signal } = options;
  const drawn: Drawn = { seed, temperature, topP, tokens, answers };
  const asked = items.asked();
  requireSame(asked, options.models, drawn);
  const limits = { ...defaultLimits, idleTime: 2 ** 30 };
  const metrics = createMetrics();
  await using models = createModels(options.models, { load: options.load, limits, metrics });
  const left = options.models.map((model) => ({
    model,
    open: asked.filter(({ id }) => !items.answersOf(id).some(({ by }) => by === model.name)),
  }));
  const total = left.reduce((sum, { open }) => sum + open.length, 0);
  let done = 0;
  for (const { model, open } of left) {
    if (open.length === 0) continue;
    using lease = await models.use(model.name, "decoder");
    const write = async (item: Item): Promise<{ id: string; answers: ItemAnswer[] }> => {
      const texts = Array.from({ length: answers }, () => "");
      const fields = { model: model.name, temperature, top_p: topP, n: answers };
      const plan = planOf(lease.model, [await promptIds(lease.model, item)], fields, {
        maxTokens: undefined,
        usual: tokens,
      });
      await runPlan(
        lease.model,
        plan,
        { seed: numberOf(String(seed), item.id, model.name), signal, context: { metrics } },
        { onPiece: (choice, { text }) => void (texts[choice] += text) },
      );
      return { id: item.id, answers: texts.map((text) => ({ text: text.trim(), by: model.name, drawn })) };
    };
    for (let i = 0; i < open.length; i += together) {
      signal.throwIfAborted();
      const window = open.slice(i, i + together);
      const written = window.map((item) => write(item).catch((error: unknown) => refused(item, error)));
      await items.answer(await Promise.all(written));
      done += window.length;
      options.onProgress?.(done, total);
    }
  }
  return done;
}

/** What the server would tell a client is told the user, with the prompt. */
function refused({ prompt }: Item, error: unknown): never {
  if (!(error instanceof HTTPException)) throw error;
  const text = typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join(" ");
  throw new ConfigError(`"${text.slice(0, 60)}": ${error.message}`, { cause: error });
}

function requireSame(asked: readonly Item[], models: readonly KnownModel[], drawn: Drawn): void {
  const kept = asked.flatMap((item) => item.answers);
  const names = models.map(({ name }) => name);
  const other = kept.find(({ by }) => by !== null && !names.includes(by));
  const hint = "name another --output for other answers, or leave --model out to judge those that are there";
  if (other !== undefined) {
    throw new ConfigError(
      `--model: expected ${other.by}, whose answers are kept, among the models, got ${names.join(", ")}`,
      { hint },
    );
  }
  const otherwise = kept.find((one) => JSON.stringify(one.drawn) !== JSON.stringify(drawn));
  if (otherwise === undefined) return;
  throw new ConfigError(
    `expected answers drawn by ${JSON.stringify(drawn)}, got kept ones drawn by ${JSON.stringify(otherwise.drawn)}`,
    { hint },
  );
}
