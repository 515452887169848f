/** What a review shows, as plain data: a run's triples with what people said of them, and those that were added. */
import { decisionKey, type Decision, type ReviewMention, type ReviewTriple } from "../extract/review-state.ts";
import type { PersonDecision, ReviewDocument, ReviewedTriple } from "../serve/literature/replies.ts";
import type { MarkedRange } from "./pieces.ts";

export interface ShownTriple extends ReviewedTriple {
  readonly key: string;
  /** Names and relation of the run; null: someone added it. */
  readonly original: Decision["original"];
  readonly by: readonly PersonDecision[];
  /** What the reader said. */
  readonly own: PersonDecision | undefined;
  readonly conflict: boolean;
  /** It no longer reads as in the run. */
  readonly changed: boolean;
}

const namesOf = ({ head, relation, tail }: ReviewTriple): NonNullable<Decision["original"]> => ({
  head: head.name,
  relation,
  tail: tail.name,
});

const sameNames = (a: ReviewTriple, b: ReviewTriple): boolean =>
  JSON.stringify(namesOf(a)) === JSON.stringify(namesOf(b));

/** As the reader reads them: in their own words, else in those of whoever spoke last. */
export function triplesOf(document: ReviewDocument, person: string): ShownTriple[] {
  const joint = new Map(document.decisions.map((one) => [one.key, one]));
  const shown = (triple: ReviewedTriple, key: string, original: Decision["original"]): ShownTriple => {
    const { by = [], conflict = false } = joint.get(key) ?? {};
    const own = by.find((one) => one.person === person);
    const said = own ?? by.at(-1);
    const words =
      said === undefined ? triple : { ...triple, head: said.head, tail: said.tail, relation: said.relation };
    return { ...words, key, original, by, own, conflict, changed: original !== null && !sameNames(words, triple) };
  };
  const ofRun = document.triples.map((triple) => {
    const original = namesOf(triple);
    return shown(triple, decisionKey({ ...triple, original }), original);
  });
  const keys = new Set(ofRun.map(({ key }) => key));
  const added = document.decisions
    .filter(({ key, by }) => !keys.has(key) && by.length > 0)
    .map(({ key, by }) => shown({ ...by.at(-1)!, sentences: [] }, key, null));
  return [...ofRun, ...added];
}

/** Places to mark in the title or the text: those of the chosen triple, and fainter those of the others. */
export function rangesOf(
  field: "title" | "text",
  chosen: ReviewTriple | undefined,
  triples: readonly ReviewTriple[],
): MarkedRange[] {
  const ranges: MarkedRange[] = [];
  const add = ({ at }: ReviewMention, kind: string): void => {
    if (at?.field === field) ranges.push({ start: at.start, end: at.end, kind });
  };
  if (chosen !== undefined) {
    add(chosen.head, "head");
    add(chosen.tail, "tail");
  }
  for (const { head, tail } of triples) for (const mention of [head, tail]) add(mention, "other");
  return ranges;
}

/** A selection widened to whole words, without space at its ends; undefined where nothing is left. */
export function wholeWords(text: string, from: number, to: number): readonly [start: number, end: number] | undefined {
  const isWord = (i: number): boolean => i >= 0 && i < text.length && /[\p{L}\p{N}]/u.test(text[i]!);
  let [start, end] = [from, to];
  while (start < end && /\s/.test(text[start]!)) start += 1;
  while (end > start && /\s/.test(text[end - 1]!)) end -= 1;
  if (start >= end) return undefined;
  while (isWord(start) && isWord(start - 1)) start -= 1;
  while (isWord(end - 1) && isWord(end)) end += 1;
  return [start, end];
}
