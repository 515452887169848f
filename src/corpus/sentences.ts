/**
 * Sentences of biomedical prose as ranges: the Unicode rules (UAX #29, Intl.Segmenter), undone after abbreviations,
 * initials and numbers, and before what does not begin a sentence.
 */
import type { Range } from "./text.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });
const abbreviation =
  /(?:^|[\s([])(?:e\.g|i\.e|vs|cf|ca|approx|resp|Fig|Figs|Eq|Eqs|Ref|Refs|No|Nos|Dr|Prof|St|sp|spp|subsp|var|al|etc|Inc|Ltd|Co|[A-Z])\.\s*$/;

/** Ranges of the sentences of `text` (UTF-16 code units), without the white space around them; none is empty. */
export function splitSentences(text: string): Range[] {
  const ranges: [number, number][] = [];
  for (const { segment, index } of segmenter.segment(text)) {
    const last = ranges.at(-1);
    const joined = last !== undefined && joins(text.slice(Math.max(last[0], last[1] - 40), last[1]), segment);
    if (joined) last[1] = index + segment.length;
    else ranges.push([index, index + segment.length]);
  }
  return ranges.flatMap(([start, end]): Range[] => {
    const raw = text.slice(start, end);
    const trimmed = raw.trim();
    const from = start + raw.indexOf(trimmed);
    return trimmed === "" ? [] : [[from, from + trimmed.length]];
  });
}

/** Whether what follows still belongs to the sentence before it; a blank line always parts. */
function joins(before: string, after: string): boolean {
  if (/\n\s*\n\s*$/.test(before)) return false;
  if (/\n\s*$/.test(before) && !/[.?!:]\s*$/.test(before)) return /^[\s]*\p{Ll}/u.test(after);
  return abbreviation.test(before) || /^[\s]*[\p{Ll},;)]/u.test(after);
}
