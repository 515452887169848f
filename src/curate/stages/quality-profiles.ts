/**
 * Which thresholds a kind of source needs. The papers' were found on web pages; on 14,000 texts of the field they drop 24 to 69 %,
 * and hardly a bad one was among those looked at. A profile says where it departs from the papers, and why; `bench/quality-drops.ts`
 * prints the rates. What is not said is as in the papers.
 */
import * as z from "zod";
import { c4Settings } from "../rules/c4.ts";
import { fineWebSettings } from "../rules/fineweb.ts";
import { gopherSettings } from "../rules/gopher.ts";
import { repetitionSettings } from "../rules/repetition.ts";

/** A set of rules: off, on, or on with other thresholds. */
const setOf = <S extends z.ZodType>(changes: S): z.ZodOptional<z.ZodUnion<readonly [z.ZodBoolean, S]>> =>
  z.union([z.boolean(), changes]).optional();

export const profileNames = ["papers", "web", "literature", "trials", "notes"] as const;
export type ProfileName = (typeof profileNames)[number];

export const ruleSets = z.strictObject({
  repetition: setOf(repetitionSettings.partial()),
  gopher: setOf(gopherSettings.partial()),
  c4: setOf(c4Settings.partial()),
  fineweb: setOf(fineWebSettings.partial()),
});
/** What is said of sets of rules; what is not said stays as it was. */
export type RuleSets = z.output<typeof ruleSets>;

/** Runs repeat where drugs, arms and criteria have long names. A text that stands there twice (0.42 and more) does not pass. */
const repetition = {
  mostInTopRun: { "2": 0.25, "3": 0.25, "4": 0.25 },
  mostInRepeatedRuns: { "5": 0.4, "6": 0.4, "7": 0.4, "8": 0.4, "9": 0.4, "10": 0.4 },
};
/**
 * Numbers, and punctuation, which datatrove counts as words, are a fifth to half of the field's words: the paper's 0.8 alone
 * drops 20 to 57 %. Names of compounds cut at every hyphen come down to 0.47.
 */
const leastWordsWithLetters = 0.4;
/** Abstracts of a few sentences are whole texts; short criteria of a trial, or a part of a note, too. */
const leastWords = 20;
/** An abstract is one line (every fifth without a full stop), trials and notes are lists, formulae have "{". */
const lines = { c4: false, fineweb: false };

export const profiles: Readonly<Record<ProfileName, RuleSets>> = {
  papers: {},
  /** As FineWeb ran C4's rules; letters as above, but for pages. */
  web: { gopher: { leastWordsWithLetters: 0.6 }, c4: { needsTerminalPunctuation: false } },
  /** Proceedings in one article have more words than a book. */
  literature: { gopher: { leastWords, mostWords: null, leastWordsWithLetters }, repetition, ...lines },
  /** Criteria are bullets without stop words; the summary stands once more in the description, arms and outcomes are alike. */
  trials: {
    gopher: { leastWords, leastWordsWithLetters, mostBulletLines: null, leastStopWords: null },
    repetition: {
      ...repetition,
      mostLines: 0.5,
      mostLineCharacters: 0.5,
      mostParagraphs: 0.5,
      mostParagraphCharacters: 0.5,
    },
    ...lines,
  },
  /** Notes leave words out ("Negative for chills."), list, and repeat a diagnosis before and after an operation. */
  notes: {
    gopher: { leastWords, leastWordsWithLetters, mostBulletLines: null, leastStopWords: null },
    repetition: {
      ...repetition,
      mostLines: 0.5,
      mostLineCharacters: 0.4,
      mostInTopRun: { "2": 0.35, "3": 0.35, "4": 0.35 },
    },
    ...lines,
  },
};

/** By the name of the reader that a document came from. */
export function profileOf(kind: string): ProfileName {
  if (kind === "html") return "web";
  if (kind === "clinicaltrials") return "trials";
  return kind === "clinical-notes" ? "notes" : "literature";
}
