/**
 * What kind of study a document reports, how large it is, who was studied and what was done: by its publication types and
 * by plain patterns over its title and what it says of itself. Introductions and discussions tell of others' studies and are
 * not asked. What is not found is null, never guessed; every text is quoted with its place.
 */
import type { IndexedDocument } from "../search/types.ts";
import { citation, cite } from "./quote.ts";
import { abstractLength, type PlacedSentence, sentencesOf } from "./sentence.ts";
import type { Citation } from "./types.ts";

export interface Study {
  /** "randomised trial", "cohort study"; null: not said. */
  readonly type: string | null;
  /** Where its text says so; null where the record's publication type does. */
  readonly typeFrom: Citation | null;
  /** People, animals or studies: the largest number of them that the abstract says were studied, or else the methods. */
  readonly size: number | null;
  readonly sizeFrom: Citation | null;
  readonly population: Citation | null;
  readonly intervention: Citation | null;
}

/** By publication type or by words; the strongest design first. */
const kinds: readonly (readonly [name: string, publicationType: RegExp, words: RegExp])[] = [
  ["study protocol", /^clinical trial protocol$/i, /\b(?:study|trial) protocol\b|\bprotocol (?:for|of) an?\b/i],
  ["meta-analysis", /^meta-analysis$/i, /\b(?:meta-?analys[ei]s|pooled analysis)\b/i],
  ["systematic review", /^systematic review$/i, /\bsystematic(?:ally)? review/i],
  [
    "randomised trial",
    /randomi[sz]ed controlled trial|clinical trial, phase iii/i,
    /\brandomi[sz]ed\b|\brandomly (?:assigned|allocated|divided)\b|\bplacebo-controlled\b/i,
  ],
  ["guideline", /guideline/i, /\b(?:clinical )?practice guidelines?\b/i],
  [
    "clinical trial",
    /clinical trial/i,
    /\b(?:phase [i1-3v]+[ab]? (?:clinical )?(?:trial|study)|open-label|single-arm)\b/i,
  ],
  [
    "cohort study",
    /^cohort/i,
    /\b(?:cohort|prospective(?:ly)? (?:study|followed|enrolled)|longitudinal|followed up)\b/i,
  ],
  ["case-control study", /case-control/i, /\bcase[- ]control\b/i],
  ["cross-sectional study", /cross-sectional/i, /\b(?:cross-sectional|survey(?:ed)?|questionnaires?)\b/i],
  ["retrospective study", /retrospective/i, /\bretrospective(?:ly)?\b|\bchart review\b/i],
  [
    "case report",
    /case reports?/i,
    /\bcase (?:reports?|series)\b|\bwe (?:report|describe|present) (?:a|the) (?:case|patient)/i,
  ],
  ["animal study", /^animal/i, /\b(?:mice|mouse|rats?|zebrafish|rabbits?|pigs?|dogs?|monkeys?)\b/i],
  ["laboratory study", /in vitro/i, /\bin vitro\b|\bcell lines?\b|\bcells were\b/i],
  ["review", /^review$/i, /\b(?:this|we) review\b|\breviewed\b/i],
];
/** Trials cite these, and are none: a sentence has to say so of itself. */
const cited: ReadonlySet<string> = new Set(["meta-analysis", "systematic review", "guideline", "review"]);

const who =
  "patients?|participants?|subjects?|adults|children|women|men|infants|neonates|people|individuals|volunteers|cases|controls|mice|rats|eyes|students|nurses|physicians|veterans|residents|pregnancies|families|trials|studies|articles|survivors";
const sizes = [
  new RegExp(
    `(?<![\\d.,])(\\d{1,3}(?:[, ]\\d{3})+|\\d{1,7})(?![\\d.%])\\s+(?:(?!of|in|to|and|or|years?|months?|weeks?|days?|mg|ml|%)[\\p{L}-]+\\s+){0,4}(?:${who})\\b`,
    "giu",
  ),
  /(?<![\p{L}\d])[nN]\s*=\s*(\d{1,3}(?:[, ]\d{3})+|\d{1,7})(?![\d.])/gu,
];
const people = new RegExp(
  `\\b(?:${who})\\b[^.;]{0,40}\\b(?:with|who|aged|undergoing|receiving|having|admitted|diagnosed|from)\\b`,
  "i",
);
const done =
  /\b(?:randomi[sz]ed|randomly|assigned|allocated|received|receiving|treated with|administered|were given|underwent|intervention|versus|vs\.?|compared (?:with|to)|placebo|supplement\w*|injected|infusion)\b/i;

