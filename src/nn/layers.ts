/** Layers as functions over a graph: each declares its parameters under a scope and applies ops. */
// B batch, T tokens, N = B·T, L leading axes, I and O input and output width, D width, V rows of a table
import type { Graph, Initialiser, Value } from "../graph/graph.ts";
import { cast, conv1d, dropoutWithSeed, gather, layerNorm, linear, reshape, rmsNorm } from "../graph/ops/index.ts";
import { product, type Shape } from "../graph/shape.ts";

interface LinearOptions {
  readonly bias?: boolean;
  /** Standard deviation of the normal that the weight starts from. */
  readonly deviation: number;
}

/** torch.nn.Linear: x_LI, `weight` [O, I], `bias` [O] → y_LO. */
export function linearLayer(g: Graph, name: string, x_LI: Value, width: number, options: LinearOptions): Value {
  return g.scope(name, () => {
    const weight_OI = g.param("weight", [width, x_LI.shape.at(-1) as number], { normal: options.deviation });
    if (options.bias === false) return linear(x_LI, weight_OI);
    return linear(x_LI, weight_OI, g.param("bias", [width], { constant: 0 }));
  });
}

/** transformers' Conv1D, a linear layer whose weight is stored the other way: `weight` [I, O], `bias` [O]. */
export function conv1dLayer(
  g: Graph,
  name: string,
  x_LI: Value,
  width: number,
  { deviation }: Pick<LinearOptions, "deviation">,
): Value {
  return g.scope(name, () => {
    const shape = [x_LI.shape.at(-1) as number, width];
    const weight_IO = g.param("weight", shape, { normal: deviation }, { transposed: true });
    return conv1d(x_LI, weight_IO, g.param("bias", [width], { constant: 0 }));
  });
}

/** torch.nn.LayerNorm over the last axis: `weight` and, unless it is to have none, `bias` [D]. */
export function layerNormLayer(
  g: Graph,
  name: string,
  x_LD: Value,
  epsilon: number,
  { bias = true }: { readonly bias?: boolean } = {},
): Value {
  return g.scope(name, () => {
    const width = x_LD.shape.at(-1) as number;
    const weight_D = g.param("weight", [width], { constant: 1 });
    const none = (): Value => g.constant(x_LD.dtype, [width], Array<number>(width).fill(0));
    return layerNorm(x_LD, weight_D, bias ? g.param("bias", [width], { constant: 0 }) : none(), epsilon);
  });
}

/** RMSNorm over the last axis, `weight` [D]; in float32 at least, since squares leave half precision's range. */
export function rmsNormLayer(g: Graph, name: string, x_LD: Value, epsilon: number): Value {
  return g.scope(name, () => {
    const weight_D = g.param("weight", [x_LD.shape.at(-1) as number], { constant: 1 });
    if (x_LD.dtype !== "float16") return rmsNorm(x_LD, weight_D, epsilon);
    return cast(rmsNorm(cast(x_LD, "float32"), cast(weight_D, "float32"), epsilon), "float16");
  });
}

/** torch.nn.Embedding's table, `weight` [V, D]. */
export function embeddingTable(g: Graph, name: string, rows: number, width: number, init: Initialiser): Value {
  return g.scope(name, () => g.param("weight", [rows, width], init));
}

/** The same with a row for every token of the vocabulary. */
export function vocabularyTable(g: Graph, name: string, rows: number, width: number, init: Initialiser): Value {
  return g.scope(name, () => g.param("weight", [rows, width], init, { vocabulary: true }));
}

/** Rows of a table: ids_L int64 → [L, D]. */
export function embedding(table_VD: Value, ids_L: Value): Value {
  return gather(table_VD, ids_L);
}

/**
 * All axes but the last as one: [..., D] → [N, D]. Networks hold their tokens so from the first layer to the last, since
 * linear layers take them so: with two reshapes around each, a step of generation takes 4 % longer, a small model's 9 %.
 */
export function flat(x: Value): Value {
  return reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

/** x_ND as [B, T, D]. */
export function unflat(x_ND: Value, rows_BT: Shape): Value {
  return reshape(x_ND, [...rows_BT, x_ND.shape[1]!]);
}

/** Dropout in training graphs; in others nothing. The mask depends on the graph's input `seed` and the place alone. */
export function dropout(g: Graph, x: Value, rate: number): Value {
  if (!g.training || rate === 0) return x;
  const seed = g.inputs.find(({ name }) => name === "seed") ?? g.input("seed", "int64", []);
  return dropoutWithSeed(x, seed, { rate, site: g.nextDropout() });
}
