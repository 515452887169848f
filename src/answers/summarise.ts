/**
 * The sentences that cover a set of documents best: central ones first, each unlike those before it (maximal marginal
 * relevance, Carbonell and Goldstein 1998). Central is what has the words that many documents of the set have.
 */
import { dot } from "../retrieval/vector-similarity.ts";
import type { Hit, SearchIndex } from "../search/types.ts";
import { retrieve } from "./ask.ts";
import { contentStems } from "./question.ts";
import { groupAgreeing, quoted } from "./quote.ts";
import type { Retrieved } from "./score.ts";
import { abstractLength, canAnswer, isFinding, type PlacedSentence, sentencesOf } from "./sentence.ts";
import type { AskOptions } from "./options.ts";
import type { AnswerSentence } from "./types.ts";

export interface Summary {
  readonly query: string;
  /** Documents that were read. */
  readonly documents: number;
  readonly sentences: readonly AnswerSentence[];
  readonly nearest: readonly Hit[];
  readonly notes: readonly string[];
}

/** Characters of a document of which every sentence may sum it up; of a longer one its abstract's. */
const short = 8000;
/** In full texts the other places where one stands that does. */
const concluding = /^(?:conclu|summary|in conclusion|in summary|to conclude|overall|taken together|interpretation)/i;
const methods =
  /method|material|participant|procedure|design|statistic|outcome measure|eligib|criteria|recruit|sample size/i;

/** Whether a sentence may sum up what its document found. */
function sumsUp(sentence: PlacedSentence): boolean {
  const { document, start, text, section } = sentence;
  if (!canAnswer(sentence) || /\bwill\b/.test(text) || methods.test(section ?? "")) return false;
  return (
    document.text.length <= short ||
    start < abstractLength ||
    concluding.test(section ?? "") ||
    concluding.test(text.trim())
  );
}

/** Share of relevance against novelty; 0.7 is usual for search results. */
const relevance = 0.7;
/** Sentences that are compared with one another. */
const mostCompared = 200;

/**
 * Summarises what a query finds: at most 100 documents, `options.sentences` (default 8) sentences.
 * @throws UsageError for a query that is wrong.
 */
export async function summarise(index: SearchIndex, query: string, options: AskOptions = {}): Promise<Summary> {
  const { sentences: limit = 8, signal } = options;
  const { hits, usable, notes } = await retrieve(index, query, options);
  const candidates = centralOf(usable, contentStems(query)).slice(0, mostCompared);
  const vectors = index.dense
    ? await index.embed(
        "document",
        candidates.map(({ text }) => text),
      )
    : undefined;
  signal?.throwIfAborted();
  const likeness = (i: number, j: number): number =>
    vectors === undefined ? shared(candidates[i]!.stems, candidates[j]!.stems) : dot(vectors[i]!, vectors[j]!);
  const chosen = diverse(candidates, likeness, limit, Math.ceil(limit / Math.max(1, usable.length)));
  // What a document beyond those chosen says alike is cited beside it.
  const ordered = [...chosen.map((i) => candidates[i]!), ...candidates];
  const sentences = groupAgreeing(ordered, chosen.length).map(quoted);
  return { query, documents: usable.length, sentences, nearest: hits.slice(0, 5), notes };
}

/** `asked` are stems of the query: what a document says of something else does not sum up what was found. */
function centralOf(found: readonly Retrieved[], asked: readonly string[]) {
  const spread = new Map<string, number>();
  const all = found.flatMap(({ document, rank }) => {
    const sentences = sentencesOf(document).filter(sumsUp);
    const own = sentences.map((one) => {
      const stems = new Set(contentStems(one.text));
      const near = asked.filter((stem) => stems.has(stem)).length / Math.max(1, asked.length);
      return { ...one, rank, stems, near };
    });
    for (const stem of new Set(own.flatMap(({ stems }) => [...stems]))) spread.set(stem, (spread.get(stem) ?? 0) + 1);
    return own;
  });
  // A word of one document joins it to no other.
  const weight = (stem: string): number => ((spread.get(stem) ?? 1) - 1) / Math.max(1, found.length - 1);
  const scored = all.map((one) => {
    const sum = [...one.stems].reduce((total, stem) => total + weight(stem), 0);
    const central = (0.2 + one.near) * (sum / Math.sqrt(Math.max(6, one.stems.size)));
    return { ...one, score: central * (isFinding(one) ? 1.5 : 1) * (one.section === "TITLE" ? 0.8 : 1) };
  });
  const top = Math.max(1e-9, ...scored.map(({ score }) => score));
  return scored
    .map((one) => ({ ...one, score: one.score / top }))
    .sort((a, b) => b.score - a.score || a.rank - b.rank || a.start - b.start);
}

function shared(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const stem of a) if (b.has(stem)) common += 1;
  return common / Math.max(1, Math.sqrt(a.size * b.size));
}

/** Places of candidates, each the best by score and unlikeness to those before it; at most so many of one document. */
function diverse(
  candidates: readonly { readonly score: number; readonly document: { readonly id: string } }[],
  likeness: (i: number, j: number) => number,
  limit: number,
  mostOfOne: number,
): number[] {
  const nearest = candidates.map(() => 0);
  const left = new Set(candidates.keys());
  const taken = new Map<string, number>();
  const chosen: number[] = [];
  while (chosen.length < limit && left.size > 0) {
    let [best, most] = [-1, -Infinity];
    for (const i of left) {
      const value = relevance * candidates[i]!.score - (1 - relevance) * nearest[i]!;
      if (value > most) [best, most] = [i, value];
    }
    const { id } = candidates[best]!.document;
    left.delete(best);
    taken.set(id, (taken.get(id) ?? 0) + 1);
    if (taken.get(id)! > mostOfOne) continue;
    chosen.push(best);
    for (const i of left) nearest[i] = Math.max(nearest[i]!, likeness(i, best));
  }
  return chosen;
}
