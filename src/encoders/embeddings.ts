/**
 * Training of sentence embeddings: distillation of a teacher's vectors, ranking with the batch's other documents as
 * negatives (plain, or with cached gradients: Gao et al. 2021, arXiv:2101.06983), margins and divergence of a teacher's
 * scores.
 */
// B queries or texts, n documents of a query, N = B·n, T and S tokens, K width of a vector
import { ConfigError } from "../errors.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { linear, mul, sumAll } from "../graph/ops/index.ts";
import { gradients } from "../graph/grad.ts";
import { type Dim, product } from "../graph/shape.ts";
import { embedding, embeddingWidth } from "../models/embedding.ts";
import { byLength, sliceRows } from "../runtime/batching.ts";
import { saveSentenceFolder } from "../retrieval/sentence-write.ts";
import { Owned } from "../runtime/owned.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/session.ts";
import { allocateParameters } from "../runtime/parameters.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { accumulate } from "../train/optimiser.ts";
import type { EncoderConfig, Objective } from "./config.ts";
import type { ScoredList } from "../tasks/lists.ts";
import type { Examples } from "./data.ts";
import {
  cosineLoss,
  divergenceLoss,
  marginLoss,
  matryoshka,
  ownScores,
  rankingLoss,
  squaredLoss,
} from "../nn/losses.ts";
import {
  float32,
  gradientFeeds,
  int64List,
  lossGraphOf,
  type Program,
  rowFeeds,
  type Run,
  seedFeed,
  simpleProgram,
} from "./program.ts";
import type { EmbeddingSource } from "./source.ts";

/** Vectors of the texts fed under `name`. */
function tower(g: Graph, source: EmbeddingSource, name: string, [batch, tokens]: readonly [Dim, Dim]): Value {
  const ids_BT = g.input(`${name}/ids`, "int64", [batch, tokens]);
  const mask_BT = g.input(`${name}/mask`, "int64", [batch, tokens]);
  return embedding(g, source, source.stages, { ids_BT, mask_BT });
}

function tokens({ tokenizer }: EmbeddingSource, texts: readonly string[], maxLength: number): number[][] {
  return tokenizer.encodeBatch(
    texts.map((text) => text.trim()),
    { maxLength, padding: "none" },
  ).ids;
}

const save =
  (source: EmbeddingSource, config: EncoderConfig): Program["save"] =>
  async (folder, { tensors }) => {
    const parameters = new Map([...tensors].filter(([name]) => !name.startsWith("projection.")));
    const { config: model, tokenizer, stages, prompts } = source;
    const width = (model as unknown as { hidden_size: number }).hidden_size;
    const maxTokens = Math.min(model.max_position_embeddings, Math.max(config.documentTokens, config.queryTokens));
    await saveSentenceFolder(folder, { config: model, tokenizer, parameters }, { stages, width, maxTokens, prompts });
  };

/** Distillation: `teacher` has a vector for every text. */
export function distilProgram(
  source: EmbeddingSource,
  config: EncoderConfig,
  { texts = [] }: Examples,
  teacher: readonly Float32Array[],
  options: SessionOptions,
): Program {
  const { projection, loss } = config.objective as Extract<Objective, { kind: "distil" }>;
  const own = embeddingWidth(source.stages, (source.config as unknown as { hidden_size: number }).hidden_size);
  const wanted = teacher[0]?.length ?? own;
  if (projection !== "learned" && wanted !== own) {
    throw new ConfigError(`objective.projection: expected teacher vectors of width ${own}, got ${wanted}`, {
      hint: 'use "pca" with a wider teacher, or "learned"',
    });
  }
  return simpleProgram(
    {
      isNew: (name) => name.startsWith("projection."),
      save: save(source, config),
      build: (training) =>
        lossGraphOf((g) => {
          const vectors_BK = tower(g, source, "texts", ["B", "T"]);
          const init = { normal: 1 / Math.sqrt(own) };
          const student =
            projection === "learned"
              ? linear(
                  vectors_BK,
                  g.scope("projection", () => g.param("weight", [wanted, own], init)),
                )
              : vectors_BK;
          const target = g.input("teacher", "float32", ["B", wanted]);
          return loss === "squared" ? squaredLoss(student, target) : cosineLoss(student, target);
        }, training),
      feeds: (examples) => ({
        ...rowFeeds(
          "texts",
          {
            ids: tokens(
              source,
              examples.map((i) => texts[i]!),
              config.documentTokens,
            ),
          },
          source,
        ),
        teacher: float32(
          examples.flatMap((i) => [...teacher[i]!]),
          [examples.length, wanted],
        ),
      }),
    },
    options,
  );
}

