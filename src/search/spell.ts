/** Conditions spelled out in PubMed's language, so that `parseQuery` of it gives the same condition. */
import { spelledDates, spelledTags } from "./query-fields.ts";
import type { ParsedQuery } from "./query.ts";
import type { Condition } from "./store.ts";

/** A condition as a query. Quotation marks within values, which a query cannot hold, become spaces. */
export function spell(condition: Condition): string {
  const text = spelled(condition);
  return condition.kind === "and" || condition.kind === "or" ? text.slice(1, -1) : text;
}

function spelled(condition: Condition): string {
  switch (condition.kind) {
    case "everything":
      return "all[sb]";
    case "words":
      return term(condition.words.join(" "), condition.prefix, spelledTags[condition.field]);
    case "value":
      return term(condition.value, condition.prefix, spelledTags[condition.field]);
    case "dates":
      return `${spelledDates(condition)}[dp]`;
    case "not":
      return `NOT ${spelled(condition.of)}`;
    default: {
      const [first, ...others] = condition.of.map((one) => [one, spelled(one)] as const);
      const rest = others.map(([one, text]) => {
        if (condition.kind === "or") return ` OR ${text}`;
        return one.kind === "not" ? ` ${text}` : ` AND ${text}`;
      });
      return `(${first?.[1] ?? "all[sb]"}${rest.join("")})`;
    }
  }
}

const term = (text: string, prefix: boolean, tag: string): string =>
  `"${text.replaceAll(/["“”„]/g, " ")}${prefix ? "*" : ""}"[${tag}]`;

/** A query as it was understood, for people. */
export function understood({ condition, any, fields }: ParsedQuery): string {
  const parts = [
    ...(any.length === 0 ? [] : [any.length === 1 ? any[0]! : `any of: ${any.join(", ")}`]),
    ...(condition.kind === "everything" ? [] : [spell(condition)]),
    ...Object.entries(fields).map(([name, value]) => `${JSON.stringify(value)}[field:${name}]`),
  ];
  return parts.length === 0 ? "everything" : parts.join(" AND ");
}
