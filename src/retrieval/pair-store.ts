/** Pairs of queries and right documents, their texts in stores on disk: in memory are numbers, some 60 bytes a pair. */
import { inWindows } from "../io/streams.ts";
import type { TextStore } from "./text-store.ts";

/** A query with its right document, and other documents that are to be known. */
type Pair = readonly [query: string, document: string, ...others: string[]];

/** Pairs: an array, or what reads a file. */
export type Pairs = Iterable<Pair> | AsyncIterable<Pair>;

/** A pair, its document by number. */
export interface Question {
  readonly query: string;
  readonly document: number;
  /** Documents of all pairs with this query. */
  readonly right: ReadonlySet<number>;
}

export interface StoredPairs {
  readonly count: number;
  /** The document of a pair, by number. */
  documentOf(pair: number): number;
  /** The pairs from number `first` up to `end`, which is not read. */
  questions(first: number, end: number): Promise<Question[]>;
}

interface Stores {
  readonly queries: TextStore;
  readonly documents: TextStore;
}

/** Reads all pairs, `window` of them at a time, into the stores; `onRead` is told how many there are so far. */
export async function storePairs(
  pairs: Pairs,
  { queries, documents }: Stores,
  { window, onRead }: { window: number; onRead: (pairs: number) => void },
): Promise<StoredPairs> {
  const addQueries = queries.adding();
  const addDocuments = documents.adding();
  /** Numbers of each pair's texts. */
  const queryOf: number[] = [];
  const documentOf: number[] = [];
  /** The last pair of each query, and the one before each pair with the same query: -1 where there is none. */
  const last: number[] = [];
  const before: number[] = [];
  for await (const some of inWindows(pairs, window)) {
    const documentNumbers = await addDocuments(some.flatMap(([, ...all]) => all));
    let at = 0;
    for (const [i, query] of (await addQueries(some.map(([text]) => text))).entries()) {
      before.push(last[query] ?? -1);
      last[query] = queryOf.length;
      queryOf.push(query);
      documentOf.push(documentNumbers[at]!);
      at += some[i]!.length - 1;
    }
    onRead(queryOf.length);
  }
  const rightOf = (query: number): Set<number> => {
    const right = new Set<number>();
    for (let pair = last[query]!; pair >= 0; pair = before[pair]!) right.add(documentOf[pair]!);
    return right;
  };
  return {
    count: queryOf.length,
    documentOf: (pair) => documentOf[pair]!,
    async questions(first, end) {
      const numbers = queryOf.slice(first, end);
      const texts = await queries.read(numbers);
      const right = new Map([...new Set(numbers)].map((query) => [query, rightOf(query)]));
      return numbers.map((number, i) => ({
        query: texts[i]!,
        document: documentOf[first + i]!,
        right: right.get(number)!,
      }));
    },
  };
}
