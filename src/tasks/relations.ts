/**
 * Relations as sentences and back: "the interaction between H and T is R; the interaction …." (BioGPT's templates), and
 * the clean-up that its post-processing applies to generated text before it looks for sentences.
 */
import { ConfigError } from "../errors.ts";
import type { Relation } from "../metrics/hard-match.ts";
import type { AnswerForm, AnswerPart } from "./benchmark.ts";

const prefixes = [/(?:learned[0-9]+ )+/g, /we can conclude that/g, /we have that/g, /in conclusion,/g];

/** Drops a final full stop and everything up to the prompt (the first kind of prompt found; its last occurrence). */
export function answerOf(generated: string): string {
  const line = generated.trim().replace(/\.$/, "");
  for (const prefix of prefixes) {
    const last = [...line.matchAll(prefix)].at(-1);
    if (last !== undefined) return line.slice(last.index + last[0].length).trim();
  }
  return line;
}

export interface RelationTemplate {
  format(relations: readonly Relation[]): string;
  /** Sentences that fit, in order; names as generated. */
  parse(answer: string): Relation[];
}

const fields = ["head", "tail", "relation"] as const;

/**
 * A template such as "the interaction between {head} and {tail} is {relation}". Sentences are joined by "; " and end
 * with a full stop; read back, they are split at `split`, matched from their start, each name as long as possible.
 *
 * @throws ConfigError where {head} or {tail} is missing or a field stands twice.
 */
export function relationTemplate(template: string, split: string | RegExp = "; "): RelationTemplate {
  const parts = template.split(/\{(head|tail|relation)\}/);
  const order = parts.filter((_, i) => i % 2 === 1) as (keyof Relation)[];
  if (!order.includes("head") || !order.includes("tail") || new Set(order).size < order.length) {
    throw new ConfigError(`template: expected {head} and {tail}, each field once, got "${template}"`);
  }
  const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const pattern = new RegExp(`^${parts.map((part, i) => (i % 2 === 1 ? "(.*)" : escape(part))).join("")}`);
  return {
    format(relations) {
      const one = (relation: Relation): string =>
        parts.map((part, i) => (i % 2 ? relation[order[(i - 1) / 2] ?? "head"] : part)).join("");
      return `${relations.map(one).join("; ")}.`;
    },
    parse(answer) {
      return answer.split(split).flatMap((sentence) => {
        const match = pattern.exec(sentence);
        if (match === null) return [];
        const value = (field: keyof Relation): string => match[order.indexOf(field) + 1]?.trim() ?? "";
        return [
          Object.fromEntries(
            fields.map((field) => [field, order.includes(field) ? value(field) : ""]),
          ) as unknown as Relation,
        ];
      });
    },
  };
}

/** The same with {name} and {type}, "{name} is a {type}". @throws ConfigError as above. */
export function nameTemplate(template: string): {
  format(entities: readonly { name: string; type: string }[]): string;
  parse(answer: string): { name: string; type: string }[];
} {
  const fields = template.match(/\{[a-z]+\}/g) ?? [];
  if ([...fields].sort().join() !== "{name},{type}") {
    throw new ConfigError(`template: expected {name} and {type}, each once, got "${template}"`);
  }
  const inner = relationTemplate(template.replace("{name}", "{head}").replace("{type}", "{tail}"));
  return {
    format: (entities) => inner.format(entities.map(({ name, type }) => ({ head: name, tail: type, relation: "" }))),
    parse: (answer) => inner.parse(answer).map(({ head, tail }) => ({ name: head, type: tail })),
  };
}

/** Sentences of a template: {head}, {tail} and {name} are names, others are `words`, or with `many` some in a row. */
export function formOf(
  template: string,
  words: readonly string[],
  more: { none?: string; many?: boolean } = {},
): AnswerForm {
  const { many = false, ...none } = more;
  const sentence = template.split(/(\{[a-z]+\})/).flatMap((part): AnswerPart[] => {
    if (/^\{(?:head|tail|name)\}$/.test(part)) return [{ name: true }];
    if (/^\{(?:relation|type)\}$/.test(part)) return [{ oneOf: words, many }];
    return part === "" ? [] : [part];
  });
  return { sentence, ...none };
}

/** Title and abstract as one text: a title that ends in a letter, digit or underscore gets a full stop. */
export function joinTitle(title: string, abstract: string): string {
  return /[^\p{L}\p{N}_]$/u.test(title) ? `${title} ${abstract}` : `${title}. ${abstract}`;
}

/** Relations by where the head stands in `text`; those not found (-1) come first, otherwise the order is kept. */
export function orderByHead(relations: readonly Relation[], text: string): Relation[] {
  return [...relations].sort((a, b) => text.indexOf(a.head) - text.indexOf(b.head));
}

/** Every field in lower case. */
export function lowercased({ head, tail, relation }: Relation): Relation {
  return { head: head.toLowerCase(), tail: tail.toLowerCase(), relation: relation.toLowerCase() };
}
