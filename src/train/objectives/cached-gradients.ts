/**
 * The loss of large batches with few rows in memory (GradCache: Gao et al. 2021, arXiv:2101.06983): vectors first, then
 * the loss's gradients of these, then the network's, chunk by chunk. Loss and gradients are those of the whole batch.
 */
// B rows of a chunk or queries, N documents, T tokens, K width of a vector
import { gradients } from "../../graph/grad.ts";
import { Graph, type Value } from "../../graph/graph.ts";
import { mul, sumAll } from "../../graph/ops/index.ts";
import { product } from "../../graph/shape.ts";
import { embeddingWidth } from "../../models/embedding.ts";
import type { TextRow } from "../../retrieval/text-rows.ts";
import { byLength, sliceRows } from "../../runtime/batching.ts";
import { Owned } from "../../runtime/owned.ts";
import type { Session, Tensors } from "../../runtime/session.ts";
import { tensor } from "../../tensor/tensor.ts";
import { accumulate } from "../optimiser.ts";
import type { Batch, Compiler, LossProgram } from "./objective.ts";
import type { EmbeddingSource } from "./source.ts";
import { float32, textFeeds, tower } from "./texts.ts";

/** Rows of queries and documents besides what a graph of the whole batch is fed: chunks cut them differently. */
export interface ListBatch extends Batch {
  readonly queries: readonly TextRow[];
  readonly documents: readonly TextRow[];
}

export interface Cached {
  readonly source: EmbeddingSource;
  readonly rowsAtOnce: number;
  /** Of a query. */
  readonly documents: number;
  loss(g: Graph, query_BK: Value, documents_NK: Value): Value;
}

export function cachedProgram(compiler: Compiler, cached: Cached): LossProgram<ListBatch> {
  const { source, rowsAtOnce } = cached;
  const width = embeddingWidth(source.stages, source.config.hidden_size);
  const vectors = (g: Graph): Value => tower(g, source, "texts", ["B", "T"]);
  const vectorGraph = (training: boolean): Graph => {
    const g = compiler.graph(training);
    g.output("vectors", vectors(g));
    return g;
  };
  const backward = compiler.lossGraph(
    (g) => sumAll(mul(vectors(g), g.input("cotangent", "float32", ["B", width]))),
    true,
  );
  const owned = new Owned();
  const made = new Map<string, Promise<Session>>();
  const session = (name: string, graph: () => Graph): Promise<Session> => {
    let known = made.get(name);
    if (known === undefined) made.set(name, (known = compiler.session(graph()).then((one) => owned.use(one))));
    return known;
  };
  return {
    graph: backward,
    async run({ feeds, queries, documents }, { weights, scale, seed }, into) {
      const training = into !== undefined;
      const all = [...queries, ...documents];
      const chunks = byLength(
        all.map(({ ids }) => ids),
        rowsAtOnce,
      );
      // Dropout differs from chunk to chunk, and is the same in both passes of one.
      const feedsOf = (places: readonly number[], chunk: number): Tensors => ({
        ...weights,
        ...textFeeds("texts", sliceRows(all, places), source),
        seed: tensor("int64", [], BigInt64Array.of(BigInt(seed + chunk))),
      });
      const forward = await session(`vectors ${training}`, () => vectorGraph(training));
      const found = new Float32Array(all.length * width);
      for (const [chunk, places] of chunks.entries()) {
        const data = (await forward.run(feedsOf(places, chunk)))["vectors"]!.data as Float32Array;
        places.forEach((place, i) => found.set(data.subarray(i * width, (i + 1) * width), place * width));
      }
      const split = queries.length * width;
      const middle = await session("loss", () => vectorLossGraph(cached, width));
      const outputs = await middle.run({
        ...feeds,
        queryVectors: tensor("float32", [queries.length, width], found.subarray(0, split)),
        documentVectors: tensor("float32", [documents.length, width], found.subarray(split)),
      });
      const loss = scale * Number(outputs["loss"]!.data[0]);
      if (into === undefined) return { loss };
      const cotangents = new Float32Array(found.length);
      cotangents.set(outputs["d0"]!.data as Float32Array);
      cotangents.set(outputs["d1"]!.data as Float32Array, split);
      const backwards = await session("backward", () => backward);
      for (const [chunk, places] of chunks.entries()) {
        const rows = new Float32Array(places.length * width);
        places.forEach((place, i) => rows.set(cotangents.subarray(place * width, (place + 1) * width), i * width));
        const cotangent = tensor("float32", [places.length, width], rows);
        const inputs = { ...feedsOf(places, chunk), cotangent, scale: float32([scale], []) };
        if (chunk === 0) await backwards.run(inputs, into);
        else addTo(into, await backwards.run(inputs));
      }
      return { loss };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The loss of vectors that are there, and its gradients with respect to them. */
function vectorLossGraph({ documents, loss }: Cached, width: number): Graph {
  const g = new Graph();
  const vectors = [
    g.input("queryVectors", "float32", ["B", width]),
    g.input("documentVectors", "float32", [product([documents, "B"]), width]),
  ] as const;
  const value = g.output("loss", loss(g, ...vectors));
  gradients(value, vectors).forEach((gradient, i) => g.output(`d${i}`, gradient));
  return g;
}

/** Sums what a chunk gave into the gradients of those before it. */
export function addTo(sums: Tensors, outputs: Tensors): void {
  for (const [name, { data }] of Object.entries(sums)) {
    accumulate(data as Float32Array, outputs[name]!.data as Float32Array);
  }
}
