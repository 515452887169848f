/** What objectives over answers have in common: a decoder, and the texts that it is taught by as rows. */
// B pairs
import * as z from "zod";
import { DataError } from "../../errors.ts";
import type { Value } from "../../graph/graph.ts";
import { reshape, slice } from "../../graph/ops/index.ts";
import { type ModelConfig, mostTokens } from "../../models/index.ts";
import type { Completion, Supervised } from "../../tokenizers/turns.ts";
import { type ChatSource, endsOf, openChatSource, saveChat, templateSetting } from "./chat-source.ts";
import { type Branching, branching } from "./completions.ts";
import { type Context, type Inputs, type Objective, startFolder } from "./objective.ts";
import type { Splits } from "./texts.ts";

/** Settings of objectives over answers. */
export const answerSettings = {
  maxTokens: z
    .int()
    .min(2)
    .describe("Most tokens of a prompt with its answer, and at most the model's: what is longer loses its end"),
  template: templateSetting,
} as const;

export interface AnswerSettings {
  readonly maxTokens: number;
  readonly template: string | null;
}

export interface AnswerSource {
  readonly chat: ChatSource;
  /** Without dropout, as TRL: a reward that hangs on which activations are dropped says little. */
  readonly still: Pick<ChatSource, "folder" | "family" | "entries"> & { readonly config: ModelConfig };
  readonly maxTokens: number;
}

/** @throws ConfigError for a model that does not write. */
export async function openAnswers(
  inputs: Pick<Inputs, "model">,
  { maxTokens, template }: AnswerSettings,
  context: Context,
): Promise<AnswerSource> {
  const chat = await openChatSource(startFolder(inputs), template, context);
  const { folder, family, config, entries } = chat;
  const still = { folder, family, entries, config: family.withDropout(config, 0) };
  return { chat, still, maxTokens: Math.min(maxTokens, mostTokens(config)) };
}

/** What is learned of one prompt and its answer. @throws DataError that begins with `where`. */
export function answered({ supervise }: ChatSource, exchange: Completion, where: string): Supervised {
  return supervise(exchange, where)[0]!;
}

/** What the chosen answers of pairs have, and the rejected ones: [B, 2] → two [B]. */
export function ofPairs(x_B2: Value): readonly [chosen_B: Value, rejected_B: Value] {
  const [chosen_B, rejected_B] = [0, 1].map((which) => reshape(slice(x_B2, 1, which, which + 1), ["B"]));
  return [chosen_B!, rejected_B!];
}

/** An example of a data file, with where it stands. */
interface Example {
  readonly where: string;
}

export interface LaidOut<E> {
  readonly example: E;
  readonly row: Branching;
}

/**
 * Examples with their texts as rows; those whose prompt leaves no room for an answer are left out, and told of.
 * @param textsOf the texts that share a row, which begin with the same prompt.
 * @throws DataError where none is left.
 */
export function laidOut<E extends Example>(
  splits: Splits<E>,
  textsOf: (example: E) => readonly Supervised[],
  maxTokens: number,
  { note }: Pick<Context, "note">,
): Splits<LaidOut<E>> {
  let [all, left, cut, loose] = [0, 0, 0, 0];
  const lay = (examples: readonly E[]): LaidOut<E>[] => {
    const found = examples.flatMap((example) => {
      const texts = textsOf(example);
      const row = branching(texts, maxTokens);
      all += 1;
      if (row === undefined) return ((left += 1), []);
      if (texts.some(({ ids }) => ids.length > maxTokens)) cut += 1;
      if (texts.some(({ prefix }) => !prefix)) loose += 1;
      return [{ example, row }];
    });
    if (found.length > 0) return found;
    throw new DataError(
      `${examples[0]?.where}: expected an answer within ${maxTokens} tokens of its prompt, got none`,
      {
        hint: "allow more with maxTokens=N",
      },
    );
  };
  const rows = { train: lay(splits.train), valid: splits.valid && lay(splits.valid) };
  if (left > 0) note(`${left} of ${all} examples are left out: no answer within ${maxTokens} tokens`);
  if (cut > 0) note(`${cut} of ${all} examples are cut to ${maxTokens} tokens`);
  if (loose > 0) {
    note(
      `${loose} of ${all} prompts alone have other tokens than before their answers: what reaches into the answer counts as the answer's`,
    );
  }
  return rows;
}

/** Held-out prompts that are answered on the way where none are given. */
const samples = 3;

/** How the model is sampled from and written, given the rows that it learns from. */
export async function writing(
  { chat, maxTokens }: AnswerSource,
  { train, valid }: Splits<LaidOut<unknown>>,
  { note }: Pick<Context, "note">,
): Promise<Pick<Objective, "sampling" | "save">> {
  const { branches } = train[0]!.row;
  const { ids, scored } = branches[0]!;
  const learned = ids.map((_, t) => t).filter((t) => scored[t]);
  const end = await endsOf(chat, { ids, learned });
  if (end.note !== undefined) note(end.note);
  return {
    sampling: {
      tokenizer: chat.tokenizer,
      tokens: maxTokens >> 1,
      ends: end.ids,
      prompts: (given) =>
        given.length > 0
          ? given.map((text) => chat.turns.prompt(chat.chats ? [{ role: "user", content: text }] : text))
          : (valid ?? []).slice(0, samples).map(({ row }) => row.prompt),
    },
    save: (folder, weights) => saveChat(folder, chat, weights, end.ids),
  };
}
