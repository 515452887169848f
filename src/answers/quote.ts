/**
 * Scored sentences as sentences of an answer: those that say the same become one with several citations, and a citation
 * is made of a place in a document, never of anything that was written.
 */
import type { IndexedDocument } from "../search/types.ts";
import { directionsIn, isNegated, numbersIn } from "./claims.ts";
import type { ScoredSentence } from "./score.ts";
import type { PlacedSentence } from "./sentence.ts";
import type { AnswerSentence, Citation } from "./types.ts";
import { wordsOf } from "../search/words.ts";

/** A place of a document, quoted. */
export function cite(document: IndexedDocument, start: number, end: number): Citation {
  const { id, title, year, retracted } = document;
  return { id, start, end, quote: document.text.slice(start, end), title, year, retracted };
}

/** A sentence, quoted. */
export const citation = ({ document, start, end }: PlacedSentence): Citation => cite(document, start, end);

/** Sentences of several documents that say the same, the best first. */
export type Agreeing = readonly [ScoredSentence, ...ScoredSentence[]];

interface Content {
  readonly stems: ReadonlySet<string>;
  readonly claims: string;
}

/** What has to be equal, besides most of the words, for two sentences to say the same. */
function contentOf(text: string): Content {
  const claims = [
    ...numbersIn(text)
      .map(({ value, unit }) => `${value}${unit}`)
      .sort(),
    isNegated(text),
    ...directionsIn(text).sort(),
  ];
  return { stems: new Set(wordsOf(text)), claims: claims.join("|") };
}

const sameWords = 0.75;

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const stem of a) if (b.has(stem)) common += 1;
  return common / Math.max(1, a.size + b.size - common);
}

/** At most `limit` groups, in the order of their first sentences; a document is cited once in each. */
export function groupAgreeing(sentences: readonly ScoredSentence[], limit: number): Agreeing[] {
  const groups: { content: Content; members: [ScoredSentence, ...ScoredSentence[]] }[] = [];
  for (const sentence of sentences) {
    const content = contentOf(sentence.text);
    const group = groups.find(
      (one) => one.content.claims === content.claims && overlap(one.content.stems, content.stems) >= sameWords,
    );
    if (group === undefined) {
      if (groups.length < limit) groups.push({ content, members: [sentence] });
    } else if (!group.members.some(({ document }) => document.id === sentence.document.id))
      group.members.push(sentence);
  }
  return groups.map(({ members }) => members);
}

/** The first of the group as it stands, with every place that says it. */
export function quoted(group: Agreeing): AnswerSentence {
  const [{ text, score, covers }] = group;
  return { text, citations: group.map(citation), support: score, ...(covers !== undefined && { covers }) };
}
