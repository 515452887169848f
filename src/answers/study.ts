/**
 * What kind of study a document reports, how large it is, who was studied and what was done: by its publication types and
 * by plain patterns. What is not found is null, never guessed; every text is quoted with its place.
 */
import type { IndexedDocument } from "../search/types.ts";
import { citation, cite } from "./quote.ts";
import { type PlacedSentence, sentencesOf } from "./sentence.ts";
import type { Citation } from "./types.ts";

export interface Study {
  /** "randomised trial", "cohort study"; null: not said. */
  readonly type: string | null;
  /** Where its text says so; null where the record's publication type does. */
  readonly typeFrom: Citation | null;
  /** People, animals or studies, the largest number that is said of them. */
  readonly size: number | null;
  readonly sizeFrom: Citation | null;
  readonly population: Citation | null;
  readonly intervention: Citation | null;
}

/** By publication type or by words; the strongest design first. */
const kinds: readonly (readonly [name: string, publicationType: RegExp, words: RegExp])[] = [
  ["meta-analysis", /^meta-analysis$/i, /\b(?:meta-?analys[ei]s|pooled analysis)\b/i],
  ["systematic review", /^systematic review$/i, /\bsystematic(?:ally)? review/i],
  [
    "randomised trial",
    /randomi[sz]ed controlled trial|clinical trial, phase iii/i,
    /\brandomi[sz]ed\b|\brandomly (?:assigned|allocated|divided)\b|\bplacebo-controlled\b/i,
  ],
  ["guideline", /guideline/i, /\bclinical practice guideline/i],
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
    /\bcase (?:report|series)\b|\bwe (?:report|describe|present) (?:a|the) (?:case|patient)/i,
  ],
  ["animal study", /^animal/i, /\b(?:mice|mouse|rats?|zebrafish|rabbits?|pigs?|dogs?|monkeys?)\b/i],
  ["laboratory study", /in vitro/i, /\bin vitro\b|\bcell lines?\b|\bcells were\b/i],
  ["review", /^review$/i, /\b(?:this|we) review\b|\breviewed\b/i],
];

const who =
  "patients?|participants?|subjects?|adults|children|women|men|infants|neonates|people|individuals|volunteers|cases|controls|mice|rats|eyes|students|nurses|physicians|veterans|residents|pregnancies|families|trials|studies|articles";
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

/** Reads a document; of a full text its beginning. */
export function studyOf(document: IndexedDocument): Study {
  const sentences = sentencesOf(document, [0, 12_000]);
  const body = sentences.filter(({ section }) => section !== "TITLE");
  const byRecord = kinds.find(([, publicationType]) => document.types.some((type) => publicationType.test(type)));
  const byWords = kinds.find(([, , words]) => sentences.some(({ text }) => words.test(text)));
  const kind = byRecord !== undefined && byRecord[0] !== "review" ? byRecord : (byWords ?? byRecord);
  const from = kind === byRecord ? undefined : sentences.find(({ text }) => kind![2].test(text));
  const size = sizeIn(body);
  const methods = body.filter(({ section }) =>
    /method|participant|patient|design|setting|intervention/i.test(section ?? ""),
  );
  const first = (pattern: RegExp): Citation | null => {
    const found = [...methods, ...body].find(({ text }) => pattern.test(text));
    return found === undefined ? null : citation(found);
  };
  return {
    type: kind?.[0] ?? null,
    typeFrom: from === undefined ? null : citation(from),
    size: size?.value ?? null,
    sizeFrom: size?.from ?? null,
    population: first(people),
    intervention: first(done),
  };
}

function sizeIn(sentences: readonly PlacedSentence[]): { value: number; from: Citation } | undefined {
  let best: { value: number; from: Citation } | undefined;
  for (const { document, start, text } of sentences) {
    for (const pattern of sizes) {
      for (const found of text.matchAll(pattern)) {
        const value = Number(found[1]!.replace(/[, ]/g, ""));
        const isYear = value >= 1900 && value <= 2100 && !/[, ]/.test(found[1]!);
        if (isYear || value < 2 || value <= (best?.value ?? 0)) continue;
        best = { value, from: cite(document, start + found.index, start + found.index + found[0].length) };
      }
    }
  }
  return best;
}
