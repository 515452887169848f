/**
 * Cleans texts up: what decoding, typesetting and publishing left between the words. Every rule has a name, can be switched off,
 * and is counted. No rule changes the letters of a word but to put right what was broken; what is clean stays as it is, so
 * cleaning twice is cleaning once. Titles, tables and captions have the rules on characters and markup alone.
 */
import * as z from "zod";
import { wholeText, type CorpusDocument } from "../../corpus/corpus-document.ts";
import { boilerplateRules } from "../clean/boilerplate.ts";
import { characterRules } from "../clean/characters.ts";
import { markupRules } from "../clean/markup.ts";
import { proseRules } from "../clean/prose.ts";
import type { CleanContext, CleanRule } from "../clean/rule.ts";
import type { MapStage, Outcome } from "../stage.ts";

/** In the order in which they are applied. */
export const cleanRules: readonly CleanRule[] = [...characterRules, ...markupRules, ...boilerplateRules, ...proseRules];
const names = cleanRules.map(({ name }) => name);

export const cleanSettings = z.strictObject({
  /** Rules that are off. */
  off: z.array(z.enum(names)).default([]),
});
export type CleanSettings = z.output<typeof cleanSettings>;

const isProse = (kind: string): boolean => kind === "abstract" || kind === "text";

/** One round: all rules one after the other, with what the document is before it. */
function cleanOnce(
  document: CorpusDocument,
  rules: readonly CleanRule[],
  changes: Record<string, number>,
): CorpusDocument {
  let whole: string | undefined;
  const sectionsOfProse = document.sections.filter(({ kind }) => isProse(kind));
  const context: CleanContext = { prose: () => (whole ??= wholeText({ title: "", sections: sectionsOfProse })) };
  const outside = rules.filter(({ proseOnly }) => !proseOnly);
  const clean = (given: string, some: readonly CleanRule[]): string => {
    let cleaned = given;
    for (const rule of some) {
      const { text, count } = rule.apply(cleaned, context);
      cleaned = text;
      if (count > 0) changes[rule.name] = (changes[rule.name] ?? 0) + count;
    }
    return cleaned;
  };
  const sections = document.sections
    .map((section) => ({
      ...section,
      title: clean(section.title, outside),
      text: clean(section.text, isProse(section.kind) ? rules : outside),
    }))
    .filter(({ text }, i) => text !== "" || document.sections[i]!.text === "");
  return { ...document, title: clean(document.title, outside), sections };
}

/** Of a text that was made to need ever more rounds, the rest stays. */
const mostRounds = 16;

/** Rounds until one changes nothing: so a clean document stays as it is. */
function outcomeOf(document: CorpusDocument, rules: readonly CleanRule[]): Outcome {
  const changes: Record<string, number> = {};
  let cleaned = document;
  for (let rounds = 0; rounds < mostRounds; rounds++) {
    const round: Record<string, number> = {};
    cleaned = cleanOnce(cleaned, rules, round);
    if (Object.keys(round).length === 0) break;
    for (const [name, count] of Object.entries(round)) changes[name] = (changes[name] ?? 0) + count;
  }
  return Object.keys(changes).length === 0 ? { keep: true } : { keep: true, document: cleaned, changes };
}

export const cleanStage: MapStage<CleanSettings> = {
  name: "clean",
  about:
    "Puts characters, entities, broken words and spaces right, and takes out rests of markup, boilerplate and citations",
  version: 1,
  rewrites: true,
  settings: cleanSettings,
  open({ off }) {
    const rules = cleanRules.filter(({ name }) => !off.includes(name));
    return { run: (documents) => documents.map((one) => outcomeOf(one, rules)) };
  },
};
