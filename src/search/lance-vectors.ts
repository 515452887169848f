/**
 * The vectors of a small LanceDB table in memory: a call of LanceDB takes longer than to compare some ten thousand vectors
 * here. They are read again when the table has another version.
 */
import type { Table } from "@lancedb/lancedb";
import { dot } from "../retrieval/vector-similarity.ts";
import { createBest } from "./exact.ts";
import type { Found } from "./store.ts";

export interface HeldVectors {
  /** Documents of those that `isWanted` names, by the greatest cosine of a passage; vectors are of unit length. */
  nearest(vector: Float32Array, limit: number, isWanted?: (id: string) => boolean): Found[];
}

/** Bytes of vectors that are held at most. */
const mostBytes = 160 << 20;

export interface VectorsInMemory {
  /** The vectors of a table as it is now; undefined where it is not small. */
  of(table: Table): Promise<HeldVectors | undefined>;
  /** Whether the table was small when its vectors were last asked for: known at once. */
  isSmall(): boolean;
  /** Rows of the table when it was last looked at. */
  rows(): number;
}

/** @param width numbers in a vector. @param most tables with as many rows are not small, nor those with too large vectors. */
export function vectorsInMemory(width: number, most: number): VectorsInMemory {
  let small = false;
  let count = 0;
  let version = -1;
  let held: Promise<HeldVectors | undefined> | undefined;
  const tooMany = Math.min(most, mostBytes / (width * Float32Array.BYTES_PER_ELEMENT));
  return {
    isSmall: () => small,
    rows: () => count,
    async of(table) {
      const now = await table.version();
      if (held === undefined || now !== version) {
        version = now;
        const own = table.countRows().then((rows) => ((count = rows) < tooMany ? read(table) : undefined));
        held = own;
        own.catch(() => held === own && (held = undefined));
      }
      const found = await held;
      small = found !== undefined;
      return found;
    },
  };
}

async function read(table: Table): Promise<HeldVectors> {
  const rows = await table.query().where("vector IS NOT NULL").select(["id", "start", "end", "vector"]).toArrow();
  const [names, starts, ends, data] = ["id", "start", "end", "vector"].map((name) => rows.getChild(name)!);
  const ids: string[] = [];
  const numbers = new Map<string, number>();
  const documents = new Uint32Array(rows.numRows);
  const vectors: Float32Array[] = [];
  for (let row = 0; row < rows.numRows; row++) {
    const id = names!.get(row) as string;
    let number = numbers.get(id);
    if (number === undefined) numbers.set(id, (number = ids.push(id) - 1));
    documents[row] = number;
    vectors.push((data!.get(row) as { toArray(): Float32Array }).toArray());
  }
  const placeOf = (row: number): { start: number; end: number } => ({ start: starts!.get(row), end: ends!.get(row) });
  return {
    nearest: (vector, limit, isWanted) =>
      nearest({ ids, documents, vectors }, vector, { limit, isWanted }).map(({ id, score, row }) => ({
        id,
        score,
        passage: placeOf(row),
      })),
  };
}

interface Vectors {
  /** Of documents by number. */
  readonly ids: readonly string[];
  /** The document of each row. */
  readonly documents: Uint32Array;
  readonly vectors: readonly Float32Array[];
}

function nearest(
  { ids, documents, vectors }: Vectors,
  vector: Float32Array,
  { limit, isWanted }: { readonly limit: number; readonly isWanted: ((id: string) => boolean) | undefined },
): { readonly id: string; readonly score: number; readonly row: number }[] {
  const wanted = isWanted && ids.map(isWanted);
  const scores = new Float64Array(ids.length).fill(-Infinity);
  const rows = new Uint32Array(ids.length);
  vectors.forEach((own, row) => {
    const number = documents[row]!;
    if (wanted?.[number] === false) return;
    const score = dot(vector, own);
    if (score > scores[number]!) [scores[number], rows[number]] = [score, row];
  });
  const { offer, best } = createBest((number) => ids[number]!, limit);
  scores.forEach((score, number) => {
    if (score > -Infinity) offer(number, score);
  });
  return best().map(({ number, score }) => ({ id: ids[number]!, score, row: rows[number]! }));
}