/** The loss of query and document vectors; inputs `positives` [B] or `teacher` [B, n]. */
function listLoss(g: Graph, { objective, documents: n }: EncoderConfig, query: Value, documents: Value): Value {
  const batch = query.shape[0]!;
  if (objective.kind === "ranking") {
    const positives_B = g.input("positives", "int64", [batch]);
    const ranking = ([q, d]: readonly Value[]): Value => rankingLoss(q!, d!, positives_B, objective.scale);
    if (objective.matryoshka.length === 0) return ranking([query, documents]);
    return matryoshka([query, documents], objective.matryoshka, ranking);
  }
  const scores_Bn = ownScores(query, documents, n);
  const teacher_Bn = g.input("teacher", "float32", [batch, n]);
  return objective.kind === "margin"
    ? marginLoss(scores_Bn, teacher_Bn)
    : divergenceLoss(scores_Bn, teacher_Bn, objective as Extract<Objective, { kind: "divergence" }>);
}

/** What lists are trained on: texts in the graph's order, and labels. */
export function listLabels(lists: readonly ScoredList[], n: number): Record<string, Tensor> {
  return {
    positives: int64List(lists.map((_, i) => i * n)),
    teacher: float32(
      lists.flatMap(({ scores, documents }) => (scores ?? documents.map(() => 0)).slice(0, n)),
      [lists.length, n],
    ),
  };
}

/** Ranking, margins and divergence over lists. */
export function listProgram(
  source: EmbeddingSource,
  config: EncoderConfig,
  { lists = [] }: Examples,
  options: SessionOptions,
): Program {
  const { documents: n, queryTokens, documentTokens } = config;
  const rowsOf = (examples: readonly number[]): { queries: number[][]; documents: number[][]; lists: ScoredList[] } => {
    const taken = examples.map((i) => lists[i]!);
    return {
      lists: taken,
      queries: tokens(
        source,
        taken.map(({ query }) => query),
        queryTokens,
      ),
      documents: tokens(
        source,
        taken.flatMap((one) => one.documents.slice(0, n)),
        documentTokens,
      ),
    };
  };
  const shared = { isNew: () => false, save: save(source, config) };
  const { objective } = config;
  if (objective.kind === "ranking" && objective.rowsAtOnce > 0) {
    return cachedProgram({ ...shared, source, config, rowsOf, rowsAtOnce: objective.rowsAtOnce }, options);
  }
  return simpleProgram(
    {
      ...shared,
      build: (training) =>
        lossGraphOf((g) => {
          const query_BK = tower(g, source, "queries", ["B", "T"]);
          return listLoss(g, config, query_BK, tower(g, source, "documents", [product([n, "B"]), "S"]));
        }, training),
      feeds: (examples) => {
        const rows = rowsOf(examples);
        return {
          ...rowFeeds("queries", { ids: rows.queries }, source),
          ...rowFeeds("documents", { ids: rows.documents }, source),
          ...listLabels(rows.lists, n),
        };
      },
    },
    options,
  );
}

