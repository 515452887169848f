/** Conditions as LanceDB's SQL: values and dates by their columns, beginnings of words by a look at all texts. */
import type { Test } from "./conditions.ts";

/** A token that is no word: no phrase goes from the title into what follows. */
export const border = "|";

/** A text in SQL: nothing ends it but its own end. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const anyOf = (ids: Iterable<string>): string => `id IN (${[...ids].map(quoted).join(", ")})`;
export const labelOf = (field: string, value: string): string => `${field}\n${value}`;
const pattern = (text: string): string => text.replaceAll(/[\\%_]/g, "\\$&");

/** Whether a test asks for words anywhere. */
export function asksWords(test: Test): boolean {
  if (test.kind === "words") return true;
  if (test.kind === "not") return asksWords(test.of);
  return (test.kind === "and" || test.kind === "or") && test.of.some(asksWords);
}

export type Words = Extract<Test, { kind: "words" }>;

export const isSingleWord = (test: Test): test is Words =>
  test.kind === "words" && test.field === "text" && test.words.length === 1 && !test.prefix;

/** A test without words as SQL. */
export function sqlOf(test: Test): string {
  switch (test.kind) {
    case "everything":
      return "true";
    case "value": {
      const label = labelOf(test.field, test.value);
      if (!test.prefix) return `array_contains(labels, ${quoted(label)})`;
      return `(concat('\n\n', array_to_string(labels, '\n\n')) LIKE ${quoted(`%\n\n${pattern(label)}%`)} ESCAPE '\\')`;
    }
    case "dates":
      return datesSql(test.first, test.last);
    case "not": {
      const of = sqlOf(test.of);
      return of === "true" ? "false" : of === "false" ? "true" : `NOT coalesce(${of}, false)`;
    }
    case "words":
      throw new TypeError("words are no SQL");
    default: {
      const [end, nothing, operator] =
        test.kind === "and" ? (["false", "true", " AND "] as const) : (["true", "false", " OR "] as const);
      const all = test.of.map(sqlOf).filter((one) => one !== nothing);
      if (all.includes(end)) return end;
      return all.length === 0 ? nothing : `(${all.join(operator)})`;
    }
  }
}

/** As `datesMeet`: "2019" is all the days that it may be. */
function datesSql(first: string | null, last: string | null): string {
  const beginnings = first === null ? [] : [4, 7, 10].filter((length) => length <= first.length);
  const from =
    first === null
      ? []
      : [`(date >= ${quoted(first)} OR date IN (${beginnings.map((n) => quoted(first.slice(0, n))).join(", ")}))`];
  const to = last === null ? [] : [`date <= ${quoted(`${last}~`)}`];
  return `(${["date IS NOT NULL", ...from, ...to].join(" AND ")})`;
}

/** Words of which the last is a beginning, as a look at all texts. */
export function beginningSql(words: readonly string[], field: "text" | "title" | "abstract"): string {
  const start = pattern(words.join(" "));
  if (field === "title") return `concat(' ', title) LIKE ${quoted(`% ${start}%`)} ESCAPE '\\'`;
  const wanted = quoted(`%${field === "abstract" ? ` ${border}% ` : " "}${start}%`);
  return `concat(' ', words, ' ') LIKE ${wanted} ESCAPE '\\'`;
}
