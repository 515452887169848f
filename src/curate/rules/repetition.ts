/**
 * Gopher's rules on repetition (Rae et al. 2021, arXiv 2112.11446, table A1), as datatrove 0.10 computes them
 * (`GopherRepetitionFilter`), in its order: what is decided, and by which rule, is the same.
 */
import * as z from "zod";
import { strip } from "../text/characters.ts";
import { moreThan, repeated, type Drop, type Judged } from "./judged.ts";
import { runsOf } from "./runs.ts";

const part = z.number().min(0).max(1).nullable();
const runs = z.record(z.string().regex(/^[1-9]\d?$/), part);

export const repetitionSettings = z.strictObject({
  /** Part of the lines, and of the paragraphs, that were there before. */
  mostLines: part,
  mostParagraphs: part,
  /** Part of the characters in such lines, and in such paragraphs. */
  mostLineCharacters: part,
  mostParagraphCharacters: part,
  /** Words of a run: part of the characters in the run that occurs most often. */
  mostInTopRun: runs,
  /** Words of a run: part of the characters in runs that were there before. */
  mostInRepeatedRuns: runs,
});
export type RepetitionSettings = z.output<typeof repetitionSettings>;

/** The paper's, as datatrove has them. */
export const repetitionDefaults: RepetitionSettings = {
  mostLines: 0.3,
  mostParagraphs: 0.3,
  mostLineCharacters: 0.2,
  mostParagraphCharacters: 0.2,
  mostInTopRun: { "2": 0.2, "3": 0.18, "4": 0.16 },
  mostInRepeatedRuns: { "5": 0.15, "6": 0.14, "7": 0.13, "8": 0.12, "9": 0.11, "10": 0.1 },
};

function partDrop({ text, length }: Judged, settings: RepetitionSettings): Drop | undefined {
  const paragraphs = strip(text).split(/\n{2,}/);
  const lines = text.split(/\n+/);
  const [ofParagraphs, ofLines] = [repeated(paragraphs), repeated(lines)];
  return (
    moreThan(
      ofParagraphs.count / paragraphs.length,
      settings.mostParagraphs,
      "repetition-paragraphs",
      "of the paragraphs repeat one",
    ) ??
    moreThan(
      ofParagraphs.characters / length,
      settings.mostParagraphCharacters,
      "repetition-paragraph-characters",
      "of the characters are in paragraphs that repeat one",
    ) ??
    moreThan(ofLines.count / lines.length, settings.mostLines, "repetition-lines", "of the lines repeat one") ??
    moreThan(
      ofLines.characters / length,
      settings.mostLineCharacters,
      "repetition-line-characters",
      "of the characters are in lines that repeat one",
    )
  );
}

/** By which rule on repetition a text is dropped, if by any. */
export function repetitionDrop(text: Judged, settings: RepetitionSettings): Drop | undefined {
  if (text.text === "") return { rule: "repetition-empty", detail: "no text" };
  const early = partDrop(text, settings);
  if (early !== undefined) return early;
  const found = runsOf(text.words());
  for (const [size, most] of Object.entries(settings.mostInTopRun)) {
    if (most === null || found.count < Number(size)) continue;
    const what = `of the characters are in one run of ${size} words`;
    const drop = moreThan(found.most(Number(size)) / text.length, most, `repetition-top-${size}-words`, what);
    if (drop !== undefined) return drop;
  }
  for (const [size, most] of Object.entries(settings.mostInRepeatedRuns)) {
    if (most === null) continue;
    const what = `of the characters are in runs of ${size} words that were there before`;
    const drop = moreThan(found.repeated(Number(size)) / text.length, most, `repetition-${size}-words`, what);
    if (drop !== undefined) return drop;
  }
  return undefined;
}
