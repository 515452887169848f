/**
 * MaxSim (Khattab and Zaharia 2020, arXiv:2004.12832): the sum over a query's vectors of the largest dot product with a
 * document's. Over many documents the products are one matrix product in ONNX Runtime.
 */
// Q vectors of the query, N vectors of all documents, K width
import { ShapeError } from "../errors.ts";
import { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { matMul } from "../graph/ops/index.ts";
import { createSession, type SessionOptions } from "../runtime/ort.ts";
import { tensor } from "../tensor/tensor.ts";

/** Unit vectors of a text's tokens, row-major [count, width]. */
export interface TokenVectors {
  readonly width: number;
  readonly count: number;
  readonly data: Float32Array;
}

/** Σ over the query's vectors of the largest dot product; 0 for a document without vectors. */
export function maxSim(query: TokenVectors, document: TokenVectors): number {
  checkWidth(query, document.width);
  const { width } = query;
  let total = 0;
  for (let i = 0; i < query.count; i++) {
    let best = document.count === 0 ? 0 : Number.NEGATIVE_INFINITY;
    for (let j = 0; j < document.count; j++) {
      let dot = 0;
      for (let k = 0; k < width; k++) dot += query.data[i * width + k]! * document.data[j * width + k]!;
      if (dot > best) best = dot;
    }
    total += best;
  }
  return total;
}

export interface MaxSimScorer extends AsyncDisposable {
  readonly documents: number;
  /** A score for every document, in their order. */
  score(query: TokenVectors): Promise<Float64Array>;
  dispose(): Promise<void>;
}

/** Vectors in a matrix product: its result stays in the cache while the largest are found. */
const chunkVectors = 4096;

/** Documents laid one after the other, to be scored against one query after another. */
export async function createMaxSim(
  documents: readonly TokenVectors[],
  options: SessionOptions = {},
): Promise<MaxSimScorer> {
  const width = documents[0]?.width ?? 0;
  const chunks = chunked(documents);
  const g = new Graph();
  const vectors_NK = g.input("vectors", "float32", ["N", width]);
  // The second operand is the one that is copied into blocks: the query, which is small.
  g.output("products", matMul(vectors_NK, g.input("query", "float32", ["Q", width]), { transB: true }));
  const session = await createSession(toOnnx(g), options);
  const dispose = (): Promise<void> => session.dispose();
  return {
    documents: documents.length,
    async score(query: TokenVectors): Promise<Float64Array> {
      if (documents.length > 0) checkWidth(query, width);
      const scores = new Float64Array(documents.length);
      const rows = tensor("float32", [query.count, query.width], query.data);
      for (const { vectors, first, ends } of chunks) {
        const { products } = await session.run({ query: rows, vectors });
        addLargest(scores, products!.data as Float32Array, { first, ends, queries: query.count });
      }
      return scores;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

interface Chunk {
  readonly vectors: ReturnType<typeof tensor<"float32">>;
  /** Number of the first document. */
  readonly first: number;
  /** Where each document's vectors end. */
  readonly ends: number[];
}

function chunked(documents: readonly TokenVectors[]): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  while (start < documents.length) {
    const ends: number[] = [];
    let count = 0;
    while (start + ends.length < documents.length && (count === 0 || count < chunkVectors)) {
      count += documents[start + ends.length]!.count;
      ends.push(count);
    }
    const { width } = documents[start]!;
    const data = new Float32Array(count * width);
    ends.forEach((end, i) => {
      const document = documents[start + i]!;
      checkWidth(document, width);
      data.set(document.data, (end - document.count) * width);
    });
    chunks.push({ vectors: tensor("float32", [count, width], data), first: start, ends });
    start += ends.length;
  }
  return chunks;
}

/** products [N, Q]: adds each query vector's largest product to the score of the document. */
function addLargest(
  scores: Float64Array,
  products: Float32Array,
  { first, ends, queries }: { first: number; ends: readonly number[]; queries: number },
): void {
  const best = new Float32Array(queries);
  let at = 0;
  ends.forEach((end, i) => {
    if (at === end * queries) return; // a document without vectors
    best.set(products.subarray(at, at + queries));
    for (at += queries; at < end * queries; at += queries) {
      for (let q = 0; q < queries; q++) {
        const product = products[at + q]!;
        if (product > best[q]!) best[q] = product;
      }
    }
    for (let q = 0; q < queries; q++) scores[first + i]! += best[q]!;
  });
}

function checkWidth({ width }: TokenVectors, expected: number): void {
  if (width !== expected) throw new ShapeError(`maxSim: expected vectors of width ${expected}, got ${width}`);
}
