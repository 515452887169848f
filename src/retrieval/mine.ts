/**
 * Hard negatives: for each query the documents that score highest but are not its own, left out where they score as the
 * right one does and may be right themselves (relative margin: Moreira et al. 2024, arXiv:2407.15831). Texts and vectors
 * are in temporary files, read window by window for a block of queries at a time: memory holds a window, a block and its
 * best, and of each pair and document numbers alone, some 60 bytes of both and 150 more while pairs are read. BM25's
 * counts of words are held.
 */
import { tmpdir } from "node:os";
import { setImmediate } from "node:timers/promises";
import { numbersOf, ranges } from "../io/streams.ts";
import { ConfigError } from "../errors.ts";
import { type Pairs, type Question, type StoredPairs, storePairs } from "./pair-store.ts";
import type { Encoder, Scorer } from "./scorers.ts";
import type { TokenVectors } from "./max-sim.ts";
import { random } from "../tensor/random.ts";
import { openTextStore, type TextStore } from "./text-store.ts";
import { openVectorStore, type VectorStore } from "./vector-store.ts";
import type { ScoredList } from "../tasks/lists.ts";

export interface MiningOptions {
  /** Wrong documents to find for each query. */
  readonly negatives: number;
  /** So many of the best are left out, whatever they are. */
  readonly skip?: number;
  /** A wrong document scores at most (1 − margin) times the right one. */
  readonly relativeMargin?: number;
  /** Lists have the scores too. Default true. */
  readonly scores?: boolean;
  /** Documents that are in memory. Default 1024. */
  readonly window?: number;
  /** Queries that are in memory, with the numbers of their best documents. Default 256. */
  readonly block?: number;
  /** Whose disk holds the temporary files. Default: the system's folder for these. */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: MiningProgress) => void;
}

export interface MiningProgress {
  /** What is counted: pairs read, then documents encoded, then pairs whose wrong documents were looked for. */
  readonly stage: "pairs" | "documents" | "queries";
  readonly done: number;
  /** Unknown while pairs are read. */
  readonly total?: number;
}

type Settings = Required<Omit<MiningOptions, "signal">> & { readonly signal: AbortSignal | undefined };

/** Wrong documents of a question. */
interface Found {
  readonly question: Question;
  /** Score of the right document; none where nothing is scored. */
  readonly own?: number;
  readonly kept: readonly { readonly document: number; readonly score?: number }[];
}

/** The best, best first, the earlier document first where two score the same. */
interface Best extends Found {
  readonly own: number;
  readonly kept: readonly Candidate[];
  /** Takes what is allowed of the documents from number `first` on. */
  add(scores: Float64Array, first: number): void;
}

interface Candidate {
  readonly document: number;
  readonly score: number;
}

/** Any documents but the right ones, without scores: what a model that knows nothing yet can learn from. */
export interface RandomNegatives {
  readonly kind: "random";
  readonly seed: number;
}

/**
 * Lists of a right document and wrong ones, with the scorer's scores; queries for which there are too few are left out.
 * Pairs are read once.
 * @throws ConfigError for a scorer that would have to read every pair; the signal's reason once it is aborted.
 */
export async function* mineNegatives(
  scorer: Scorer | RandomNegatives,
  pairs: Pairs,
  options: MiningOptions,
): AsyncGenerator<ScoredList> {
  const settings: Settings = {
    skip: 0,
    relativeMargin: 0.05,
    scores: true,
    window: 1024,
    block: 256,
    folder: tmpdir(),
    onProgress() {},
    ...options,
    signal: options.signal,
  };
  const { negatives, skip, window, folder, signal, onProgress } = settings;
  const search = searchBy(scorer);
  await using queries = await openTextStore(folder);
  await using documents = await openTextStore(folder);
  const stored = await storePairs(
    pairs,
    { queries, documents },
    {
      window,
      onRead(done) {
        signal?.throwIfAborted();
        onProgress({ stage: "pairs", done });
      },
    },
  );
  let done = 0;
  for await (const { question, own, kept } of search(stored, documents, settings)) {
    onProgress({ stage: "queries", done: ++done, total: stored.count });
    const wrong = own === undefined ? kept : kept.slice(skip);
    if (wrong.length < negatives) continue;
    const texts = await documents.read([question.document, ...wrong.map(({ document }) => document)]);
    const list = { query: question.query, documents: texts };
    if (own === undefined || !settings.scores) yield list;
    else yield { ...list, scores: [own, ...wrong.map(({ score }) => score!)], transform: "none" };
  }
}

/** Gives the best of every pair, in order. */
type Search = (pairs: StoredPairs, documents: TextStore, settings: Settings) => AsyncGenerator<Found>;

