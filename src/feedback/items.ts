/**
 * What people judge: prompts with two to nine answers each. They are read from the user's file once and kept, with the
 * answers that models gave, in a file beside the judgements, so that whoever comes later judges the same.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { readValues } from "../corpus/conversations.ts";
import { ConfigError, DataError } from "../errors.ts";
import { openSharedLines } from "../io/shared-lines.ts";
import { checked } from "../schema.ts";

/** As many as there are keys for them. */
export const mostAnswers = 9;

const message = z.object({ role: z.string().min(1).max(50), content: z.string() });

const prompt = z.union([z.string().min(1), z.array(message).min(1)]);
const completion = z
  .union([z.string(), z.tuple([message])])
  .transform((given) => (typeof given === "string" ? given : given[0].content));
const by = z.string().min(1).max(200);
const given = z
  .union([z.string(), z.object({ text: z.string(), by })])
  .transform((one) => (typeof one === "string" ? { text: one, by: null } : one));

/** A line of the user's file. */
const lineSchema = z
  .object({
    prompt,
    answers: z.array(given).min(2).max(mostAnswers).optional(),
    chosen: completion.optional(),
    rejected: completion.optional(),
  })
  .refine(({ chosen, rejected }) => (chosen === undefined) === (rejected === undefined), {
    error: "must have both chosen and rejected, or neither",
  })
  .refine(({ answers, chosen }) => answers === undefined || chosen === undefined, {
    error: "must have answers, or chosen and rejected, not both",
  });

/** How a model's answer was drawn; temperature 0: the likeliest token each time. */
const drawn = z.object({
  seed: z.int(),
  temperature: z.number(),
  topP: z.number(),
  tokens: z.int(),
  answers: z.int(),
});
export type Drawn = z.infer<typeof drawn>;
const answer = z.object({
  text: z.string(),
  /** The model's name, "chosen", "rejected", or what the file says; null: nothing. Never shown before a judgement. */
  by: by.nullable(),
  drawn: drawn.optional(),
});
export type ItemAnswer = z.infer<typeof answer>;

const itemSchema = z.object({ id: z.string(), prompt, answers: z.array(answer) });
/** A prompt with its answers, in the file's order. */
export type Item = z.infer<typeof itemSchema>;

/** `judgements.jsonl` → `judgements.items.jsonl`. */
export function itemsPath(output: string): string {
  return `${output.replace(/\.jsonl?$/, "")}.items.jsonl`;
}

const idOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);

/**
 * The items of JSON lines, of a JSON array or of a table: {prompt}, {prompt, answers} or {prompt, chosen, rejected}. Lines that say the
 * same as one before are left out. Items without answers wait for models'.
 * @throws DataError that names the line.
 */
export async function readItems(path: string): Promise<Item[]> {
  const items = new Map<string, Item>();
  for await (const { value, where } of readValues(path)) {
    const { prompt: asked, answers, chosen, rejected } = checked(lineSchema, value, where, DataError);
    const pair: ItemAnswer[] = [
      { text: chosen ?? "", by: "chosen" },
      { text: rejected ?? "", by: "rejected" },
    ];
    const own = chosen === undefined ? (answers ?? []) : pair;
    const id = idOf([asked, ...own.map(({ text }) => text)]);
    if (!items.has(id)) items.set(id, { id, prompt: asked, answers: own });
  }
  return [...items.values()];
}

/** The items as they are kept. */
export interface ItemStore {
  /** Those that can be judged: with two different answers at least; of equal texts the first is kept. */
  all(): readonly Item[];
  /** How many there are, those that cannot be judged among them. */
  count(): number;
  /** Answers that an item was given so far, equal ones among them. */
  answersOf(id: string): readonly ItemAnswer[];
  /** Items that had no answers in the user's file. */
  asked(): readonly Item[];
  /** Takes in what the user's file has more. @throws ConfigError where it has no longer what is kept. */
  add(items: readonly Item[]): Promise<void>;
  answer(answered: readonly { readonly id: string; readonly answers: readonly ItemAnswer[] }[]): Promise<void>;
}

/** @param output the file of judgements that they are kept beside. @throws DataError where what is kept cannot be read. */
export async function openItems(output: string): Promise<ItemStore> {
  const path = itemsPath(output);
  const kept = new Map<
    string,
    { readonly prompt: Item["prompt"]; readonly answers: ItemAnswer[]; readonly given: boolean }
  >();
  const lines = openSharedLines(path, itemSchema, {
    apply({ id, prompt: asked, answers }) {
      const before = kept.get(id);
      if (before === undefined) kept.set(id, { prompt: asked, answers, given: answers.length > 0 });
      else before.answers.push(...answers);
    },
    clear: () => kept.clear(),
  });
  await lines.refresh();
  const different = (answers: readonly ItemAnswer[]): ItemAnswer[] =>
    answers.filter(({ text }, i) => answers.findIndex((other) => other.text === text) === i);
  return {
    all: () =>
      [...kept]
        .map(([id, { prompt: asked, answers }]) => ({ id, prompt: asked, answers: different(answers) }))
        .filter(({ answers }) => answers.length > 1),
    count: () => kept.size,
    answersOf: (id) => kept.get(id)?.answers ?? [],
    asked: () => [...kept].flatMap(([id, { given: has, ...item }]) => (has ? [] : [{ id, ...item }])),
    async add(items) {
      const there = new Set(items.map(({ id }) => id));
      const gone = [...kept.keys()].filter((id) => !there.has(id));
      if (gone.length > 0) {
        throw new ConfigError(`${path}: expected prompts that the file still has, got ${gone.length} that it has not`, {
          hint: "name another --output for other prompts; to one's own, more may be added",
        });
      }
      const more = items.filter(({ id }) => !kept.has(id));
      if (more.length > 0) await lines.append(more);
    },
    answer: (answered) =>
      lines.append(answered.map(({ id, answers }) => ({ id, prompt: kept.get(id)!.prompt, answers }))),
  };
}