interface Cached extends Pick<Program, "isNew" | "save"> {
  readonly source: EmbeddingSource;
  readonly config: EncoderConfig;
  readonly rowsAtOnce: number;
  rowsOf(examples: readonly number[]): { queries: number[][]; documents: number[][]; lists: ScoredList[] };
}

/** The same loss and gradients with few rows in memory: vectors first, then the loss's gradients of these, then theirs. */
function cachedProgram({ source, config, rowsAtOnce, rowsOf, ...rest }: Cached, options: SessionOptions): Program {
  const width = embeddingWidth(source.stages, (source.config as unknown as { hidden_size: number }).hidden_size);
  const vectorGraph = (training: boolean): Graph => {
    const g = new Graph({ training });
    g.output("vectors", tower(g, source, "texts", ["B", "T"]));
    return g;
  };
  const backward = lossGraphOf((g) => {
    const vectors_BK = tower(g, source, "texts", ["B", "T"]);
    return sumAll(mul(vectors_BK, g.input("cotangent", "float32", ["B", width])));
  }, true);
  const middle = new Graph();
  const inputs = [
    middle.input("queryVectors", "float32", ["B", width]),
    middle.input("documentVectors", "float32", [product([config.documents, "B"]), width]),
  ] as const;
  const loss = middle.output("loss", listLoss(middle, config, ...inputs));
  gradients(loss, inputs).forEach((value, i) => middle.output(`d${i}`, value));

  const owned = new Owned();
  const compile = async (graph: Graph): Promise<Session> => owned.use(await createSession(toOnnx(graph), options));
  const made = new Map<string, Promise<Session>>();
  const session = (name: string, graph: () => Graph): Promise<Session> => {
    const known = made.get(name) ?? compile(graph());
    made.set(name, known);
    return known;
  };
  const scratch = allocateParameters(backward);
  return {
    ...rest,
    graph: backward,
    async loss(examples, { weights, seed }: Run, into) {
      const rows = rowsOf(examples);
      const all = [...rows.queries, ...rows.documents];
      const chunks = byLength(all, rowsAtOnce);
      // Dropout differs from chunk to chunk, and is the same in both passes of one.
      const feedsOf = (places: readonly number[], chunk: number) => ({
        ...weights,
        ...rowFeeds("texts", { ids: sliceRows(all, places) }, source),
        ...seedFeed(seed + chunk),
      });
      const forward = await session(`vectors ${into !== undefined}`, () => vectorGraph(into !== undefined));
      const vectors = new Float32Array(all.length * width);
      for (const [chunk, places] of chunks.entries()) {
        const data = (await forward.run(feedsOf(places, chunk)))["vectors"]!.data as Float32Array;
        places.forEach((place, i) => vectors.set(data.subarray(i * width, (i + 1) * width), place * width));
      }
      const split = rows.queries.length * width;
      const outputs = await (
        await session("loss", () => middle)
      ).run({
        queryVectors: tensor("float32", [rows.queries.length, width], vectors.subarray(0, split)),
        documentVectors: tensor("float32", [rows.documents.length, width], vectors.subarray(split)),
        ...listLabels(rows.lists, config.documents),
      });
      if (into === undefined) return Number(outputs["loss"]!.data[0]);
      const cotangents = new Float32Array(vectors.length);
      cotangents.set(outputs["d0"]!.data as Float32Array);
      cotangents.set(outputs["d1"]!.data as Float32Array, split);
      const backwards = await session("backward", () => backward);
      for (const [chunk, places] of chunks.entries()) {
        const data = new Float32Array(places.length * width);
        places.forEach((place, i) => data.set(cotangents.subarray(place * width, (place + 1) * width), i * width));
        const feeds = { ...feedsOf(places, chunk), cotangent: tensor("float32", [places.length, width], data) };
        await backwards.run(feeds, gradientFeeds(chunk === 0 ? into : scratch));
        if (chunk > 0) accumulate(into.flat, scratch.flat);
      }
      return Number(outputs["loss"]!.data[0]);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
