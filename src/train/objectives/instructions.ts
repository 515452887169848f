/**
 * Supervised fine-tuning: of exchanges with a model, the answers are learned, and what stands before them is read only
 * (TRL 1.16's SFTTrainer, with `assistant_only_loss` or for prompts with completions). The loss of an update is the mean
 * over its learned tokens, whatever its micro-batches, padding and packing.
 */
// B rows, T tokens, N labels
import { setImmediate } from "node:timers/promises";
import * as z from "zod";
import { readExchanges } from "../../corpus/conversations.ts";
import { DataError } from "../../errors.ts";
import { labelLoss } from "../../models/graphs.ts";
import { mostTokens } from "../../models/index.ts";
import { int64 } from "../../runtime/batch.ts";
import type { Supervised } from "../../tokenizers/turns.ts";
import { type ChatSource, endsOf, openChatSource, saveChat, templateSetting } from "./chat-source.ts";
import { type Batch, type Context, type Inputs, type Objective, startFolder } from "./objective.ts";
import { exampleSets, int64List, readSplits } from "./texts.ts";

export const instructionsSettings = z.strictObject({
  kind: z.literal("instructions"),
  maxTokens: z
    .int()
    .min(2)
    .describe("Most tokens of an exchange, and at most the model's: what is longer loses its end"),
  packing: z.boolean().describe("Short exchanges share a row of their micro-batch; each sees itself alone"),
  learn: z
    .enum(["answers", "all"])
    .describe("What the loss is of: the assistant's words, or all of an exchange, as for plain text"),
  template: templateSetting,
});

type Settings = z.infer<typeof instructionsSettings>;

/** @throws ConfigError for a model that does not write; DataError where nothing is learned, or everything unasked. */
export async function openInstructions(settings: Settings, inputs: Inputs, context: Context): Promise<Objective> {
  const { template, packing } = settings;
  const source = await openChatSource(startFolder(inputs), template, context);
  const { family, config, tokenizer, turns } = source;
  const limit = Math.min(settings.maxTokens, mostTokens(config));
  const splits = await readSplits(inputs, (path) => readLessons(path, source, { ...settings, limit }, context));
  const end = await endsOf(source, splits.train[0]!);
  if (end.note !== undefined) context.note(end.note);
  const padId = config.pad_token_id ?? 0;
  return {
    start: source,
    ...exampleSets(
      splits,
      ({ ids }) => ids.length,
      (lessons) => lessonBatch(lessons, { padId, packing }),
      ({ ids, learned }) => [{ ids, learned: learnedOf(ids.length, learned) }],
    ),
    // Examples of an update are the same ones however they are put into micro-batches and rows.
    order: "random",
    sizesAreTokens: true,
    reduction: "sum",
    unit: "tokens",
    perplexity: true,
    loss: (g) => labelLoss(g, family, config, { gathered: true, packed: packing }),
    sampling: {
      tokenizer,
      tokens: limit >> 1,
      ends: end.ids,
      prompts: (given) =>
        given.length > 0
          ? given.map((text) => turns.prompt(source.chats ? [{ role: "user", content: text }] : text))
          : (splits.valid ?? []).slice(0, samples).map(promptOf),
    },
    save: (folder, weights) => saveChat(folder, source, weights, end.ids),
    async [Symbol.asyncDispose]() {},
  };
}

/** Held-out prompts that are answered on the way where none are given. */
const samples = 3;

/** An exchange as it is learned. */
export interface Lesson {
  readonly ids: readonly number[];
  /** Places in `ids` of the tokens that are learned; never the first, which nothing stands before. */
  readonly learned: readonly number[];
}

const promptOf = ({ ids, learned }: Lesson): readonly number[] => ids.slice(0, learned.at(0));

function learnedOf(length: number, places: readonly number[]): boolean[] {
  const are = Array<boolean>(length).fill(false);
  for (const place of places) are[place] = true;
  return are;
}

/** What became of a file's exchanges. */
interface Counts {
  /** That are learned, and that are left out. */
  texts: number;
  empty: number;
  tokens: number;
  learned: number;
  /** Tokens that something stands before. */
  learnable: number;
  unknown: number;
  /** Texts that were too long, and their tokens that would have been learned. */
  cut: number;
  lost: number;
  /** Texts whose prompts alone have other tokens. */
  broken: number;
  /** Conversations that became several texts. */
  apart: number;
}

/** @throws DataError where nothing is learned or, unasked, everything. */
async function readLessons(
  path: string,
  source: ChatSource,
  { limit, learn }: Pick<Settings, "learn"> & { readonly limit: number },
  { note, reading, signal }: Context,
): Promise<Lesson[]> {
  const lessons: Lesson[] = [];
  // Where bytes are pieces nothing is unknown, and the role is that of the end.
  const { unk: role, eos } = source.tokenizer.special;
  const unk = role === eos ? undefined : role;
  const count: Counts = {
    texts: 0,
    empty: 0,
    tokens: 0,
    learned: 0,
    learnable: 0,
    unknown: 0,
    cut: 0,
    lost: 0,
    broken: 0,
    apart: 0,
  };
  for (const [number, { where, ...exchange }] of (await readExchanges(path)).entries()) {
    if (number % 256 === 255) {
      reading({ documents: number + 1, tokens: count.tokens });
      // Ctrl-C is heard between turns of the event loop.
      await setImmediate();
      signal?.throwIfAborted();
    }
    const found = source.supervise(exchange, where);
    if (found.length > 1) count.apart += 1;
    for (const one of found) {
      const { ids, learned } = lessonOf(one, learn);
      const lesson = { ids: ids.slice(0, limit), learned: learned.filter((place) => place < limit) };
      if (!one.prefix) count.broken += 1;
      if (ids.length > limit) {
        count.cut += 1;
        count.lost += learned.length - lesson.learned.length;
      }
      if (lesson.learned.length === 0) {
        count.empty += 1;
        continue;
      }
      lessons.push(lesson);
      count.texts += 1;
      count.tokens += lesson.ids.length;
      count.learnable += lesson.ids.length - 1;
      count.learned += lesson.learned.length;
      if (unk !== undefined) count.unknown += lesson.ids.filter((id) => id === unk).length;
    }
  }
  checkCounts(path, count, { limit, learn });
  for (const text of reportOf(count, limit, unk === undefined ? "" : source.tokenizer.tokenOf(unk)!)) {
    note(`${path}: ${text}`);
  }
  return lessons;
}

