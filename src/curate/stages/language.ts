/**
 * In which language a document's prose is, and whether that is to be kept. Told by eld (Nito T.M., 60 languages, n-grams of
 * bytes), which is loaded when the stage is opened; from several places of the prose, so that an English summary before a text
 * in another language is not all that is heard. Texts too short to tell by pass, and are counted.
 */
import * as z from "zod";
import { type CorpusDocument, wholeText } from "../../corpus/corpus-document.ts";
import type { MapStage, Outcome } from "../stage.ts";

export const languageSettings = z.strictObject({
  /** ISO 639-1 codes. */
  keep: z
    .array(z.string().regex(/^[a-z]{2}$/))
    .min(1)
    .default(["en"]),
  /** Confidence (eld's score, 0 to 1) that a text needs; English abstracts have 0.7 and more, lists of names 0.5. */
  least: z.number().min(0).max(1).default(0.5),
  /** Letters below which a text is too short to tell. */
  leastLetters: z.int().min(0).default(40),
  /** Places that are looked at, of 1,000 characters each. */
  places: z.int().min(1).max(100).default(3),
});
export type LanguageSettings = z.output<typeof languageSettings>;

export interface Language {
  /** ISO 639-1; "" where none can be told. */
  readonly code: string;
  readonly confidence: number;
}
type Detector = (text: string) => Language;

async function loadDetector(): Promise<Detector> {
  const { eld } = await import("eld/medium");
  return (text) => {
    const found = eld.detect(text);
    return { code: found.language, confidence: found.getScores()[found.language] ?? 0 };
  };
}

/** eld looks at no more of a text. */
const placeLength = 1000;

/** Places of a text, from its beginning to its end at equal distances. */
function placesOf(text: string, most: number): string[] {
  const count = Math.max(1, Math.min(most, Math.floor(text.length / placeLength)));
  const step = count === 1 ? 0 : (text.length - placeLength) / (count - 1);
  return Array.from({ length: count }, (_, i) => text.slice(Math.floor(i * step), Math.floor(i * step) + placeLength));
}

/** The language that most places are in, weighted by how sure each is, and how sure those are on average. */
function languageOf(places: readonly string[], detect: Detector): Language {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { code, confidence } of places.map(detect)) {
    const { sum, count } = sums.get(code) ?? { sum: 0, count: 0 };
    sums.set(code, { sum: sum + confidence, count: count + 1 });
  }
  const [[code, { sum, count }]] = [...sums].sort(([, a], [, b]) => b.sum - a.sum) as [
    [string, { sum: number; count: number }],
  ];
  return { code, confidence: sum / count };
}

function hasLetters(text: string, least: number): boolean {
  let count = 0;
  for (const _ of text.matchAll(/\p{L}/gu)) if (++count >= least) return true;
  return count >= least;
}

function outcomeOf(document: CorpusDocument, detect: Detector, settings: LanguageSettings): Outcome {
  const prose = document.sections.filter(({ kind }) => kind === "abstract" || kind === "text");
  const text = prose.length > 0 ? prose.map((section) => section.text).join("\n\n") : wholeText(document);
  if (!hasLetters(text, settings.leastLetters)) return { keep: true, changes: { "language-too-short": 1 } };
  const { code, confidence } = languageOf(placesOf(text, settings.places), detect);
  const shown = `${code === "" ? "none" : code} ${confidence.toFixed(2)}`;
  if (confidence < settings.least)
    return { keep: false, rule: "language-unsure", detail: `${shown}, at least ${settings.least}` };
  if (!settings.keep.includes(code))
    return { keep: false, rule: "language", detail: `${shown}, kept: ${settings.keep.join(", ")}` };
  return document.language === code
    ? { keep: true }
    : { keep: true, document: { ...document, language: code }, changes: { language: 1 } };
}

export const languageStage: MapStage<LanguageSettings> = {
  name: "language",
  about: "Keeps documents in the languages asked for, and says which each is in",
  version: 1,
  rewrites: true,
  settings: languageSettings,
  async open(settings) {
    const detect = await loadDetector();
    return { run: (documents) => documents.map((one) => outcomeOf(one, detect, settings)) };
  },
};
