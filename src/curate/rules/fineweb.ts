/**
 * FineWeb's own rules on lines (Penedo et al. 2024, arXiv 2406.17557, section 3.6), as datatrove 0.10 computes them
 * (`FineWebQualityFilter`), in its order: what is decided, and by which rule, is the same.
 */
import * as z from "zod";
import { terminalMarks } from "../text/characters.ts";
import { codePoints, countOf, isBlank, lessThan, moreThan, repeated, type Drop, type Judged } from "./judged.ts";

const part = z.number().min(0).max(1).nullable();

export const fineWebSettings = z.strictObject({
  /** Part of the lines that end in a terminal mark. */
  leastPunctuatedLines: part,
  /** Whether a text none of whose lines does is kept. */
  keepsUnpunctuated: z.boolean(),
  /** Part of the lines that are short, and the characters that a short one has at most. */
  mostShortLines: part,
  shortLine: z.int().min(0),
  /** Part of the characters in lines that were there before. */
  mostRepeatedCharacters: part,
  /** Line feeds a word. */
  mostLineFeeds: z.number().min(0).nullable(),
});
export type FineWebSettings = z.output<typeof fineWebSettings>;

/** The paper's, as datatrove has them. */
export const fineWebDefaults: FineWebSettings = {
  leastPunctuatedLines: 0.12,
  keepsUnpunctuated: false,
  mostShortLines: 0.67,
  shortLine: 30,
  mostRepeatedCharacters: 0.01,
  mostLineFeeds: 0.3,
};

function endsInMark(line: string): boolean {
  const last = line.slice(-1);
  return terminalMarks.has(last) || (last >= "\uDC00" && last <= "\uDFFF" && terminalMarks.has(line.slice(-2)));
}

/** By which of FineWeb's rules a text is dropped, if by any. */
export function fineWebDrop({ text, length, words }: Judged, settings: FineWebSettings): Drop | undefined {
  const lines = text.split("\n").filter((line) => !isBlank(line));
  if (lines.length === 0) return { rule: "fineweb-empty", detail: "no text" };
  const punctuated = lines.filter(endsInMark).length / lines.length;
  const short = lines.filter((line) => codePoints(line) <= settings.shortLine).length / lines.length;
  const feeds = countOf(text, "\n");
  const isKept = punctuated === 0 && settings.keepsUnpunctuated;
  return (
    (isKept
      ? undefined
      : lessThan(
          punctuated,
          settings.leastPunctuatedLines,
          "fineweb-punctuated-lines",
          "of the lines end in punctuation",
        )) ??
    moreThan(
      short,
      settings.mostShortLines,
      "fineweb-short-lines",
      `of the lines have up to ${settings.shortLine} characters`,
    ) ??
    moreThan(
      repeated(lines).characters / (length - feeds),
      settings.mostRepeatedCharacters,
      "fineweb-repeated-lines",
      "of the characters are in lines that repeat one",
    ) ??
    moreThan(feeds / words().length, settings.mostLineFeeds, "fineweb-lists", "line feeds a word")
  );
}
