/**
 * The graphs that a model is run with: scoring, loss with gradients, and generation with a cache. Each works for every
 * family; batch and time are symbolic unless given.
 */
// B batch, T tokens, N labels, D width, R scored tokens, V vocabulary, M capacity of the cache
import { ConfigError } from "../errors.ts";
import { gradients } from "../graph/grad.ts";
import { type Adapt, Graph, type GraphOptions, type Parameter, type Value } from "../graph/graph.ts";
import {
  add,
  cast,
  crossEntropy,
  exp,
  gather,
  gatherElements,
  log,
  logSoftmax,
  mul,
  neg,
  reduceMax,
  reduceSum,
  reshape,
  scale,
  sub,
  sumAll,
} from "../graph/ops/index.ts";
import { type Dim, product, type Shape } from "../graph/shape.ts";
import { cachedAttention } from "../nn/attention.ts";
import { positionsInDocument } from "../nn/positions.ts";
import { type Family, type Head, headOf, type Labels, type ModelConfig, type ModelInputs } from "./family.ts";

/** Inputs `ids` and, as asked, `mask`, `documents` and `types`, [B, T] int64; no types for a family that has none. */
function tokenInputs(
  g: Graph,
  family: Family,
  shape: Shape,
  { masked = false, packed = false, typed = false }: Pick<LossOptions, "masked" | "packed" | "typed">,
): ModelInputs {
  const ids_BT = g.input("ids", "int64", shape);
  const mask_BT = masked ? g.input("mask", "int64", shape) : undefined;
  const documents_BT = packed ? g.input("documents", "int64", shape) : undefined;
  return {
    ids_BT,
    mask_BT,
    documents_BT,
    positions_BT: documents_BT === undefined ? undefined : positionsInDocument(documents_BT),
    types_BT: typed && family.typed === true ? g.input("types", "int64", shape) : undefined,
  };
}

/** The head of the configuration. @throws ConfigError where it has none. */
function headFor(family: Family, config: ModelConfig): Head {
  const head = headOf(family, config);
  if (head === undefined) {
    throw new ConfigError(
      `architectures: expected a model with a head, got ${config.architectures?.[0]?.slice(0, 80)}`,
      {
        hint: "a bare model has hidden states only",
      },
    );
  }
  return head;
}

/** Inputs `ids`, `mask` and, by family, `types`, [B, T] int64; output `logits` of the configuration's head. */
export function scoringGraph(family: Family, config: ModelConfig): Graph {
  const g = new Graph();
  const inputs = tokenInputs(g, family, ["B", "T"], { masked: true, typed: true });
  g.output("logits", headFor(family, config).logits(g, config, family.hidden(g, config, inputs), inputs));
  return g;
}

/** Inputs as `scoringGraph`; outputs `hidden` [B, T, D] and, where the model has a pooler, `pooled` [B, D]. */
export function hiddenGraph(family: Family, config: ModelConfig): Graph {
  const g = new Graph();
  const hidden_BTD = g.output(
    "hidden",
    family.hidden(g, config, tokenInputs(g, family, ["B", "T"], { masked: true, typed: true })),
  );
  const pooled_BD = family.pooled?.(g, config, hidden_BTD);
  if (pooled_BD !== undefined) g.output("pooled", pooled_BD);
  return g;
}

/** What a loss needs to know of its batches. */
export interface LabelOptions {
  readonly batch?: Dim;
  readonly tokens?: Dim;
  /** Rows may be padded: input `mask` [B, T] int64. */
  readonly masked?: boolean;
  /**
   * Several documents share a row: input `documents` [B, T] int64, the number of each token's document. Tokens see
   * their own document alone, and positions begin anew in each.
   */
  readonly packed?: boolean;
  /** Input `types` [B, T] int64, where the family has them; without it all are 0. */
  readonly typed?: boolean;
  /**
   * Labels of some tokens only: inputs `at` and `labels` [N] int64, `at` counting the B·T tokens. Logits are computed
   * there alone. A number: so many of them, always.
   */
  readonly gathered?: boolean | number;
  /** Also an output `losses` [N] float32: each label's own. */
  readonly each?: boolean;
}