function checkCounts(
  path: string,
  { learned, learnable, cut }: Counts,
  { limit, learn }: Pick<Settings, "learn"> & { readonly limit: number },
): void {
  if (learned === 0) {
    throw new DataError(`${path}: expected answers to learn, got 0 % of the tokens supervised`, {
      hint:
        cut > 0
          ? `prompts alone are longer than ${limit} tokens: set a larger maxTokens=`
          : "the template marks no tokens as the assistant's, or the answers are empty",
    });
  }
  if (learn === "answers" && learned === learnable) {
    throw new DataError(`${path}: expected prompts that are read only, got 100 % of the tokens supervised`, {
      hint: "put what is asked into the prompt; where plain text is to be learned as it is, set learn=all",
    });
  }
}

/** What a person should know of it. */
function reportOf(count: Counts, limit: number, unknown: string): string[] {
  const share = count.learned / count.tokens;
  const percent = (100 * share).toFixed(share < 0.1 ? 1 : 0);
  const notes = [`supervised ${percent}% of ${short(count.tokens)} tokens in ${counted(count.texts, "text")}`];
  if (count.cut > 0) {
    notes.push(`${counted(count.cut, "text")} cut to ${limit} tokens, ${short(count.lost)} supervised tokens lost`);
  }
  if (count.empty > 0)
    notes.push(`${counted(count.empty, "text")} left out: no answer to learn, or none after the cut`);
  if (count.unknown > 0) {
    notes.push(`${counted(count.unknown, "token")} ${unknown}: the vocabulary has no pieces for what stands there`);
  }
  if (count.broken > 0) {
    notes.push(
      `${counted(count.broken, "text")} whose prompt alone has other tokens than it has before the answer: what reaches into the answer counts as the answer's`,
    );
  }
  if (count.apart > 0) {
    notes.push(
      `${counted(count.apart, "conversation")} learned turn by turn: the template writes earlier turns otherwise than the last`,
    );
  }
  return notes;
}

const counted = (count: number, what: string): string => `${short(count)} ${what}${count === 1 ? "" : "s"}`;

function lessonOf({ ids, supervised }: Supervised, learn: Settings["learn"]): Lesson {
  const learned: number[] = [];
  for (let t = 1; t < ids.length; t++) if (learn === "all" || supervised[t] === true) learned.push(t);
  return { ids, learned };
}

const short = (count: number): string =>
  count < 1e4 ? String(count) : count < 1e6 ? `${(count / 1e3).toFixed(0)}k` : `${(count / 1e6).toFixed(1)}M`;

interface Layout {
  readonly padId: number;
  readonly packing: boolean;
}

/**
 * Inputs `ids` and, where packed, `documents` [B, T]; `at` and `labels` [N]: a learned token is the label of the one
 * before it. Padding stands on the right, where no token sees it, or is a document of its own.
 */
export function lessonBatch(lessons: readonly Lesson[], { padId, packing }: Layout): Batch {
  const width = Math.max(...lessons.map(({ ids }) => ids.length)) - 1;
  const rows = packing ? rowsOf(lessons, width) : lessons.map((_, i) => [i]);
  const at: number[] = [];
  const labels: number[] = [];
  const documents: number[][] = [];
  const ids = rows.map((members, row) => {
    const inRow: number[] = [];
    const owner: number[] = [];
    for (const [i, member] of members.entries()) {
      const { ids: own, learned } = lessons[member]!;
      const first = row * width + inRow.length;
      for (const place of learned) {
        at.push(first + place - 1);
        labels.push(own[place]!);
      }
      // The last token is a label only.
      for (let t = 0; t < own.length - 1; t++) {
        inRow.push(own[t]!);
        owner.push(i + 1);
      }
    }
    while (inRow.length < width) {
      inRow.push(padId);
      owner.push(0);
    }
    documents.push(owner);
    return inRow;
  });
  const packed = packing ? { documents: int64(documents, width) } : {};
  const feeds = { ids: int64(ids, width), ...packed, at: int64List(at), labels: int64List(labels) };
  return { feeds, count: labels.length, work: lessons.reduce((sum, { ids: own }) => sum + own.length, 0) };
}

/** Which lessons share a row of so many tokens: the longest first, each into the first row with room for it. */
function rowsOf(lessons: readonly Lesson[], width: number): number[][] {
  const order = lessons.map((_, i) => i).sort((a, b) => lessons[b]!.ids.length - lessons[a]!.ids.length); // stable
  const rows: { readonly members: number[]; room: number }[] = [];
  for (const i of order) {
    const tokens = lessons[i]!.ids.length - 1;
    let row = rows.find(({ room }) => room >= tokens);
    if (row === undefined) rows.push((row = { members: [], room: width }));
    row.members.push(i);
    row.room -= tokens;
  }
  return rows.map(({ members }) => members);
}
