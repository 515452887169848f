/**
 * Rules that say how good an answer is without a model, each a number in [0, 1]: its length, what it holds, whether the
 * right choice or the given facts are in it, whether it is JSON. What a rule has to know of a prompt stands in its line.
 */
import * as z from "zod";
import { DataError } from "../../errors.ts";
import { mean } from "../../metrics/counts.ts";
import { checked } from "../../schema.ts";
import { readChoice } from "../../tasks/read-choice.ts";
import { spacedWords } from "../../tasks/spaced-words.ts";
import type { ChatMessage } from "../../tokenizers/chat.ts";

/** An answer of the policy's, as rules and functions see it. */
export interface SampledAnswer {
  readonly prompt: string | readonly ChatMessage[];
  /** What was said, without special tokens. */
  readonly text: string;
  /** Its tokens, the end included. */
  readonly ids: readonly number[];
  /** The end token was reached; else it was cut at the most tokens. */
  readonly ended: boolean;
  /** All that the prompt's line holds. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The prompt's place: "FILE:12". */
  readonly where: string;
}

const weight = z.number().default(1);
const texts = z.array(z.string().min(1)).min(1);

const length = z.strictObject({
  rule: z.literal("length"),
  unit: z.enum(["words", "tokens"]).default("words"),
  least: z.int().min(0).default(0),
  most: z.int().positive(),
  weight,
});
const contains = z.strictObject({ rule: z.literal("contains"), texts, weight });
const facts = z.strictObject({ rule: z.literal("facts"), weight });
const choice = z.strictObject({ rule: z.literal("choice"), weight });
const json = z.strictObject({ rule: z.literal("json"), fields: z.array(z.string()).default([]), weight });
const ended = z.strictObject({ rule: z.literal("ended"), weight });

const rules = [length, contains, facts, choice, json, ended] as const;
const names = rules.map(({ shape }) => shape.rule.value);
export const rewardRule = z.discriminatedUnion("rule", rules, { error: `expected one of ${names.join(", ")}` });
export type RewardRule = z.infer<typeof rewardRule>;

/** @throws DataError where the prompt's line lacks what the rule asks of it. */
export function ruleReward(rule: RewardRule, answer: SampledAnswer): number {
  const { text, fields, where } = answer;
  switch (rule.rule) {
    case "length": {
      const count = rule.unit === "tokens" ? answer.ids.length : (text.match(/\S+/g) ?? []).length;
      return withinBounds(count, rule);
    }
    case "contains":
      return shareContained(text, rule.texts);
    case "facts":
      return shareContained(text, lineOf(factsLine, fields, where).facts);
    case "choice":
      return chooses(text, lineOf(choiceLine, fields, where), where);
    case "json":
      return jsonWith(text, rule.fields);
    case "ended":
      return answer.ended ? 1 : 0;
  }
}

/** 1 within the bounds; below and above it falls in proportion, to 0 at none and at twice the most. */
function withinBounds(count: number, { least, most }: { readonly least: number; readonly most: number }): number {
  if (count < least) return count / least;
  return count <= most ? 1 : Math.max(0, 2 - count / most);
}

/** The share of these that stand in the text, as whole words in any case. */
function shareContained(text: string, wanted: readonly string[]): number {
  const words = spacedWords(text);
  return mean(wanted.map((one) => (words.includes(spacedWords(one)) ? 1 : 0)));
}

const factsLine = z.object({ facts: texts });
/** Choices are texts, of which "A" is the first, or texts by letter, or words to choose from ("yes", "no", "maybe"). */
const choiceLine = z.object({ answer: z.string().min(1), choices: z.union([texts, z.record(z.string(), z.string())]) });
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** 1 where the text is read as the right choice. */
function chooses(text: string, { answer, choices }: z.infer<typeof choiceLine>, where: string): number {
  const areWords = Array.isArray(choices) && choices.includes(answer);
  const [labels, meanings]: readonly (readonly string[])[] = areWords
    ? [choices, []]
    : Array.isArray(choices)
      ? [choices.map((_, i) => letters[i] ?? String(i + 1)), choices]
      : [Object.keys(choices), Object.values(choices)];
  if (!labels!.includes(answer)) {
    throw new DataError(`${where}: answer: expected one of ${labels!.join(", ")}, got ${JSON.stringify(answer)}`);
  }
  return readChoice(text, labels!, meanings) === answer ? 1 : 0;
}

/** 0 where the text is no JSON; of an object that has to have fields, the share that it has. A fence around it is left out. */
function jsonWith(text: string, fields: readonly string[]): number {
  const inside = /^\s*```(?:json)?\s*\n([^]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text;
  let value: unknown;
  try {
    value = JSON.parse(inside);
  } catch {
    return 0;
  }
  if (fields.length === 0) return 1;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? mean(fields.map((field) => (Object.hasOwn(value as object, field) ? 1 : 0))) : 0;
}

function lineOf<S extends z.ZodType>(schema: S, fields: SampledAnswer["fields"], where: string): z.infer<S> {
  return checked(schema, fields, where, DataError);
}
