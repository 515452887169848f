/**
 * Sentence embeddings from lists of documents: ranking with the batch's other documents as negatives (plain, or with
 * cached gradients, see `cached-gradients.ts`), margins of a teacher's scores, or the divergence from them.
 */
// B queries, n documents of a query, N = B·n, T and S tokens, K width of a vector
import * as z from "zod";
import type { Graph, Value } from "../../graph/graph.ts";
import { product } from "../../graph/shape.ts";
import { divergenceLoss, marginLoss, matryoshka, ownScores, rankingLoss } from "../../nn/losses.ts";
import { cachedProgram, type ListBatch } from "./cached-gradients.ts";
import { type Context, type Inputs, type Objective, startFolder } from "./objective.ts";
import { openEmbeddingSource, saveEmbedding } from "./source.ts";
import {
  documentsOf,
  exampleSets,
  listLabels,
  listSettings,
  listSize,
  readListSplits,
  rowsOf,
  sayCut,
  temperatures,
  textFeeds,
  tower,
} from "./texts.ts";

/** Multiple negatives. */
export const rankingSettings = z.strictObject({
  kind: z.literal("ranking"),
  scale: z.number().positive().describe("What cosines are multiplied by"),
  rowsAtOnce: z.int().min(0).describe("More than 0: so many rows at once, by cached gradients, for large batches"),
  matryoshka: z.array(z.int().positive()).describe("Widths that the vectors are also good at; []: the whole alone"),
  ...listSettings,
});
export const marginSettings = z.strictObject({ kind: z.literal("margin"), ...listSettings });
export const divergenceSettings = z.strictObject({ kind: z.literal("divergence"), ...temperatures, ...listSettings });

type Settings = z.infer<typeof rankingSettings> | z.infer<typeof marginSettings> | z.infer<typeof divergenceSettings>;

/** The loss of query vectors [B, K] and document vectors [N, K]; inputs `positives` [B] or `teacher` [B, n]. */
function listLoss(g: Graph, settings: Settings, query_BK: Value, documents_NK: Value): Value {
  const batch = query_BK.shape[0]!;
  const n = settings.documents;
  if (settings.kind === "ranking") {
    const positives_B = g.input("positives", "int64", [batch]);
    const ranking = ([q, d]: readonly Value[]): Value => rankingLoss(q!, d!, positives_B, settings.scale);
    if (settings.matryoshka.length === 0) return ranking([query_BK, documents_NK]);
    return matryoshka([query_BK, documents_NK], settings.matryoshka, ranking);
  }
  const scores_Bn = ownScores(query_BK, documents_NK, n);
  const teacher_Bn = g.input("teacher", "float32", [batch, n]);
  return settings.kind === "margin"
    ? marginLoss(scores_Bn, teacher_Bn)
    : divergenceLoss(scores_Bn, teacher_Bn, settings);
}

/** @throws DataError for lists that are too short, or without scores where these are needed. */
export async function openRanking(settings: Settings, inputs: Inputs, context: Context): Promise<Objective<ListBatch>> {
  const { kind, documents: n, queryTokens, documentTokens } = settings;
  const source = await openEmbeddingSource(startFolder(inputs), Math.max(documentTokens, queryTokens));
  sayCut(source, Math.max(documentTokens, queryTokens), context);
  const splits = await readListSplits(inputs, { documents: n, scored: kind !== "ranking" });
  const plain: Objective<ListBatch> = {
    start: source,
    ...exampleSets(splits, listSize, (lists) => {
      const asked = lists.map(({ query }) => query);
      const queries = rowsOf(source, asked, queryTokens, "query");
      const documents = rowsOf(source, documentsOf(lists, n), documentTokens, "document");
      const feeds = {
        ...textFeeds("queries", queries, source),
        ...textFeeds("documents", documents, source),
        ...listLabels(lists, n),
      };
      return { feeds, queries, documents, count: lists.length, work: lists.length };
    }),
    order: kind === "ranking" ? "full" : "length",
    reduction: "mean",
    unit: "examples",
    dropoutStream: 1,
    loss(g) {
      const query_BK = tower(g, source, "queries", ["B", "T"]);
      return listLoss(g, settings, query_BK, tower(g, source, "documents", [product([n, "B"]), "S"]));
    },
    save: (folder, weights) => saveEmbedding(folder, source, weights),
    async [Symbol.asyncDispose]() {},
  };
  if (kind !== "ranking" || settings.rowsAtOnce === 0) return plain;
  const { rowsAtOnce } = settings;
  const loss = (g: Graph, query_BK: Value, documents_NK: Value): Value => listLoss(g, settings, query_BK, documents_NK);
  return { ...plain, program: (compiler) => cachedProgram(compiler, { source, rowsAtOnce, documents: n, loss }) };
}
