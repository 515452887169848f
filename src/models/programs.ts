/**
 * The graphs that a model is run with: scoring, loss with gradients, and generation with a cache. Each works for every
 * family; batch and time are symbolic unless given.
 */
// B batch, T tokens, N = B·T, R scored tokens, V vocabulary, M capacity of the cache
import { gradients } from "../graph/grad.ts";
import { Graph } from "../graph/graph.ts";
import { gather, mul, reshape, sumAll } from "../graph/ops/index.ts";
import { type Dim, product } from "../graph/shape.ts";
import { cachedAttention } from "../nn/attention.ts";
import type { Family, ModelConfig } from "./family.ts";

/** Inputs `ids`, `mask` [B, T] int64; output `logits` [B, T, V]. */
export function scoringGraph(family: Family, config: ModelConfig): Graph {
  const g = new Graph();
  const ids_BT = g.input("ids", "int64", ["B", "T"]);
  const mask_BT = g.input("mask", "int64", ["B", "T"]);
  g.output("logits", family.logits(g, config, family.hidden(g, config, { ids_BT, mask_BT })));
  return g;
}

export interface LossOptions {
  readonly batch?: Dim;
  readonly tokens?: Dim;
  /** Rows may be padded: input `mask` [B, T] int64. */
  readonly masked?: boolean;
  /** Dropout from the input `seed` (int64 scalar). */
  readonly training?: boolean;
  /** Each layer is computed again in the backward pass instead of being kept. */
  readonly checkpointing?: boolean;
  /** Outputs `gradient/NAME` for every parameter. Default true. */
  readonly gradients?: boolean;
}

/**
 * Inputs `ids` and `labels` [B, T] int64 (labels already shifted for decoders, negative: ignored) and `scale`, a
 * float32 scalar; output `loss` = scale · Σ token losses, and the gradients of that.
 */
export function lossGraph(family: Family, config: ModelConfig, options: LossOptions = {}): Graph {
  const { batch = "B", tokens = "T" } = options;
  const g = new Graph({ training: options.training ?? false, checkpointing: options.checkpointing ?? false });
  const ids_BT = g.input("ids", "int64", [batch, tokens]);
  const labels_BT = g.input("labels", "int64", [batch, tokens]);
  const mask_BT = options.masked === true ? g.input("mask", "int64", [batch, tokens]) : undefined;
  const hidden_BTD = family.hidden(g, config, { ids_BT, mask_BT });
  const loss_N = family.tokenLoss(g, config, hidden_BTD, reshape(labels_BT, [product([batch, tokens])]));
  const loss = g.output("loss", mul(sumAll(loss_N), g.input("scale", "float32", [])));
  if (options.gradients === false) return g;
  const parameters = [...g.parameters];
  const found = gradients(
    loss,
    parameters.map(([, { value }]) => value),
  );
  parameters.forEach(([name], i) => g.output(`gradient/${name}`, found[i]!));
  return g;
}

/**
 * One step of generation: inputs `ids`, `positions` [B, T] int64, `lengths` [B] and `total` [1] int32 (see
 * `cachedAttention`), `last` [R] int64 (which of the B·T tokens are scored: as a rule each row's end), and the cache;
 * output `logits` [R, V].
 */
export function decodingGraph(family: Family, config: ModelConfig): Graph {
  const g = new Graph();
  const ids_BT = g.input("ids", "int64", ["B", "T"]);
  const positions_BT = g.input("positions", "int64", ["B", "T"]);
  const lengths_B = g.input("lengths", "int32", ["B"]);
  const total = g.input("total", "int32", [1]);
  const last_R = g.input("last", "int64", ["R"]);
  const attend = cachedAttention(g, { lengths_B, total });
  const hidden_BTD = family.hidden(g, config, { ids_BT, positions_BT, attend });
  const width = hidden_BTD.shape[2]!;
  const ends_RD = gather(reshape(hidden_BTD, [product(["B", "T"]), width]), last_R);
  g.output("logits", family.logits(g, config, ends_RD));
  return g;
}
