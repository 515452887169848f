/**
 * What models are taught by, as JSON lines, a JSON array or a table, in the forms that TRL and Alpaca's successors have:
 * conversations, prompts with completions, instructions with outputs; pairs of a chosen and a rejected answer; answers
 * that were judged; prompts alone. Prompts and answers are texts, or messages for a chat template.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { isTable, readRows } from "../io/csv.ts";
import { nameOf, readLines } from "../io/lines.ts";
import { checked, parsedJson } from "../schema.ts";
import type { ChatMessage } from "../tokenizers/chat.ts";
import { commonLength } from "../tokenizers/ids.ts";
import type { Completion, Exchange } from "../tokenizers/turns.ts";
import { isSampled, pairOfSampled } from "./sampled-answers.ts";

/** Where something stands, for errors: "FILE:12", the line, or "FILE: item 12" of an array. */
export interface Placed {
  readonly where: string;
}

/** Two answers to one prompt, the better one first. */
export interface Preference extends Placed {
  readonly chosen: Completion;
  readonly rejected: Completion;
  /** By how much the better one is better, where that is known. */
  readonly margin?: number | undefined;
}

/** An answer that was found good, or not. */
export interface Judged extends Placed {
  readonly exchange: Completion;
  readonly label: boolean;
}

export interface Prompt extends Placed {
  readonly prompt: string | readonly ChatMessage[];
  /** All that the line holds, for what judges an answer to it. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() })), z.null()]).optional(),
});
const messages = z
  .array(message)
  .min(1)
  .transform((list): ChatMessage[] => list.map(({ content = null, ...rest }) => ({ ...rest, content })));
const text = z.string();
const said = z.union([text, messages]);
const label = z.union([z.boolean(), z.literal(0).transform(() => false), z.literal(1).transform(() => true)]);

const conversation = z.object({ messages });
const pair = z.object({ prompt: said, completion: said });
const instruction = z.object({ instruction: text, input: text.nullish(), output: text });
const preference = z.object({ prompt: said.optional(), chosen: said, rejected: said, margin: z.number().nullish() });
const judged = z.object({ prompt: said, completion: said, label });
const prompted = z.object({ prompt: said });

/**
 * `{messages}`, `{prompt, completion}` or `{instruction, input, output}` a line; the last as a question and its answer.
 * @throws DataError that names file, line and field, or where a conversation has nothing of the assistant's.
 */
export function readExchanges(path: string): Promise<(Exchange & Placed)[]> {
  return readAll(path, (value, where) => {
    if ("messages" in value) {
      const found = fit(conversation, value, where);
      if (found.messages.some(({ role }, i) => role === "assistant" && i > 0)) return { ...found, where };
      const roles = found.messages.map(({ role }) => role).join(", ");
      throw new DataError(`${where}: messages: expected an answer, of the role "assistant", got ${roles.slice(0, 80)}`);
    }
    if ("prompt" in value) return { ...completionOf(fit(pair, value, where), where), where };
    if ("instruction" in value) {
      const { instruction: asked, input, output } = fit(instruction, value, where);
      const prompt = [{ role: "user", content: questionOf(asked, input) }];
      return { prompt, completion: [{ role: "assistant", content: output }], where };
    }
    throw unknown(where, value, '"messages", or "prompt" and "completion", or "instruction", "input" and "output"');
  });
}

/**
 * `{prompt, chosen, rejected}` a line, with a `margin` or without; without a prompt it is what both begin with, as
 * TRL has it. Or OLAPH's sampled answers: the best and the worst to each question.
 * @throws DataError that names file, line and field.
 */
export function readPreferences(path: string): Promise<Preference[]> {
  return readAll(path, (value, where) => {
    const pair = isSampled(value) ? pairOfSampled(value, where) : value;
    if (pair === undefined) return undefined;
    const { prompt, chosen, rejected, margin } = fit(preference, pair, where);
    const shared = prompt ?? commonBeginning(chosen, rejected);
    const behind = (answer: z.output<typeof said>): z.output<typeof said> =>
      // A text is cut, a list of messages too.
      prompt === undefined ? (answer.slice(shared.length) as typeof answer) : answer;
    return {
      chosen: completionOf({ prompt: shared, completion: behind(chosen) }, where),
      rejected: completionOf({ prompt: shared, completion: behind(rejected) }, where),
      ...(typeof margin === "number" ? { margin } : {}),
      where,
    };
  });
}

/** `{prompt, completion, label}` a line, the label true, false, 1 or 0. @throws DataError that names file, line and field. */
export function readJudged(path: string): Promise<Judged[]> {
  return readAll(path, (value, where) => {
    const { label: good, ...rest } = fit(judged, value, where);
    return { exchange: completionOf(rest, where), label: good, where };
  });
}

/**
 * `{prompt}` a line, a text or messages; of what `readExchanges` takes, what stands before the last answer.
 * @throws DataError that names file, line and field.
 */
export function readPrompts(path: string): Promise<Prompt[]> {
  return readAll(path, (value, where) => {
    if ("messages" in value) {
      const found = fit(conversation, value, where).messages;
      const answer = found.findLastIndex(({ role }) => role === "assistant");
      return { prompt: answer > 0 ? found.slice(0, answer) : found, where, fields: value };
    }
    if ("prompt" in value) return { ...fit(prompted, value, where), where, fields: value };
    if ("instruction" in value) {
      const { instruction: asked, input } = fit(instruction.partial({ output: true }), value, where);
      return { prompt: [{ role: "user", content: questionOf(asked, input) }], where, fields: value };
    }
    throw unknown(where, value, '"prompt", "messages" or "instruction"');
  });
}

function questionOf(asked: string, input: string | null | undefined): string {
  return (input ?? "") === "" ? asked : `${asked}\n\n${input}`;
}

type Values = Readonly<Record<string, unknown>>;

const fit = <S extends z.ZodType>(schema: S, value: Values, where: string): z.output<S> =>
  checked(schema, value, where, DataError);

function unknown(where: string, value: Values, expected: string): DataError {
  return new DataError(
    `${where}: expected ${expected}; got ${Object.keys(value).join(", ").slice(0, 200) || "nothing"}`,
  );
}

/** @throws DataError where one is a text and the other messages. */
function completionOf({ prompt, completion }: z.output<typeof pair>, where: string): Completion {
  if (typeof prompt === "string" && typeof completion === "string") return { prompt, completion };
  if (typeof prompt !== "string" && typeof completion !== "string") return { prompt, completion };
  const got = typeof prompt === "string" ? "a text and messages" : "messages and a text";
  throw new DataError(`${where}: expected prompt and answer both as texts or both as messages, got ${got}`);
}

/** Of texts without the space before what differs, so that it is the answers'. */
function commonBeginning(chosen: z.output<typeof said>, rejected: z.output<typeof said>): z.output<typeof said> {
  if (typeof chosen === "string" || typeof rejected === "string") {
    let length = commonLength(chosen, rejected);
    if (length > 0 && chosen[length - 1] === " ") length -= 1;
    return typeof chosen === "string" ? chosen.slice(0, length) : "";
  }
  const differs = chosen.findIndex((one, i) => JSON.stringify(one) !== JSON.stringify(rejected[i]));
  return chosen.slice(0, differs < 0 ? chosen.length : differs);
}

/** What `read` makes of each; undefined: nothing. */
async function readAll<T>(path: string, read: (value: Values, where: string) => T | undefined): Promise<T[]> {
  const found: T[] = [];
  for await (const { value, where } of readValues(path)) {
    const one = read(value, where);
    if (one !== undefined) found.push(one);
  }
  if (found.length === 0) throw new DataError(`${nameOf(path)}: expected examples, got none`);
  return found;
}

const anyObject = z.looseObject({});

/** The objects of JSON lines, of a table, or of the one array that a file is. @throws DataError that names file and line. */
export async function* readValues(path: string): AsyncGenerator<Placed & { readonly value: Values }> {
  const name = nameOf(path);
  if (isTable(path)) {
    for await (const { number, value } of readRows(path, { nested: true })) {
      // A column that a row has nothing in is none.
      const cells = Object.entries(value).filter(([, cell]) => cell !== null);
      yield { value: Object.fromEntries(cells), where: `${name}:${number}` };
    }
    return;
  }
  // An array may be one line of any length.
  const limit = /\.json(?:\.gz|\.zst)?$/.test(path) ? Infinity : undefined;
  let array: string[] | undefined;
  let isFirst = true;
  for await (const { number, text: line } of readLines(path, { limit })) {
    if (line.trim() === "") continue;
    if (isFirst && line.trimStart().startsWith("[")) array = [];
    isFirst = false;
    if (array !== undefined) array.push(line);
    else {
      const where = `${name}:${number}`;
      yield { value: checked(anyObject, parsedJson(line, where), where, DataError), where };
    }
  }
  if (array === undefined) return;
  const items = checked(z.array(z.unknown()), parsedJson(array.join("\n"), name), name, DataError);
  for (const [i, item] of items.entries()) {
    const where = `${name}: item ${i + 1}`;
    yield { value: checked(anyObject, item, where, DataError), where };
  }
}
