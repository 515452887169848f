/**
 * MaxSim (Khattab and Zaharia 2020, arXiv:2004.12832): the sum over a query's vectors of the largest dot product with a
 * document's. Over many documents, products and maxima are two operators of ONNX Runtime a chunk.
 */
// Q vectors of the query, N documents of a chunk, L vectors of each, K width
import { RuntimeError, ShapeError } from "../errors.ts";
import { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { matMul, reduceMax } from "../graph/ops/index.ts";
import { finiteSession, firstNotFinite } from "../runtime/finite.ts";
import { createSession, type SessionOptions } from "../runtime/session.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** Unit vectors of a text's tokens, row-major [count, width]. */
export interface TokenVectors {
  readonly width: number;
  readonly count: number;
  readonly data: Float32Array;
}

/**
 * Σ over the query's vectors of the largest dot product; 0 for a document without vectors.
 * @throws ShapeError for vectors of two widths, RuntimeError for numbers that are not finite.
 */
export function maxSim(query: TokenVectors, document: TokenVectors): number {
  checkWidth(query, document.width);
  checkFinite("query", query);
  checkFinite("document", document);
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

/** Vectors in a matrix product: enough to hide the call, few enough for their products to stay in the cache. */
const chunkVectors = 16_384;

/** A document shorter than this part of its chunk's longest starts a chunk of its own. */
const leastFilled = 0.75;

/**
 * Documents laid one after the other, to be scored against one query after another.
 * @throws as `maxSim`, here and from `score`.
 */
export async function createMaxSim(
  documents: readonly TokenVectors[],
  options: SessionOptions = {},
): Promise<MaxSimScorer> {
  const width = documents[0]?.width ?? 0;
  for (const [i, document] of documents.entries()) {
    checkWidth(document, width);
    checkFinite(`document ${i}`, document);
  }
  const chunks = chunked(documents).map((chunk) => ({ ...chunk, vectors: padded(documents, chunk) }));
  const g = new Graph();
  const vectors_NLK = g.input("vectors", "float32", ["N", "L", width]);
  // The second operand is the one that is copied into blocks: the query, which is small.
  const products_NLQ = matMul(vectors_NLK, g.input("query", "float32", ["Q", width]), { transB: true });
  g.output("best", reduceMax(products_NLQ, [1], { keepDims: false }));
  const session = finiteSession(await createSession(toOnnx(g), options), "maxSim");
  const dispose = (): Promise<void> => session.dispose();
  return {
    documents: documents.length,
    async score(query: TokenVectors): Promise<Float64Array> {
      if (documents.length > 0) checkWidth(query, width);
      checkFinite("query", query);
      const scores = new Float64Array(documents.length);
      const rows = tensor("float32", [query.count, query.width], query.data);
      for (const { vectors, members } of chunks) {
        const { best } = await session.run({ query: rows, vectors });
        best!.data.forEach((product, at) => {
          scores[members[Math.floor(at / query.count)]!]! += Number(product);
        });
      }
      return scores;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

interface Chunk {
  /** Numbers of the documents. */
  readonly members: number[];
  /** Vectors of the longest. */
  readonly length: number;
}

/** Documents of like length together, the longest first; those without vectors are in none. */
function chunked(documents: readonly TokenVectors[]): Chunk[] {
  const chunks: Chunk[] = [];
  const order = [...documents.keys()].sort((i, j) => documents[j]!.count - documents[i]!.count);
  for (const member of order) {
    const { count } = documents[member]!;
    if (count === 0) break;
    const last = chunks.at(-1);
    const fits =
      last !== undefined &&
      count >= leastFilled * last.length &&
      (last.members.length + 1) * last.length <= chunkVectors;
    if (fits) last.members.push(member);
    else chunks.push({ members: [member], length: count });
  }
  return chunks;
}

/** A chunk's vectors [N, L, K]. A shorter document's are filled up with its first, which changes no maximum. */
function padded(documents: readonly TokenVectors[], { members, length }: Chunk): Tensor {
  const { width } = documents[members[0]!]!;
  const data = new Float32Array(members.length * length * width);
  members.forEach((member, i) => {
    const row = data.subarray(i * length * width, (i + 1) * length * width);
    const { data: own, count } = documents[member]!;
    row.set(own);
    for (let at = count; at < length; at++) row.copyWithin(at * width, 0, width);
  });
  return tensor("float32", [members.length, length, width], data);
}

function checkWidth({ width }: TokenVectors, expected: number): void {
  if (width !== expected) throw new ShapeError(`maxSim: expected vectors of width ${expected}, got ${width}`);
}

/** A maximum passes NaN over, so that its scores would look like any others. */
function checkFinite(what: string, { data, width }: TokenVectors): void {
  const at = firstNotFinite(data);
  if (at < 0) return;
  const place = `[${Math.floor(at / width)}, ${at % width}]`;
  throw new RuntimeError(`maxSim: expected finite vectors, got ${data[at]} at ${place} of the ${what}`);
}
