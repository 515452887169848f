/**
 * A question to an index: the best documents are found, their sentences scored, and those that answer are quoted as they
 * stand, each with its places; or it is said that nothing answers, with what is nearest. Where a model writes, it is given
 * one piece of evidence at a time and its sentence is checked against that; it never writes whom it cites.
 */
import type { Hit, IndexedDocument, SearchIndex } from "../search/types.ts";
import { checkSentence } from "./check.ts";
import { readQuestion } from "./question.ts";
import { type Agreeing, groupAgreeing, quoted } from "./quote.ts";
import { type Retrieved, type ScoredSentence, scoreSentences } from "./score.ts";
import { inContext } from "./sentence.ts";
import type { Answer, AnswerEvent, AnswerSentence, WithheldSentence } from "./types.ts";
import type { AskOptions } from "./options.ts";
import { verdictOf } from "./verdict.ts";

/**
 * From which probability a question counts as answered, and a further sentence is shown. Measured by `bench/answers.ts` on
 * the calibration halves of BioASQ and the NIH's pages: where questions that have an answer and questions whose documents
 * were taken away are told apart best.
 */
export const thresholds: {
  readonly [with_ in "words" | "vectors"]: { readonly found: number; readonly keep: number };
} = { words: { found: 0.3, keep: 0.4 }, vectors: { found: 0.28, keep: 0.32 } };

/** Documents whose sentences are looked at. */
const mostDocuments = 100;
const mostNearest = 5;
/** Sentences that the reranker puts in order. */
const mostReranked = 24;

/**
 * Answers a question with sentences of the index.
 * @throws UsageError for a question without words; the signal's reason once it is aborted.
 */
export async function* ask(
  index: SearchIndex,
  question: string,
  options: AskOptions = {},
): AsyncGenerator<AnswerEvent> {
  const { sentences: limit = 5, signal } = options;
  const read = readQuestion(question);
  const documents = await index.count();
  const { hits, usable, notes } = await retrieve(index, read.query, options);
  const nearest = hits.slice(0, mostNearest);
  yield { type: "nearest", hits: nearest };
  const scored = await scoreSentences(index, read, usable, { signal });
  const { found: least, keep } = thresholds[index.dense ? "vectors" : "words"];
  const found = (scored[0]?.score ?? 0) >= least;
  const passing = found ? scored.filter(({ score }, i) => i === 0 || score >= keep) : [];
  const ordered = spread(await rerankSentences(index, read.text, passing));
  const sentences: AnswerSentence[] = [];
  const withheld: WithheldSentence[] = [];
  for (const group of groupAgreeing(ordered, limit)) {
    signal?.throwIfAborted();
    const made = await sentenceOf(read.text, group, options);
    sentences.push(made.sentence);
    yield { type: "sentence", sentence: made.sentence };
    if (made.withheld === undefined) continue;
    withheld.push(made.withheld);
    yield { type: "withheld", sentence: made.withheld };
  }
  if (!found) notes.push(`not found in these ${documents} documents; the nearest are listed`);
  const verdict = found && read.kind === "whether" ? await verdictOf(read.text, sentences, options.judge) : undefined;
  if (verdict !== undefined && verdict.yes.length > 0 && verdict.no.length > 0) notes.push("the evidence disagrees");
  const kind = options.writer === undefined ? "quoted" : "written";
  const answer: Answer = { question: read.text, found, documents, kind, sentences, withheld, verdict, nearest, notes };
  yield { type: "done", answer };
}

/** A group as it stands, or as it was written where the check lets that pass. */
async function sentenceOf(
  question: string,
  group: Agreeing,
  { writer, checker, signal }: AskOptions,
): Promise<{ readonly sentence: AnswerSentence; readonly withheld?: WithheldSentence }> {
  const sentence = quoted(group);
  if (writer === undefined) return { sentence };
  const [citation] = sentence.citations;
  const text = await writer.write(question, citation!.quote, signal);
  const { support, reason } = await checkSentence(text, citation!.quote, checker);
  // It was checked against the first alone.
  const written = { text, citations: [citation!], support };
  return reason === undefined ? { sentence: written } : { sentence, withheld: { ...written, reason } };
}

/** The answer that `ask` ends with. @throws as `ask`. */
export async function answer(index: SearchIndex, question: string, options: AskOptions = {}): Promise<Answer> {
  for await (const event of ask(index, question, options)) if (event.type === "done") return event.answer;
  throw new Error("ask ended without an answer");
}

interface RetrievedHits {
  readonly hits: readonly Hit[];
  readonly usable: readonly Retrieved[];
  readonly notes: string[];
}

/** The best documents; what is retracted is named and not used, unless that was asked for. */
export async function retrieve(
  index: SearchIndex,
  query: string,
  { filters, retracted = filters?.retracted === true, signal }: AskOptions,
): Promise<RetrievedHits> {
  const { hits, notes } = await index.search(query, { limit: mostDocuments, filters, total: false, signal });
  const stored = await index.documents(hits.map(({ id }) => id));
  const isRetracted = (hit: Hit, document: IndexedDocument): boolean => hit.retracted || document.retracted;
  const present = hits.flatMap((hit, rank) => {
    const document = stored[rank];
    return document === undefined ? [] : [{ hit, document, rank, start: hit.start, end: hit.end }];
  });
  const left = retracted ? [] : present.filter(({ hit, document }) => isRetracted(hit, document));
  const said = left.map(({ hit }) => `retracted, left out: ${hit.id} ${hit.title}`);
  const usable = present.filter((one) => !left.includes(one));
  return { hits, usable, notes: [...notes, ...said] };
}

/** Sentences of one document that stand before those of others. */
const mostOfOne = 2;

/** The order, but that a document's third sentence waits until others have spoken. */
function spread(sentences: readonly ScoredSentence[]): ScoredSentence[] {
  const counts = new Map<string, number>();
  const isEarly = sentences.map(({ document: { id } }) => {
    const before = counts.get(id) ?? 0;
    counts.set(id, before + 1);
    return before < mostOfOne;
  });
  return [...sentences.filter((_, i) => isEarly[i]), ...sentences.filter((_, i) => !isEarly[i])];
}

async function rerankSentences(
  index: SearchIndex,
  question: string,
  sentences: readonly ScoredSentence[],
): Promise<readonly ScoredSentence[]> {
  if (index.rerank === undefined || sentences.length < 2) return sentences;
  const first = sentences.slice(0, mostReranked);
  const scores = await index.rerank(question, first.map(inContext));
  const order = first.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return [...order.map((i) => first[i]!), ...sentences.slice(mostReranked)];
}