/** How any loss is computed, and what is differentiated. */
export interface GradientOptions {
  /** Dropout from the input `seed` (int64 scalar). */
  readonly training?: boolean;
  /** Each layer is computed again in the backward pass instead of being kept. */
  readonly checkpointing?: boolean;
  /** "float16": computes in float16 on float32 parameters; the loss is summed in float32. Default "float32". */
  readonly precision?: "float32" | "float16";
  /** Outputs `gradient/NAME` for every parameter, or for those that it says. Default true. */
  readonly gradients?: boolean | ((name: string, parameter: Parameter) => boolean);
  /** See `GraphOptions`. */
  readonly adapt?: Adapt | undefined;
}

export type LossOptions = LabelOptions & GradientOptions;

/**
 * The sum of the labels' losses, a float32 scalar. Inputs `ids` and, as asked, `mask`, `documents`, `types` [B, T] int64,
 * and `labels`, as the configuration's head takes them: [B, T] or [B] int64 (negative: ignored; already shifted for
 * decoders), or [B, C] float32.
 */
export function labelLoss(g: Graph, family: Family, config: ModelConfig, options: LabelOptions = {}): Value {
  const { batch = "B", tokens = "T" } = options;
  const head = headFor(family, config);
  const inputs = tokenInputs(g, family, [batch, tokens], options);
  const labels = labelInputs(g, head.labels(config), [batch, tokens], options.gathered ?? false);
  const hidden_BTD = family.hidden(g, config, inputs);
  const width = hidden_BTD.shape[2]!;
  const kept =
    labels.at === undefined ? hidden_BTD : gather(reshape(hidden_BTD, [product([batch, tokens]), width]), labels.at);
  const losses_N = cast(head.loss(g, config, kept, labels.labels, inputs), "float32");
  if (options.each === true) g.output("losses", losses_N);
  return sumAll(losses_N);
}

/**
 * Log-probabilities [N] of tokens: inputs `ids` [B, T] int64, padded on the right, `at` and `labels` [N] int64, as
 * `labelLoss` has them where labels are gathered. `temperature`: what scores are divided by.
 */
export function tokenLogProbabilities(g: Graph, family: Family, config: ModelConfig, temperature = 1): Value {
  const { hidden_ND, labels_N } = gatheredHidden(g, family, config);
  const losses_N =
    temperature === 1
      ? family.tokenLoss(g, config, hidden_ND, labels_N)
      : crossEntropy(scale(family.logits(g, config, hidden_ND), 1 / temperature), labels_N);
  return neg(cast(losses_N, "float32"));
}

/** Outputs `logProbabilities` and `entropies` [N], in nats, of the distributions that tokens are drawn from; inputs as above. */
export function tokenDistributions(g: Graph, family: Family, config: ModelConfig, temperature = 1): Graph {
  const { hidden_ND, labels_N } = gatheredHidden(g, family, config);
  const scores_NV = scale(cast(family.logits(g, config, hidden_ND), "float32"), 1 / temperature);
  const logs_NV = logSoftmax(scores_NV);
  const picked_N1 = gatherElements(logs_NV, reshape(labels_N, ["N", 1]), 1);
  g.output("logProbabilities", reshape(picked_N1, ["N"]));
  g.output("entropies", neg(reduceSum(mul(exp(logs_NV), logs_NV), [-1], { keepDims: false })));
  return g;
}

function gatheredHidden(g: Graph, family: Family, config: ModelConfig): { hidden_ND: Value; labels_N: Value } {
  const ids_BT = g.input("ids", "int64", ["B", "T"]);
  const [at_N, labels_N] = [g.input("at", "int64", ["N"]), g.input("labels", "int64", ["N"])];
  const hidden_BTD = family.hidden(g, config, { ids_BT });
  return { hidden_ND: gather(reshape(hidden_BTD, [product(["B", "T"]), hidden_BTD.shape[2]!]), at_N), labels_N };
}

/** Output `loss` = what `build` makes times the input `scale`, a float32 scalar, and the gradients of that. */
export function differentiated(build: (g: Graph) => Value, options: GradientOptions = {}): Graph {
  const g = new Graph({
    training: options.training ?? false,
    checkpointing: options.checkpointing ?? false,
    ...(options.precision === "float16" ? mixedPrecision(options.adapt) : { adapt: options.adapt }),
  });
  const loss = g.output("loss", mul(build(g), g.input("scale", "float32", [])));
  const { gradients: wanted = true } = options;
  if (wanted === false) return g;
  const parameters = [...g.parameters].filter(([name, parameter]) => wanted === true || wanted(name, parameter));
  const found = gradients(
    loss,
    parameters.map(([, { value }]) => value),
  );
  parameters.forEach(([name], i) => g.output(`gradient/${name}`, found[i]!));
  return g;
}