/** Sections that tell of other studies, or of nobody's. */
const elsewhere =
  /^(?:[\d.]+\s*)?(?:introduction|background|aims?|objectives?|purpose|hypothes[ie]s|rationale|related|discussion|conclusions?|interpretation|comment|limitations?|strengths|future|implications|funding|authors?|electronic|supplement|references|acknowledg|data availability|ethic|conflict|competing|abbreviation)/i;
const ofOthers =
  /\b(?:recent|recently|previous|previously|earlier|prior|published|several|other|existing|most|future|further)\b/i;
const ofItself = /\b(?:we|our|this|present|current|here)\b/i;

/** Reads a document; of a full text its beginning, which is abstract, introduction and most of the methods. */
export function studyOf(document: IndexedDocument): Study {
  const sentences = sentencesOf(document, [0, 20_000]);
  const title = sentences.filter(({ section }) => section === "TITLE");
  const own = sentences.filter(({ section }) => section !== "TITLE" && !elsewhere.test(section ?? ""));
  const byRecord = kinds.find(([, publicationType]) => document.types.some((type) => publicationType.test(type)));
  const told = kindTold(title, () => true) ?? kindTold(own, saysOfItself);
  const isRecorded = byRecord !== undefined && (byRecord[0] !== "review" || told === undefined);
  const size = sizeIn([...title, ...own.filter(({ start }) => start < abstractLength)]) ?? sizeIn(own);
  const methods = own.filter(({ section }) =>
    /method|participant|patient|population|design|setting|intervention/i.test(section ?? ""),
  );
  const first = (pattern: RegExp): Citation | null => {
    const found = [...methods, ...own].find(({ text }) => pattern.test(text));
    return found === undefined ? null : citation(found);
  };
  return {
    type: isRecorded ? byRecord[0] : (told?.type ?? null),
    typeFrom: isRecorded || told === undefined ? null : citation(told.from),
    size: size?.value ?? null,
    sizeFrom: size?.from ?? null,
    population: first(people),
    intervention: first(done),
  };
}

/** A trial's methods speak of themselves; what is mostly cited has to be said of this study. */
function saysOfItself(text: string, kind: string): boolean {
  // "Our study protocol was approved": every trial has one, and a title says where it is all there is.
  if (kind === "study protocol") return false;
  return ofItself.test(text) || !(cited.has(kind) || ofOthers.test(text));
}

/** The strongest design that one of the sentences names, and that may count. */
function kindTold(
  sentences: readonly PlacedSentence[],
  mayCount: (text: string, kind: string) => boolean,
): { readonly type: string; readonly from: PlacedSentence } | undefined {
  for (const [type, , words] of kinds) {
    const from = sentences.find(({ text }) => words.test(text) && mayCount(text, type));
    if (from !== undefined) return { type, from };
  }
  return undefined;
}

/** In whose clause a number is not of those who were studied. */
const notStudied =
  /\b(?:screened|approached|contacted|invited|eligib\w+|exclud\w+|declin\w+|refus\w+|dropped|withdr\w+|new cases|deaths|worldwide|annually|each year|per year)\b/i;

/** The largest number that counts people, animals or studies. */
function sizeIn(sentences: readonly PlacedSentence[]): { value: number; from: Citation } | undefined {
  let best: { value: number; from: Citation } | undefined;
  for (const { document, start, text } of sentences) {
    for (const pattern of sizes) {
      for (const found of text.matchAll(pattern)) {
        const end = found.index + found[0].length;
        const clause =
          /[^,;:]*$/.exec(text.slice(0, found.index))![0] + found[0] + /^[^,;:]*/.exec(text.slice(end))![0];
        const value = Number(found[1]!.replace(/[, ]/g, ""));
        const isYear = value >= 1900 && value <= 2100 && !/[, ]/.test(found[1]!);
        if (isYear || value < 2 || value <= (best?.value ?? 0) || notStudied.test(clause)) continue;
        best = { value, from: cite(document, start + found.index, start + end) };
      }
    }
  }
  return best;
}
