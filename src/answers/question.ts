/**
 * What is asked: the words that carry it, whether it can be answered by yes or no, and how a search is asked for it.
 * A question is text, never a query: parentheses, quotes and operators in it mean nothing.
 */
import { UsageError } from "../errors.ts";
import { shown } from "../schema.ts";
import { type StemmedWord, stemmedWords } from "../search/words.ts";

export interface Question {
  readonly text: string;
  /** "whether": yes, no or maybe is an answer. */
  readonly kind: "whether" | "what";
  /** Its content words as they stand, one of each stem, at most `mostWords`. */
  readonly words: readonly string[];
  /** Stems of `words`. */
  readonly stems: readonly string[];
  /** For `SearchIndex.search`: words without marks or operators. */
  readonly query: string;
}

/** Most characters of a question. */
const mostCharacters = 2000;
const mostWords = 32;

const auxiliary =
  "is|are|was|were|am|do|does|did|can|could|has|have|had|should|will|would|may|might|must|isn't|aren't|doesn't|don't|didn't|can't";
/** At its beginning, or behind a mark: "Statins in old age: do they help?". */
const whether = new RegExp(`(?:^|[:;,.?!–—-]\\s*)(?:so |and |but |or |if so,? )?(?:${auxiliary})\\b[^.:;]*\\??$`, "i");
const open = /^(?:(?:in|of|for|by|with|to|from|on|at|under) )?(?:what|which|who|whom|whose|when|where|why|how)\b/i;

/** Words that ask, join or are in every text. */
const empty = new Set(
  `a about after all also among an and any are as at be because been before being between both but by can could describe did
  do does doing during each either explain for from give had has have having how i if in into is it its itself known list
  may me might more most must name no nor not of on or other our out over please same shall should show so some such tell
  than that the their them then there these they this those through to under up upon use used using via was we were what
  when where whether which while who whom whose why will with within without would you your`.split(/\s+/),
);

/** Words that say something, in their order. */
export function contentWords(text: string): StemmedWord[] {
  return stemmedWords(text).filter(({ word }) => !empty.has(word));
}

/** Stems of the words that say something, in their order, each once. */
export function contentStems(text: string): string[] {
  return [...new Set(contentWords(text).map(({ stem }) => stem))];
}

/**
 * Reads a question.
 * @throws UsageError where it has no word, or more than 2,000 characters.
 */
export function readQuestion(text: string): Question {
  if (typeof text !== "string" || text.length > mostCharacters) {
    throw new UsageError(`question: expected a text of at most ${mostCharacters} characters, got ${shown(text)}`);
  }
  const trimmed = text.replace(/\s+/g, " ").trim();
  const all = stemmedWords(trimmed);
  if (all.length === 0) {
    throw new UsageError(`question: expected words, got ${shown(text)}`);
  }
  const content = contentWords(trimmed);
  const byStem = new Map((content.length === 0 ? all : content).map(({ word, stem }) => [stem, word]));
  const stems = [...byStem.keys()].slice(0, mostWords);
  const words = stems.map((stem) => byStem.get(stem)!);
  const last = trimmed.split(/(?<=[.?!])\s+/).at(-1)!;
  const kind = !open.test(last) && whether.test(last) ? "whether" : "what";
  return { text: trimmed, kind, words, stems, query: words.join(" ") };
}