function searchBy(by: Scorer | RandomNegatives): Search {
  if (by.kind === "random") return (...searched) => searchRandom(by.seed, ...searched);
  const { encoder, index } = by;
  if (encoder !== undefined) return (...searched) => searchVectors(encoder, ...searched);
  if (index !== undefined) return (...searched) => searchWords(index, ...searched);
  throw new ConfigError("mining: expected an embedding model, ColBERT or bm25, got a reranker", {
    hint: "mine with one of these, then score the lists with the reranker",
  });
}

async function* searchRandom(
  seed: number,
  pairs: StoredPairs,
  documents: TextStore,
  { negatives, block, signal }: Settings,
): AsyncGenerator<Found> {
  for (const [first, end] of ranges(pairs.count, block)) {
    for (const [i, question] of (await pairs.questions(first, end)).entries()) {
      signal?.throwIfAborted();
      const draw = random(seed, first + i);
      const drawn = new Set<number>();
      const most = Math.min(negatives, documents.count - question.right.size);
      while (drawn.size < most) {
        const document = draw.integer(documents.count);
        if (!question.right.has(document)) drawn.add(document);
      }
      yield { question, kept: [...drawn].map((document) => ({ document })) };
    }
  }
}

async function* searchWords(
  index: NonNullable<Scorer["index"]>,
  pairs: StoredPairs,
  documents: TextStore,
  settings: Settings,
): AsyncGenerator<Best> {
  const { window, block, signal } = settings;
  const score = await index(allTexts(documents, window));
  for (const [first, end] of ranges(pairs.count, block)) {
    for (const question of await pairs.questions(first, end)) {
      // Where nothing waits for a file or the network, a signal is only seen between two turns of the event loop.
      await setImmediate();
      signal?.throwIfAborted();
      const scores = score(question.query);
      const best = createBest(question, scores[question.document]!, settings);
      best.add(scores, 0);
      yield best;
    }
  }
}

async function* searchVectors(
  encoder: Encoder,
  pairs: StoredPairs,
  documents: TextStore,
  settings: Settings,
): AsyncGenerator<Best> {
  const { window, block, folder, signal, onProgress } = settings;
  const { count } = documents;
  await using vectors = await openVectorStore(folder);
  for (const [first, end] of ranges(count, window)) {
    signal?.throwIfAborted();
    await vectors.append(await encoder.encode("document", await documents.read(numbersOf(first, end))));
    onProgress({ stage: "documents", done: end, total: count });
  }
  for (const [first, end] of ranges(pairs.count, block)) {
    yield* await searchBlock(encoder, await pairs.questions(first, end), vectors, count, settings);
  }
}

/** A block's best among all documents of the store. */
async function searchBlock(
  encoder: Encoder,
  questions: readonly Question[],
  vectors: VectorStore,
  documents: number,
  settings: Settings,
): Promise<Best[]> {
  const { window, signal } = settings;
  const queries = await encoder.encode(
    "query",
    questions.map(({ query }) => query),
  );
  const own = await scoreOwn(encoder, queries, questions, vectors);
  const best = questions.map((question, i) => createBest(question, own[i]!, settings));
  for (const [first, end] of ranges(documents, window)) {
    await using comparer = await encoder.compare(await vectors.read(first, end));
    for (const [i, query] of queries.entries()) {
      signal?.throwIfAborted();
      best[i]!.add(await comparer.score(query), first);
    }
  }
  return best;
}

/** Each query's score with the document of its pair. */
async function scoreOwn(
  encoder: Encoder,
  queries: readonly TokenVectors[],
  questions: readonly Question[],
  vectors: VectorStore,
): Promise<number[]> {
  const documents: TokenVectors[] = [];
  for (const { document } of questions) documents.push(...(await vectors.read(document, document + 1)));
  await using comparer = await encoder.compare(documents);
  const scores: number[] = [];
  for (const [i, query] of queries.entries()) scores.push((await comparer.score(query))[i]!);
  return scores;
}

async function* allTexts(store: TextStore, window: number): AsyncGenerator<string> {
  for (const [first, end] of ranges(store.count, window)) yield* await store.read(numbersOf(first, end));
}

function createBest(question: Question, own: number, { skip, negatives, relativeMargin }: Settings): Best {
  const most = own - Math.abs(own) * relativeMargin;
  const count = skip + negatives;
  const kept: Candidate[] = [];
  return {
    question,
    own,
    kept,
    add(scores, first) {
      // Of millions of scores few are kept: a callback or an iterator would make objects of the others.
      for (let i = 0; i < scores.length; i++) {
        const score = scores[i]!;
        if (score > most || (kept.length === count && score <= kept.at(-1)!.score)) continue;
        if (question.right.has(first + i)) continue;
        let place = kept.length;
        while (place > 0 && kept[place - 1]!.score < score) place--;
        kept.splice(place, 0, { document: first + i, score });
        if (kept.length > count) kept.pop();
      }
    },
  };
}
