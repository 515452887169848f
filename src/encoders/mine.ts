/**
 * Hard negatives: for each query the documents that score highest but are not its own, left out where they score as the
 * right one does and may be right themselves (relative margin: Moreira et al. 2024, arXiv:2407.15831). Vectors of the
 * documents are in a temporary file, read window by window for a block of queries at a time, so that memory holds a
 * window, a block and its best. The texts of all pairs are held.
 */
import { tmpdir } from "node:os";
import { setImmediate } from "node:timers/promises";
import { inWindows } from "../checkpoints/journal.ts";
import { ConfigError } from "../errors.ts";
import type { Encoder, Scorer } from "../eval/scorers.ts";
import { openVectorStore, type VectorStore } from "../retrieval/vector-store.ts";
import type { ScoredList } from "./data.ts";

export interface MiningOptions {
  /** Wrong documents to find for each query. */
  readonly negatives: number;
  /** So many of the best are left out, whatever they are. */
  readonly skip?: number;
  /** A wrong document scores at most (1 − margin) times the right one. */
  readonly relativeMargin?: number;
  /** Documents whose vectors are in memory. Default 1024. */
  readonly window?: number;
  /** Queries whose vectors and best documents are in memory. Default 256. */
  readonly block?: number;
  /** Where the temporary file of vectors goes. Default: the system's folder for these. */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: MiningProgress) => void;
}

interface MiningProgress {
  /** What is counted: documents that were encoded, then queries whose documents were found. */
  readonly stage: "documents" | "queries";
  readonly done: number;
  readonly total: number;
}

type Settings = Required<Omit<MiningOptions, "signal">> & { readonly signal: AbortSignal | undefined };

/** A pair, its document by number. */
interface Question {
  readonly query: string;
  readonly document: number;
  /** Documents of all pairs with this query. */
  readonly right: ReadonlySet<number>;
}

/** The best wrong documents of a question. */
interface Best {
  /** Score of the right document. */
  readonly own: number;
  /** Best first, the earlier document first where two score the same. */
  readonly kept: readonly Candidate[];
  /** Takes what is allowed of the documents from number `first` on. */
  add(scores: Float64Array, first: number): void;
}

interface Candidate {
  readonly document: number;
  readonly score: number;
}

/**
 * Lists of a right document and wrong ones, with the scorer's scores; queries for which there are too few are left out.
 * @throws ConfigError for a scorer that would have to read every pair; the signal's reason once it is aborted.
 */
export async function* mineNegatives(
  scorer: Scorer,
  pairs: readonly (readonly [query: string, document: string])[],
  options: MiningOptions,
): AsyncGenerator<ScoredList> {
  const settings: Settings = {
    skip: 0,
    relativeMargin: 0.05,
    window: 1024,
    block: 256,
    folder: tmpdir(),
    onProgress() {},
    ...options,
    signal: options.signal,
  };
  const { documents, questions } = numbered(pairs);
  const { negatives, skip, onProgress } = settings;
  let done = 0;
  for await (const { own, kept } of search(scorer, questions, documents, settings)) {
    const { query, document } = questions[done++]!;
    onProgress({ stage: "queries", done, total: questions.length });
    const wrong = kept.slice(skip);
    if (wrong.length < negatives) continue;
    yield {
      query,
      documents: [document, ...wrong.map((one) => one.document)].map((number) => documents[number]!),
      scores: [own, ...wrong.map(({ score }) => score)],
      transform: "none",
    };
  }
}

/** Every document once. A query may stand in several pairs: all their documents are right. */
function numbered(pairs: readonly (readonly [string, string])[]): { documents: string[]; questions: Question[] } {
  const documents = [...new Set(pairs.map(([, document]) => document))];
  const numbers = new Map(documents.map((text, i) => [text, i]));
  const right = new Map<string, Set<number>>();
  const questions = pairs.map(([query, text]) => {
    const document = numbers.get(text)!;
    const own = right.get(query) ?? new Set();
    right.set(query, own.add(document));
    return { query, document, right: own };
  });
  return { documents, questions };
}

/** The best of every question, in order. */
function search(
  scorer: Scorer,
  questions: readonly Question[],
  documents: readonly string[],
  settings: Settings,
): AsyncGenerator<Best> {
  if (scorer.encoder !== undefined) return searchVectors(scorer.encoder, questions, documents, settings);
  if (scorer.all !== undefined) return searchRows(scorer.all, questions, documents, settings);
  throw new ConfigError("mining: expected an embedding model, ColBERT or bm25, got a reranker", {
    hint: "mine with one of these, then score the lists with the reranker",
  });
}

async function* searchRows(
  all: NonNullable<Scorer["all"]>,
  questions: readonly Question[],
  documents: readonly string[],
  settings: Settings,
): AsyncGenerator<Best> {
  let at = 0;
  const queries = questions.map(({ query }) => query);
  for await (const scores of all(queries, documents)) {
    // Where nothing waits for a file or the network, a signal is only seen between two turns of the event loop.
    await setImmediate();
    settings.signal?.throwIfAborted();
    const question = questions[at++]!;
    const best = createBest(question, scores[question.document]!, settings);
    best.add(scores, 0);
    yield best;
  }
}

async function* searchVectors(
  encoder: Encoder,
  questions: readonly Question[],
  documents: readonly string[],
  settings: Settings,
): AsyncGenerator<Best> {
  const { window, block, folder, signal, onProgress } = settings;
  await using store = await openVectorStore(folder);
  let done = 0;
  for await (const texts of inWindows(documents, window)) {
    signal?.throwIfAborted();
    await store.append(await encoder.encode("document", texts));
    done += texts.length;
    onProgress({ stage: "documents", done, total: documents.length });
  }
  for await (const some of inWindows(questions, block)) {
    yield* await searchBlock(encoder, some, store, documents.length, settings);
  }
}

/** A block's best among all documents of the store. */
async function searchBlock(
  encoder: Encoder,
  questions: readonly Question[],
  store: VectorStore,
  documents: number,
  settings: Settings,
): Promise<Best[]> {
  const { window, signal } = settings;
  const queries = await encoder.encode(
    "query",
    questions.map(({ query }) => query),
  );
  const best: Best[] = [];
  for (const [i, question] of questions.entries()) {
    await using comparer = await encoder.compare(await store.read(question.document, question.document + 1));
    const [own] = await comparer.score(queries[i]!);
    best.push(createBest(question, own!, settings));
  }
  for (let first = 0; first < documents; first += window) {
    await using comparer = await encoder.compare(await store.read(first, Math.min(first + window, documents)));
    for (const [i, query] of queries.entries()) {
      signal?.throwIfAborted();
      best[i]!.add(await comparer.score(query), first);
    }
  }
  return best;
}

function createBest({ right }: Question, own: number, { skip, negatives, relativeMargin }: Settings): Best {
  const most = own - Math.abs(own) * relativeMargin;
  const count = skip + negatives;
  const kept: Candidate[] = [];
  return {
    own,
    kept,
    add(scores, first) {
      scores.forEach((score, i) => {
        if (score > most || (kept.length === count && score <= kept.at(-1)!.score)) return;
        if (right.has(first + i)) return;
        let place = kept.length;
        while (place > 0 && kept[place - 1]!.score < score) place--;
        kept.splice(place, 0, { document: first + i, score });
        if (kept.length > count) kept.pop();
      });
    },
  };
}
