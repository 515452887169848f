/**
 * How likely a sentence answers a question: a logistic model over a few numbers a reader can name (which of the question's
 * words it has, weighted by their rarity in the index; which its document has; how near its vector is), fitted to what
 * answers questions of experts and of patients. One set of weights with vectors, one for words alone (`bench/answers.ts`).
 */
import { dot } from "../retrieval/vector-similarity.ts";
import type { IndexedDocument, SearchIndex } from "../search/types.ts";
import { directionsIn } from "./claims.ts";
import { namesFocus, type Question, speaksOf } from "./question.ts";
import { canAnswer, isFinding, type PlacedSentence, sentencesOf } from "./sentence.ts";
import { wordsOf } from "../search/words.ts";

/** A document that a search found, with its place from 0. */
export interface Retrieved {
  readonly document: IndexedDocument;
  readonly rank: number;
  /** The best passage. */
  readonly start: number;
  readonly end: number;
}

export interface ScoredSentence extends PlacedSentence {
  /** Probability that an expert would mark it as answering, by the fit. */
  readonly score: number;
  /** Share of the question's words that it has, by rarity; absent where nothing was asked. */
  readonly covers?: number;
  readonly rank: number;
}

/** Names of the numbers, in the order of the weights; the last stands where the index has vectors. */
export const featureNames = [
  "constant",
  "words in the sentence, by rarity",
  "words in title, sentence and its neighbours",
  "words in the sentences around",
  "rarest words in title, sentence and neighbours",
  "rarity of the rarest word that the sentences around lack",
  "length of the sentence",
  "is the title",
  "says what was found",
  "rank of the document",
  "words of the question",
  "rarest words in title and sentence",
  "rarest words in the title",
  "speaks of what is asked about",
  "does not speak of it",
  "share of its neighbours that speak of it",
  "stands under what is asked about, by the rarest words in title and heading",
  "stands under something else",
  "lacks what the question's verb is about",
  "says in which direction, where that is asked",
  "cosine of question and sentence",
] as const;

/** Measured by `bench/answers.ts` on the calibration halves of BioASQ 7b-10b and the NIH's pages, and on PubMedQA. */
export const weights: { readonly words: readonly number[]; readonly vectors: readonly number[] } = {
  words: [
    -6.89, 0.794, 3.263, 2.234, -0.385, -0.515, -0.373, 1.225, 0.949, 2, -0.096, 1.346, -1.288, -1.518, -1.855, 1.213,
    0.406, -4.222, -0.624, 0.288,
  ],
  vectors: [
    -8.782, -0.782, 2.458, 2.737, -0.194, 0.177, 0.339, 1.388, 1.128, 1.42, 0.489, 1.823, -1.234, -1.874, -2.118, 1.936,
    0.717, -3.757, -0.632, 0.18, 3.451,
  ],
};

/** Characters of a document of which all sentences are looked at; of longer ones those around the best passage. */
const wholeDocument = 60_000;
const around = 1200;
/** Sentences on each side that tell what a sentence is about: as many as an abstract has. */
const surroundings = 10;
/** Sentences whose vectors are made: the best by words. */
const mostVectors = 64;

/** Of each of the question's words, -log of the share of documents that have it, over that of a word in none: 0 to 1. */
export async function raritiesOf(index: SearchIndex, question: Question, signal?: AbortSignal): Promise<number[]> {
  const documents = await index.count();
  const counts = await Promise.all(
    question.words.map(
      async (word) => (await index.search(word, { mode: "text", limit: 1, rerank: false, signal })).total ?? 0,
    ),
  );
  const rarest = Math.log(documents + 1);
  return counts.map((count) => (rarest === 0 ? 1 : Math.max(0.02, 1 - Math.log(count + 1) / rarest)));
}

interface Candidate {
  readonly sentence: PlacedSentence;
  readonly rank: number;
  /** Without the last. */
  readonly features: number[];
}

