/** ColBERT (Khattab and Zaharia 2020): contrastive, or the divergence of a teacher's scores, as PyLate trains it. */
// B queries, n documents of a query, N = B·n, Q and S tokens, K width of a vector
import * as z from "zod";
import type { Graph, Value } from "../../graph/graph.ts";
import { l2Normalize } from "../../graph/ops/index.ts";
import { product } from "../../graph/shape.ts";
import {
  allInteractions,
  contrastiveLoss,
  divergenceLoss,
  type LateVectors,
  ownInteractions,
  stretched,
} from "../../nn/losses.ts";
import { saveColbertFolder } from "../../retrieval/colbert-folder.ts";
import { colbertReader, type Row } from "../../retrieval/colbert-rows.ts";
import type { Tensors } from "../../runtime/session.ts";
import { type Context, type Inputs, type Objective, startFolder } from "./objective.ts";
import { type LateSource, openLateSource } from "./source.ts";
import {
  documentsOf,
  exampleSets,
  float32,
  listLabels,
  listSettings,
  listSize,
  readListSplits,
  rowFeeds,
  temperatures,
  tower,
} from "./texts.ts";

export const lateContrastiveSettings = z.strictObject({
  kind: z.literal("late-contrastive"),
  temperature: z.number().positive().describe("What scores are divided by"),
  ...listSettings,
});
export const lateDivergenceSettings = z.strictObject({
  kind: z.literal("late-divergence"),
  ...temperatures,
  stretch: z.boolean().describe("Own scores are stretched to [0, 1] before (PyLate's default)"),
  ...listSettings,
});

type Settings = z.infer<typeof lateContrastiveSettings> | z.infer<typeof lateDivergenceSettings>;

function lateLoss(g: Graph, settings: Settings, source: LateSource): Value {
  const n = settings.documents;
  const count = product([n, "B"]);
  const vectors: LateVectors = {
    query: l2Normalize(tower(g, source, "queries", ["B", "Q"])),
    documents: l2Normalize(tower(g, source, "documents", [count, "S"])),
    kept: g.input("documents/kept", "float32", [count, "S"]),
    ...(source.settings.expandsQueries ? {} : { queryKept: g.input("queries/kept", "float32", ["B", "Q"]) }),
  };
  if (settings.kind === "late-contrastive") {
    return contrastiveLoss(allInteractions(vectors), g.input("positives", "int64", ["B"]), settings.temperature);
  }
  const scores_Bn = ownInteractions(vectors, n);
  const teacher_Bn = g.input("teacher", "float32", ["B", n]);
  return divergenceLoss(settings.stretch ? stretched(scores_Bn) : scores_Bn, teacher_Bn, settings);
}

/** Rows under `NAME/…`, and which of their tokens count, [rows, tokens]. */
function keptFeeds(name: string, rows: readonly Row[], source: LateSource): Tensors {
  const feeds = rowFeeds(name, { ids: rows.map(({ ids }) => ids), mask: rows.map(({ mask }) => mask) }, source);
  const [count, tokens] = feeds[`${name}/ids`]!.dims as [number, number];
  const kept = rows.flatMap((row) => Array.from({ length: tokens }, (_, t) => Number(row.kept[t] === true)));
  return { ...feeds, [`${name}/kept`]: float32(kept, [count, tokens]) };
}

/** @throws DataError for lists that are too short, or without scores where these are needed. */
export async function openLateInteraction(settings: Settings, inputs: Inputs, { note }: Context): Promise<Objective> {
  const { kind, documents: n, queryTokens: query, documentTokens: document } = settings;
  const source = await openLateSource(startFolder(inputs), { query, document });
  const splits = await readListSplits(inputs, { documents: n, scored: kind === "late-divergence" });
  const { tokenizer } = source;
  const { queryLength, documentLength } = source.settings;
  const reader = colbertReader(source.folder, tokenizer, {
    ...source.settings,
    documentLength: Math.min(documentLength, document),
  });
  if (queryLength !== query || documentLength < document) {
    note(`the model's own lengths are kept: queries of ${queryLength} tokens, documents of ${documentLength}`);
  }
  return {
    start: source,
    ...exampleSets(splits, listSize, (lists) => {
      const queries = reader.queries(lists.map((one) => one.query));
      const feeds = {
        ...keptFeeds("queries", queries, source),
        ...keptFeeds("documents", reader.documents(documentsOf(lists, n)), source),
        ...listLabels(lists, n),
      };
      return { feeds, count: lists.length, work: lists.length };
    }),
    order: kind === "late-contrastive" ? "full" : "length",
    reduction: "mean",
    unit: "examples",
    dropoutStream: 1,
    loss: (g) => lateLoss(g, settings, source),
    save: (folder, parameters) => saveColbertFolder(folder, { config: source.config, tokenizer, parameters }, source),
    async [Symbol.asyncDispose]() {},
  };
}
