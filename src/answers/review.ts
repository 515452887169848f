/**
 * A question as a small literature review: sub-questions, and for each of them a table of documents with study type, size,
 * who was studied, what was done and what was found, every text quoted with its place. A starting point for a reviewer, no
 * systematic review: what the search does not find is not in it.
 */
import type { SearchIndex } from "../search/types.ts";
import { retrieve } from "./ask.ts";
import { readQuestion } from "./question.ts";
import { citation } from "./quote.ts";
import { scoreSentences, type ScoredSentence } from "./score.ts";
import { type Study, studyOf } from "./study.ts";
import type { AskOptions } from "./options.ts";
import type { Citation } from "./types.ts";

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

interface SubQuestion {
  readonly text: string;
  /** What is searched for. */
  readonly query: string;
  /** What its sentences have to speak of, besides answering the question itself. */
  readonly about?: RegExp;
}

/** What a reviewer asks of any treatment, test or cause. */
const facets: readonly (readonly [question: string, words: string, about: RegExp])[] = [
  [
    "What was the effect?",
    "effect outcome",
    /\b(?:effect\w*|efficac\w*|improv\w*|reduc\w*|increas\w*|decreas\w*|lower\w*|rais\w*|prevent\w*|outcomes?|survival|mortality|response|remission|benefi\w*)\b/i,
  ],
  [
    "What harm was seen?",
    "adverse events safety",
    /\b(?:adverse|safe\w*|harm\w*|toxic\w*|complication\w*|side[- ]effects?|tolera\w*|bleeding|discontinu\w*|contraindicat\w*|avoided)\b/i,
  ],
  [
    "Compared with what?",
    "compared placebo control",
    /\b(?:compar\w+|versus|vs|placebo|controls?|than|alternative|superior\w*|inferior\w*|non-?inferior\w*)\b/i,
  ],
  [
    "In whom?",
    "patients subgroup",
    /\b(?:patients|women|men|children|adults|older|elderly|pregnan\w*|infants|aged?|subgroups?|risk factors?|population)\b/i,
  ],
  [
    "By what mechanism?",
    "mechanism pathway",
    /\b(?:mechanism\w*|pathways?|mediat\w*|inhibit\w*|activat\w*|receptors?|bind\w*|express\w*|signall?ing|regulat\w*)\b/i,
  ],
];

/** The question itself, and what follows from it; or the user's own. */
function questionsOf(question: string, own: readonly string[] | undefined): SubQuestion[] {
  const { words, text, query } = readQuestion(question);
  const plain = (one: string): SubQuestion => ({ text: one, query: readQuestion(one).query });
  if (own !== undefined) return own.map((one) => plain(readQuestion(one).text));
  const topic = words.join(", ");
  const more = facets.map(([asked, found, about]) => ({
    text: `${asked} (${topic})`,
    query: `${query} ${found}`,
    about,
  }));
  return [plain(text), ...more];
}

/**
 * Makes the table. A document stands once for each question that it answers; without a threshold on the whole, since a
 * reviewer reads on, but with that of a sentence.
 * @throws UsageError for a question without words.
 */
export async function review(index: SearchIndex, question: string, options: ReviewOptions = {}): Promise<Review> {
  const { questions, documents: most = 20, signal } = options;
  const main = readQuestion(question);
  const notes = new Set<string>();
  const rows: EvidenceRow[] = [];
  const counted: { text: string; rows: number }[] = [];
  for (const { text, query, about } of questionsOf(question, questions)) {
    signal?.throwIfAborted();
    const { usable, notes: said } = await retrieve(index, query, options);
    for (const note of said) notes.add(note);
    const read = about === undefined ? readQuestion(text) : main;
    const scored = await scoreSentences(index, read, usable, { signal, accept: (one) => about?.test(one) !== false });
    const found = bestOfEach(scored).slice(0, most);
    counted.push({ text, rows: found.length });
    rows.push(...found.map((one) => rowOf(text, one)));
  }
  if (rows.length === 0) notes.add("no document answers any of the questions");
  const documents = await index.count();
  return { question: main.text, questions: counted, rows, documents, notes: [...notes] };
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

function rowOf(question: string, sentence: ScoredSentence): EvidenceRow {
  const { document, score } = sentence;
  const { id, title, year, journal, retracted } = document;
  return {
    question,
    id,
    title,
    year,
    journal,
    retracted,
    ...studyOf(document),
    result: citation(sentence),
    support: score,
  };
}