/** Sentences of the documents with what the weights are for; those that cannot answer are left out. */
export function candidatesOf(
  question: Question,
  rarities: readonly number[],
  found: readonly Retrieved[],
): Candidate[] {
  const sum = rarities.reduce((total, one) => total + one, 0);
  const every = rarities.map((_, i) => i);
  const rarest = every.toSorted((a, b) => rarities[b]! - rarities[a]!).slice(0, 2);
  const share = (had: WordBits, of: readonly number[] = every): number => {
    const weight = (i: number): number => rarities[i]!;
    const all = of.reduce((total, i) => total + weight(i), 0);
    return all === 0 ? 0 : of.reduce((total, i) => total + (hasBit(had, i) ? weight(i) : 0), 0) / all;
  };
  const bitsOf = (stems: readonly string[]): WordBits => bitsOfStems(question.stems, stems);
  const outcome = bitsOf(question.outcome);
  return found.flatMap(({ document, rank, start, end }) => {
    const range: [number, number] =
      document.text.length <= wholeDocument ? [0, document.text.length] : [Math.max(0, start - around), end + around];
    const sentences = sentencesOf(document, range);
    const title = bitsOf(wordsOf(document.title));
    const words = sentences.map(({ text }) => wordsOf(text));
    const own = words.map(bitsOf);
    const within = (i: number, steps: number): WordBits =>
      own.slice(Math.max(0, i - steps), i + steps + 1).reduce((all, one) => all | one, title);
    const speaking = sentences.map(({ text }) => question.focus && speaksOf(question.focus, text));
    const under = new Map(
      [...new Set(sentences.map(({ heading }) => heading))].map((heading) => {
        const bits = title | bitsOf(wordsOf(heading ?? ""));
        return [heading, { bits, named: question.focus && namesFocus(question.focus, heading) }];
      }),
    );
    return sentences.flatMap((sentence, i): Candidate[] => {
      if (!canAnswer(sentence, words[i]!.length)) return [];
      const { bits: about, named } = under.get(sentence.heading)!;
      const [near, whole] = [about | within(i, 1), within(i, surroundings)];
      const features = [
        1,
        share(own[i]!),
        share(near),
        share(whole),
        share(near, rarest),
        Math.max(0, ...every.map((word) => (hasBit(whole, word) ? 0 : rarities[word]!))),
        Math.min(1, Math.log(1 + words[i]!.length) / 5),
        sentence.section === "TITLE" ? 1 : 0,
        isFinding(sentence) ? 1 : 0,
        1 / (1 + rank),
        Math.min(1, sum / 8),
        share(about | own[i]!, rarest),
        share(title, rarest),
        speaking[i] === true ? 1 : 0,
        speaking[i] === false ? 1 : 0,
        shareSpeaking(speaking, i),
        named === true ? share(about, rarest) : 0,
        named === false ? 1 : 0,
        outcome !== 0 && (own[i]! & outcome) === 0 ? 1 : 0,
        outcome !== 0 && directionsIn(sentence.text).length > 0 ? 1 : 0,
      ];
      return [{ sentence, rank, features }];
    });
  });
}

/** Which of a question's words a text has, a bit each; a question has at most 32. */
type WordBits = number;

const hasBit = (bits: WordBits, word: number): boolean => (bits & (1 << word)) !== 0;

function bitsOfStems(asked: readonly string[], stems: readonly string[]): WordBits {
  const had = new Set(stems);
  return asked.reduce((bits, stem, i) => (had.has(stem) ? bits | (1 << i) : bits), 0);
}

/** Sentences before and behind that are looked at, of which one's subject may be told. */
const reach = 3;

function shareSpeaking(speaking: readonly (boolean | undefined)[], at: number): number {
  const near = speaking.slice(Math.max(0, at - reach), at + reach + 1);
  return near.filter((one) => one === true).length / near.length;
}

export function probabilityOf(fitted: readonly number[], features: readonly number[]): number {
  const sum = fitted.reduce((total, weight, i) => total + weight * features[i]!, 0);
  return 1 / (1 + Math.exp(-sum));
}

/** The candidates whose vectors are worth making. */
export function bestByWords(candidates: readonly Candidate[]): Candidate[] {
  const ordered = candidates.map((one) => ({ one, score: probabilityOf(weights.words, one.features) }));
  return ordered
    .sort((a, b) => b.score - a.score)
    .slice(0, mostVectors)
    .map(({ one }) => one);
}

export interface ScoreOptions {
  /** Sentences that come into question. Default: all. */
  readonly accept?: ((text: string) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sentences of the documents, likeliest first; at most 64. */
export async function scoreSentences(
  index: SearchIndex,
  question: Question,
  found: readonly Retrieved[],
  { accept = () => true, signal }: ScoreOptions = {},
): Promise<ScoredSentence[]> {
  const all = candidatesOf(question, await raritiesOf(index, question, signal), found);
  const best = bestByWords(all.filter(({ sentence }) => accept(sentence.text)));
  signal?.throwIfAborted();
  let scores = best.map(({ features }) => probabilityOf(weights.words, features));
  if (index.dense && best.length > 0) {
    const [asked] = await index.embed("query", [question.text]);
    const vectors = await index.embed(
      "document",
      best.map(({ sentence }) => sentence.text),
    );
    scores = best.map(({ features }, i) => probabilityOf(weights.vectors, [...features, dot(asked!, vectors[i]!)]));
  }
  return best
    .map(({ sentence, rank, features }, i) => ({ ...sentence, rank, score: scores[i]!, covers: features[1]! }))
    .sort((a, b) => b.score - a.score || a.rank - b.rank || a.start - b.start);
}
