/** Cross-encoders over lists of documents: each query beside each of its documents gets one number. */
// B queries, n documents of a query, N = B·n pairs, T tokens
import * as z from "zod";
import type { Graph, Value } from "../../graph/graph.ts";
import { cast, reshape } from "../../graph/ops/index.ts";
import { product } from "../../graph/shape.ts";
import { headOf } from "../../models/index.ts";
import { binaryLoss, listNetLoss, rankNetLoss, squaredLoss } from "../../nn/losses.ts";
import { saveCrossEncoder } from "../../retrieval/cross-encoder.ts";
import { type Inputs, type Objective, startFolder } from "./objective.ts";
import { openPairSource, type PairSource } from "./source.ts";
import { exampleSets, float32, listSettings, listSize, readListSplits, rowFeeds } from "./texts.ts";

export const pairSettings = z.strictObject({
  kind: z.literal("pairs"),
  loss: z
    .enum(["binary", "regression", "ranknet", "listnet"])
    .describe("Of each document's label (binary, regression), or of their order (ranknet, listnet)"),
  documents: listSettings.documents,
  documentTokens: listSettings.documentTokens.describe("Most tokens of a pair"),
});

const losses = { binary: binaryLoss, regression: squaredLoss, ranknet: rankNetLoss, listnet: listNetLoss } as const;

/** Logits [B, n] of pairs fed under `pairs`. */
function pairLogits(g: Graph, { family, config }: PairSource, n: number): Value {
  const input = (name: string): Value => g.input(`pairs/${name}`, "int64", [product([n, "B"]), "T"]);
  const inputs = { ids_BT: input("ids"), mask_BT: input("mask"), types_BT: input("types") };
  const logits_N1 = headOf(family, config)!.logits(g, config, family.hidden(g, config, inputs), inputs);
  return cast(reshape(logits_N1, ["B", n]), "float32");
}

/**
 * Without scores the first document's label is 1 and the others' 0.
 * @throws DataError for lists that are too short, or scores that are no labels of the loss.
 */
export async function openPairs(
  { loss, documents: n, documentTokens }: z.infer<typeof pairSettings>,
  inputs: Inputs,
): Promise<Objective> {
  const source = await openPairSource(startFolder(inputs), documentTokens);
  const splits = await readListSplits(inputs, { documents: n, shares: loss === "binary" });
  const { config, tokenizer, maxTokens } = source;
  const activation = `torch.nn.modules.${loss === "regression" ? "linear.Identity" : "activation.Sigmoid"}` as const;
  return {
    start: source,
    ...exampleSets(splits, listSize, (lists) => {
      const pairs = lists.flatMap((one) => one.documents.slice(0, n).map((text) => [one.query, text] as const));
      const { ids, typeIds } = tokenizer.encodeBatch(pairs, { maxLength: maxTokens, padding: "none" });
      const labels = lists.flatMap((one) => (one.scores ?? one.documents.map((_, i) => Number(i === 0))).slice(0, n));
      const feeds = {
        ...rowFeeds("pairs", { ids, types: typeIds }, source),
        labels: float32(labels, [lists.length, n]),
      };
      return { feeds, count: lists.length, work: lists.length };
    }),
    order: "random",
    reduction: "mean",
    unit: "examples",
    dropoutStream: 1,
    loss: (g) => losses[loss](pairLogits(g, source, n), g.input("labels", "float32", ["B", n])),
    save: (folder, parameters) => saveCrossEncoder(folder, { config, tokenizer, parameters, activation, maxTokens }),
    async [Symbol.asyncDispose]() {},
  };
}
