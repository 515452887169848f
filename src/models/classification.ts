/**
 * Classification heads as every family of transformers has them: of rows (single label, multi-label, regression, by
 * `problem_type`) and of tokens. A family says only how hidden states become logits.
 */
// B batch, T tokens, N rows in all, C classes
import * as z from "zod";
import type { Graph, Value } from "../graph/graph.ts";
import {
  binaryCrossEntropy,
  crossEntropy,
  equals,
  mul,
  reshape,
  scale,
  shift,
  sub,
  where,
} from "../graph/ops/index.ts";
import { flat } from "../nn/layers.ts";
import { pool } from "../nn/pooling.ts";
import { product } from "../graph/shape.ts";
import type { Head, Labels, Measure, ModelConfig, ModelInputs } from "./family.ts";

/** The fields of config.json that classification reads. */
export const labelFields = {
  architectures: z.array(z.string()).nullish(),
  classifier_dropout: z.number().min(0).lt(1).nullish(),
  problem_type: z.enum(["single_label_classification", "multi_label_classification", "regression"]).nullish(),
  id2label: z.record(z.string(), z.string()).optional(),
  num_labels: z.int().positive().optional(),
} as const;

type LabelSettings = z.infer<z.ZodObject<typeof labelFields>>;
type Problem = NonNullable<LabelSettings["problem_type"]>;
export type LabelConfig = Pick<LabelSettings, "problem_type" | "id2label" | "num_labels">;

/** Number of classes of a classification head: `id2label`, else `num_labels`, else 2 (as transformers). */
export function labelCount({ id2label, num_labels }: LabelConfig): number {
  return id2label === undefined ? (num_labels ?? 2) : Object.keys(id2label).length;
}

/** The classes that the head of the configuration has; `heads`: by class name the layer that makes their logits. */
export function labelMeasure(config: LabelSettings, heads: Readonly<Record<string, string>>): Measure[] {
  const named = config.architectures?.[0] ?? "";
  if (!Object.hasOwn(heads, named)) return [];
  const field = config.id2label === undefined ? "num_labels" : "id2label";
  return [{ field, value: labelCount(config), parameter: `${heads[named]}.weight`, axis: 0 }];
}

/** What `count` classes are called: as `id2label` says, else LABEL_0 and so on. */
export function labelNames({ id2label }: LabelConfig, count: number): string[] {
  return Array.from({ length: count }, (_, i) => id2label?.[String(i)] ?? `LABEL_${i}`);
}

/** The named kind of classification; without one, regression for one label and single-label for more. */
export function problemOf(config: LabelConfig): Problem {
  return config.problem_type ?? (labelCount(config) === 1 ? "regression" : "single_label_classification");
}

/** hidden_BTD → logits [B, C] or [B, T, C]. */
type Logits<Config extends ModelConfig> = (g: Graph, config: Config, hidden: Value, inputs: ModelInputs) => Value;

/** Classes of rows, or target values. */
export function sequenceHead<Config extends ModelConfig & LabelConfig>(logits: Logits<Config>): Head<Config> {
  return {
    kind: "sequence",
    labels: (config): Labels => ({
      of: problemOf(config) === "single_label_classification" ? "rows" : "targets",
      count: labelCount(config),
    }),
    logits,
    loss: (g, config, hidden_BTD, labels, inputs) => {
      const logits_BC = logits(g, config, hidden_BTD, inputs);
      const problem = problemOf(config);
      if (problem === "single_label_classification") return crossEntropy(logits_BC, labels);
      const difference_BC = sub(logits_BC, labels);
      const loss_BC =
        problem === "regression" ? mul(difference_BC, difference_BC) : binaryCrossEntropy(logits_BC, labels);
      return reshape(loss_BC, [product(loss_BC.shape)]);
    },
  };
}

/** int64 [B, T], 1 for a token, 0 for padding. */
export function givenTokens({ ids_BT, mask_BT }: Pick<ModelInputs, "ids_BT" | "mask_BT">): Value {
  return mask_BT ?? shift(scale(ids_BT, 0), 1);
}

/**
 * Of rows, from each row's last token that is not padding, wherever the padding stands: a decoder's, whose last token
 * alone has seen all. (transformers took the wrong token of rows padded on the left until its pull request 46782.)
 * `logits`: last_BD → [B, C].
 */
export function lastTokenHead<Config extends ModelConfig & LabelConfig>(
  logits: (g: Graph, config: Config, last_BD: Value) => Value,
): Head<Config> {
  return sequenceHead((g, config, hidden_BTD, { ids_BT, mask_BT }) => {
    const given_BT = givenTokens({ ids_BT, mask_BT });
    const { pad_token_id: pad } = config;
    const isPadding_BT = equals(ids_BT, g.scalar(pad ?? -1, "int64"));
    const counted_BT = typeof pad === "number" ? where(isPadding_BT, g.scalar(0, "int64"), given_BT) : given_BT;
    return logits(g, config, pool("lasttoken", hidden_BTD, counted_BT));
  });
}

/** Classes of tokens. */
export function tokenHead<Config extends ModelConfig & LabelConfig>(logits: Logits<Config>): Head<Config> {
  return {
    kind: "token",
    labels: (config): Labels => ({ of: "tokens", count: labelCount(config) }),
    logits,
    loss: (g, config, hidden, labels_N, inputs) => crossEntropy(flat(logits(g, config, hidden, inputs)), labels_N),
  };
}
