/**
 * Graphs of embedding models: a network's hidden states, then the stages of a Sentence Transformers or PyLate
 * directory (pooling, dense layers, L2 normalisation) in order. Without pooling the result is a vector a token.
 */
// B batch, T tokens, K width of the result
import { ConfigError } from "../errors.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { add, concat, l2Normalize, linear } from "../graph/ops/index.ts";
import { type Activation, activations } from "../nn/activations.ts";
import { type Pooling, pool } from "../nn/pooling.ts";
import type { Family, ModelConfig, ModelInputs } from "./family.ts";

/** Those that torch has as a module, since a directory names the module. */
export type DenseActivation = Extract<Activation, "gelu" | "linear" | "relu" | "sigmoid" | "silu" | "tanh">;

export interface DenseStage {
  readonly kind: "dense";
  /** Folder of the directory; its parameters are `NAME.linear.weight` [out, in], and so on. */
  readonly name: string;
  readonly inWidth: number;
  readonly outWidth: number;
  readonly bias: boolean;
  readonly activation: DenseActivation;
  /** The input is added to the result, through `residual.weight` where the widths differ. */
  readonly residual: boolean;
}

export interface PoolingStage {
  readonly kind: "pooling";
  readonly name: string;
  /** Concatenated in this order. */
  readonly modes: readonly Pooling[];
  /** False: tokens of a prompt are not pooled. */
  readonly includePrompt: boolean;
}

export interface NormalizeStage {
  readonly kind: "normalize";
  readonly name: string;
}

export type EmbeddingStage = DenseStage | PoolingStage | NormalizeStage;

/** Width of what the stages make of vectors of `width`. @throws ConfigError where a dense layer does not fit. */
export function embeddingWidth(stages: readonly EmbeddingStage[], width: number): number {
  for (const stage of stages) {
    if (stage.kind === "pooling") width *= stage.modes.length;
    if (stage.kind !== "dense") continue;
    if (stage.inWidth !== width) {
      throw new ConfigError(`${stage.name}: in_features: expected ${width}, the width before it, got ${stage.inWidth}`);
    }
    width = stage.outWidth;
  }
  return width;
}

/** The stages applied to x_BTD. `pooled_BT` (int64) is 1 for the tokens that pooling takes. */
export function applyStages(g: Graph, stages: readonly EmbeddingStage[], x_BTD: Value, pooled_BT: Value): Value {
  let x = x_BTD;
  for (const stage of stages) {
    if (stage.kind === "normalize") x = l2Normalize(x);
    else if (stage.kind === "dense") x = dense(g, stage, x);
    else {
      const [first, ...rest] = stage.modes.map((mode) => pool(mode, x, pooled_BT));
      x = rest.length === 0 ? first! : concat([first!, ...rest], 1);
    }
  }
  return x;
}

function dense(g: Graph, stage: DenseStage, x: Value): Value {
  const { name, inWidth, outWidth, bias, activation, residual } = stage;
  const init = { normal: 1 / Math.sqrt(inWidth) };
  const weightOf = (part: string): Value => g.scope(part, () => g.param("weight", [outWidth, inWidth], init));
  const build = (): Value => {
    const weight = weightOf("linear");
    const offset = bias ? g.scope("linear", () => g.param("bias", [outWidth], { constant: 0 })) : undefined;
    const y = activations[activation](linear(x, weight, offset));
    if (!residual) return y;
    return add(y, inWidth === outWidth ? x : linear(x, weightOf("residual")));
  };
  return g.head(() => g.scope(name, build));
}

/** Whether pooling takes no token of a prompt. */
export function leavesOutPrompts(stages: readonly EmbeddingStage[]): boolean {
  return stages.some((stage) => stage.kind === "pooling" && !stage.includePrompt);
}

/** Vectors as the stages make them: [B, K], or [B, T, K] without pooling. */
export function embedding(
  g: Graph,
  { family, config }: { readonly family: Family; readonly config: ModelConfig },
  stages: readonly EmbeddingStage[],
  inputs: ModelInputs & { readonly mask_BT: Value; readonly pooled_BT?: Value | undefined },
): Value {
  return applyStages(g, stages, family.hidden(g, config, inputs), inputs.pooled_BT ?? inputs.mask_BT);
}

/**
 * Inputs `ids`, `mask`, by family `types`, and, where a stage leaves prompts out, `pooled`, all [B, T] int64; output
 * `embedding`.
 */
export function embeddingGraph(
  model: { readonly family: Family; readonly config: ModelConfig },
  stages: readonly EmbeddingStage[],
): Graph {
  const g = new Graph();
  const input = (name: string): Value => g.input(name, "int64", ["B", "T"]);
  const ids_BT = input("ids");
  const mask_BT = input("mask");
  const types_BT = model.family.typed === true ? input("types") : undefined;
  const pooled_BT = leavesOutPrompts(stages) ? input("pooled") : undefined;
  g.output("embedding", embedding(g, model, stages, { ids_BT, mask_BT, types_BT, pooled_BT }));
  return g;
}
