/**
 * Rules on a document's prose: Gopher's on quality and repetition, C4's and FineWeb's on lines, as FineWeb puts them, but that
 * a text too short is called so before its repetition is. Thresholds are the papers' unless a kind of source needs others: web rules would throw away tables, notes and trials, which are not
 * prose or have short lines. Tables, captions and references are neither judged nor changed.
 */
import * as z from "zod";
import { sectionKinds, type CorpusDocument, type CorpusSection } from "../../corpus/corpus-document.ts";
import { c4, c4Defaults, type C4Settings } from "../rules/c4.ts";
import { fineWebDefaults, fineWebDrop, type FineWebSettings } from "../rules/fineweb.ts";
import { gopherDefaults, gopherDrop, type GopherSettings } from "../rules/gopher.ts";
import { judged } from "../rules/judged.ts";
import { repetitionDefaults, repetitionDrop, type RepetitionSettings } from "../rules/repetition.ts";
import type { MapStage, Outcome } from "../stage.ts";
import { profileNames, profileOf, profiles, ruleSets, type RuleSets } from "./quality-profiles.ts";

export const qualitySettings = z.strictObject({
  /** For all kinds of source, beyond their profiles. */
  rules: ruleSets.default({}),
  /** For documents that the reader of this name gave, beyond `rules`; and another profile than its own. */
  kinds: z.record(z.string(), ruleSets.extend({ profile: z.enum(profileNames).optional() })).default({}),
  /** Kinds of sections that are judged together as one text. */
  sections: z.array(z.enum(sectionKinds)).min(1).default(["abstract", "text"]),
});
export type QualitySettings = z.output<typeof qualitySettings>;

interface Rules {
  readonly repetition: RepetitionSettings | undefined;
  readonly gopher: GopherSettings | undefined;
  readonly c4: C4Settings | undefined;
  readonly fineweb: FineWebSettings | undefined;
}

/** The papers' thresholds with what was said of them, the last said last; undefined where the set is off at the end. */
function merged<T extends object>(defaults: T, said: readonly (boolean | object | undefined)[]): T | undefined {
  if (said.findLast((one) => one !== undefined) === false) return undefined;
  return Object.assign({}, defaults, ...said.filter((one) => typeof one === "object")) as T;
}

function rulesFor(kind: string, { rules, kinds }: QualitySettings): Rules {
  const own = kinds[kind] ?? {};
  const said: readonly RuleSets[] = [profiles[own.profile ?? profileOf(kind)], rules, own];
  return {
    repetition: merged(
      repetitionDefaults,
      said.map(({ repetition }) => repetition),
    ),
    gopher: merged(
      gopherDefaults,
      said.map(({ gopher }) => gopher),
    ),
    c4: merged(
      c4Defaults,
      said.map(({ c4 }) => c4),
    ),
    fineweb: merged(
      fineWebDefaults,
      said.map(({ fineweb }) => fineweb),
    ),
  };
}

/** Sections with the texts that C4's rules left; those without any text go. */
function withTexts(
  sections: readonly CorpusSection[],
  prose: readonly CorpusSection[],
  texts: readonly string[],
): CorpusSection[] {
  const left = new Map(prose.map((section, i) => [section, texts[i]!]));
  return sections
    .map((section) => ({ ...section, text: left.get(section) ?? section.text }))
    .filter(({ text }, i) => text !== "" || sections[i]!.text === "");
}

/** What the rules say of one document. */
function outcomeOf(document: CorpusDocument, rules: Rules, kinds: QualitySettings["sections"]): Outcome {
  const prose = document.sections.filter(({ kind }) => kinds.includes(kind));
  const texts = prose.map(({ text }) => text);
  const text = judged(texts.join("\n\n"));
  const early =
    (rules.gopher && gopherDrop(text, rules.gopher)) ?? (rules.repetition && repetitionDrop(text, rules.repetition));
  if (early !== undefined) return { keep: false, ...early };
  const lines = rules.c4 && c4(texts, rules.c4);
  if (lines?.drop !== undefined) return { keep: false, ...lines.drop };
  const left = lines?.texts ?? texts;
  const isChanged = left.some((one, i) => one !== texts[i]);
  const late = rules.fineweb && fineWebDrop(isChanged ? judged(left.join("\n\n")) : text, rules.fineweb);
  if (late !== undefined) return { keep: false, ...late };
  if (!isChanged) return { keep: true };
  return {
    keep: true,
    document: { ...document, sections: withTexts(document.sections, prose, left) },
    changes: lines?.changes ?? {},
  };
}

export const qualityStage: MapStage<QualitySettings> = {
  name: "quality",
  about:
    "Drops documents whose prose is not prose: Gopher's, C4's and FineWeb's rules, with thresholds by kind of source",
  version: 1,
  // C4's rules take lines out.
  rewrites: true,
  settings: qualitySettings,
  open(settings) {
    const known = new Map<string, Rules>();
    const rulesOf = (kind: string): Rules => {
      const rules = known.get(kind) ?? rulesFor(kind, settings);
      known.set(kind, rules);
      return rules;
    };
    return { run: (documents) => documents.map((one) => outcomeOf(one, rulesOf(one.kind), settings.sections)) };
  },
};
