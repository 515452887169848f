/** Training of ColBERT (Khattab and Zaharia 2020): contrastive, or the divergence of a teacher's scores, as PyLate. */
// B queries, n documents of a query, N = B·n, Q and S tokens, K width of a vector
import type { Graph, Value } from "../graph/graph.ts";
import { l2Normalize } from "../graph/ops/index.ts";
import { type Dim, product } from "../graph/shape.ts";
import { embedding } from "../models/embedding.ts";
import { saveColbertFolder } from "../retrieval/colbert-folder.ts";
import { colbertReader, type Row } from "../retrieval/colbert-rows.ts";
import type { SessionOptions, Tensors } from "../runtime/session.ts";
import type { EncoderConfig } from "./config.ts";
import type { Examples } from "./data.ts";
import { listLabels } from "./embeddings.ts";
import {
  allInteractions,
  contrastiveLoss,
  divergenceLoss,
  type LateVectors,
  ownInteractions,
  stretched,
} from "../nn/losses.ts";
import { float32, lossGraphOf, type Program, rowFeeds, simpleProgram } from "./program.ts";
import type { LateSource } from "./source.ts";

/** Unit vectors of the tokens fed under `name`. */
function tower(g: Graph, source: LateSource, name: string, [batch, tokens]: readonly [Dim, Dim]): Value {
  const ids_BT = g.input(`${name}/ids`, "int64", [batch, tokens]);
  const mask_BT = g.input(`${name}/mask`, "int64", [batch, tokens]);
  return l2Normalize(embedding(g, source, source.stages, { ids_BT, mask_BT }));
}

function lossOf(g: Graph, config: EncoderConfig, source: LateSource): Value {
  const { objective, documents: n } = config;
  const count = product([n, "B"]);
  const vectors: LateVectors = {
    query: tower(g, source, "queries", ["B", "Q"]),
    documents: tower(g, source, "documents", [count, "S"]),
    kept: g.input("documents/kept", "float32", [count, "S"]),
    ...(source.settings.expandsQueries ? {} : { queryKept: g.input("queries/kept", "float32", ["B", "Q"]) }),
  };
  if (objective.kind === "late-contrastive") {
    return contrastiveLoss(allInteractions(vectors), g.input("positives", "int64", ["B"]), objective.temperature);
  }
  if (objective.kind !== "late-divergence") throw new Error(`late: ${objective.kind}`);
  const scores_Bn = ownInteractions(vectors, n);
  const teacher_Bn = g.input("teacher", "float32", ["B", n]);
  return divergenceLoss(objective.stretch ? stretched(scores_Bn) : scores_Bn, teacher_Bn, objective);
}

/** A program over lists. */
export function lateProgram(
  source: LateSource,
  config: EncoderConfig,
  { lists = [] }: Examples,
  options: SessionOptions,
): Program {
  const { tokenizer, settings, folder } = source;
  const reader = colbertReader(folder, tokenizer, settings);
  const feedsOf = (name: string, rows: readonly Row[]): Tensors => {
    const feeds = rowFeeds(name, { ids: rows.map(({ ids }) => ids), mask: rows.map(({ mask }) => mask) }, source);
    const [count, tokens] = feeds[`${name}/ids`]!.dims as [number, number];
    const kept = rows.flatMap((row) => Array.from({ length: tokens }, (_, t) => Number(row.kept[t] === true)));
    return { ...feeds, [`${name}/kept`]: float32(kept, [count, tokens]) };
  };
  return simpleProgram(
    {
      isNew: (name) => name.startsWith("1_Dense."),
      save: (path, { tensors: parameters }) =>
        saveColbertFolder(path, { config: source.config, tokenizer, parameters }, source),
      build: (training) => lossGraphOf((g) => lossOf(g, config, source), training),
      feeds(examples) {
        const taken = examples.map((i) => lists[i]!);
        const queries = taken.map((one) => one.query);
        const texts = taken.flatMap((one) => one.documents.slice(0, config.documents));
        return {
          ...feedsOf("queries", reader.queries(queries)),
          ...feedsOf("documents", reader.documents(texts).rows),
          ...listLabels(taken, config.documents),
        };
      },
    },
    options,
  );
}
