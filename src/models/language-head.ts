/** The head of a decoder's language model: one matrix, its own or the token table, and no bias. */
// B batch, T tokens, D width, V vocabulary
import type { Graph, Value } from "../graph/graph.ts";
import { linearCrossEntropy, matMul, reshape } from "../graph/ops/index.ts";
import type { Family, ModelConfig } from "./family.ts";

/** Scores and losses of a family whose head is weight_VD. */
export function languageHead<Config extends ModelConfig>(
  weight: (g: Graph, config: Config) => Value,
): Pick<Family<Config>, "logits" | "tokenLoss"> {
  return {
    logits: (g, config, hidden_BTD) => matMul(hidden_BTD, weight(g, config), { transB: true }),
    tokenLoss: (g, config, hidden_BTD, labels_N) =>
      linearCrossEntropy(reshape(hidden_BTD, [-1, config.hidden_size]), weight(g, config), labels_N),
  };
}
