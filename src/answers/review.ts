/**
 * A question as a small literature review: sub-questions, and for each of them a table of documents with study type, size,
 * who was studied, what was done and what was found, every text quoted with its place. A starting point for a reviewer, no
 * systematic review: what the search does not find is not in it.
 */
import type { SearchIndex } from "../search/types.ts";
import { retrieve } from "./ask.ts";
import { readQuestion } from "./question.ts";
import { cite } from "./quote.ts";
import { scoreSentences, type ScoredSentence } from "./score.ts";
import { type Study, studyOf } from "./study.ts";
import type { AskOptions, Citation } from "./types.ts";

export interface EvidenceRow extends Study {
  readonly question: string;
  readonly id: string;
  readonly title: string;
  readonly year: number | null;
  readonly journal: string | null;
  readonly retracted: boolean;
  /** The sentence of the document that answers best. */
  readonly result: Citation;
  /** How well, 0 to 1. */
  readonly support: number;
}

export interface Review {
  readonly question: string;
  /** The question and those that follow from it, with how many documents answer each. */
  readonly questions: readonly { readonly text: string; readonly rows: number }[];
  readonly rows: readonly EvidenceRow[];
  /** Documents in the index. */
  readonly documents: number;
  readonly notes: readonly string[];
}

export interface ReviewOptions extends AskOptions {
  /** Instead of those that are made of the question. */
  readonly questions?: readonly string[] | undefined;
  /** Most documents a question. Default 20. */
  readonly documents?: number | undefined;
}

/** What a reviewer asks of any treatment, test or cause, behind the question's own words. */
const facets: readonly (readonly [about: string, words: string])[] = [
  ["benefit", "efficacy effect outcome improvement"],
  ["harm", "safety adverse events harm complications"],
  ["comparison", "compared versus placebo control alternative"],
  ["who", "patients subgroup age sex risk population"],
  ["mechanism", "mechanism pathway role"],
];

/** The question itself, and its words beside those of each facet. */
export function subQuestionsOf(question: string): string[] {
  const { words, text } = readQuestion(question);
  const topic = words.join(" ");
  return [text, ...facets.map(([about, more]) => `${topic}: ${about} (${more})`)];
}

/**
 * Makes the table. A document stands once for each question that it answers; without a threshold on the whole, since a
 * reviewer reads on, but with that of a sentence.
 * @throws UsageError for a question without words.
 */
export async function review(index: SearchIndex, question: string, options: ReviewOptions = {}): Promise<Review> {
  const { questions = subQuestionsOf(question), documents: most = 20, signal } = options;
  const notes = new Set<string>();
  const rows: EvidenceRow[] = [];
  const counted: { text: string; rows: number }[] = [];
  for (const text of questions) {
    signal?.throwIfAborted();
    const read = readQuestion(text);
    const { usable, notes: said } = await retrieve(index, read.query, options);
    for (const note of said) notes.add(note);
    const scored = await scoreSentences(index, read, usable, signal);
    const found = bestOfEach(scored).slice(0, most);
    counted.push({ text: read.text, rows: found.length });
    rows.push(...found.map((one) => rowOf(read.text, one)));
  }
  if (rows.length === 0) notes.add("no document answers any of the questions");
  const documents = await index.count();
  return { question: readQuestion(question).text, questions: counted, rows, documents, notes: [...notes] };
}

/** From here on a sentence is worth a row: about the share of marked sentences at `keep` of `ask`, less a half. */
const leastRow = 0.2;

function bestOfEach(scored: readonly ScoredSentence[]): ScoredSentence[] {
  const seen = new Set<string>();
  return scored.filter(({ document, score }) => {
    if (score < leastRow || seen.has(document.id)) return false;
    seen.add(document.id);
    return true;
  });
}

function rowOf(question: string, { document, start, end, score }: ScoredSentence): EvidenceRow {
  const { id, title, year, journal, retracted } = document;
  return {
    question,
    id,
    title,
    year,
    journal,
    retracted,
    ...studyOf(document),
    result: cite(document, start, end),
    support: score,
  };
}