/** The graph of a model's own loss: `labelLoss`, scaled and differentiated. */
export function lossGraph(family: Family, config: ModelConfig, options: LossOptions = {}): Graph {
  return differentiated((g) => labelLoss(g, family, config, options), options);
}

/** Parameters stay float32 and are cast where they are used; their gradients come back through the cast. */
export function mixedPrecision(adapt: Adapt | undefined): GraphOptions {
  return {
    float: "float16",
    parameterFloat: "float32",
    adapt: (g, path, value) => cast(adapt?.(g, path, value) ?? value, "float16"),
  };
}

function labelInputs(
  g: Graph,
  { of, count }: Labels,
  [batch, tokens]: Shape,
  gathered: boolean | number,
): { labels: Value; at?: Value } {
  // In the element type that the head computes in: half precision takes no float32 beside it.
  if (of === "targets") return { labels: cast(g.input("labels", "float32", [batch!, count]), g.float) };
  if (of === "rows") return { labels: g.input("labels", "int64", [batch!]) };
  if (gathered !== false) {
    const shape = [gathered === true ? "N" : gathered];
    return { labels: g.input("labels", "int64", shape), at: g.input("at", "int64", shape) };
  }
  const labels_BT = g.input("labels", "int64", [batch!, tokens!]);
  return { labels: reshape(labels_BT, [product([batch!, tokens!])]) };
}

/**
 * One step of generation: inputs `ids`, `positions` [B, T] int64, `past` [B, M] int32 and the cache (see
 * `cachedAttention`), `last` [R] int64 (which of the B·T tokens are scored: as a rule each row's end); outputs `logits`
 * [R, V], `logSums` [R, 1], their log Σ exp, and the new tokens' keys and values.
 */
export function decodingGraph(family: Family, config: ModelConfig): Graph {
  const g = new Graph();
  const ids_BT = g.input("ids", "int64", ["B", "T"]);
  const positions_BT = g.input("positions", "int64", ["B", "T"]);
  const past_BM = g.input("past", "int32", ["B", "M"]);
  const last_R = g.input("last", "int64", ["R"]);
  const attend = cachedAttention(g, { ids_BT, positions_BT, past_BM });
  const hidden_BTD = family.hidden(g, config, { ids_BT, positions_BT, attend });
  const width = hidden_BTD.shape[2]!;
  const ends_RD = gather(reshape(hidden_BTD, [product(["B", "T"]), width]), last_R);
  const logits_RV = g.output("logits", family.logits(g, config, ends_RD));
  g.output("logSums", logSums(logits_RV));
  return g;
}

/**
 * Log-probabilities of tokens after others, where several texts may go on from the same beginning: inputs `ids`,
 * `positions` and `branches` [B, T] int64 (see `ModelInputs`), `last` [R] int64, those of the B·T tokens that something
 * follows, and of every token that follows `after` [N], which of the R it does, and `picks` [N], that number times V plus
 * its id, int64; output `scores` [N].
 */
export function branchGraph(family: Family, config: ModelConfig): Graph {
  const g = new Graph();
  const [ids_BT, positions_BT, branches_BT] = ["ids", "positions", "branches"].map((name) =>
    g.input(name, "int64", ["B", "T"]),
  ) as [Value, Value, Value];
  const last_R = g.input("last", "int64", ["R"]);
  const [after_N, picks_N] = [g.input("after", "int64", ["N"]), g.input("picks", "int64", ["N"])];
  const hidden_BTD = family.hidden(g, config, { ids_BT, positions_BT, branches_BT });
  const ends_RD = gather(reshape(hidden_BTD, [product(["B", "T"]), hidden_BTD.shape[2]!]), last_R);
  const logits_RV = family.logits(g, config, ends_RD);
  const logits_N = gather(reshape(logits_RV, [product(["R", config.vocab_size])]), picks_N);
  const sums_N = gather(reshape(logSums(logits_RV), ["R"]), after_N);
  g.output("scores", sub(logits_N, sums_N));
  return g;
}

/** log Σ exp of each row: [R, 1]. */
function logSums(logits_RV: Value): Value {
  const most_R1 = reduceMax(logits_RV, [-1]);
  return add(log(reduceSum(exp(sub(logits_RV, most_R1)), [-1])), most_R1);
}
