/**
 * C4's rules (Raffel et al. 2020, JMLR 21/140, section 2.2) on lines and documents, as datatrove 0.10 computes them
 * (`C4QualityFilter`, which follows TensorFlow Datasets' `c4_utils.py`): the same decisions, and the same text left. FineWeb
 * uses them without the rule on terminal punctuation. Left out: the list of bad words, and sentences instead of lines.
 */
import * as z from "zod";
import { isSpace, strip } from "../text/characters.ts";
import { countSentences } from "../text/words.ts";
import { codePoints, splitLines, type Drop, type Limit } from "./judged.ts";

const limit = z.number().min(0).nullable();

export const c4Settings = z.strictObject({
  /** Lines that do not end in . ? ! " or ', or that end in "...", go. */
  needsTerminalPunctuation: z.boolean(),
  leastSentences: limit,
  leastWordsInLine: limit,
  mostWordLength: limit,
  /** "[12]", "[]", "[edit]" and "[citation needed]" are taken out of lines. */
  withoutCitations: z.boolean(),
  withoutLoremIpsum: z.boolean(),
  withoutJavascript: z.boolean(),
  withoutCurlyBrackets: z.boolean(),
  /** Lines on terms of use and cookies go. */
  withoutPolicies: z.boolean(),
});
export type C4Settings = z.output<typeof c4Settings>;

/** The paper's, as datatrove has them. */
export const c4Defaults: C4Settings = {
  needsTerminalPunctuation: true,
  leastSentences: 5,
  leastWordsInLine: 3,
  mostWordLength: 1000,
  withoutCitations: true,
  withoutLoremIpsum: true,
  withoutJavascript: true,
  withoutCurlyBrackets: true,
  withoutPolicies: true,
};

const citation = /\[\p{Nd}*\]|\[edit\]|\[citation needed\]/gu;
const policies = [
  "terms of use",
  "privacy policy",
  "cookie policy",
  "uses cookies",
  "use of cookies",
  "use cookies",
] as const;

export interface C4Result {
  /** Of each text what is left; absent where a rule drops the document. */
  readonly texts?: readonly string[];
  readonly drop?: Drop;
  /** Lines that went, and citations, by rule. */
  readonly changes: Readonly<Record<string, number>>;
}

/** Words of a line between white space, and whether one is longer than `most`. */
function lineWords(line: string, most: Limit): { count: number; hasLong: boolean } {
  let [count, start] = [0, 0];
  let hasLong = false;
  for (let i = 0; i <= line.length; i++) {
    if (i < line.length && !isSpace(line.charCodeAt(i))) continue;
    if (i > start) {
      count += 1;
      if (most !== null && i - start > most && codePoints(line.slice(start, i)) > most) hasLong = true;
    }
    start = i + 1;
  }
  return { count, hasLong };
}

const endsWell = (line: string): boolean => /[.?!"']$/.test(line) && !line.endsWith("...");

/** The name of the rule by which a line goes, or the line as it stays, or what drops the document. */
function judgeLine(given: string, settings: C4Settings): { line: string } | { rule: string } | { drop: Drop } {
  const { count, hasLong } = lineWords(given, settings.mostWordLength);
  if (hasLong) return { rule: "c4-long-word" };
  const line = settings.withoutCitations && given.includes("[") ? given.replace(citation, "") : given;
  if (settings.needsTerminalPunctuation && !endsWell(line)) return { rule: "c4-no-terminal-punctuation" };
  if (settings.leastWordsInLine !== null && count < settings.leastWordsInLine) return { rule: "c4-few-words" };
  const lower = line.toLowerCase();
  if (settings.withoutLoremIpsum && lower.includes("lorem ipsum"))
    return { drop: { rule: "c4-lorem-ipsum", detail: 'a line with "lorem ipsum"' } };
  if (settings.withoutJavascript && lower.includes("javascript")) return { rule: "c4-javascript" };
  if (settings.withoutCurlyBrackets && line.includes("{"))
    return { drop: { rule: "c4-curly-bracket", detail: 'a line with "{"' } };
  if (settings.withoutPolicies && policies.some((policy) => lower.includes(policy))) return { rule: "c4-policy" };
  return { line };
}

/** What C4's rules leave of a document's texts; sentences are counted over all of them. */
export function c4(texts: readonly string[], settings: C4Settings): C4Result {
  const changes: Record<string, number> = {};
  const least = settings.leastSentences;
  let sentences = 0;
  const left: string[] = [];
  for (const text of texts) {
    const kept: string[] = [];
    for (const given of splitLines(text)) {
      const stripped = strip(given);
      const judged = judgeLine(stripped, settings);
      if ("drop" in judged) return { drop: judged.drop, changes };
      if ("rule" in judged) {
        // A blank line parts paragraphs; it is nothing that a rule took away.
        if (stripped !== "") changes[judged.rule] = (changes[judged.rule] ?? 0) + 1;
        continue;
      }
      if (judged.line !== stripped) changes["c4-citation"] = (changes["c4-citation"] ?? 0) + 1;
      if (least !== null && sentences < least) sentences += countSentences(judged.line);
      kept.push(judged.line);
    }
    left.push(strip(kept.join("\n")));
  }
  if (least === null || sentences >= least) return { texts: left, changes };
  return { drop: { rule: "c4-few-sentences", detail: `${sentences} sentences, at least ${least}` }, changes };
}
