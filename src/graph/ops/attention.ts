/** Scaled dot-product attention as one op, so that its backward pass needs no softmax Jacobian. */
// B batch, H heads, T query tokens, S key tokens, K width of a head
import { ShapeError } from "../../errors.ts";
import type { DType } from "../../tensor/tensor.ts";
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import type { OnnxBuilder } from "../onnx-builder.ts";
import { broadcast, type Dim, equal, show } from "../shape.ts";
import { mul, sub } from "./elementwise.ts";
import { matMul } from "./matmul.ts";
import { reduceSum } from "./reduce.ts";

/** Whether any number is not zero, a bool scalar. */
function anyNonzero(onnx: OnnxBuilder, x: string, dtype: DType): string {
  const most = onnx.node("ReduceMax", [onnx.node("Abs", [x])], { keepdims: 0 });
  return onnx.node("Greater", [most, onnx.constant(dtype, [], [0])]);
}

interface Scaled {
  /** Factor of q·k, 1 / √K as a rule. */
  readonly scale: number;
}

interface Attention extends Scaled {
  /** The bias is all zeros for some inputs, such as the mask of rows that are not padded: it is looked at first. */
  readonly sparse?: boolean;
}

/** Outputs: y_BHTK, and the probabilities p_BHTS for the backward pass. */
const attentionOp: Op<[q_BHTK: Value, k_BHSK: Value, v_BHSK: Value, ...bias: Value[]], Attention> = defineOp({
  name: "Attention",
  infer: ([q, k, v, bias]) => {
    const [batch, heads, tokens, width] = q.shape;
    const keys = k.shape[2];
    if (q.shape.length !== 4 || !equal(k.shape, v.shape) || !equal([batch!, heads!, keys!, width!], k.shape)) {
      const got = [q, k, v].map((value) => show(value.shape)).join(", ");
      throw new ShapeError(`attention: expected q [B, H, T, K], k and v [B, H, S, K], got ${got}`);
    }
    const scores = [batch!, heads!, tokens!, keys!];
    if (bias !== undefined) broadcast("attention: bias", bias.shape, scores);
    return [q, { dtype: q.dtype, shape: scores }];
  },
  lower: (onnx, { inputs: [q, k, v, bias], outputs: [y, p], attributes: { scale, sparse }, types: [type] }) => {
    let scores: string;
    if (onnx.contrib) {
      scores = onnx.contribNode("FusedMatMul", [q!, k!], { transB: 1, alpha: { float: scale } });
    } else {
      const transposed = onnx.node("Transpose", [k!], { perm: [0, 1, 3, 2] });
      scores = onnx.node("MatMul", [q!, transposed]);
      scores = onnx.node("Mul", [scores, onnx.constant(type!.dtype, [], [scale])]);
    }
    const shares = (of: string, output?: string): string => onnx.node("Softmax", [of], { axis: -1 }, output);
    const biased = (): string => onnx.node("Add", [scores, bias!]);
    if (bias === undefined) shares(scores, p);
    // Adding zeros is as much work as a softmax.
    else if (onnx.branches && sparse === true) {
      const isMasked = onnx.once(`any of ${bias}`, () => anyNonzero(onnx, bias, type!.dtype));
      onnx.either(
        isMasked,
        () => shares(biased()),
        () => shares(scores),
        p,
      );
    } else shares(biased(), p);
    onnx.node("MatMul", [p!, v!], {}, y);
  },
  // dS = P ∘ (dP - rowsum(dP ∘ P)), and rowsum(dP ∘ P) = rowsum(dO ∘ O): K numbers a row instead of S.
  vjp: ({ inputs: [q, k, v, ...bias], outputs: [y, p], attributes: { scale } }, [dy]) => {
    const dp_BHTS = matMul(dy!, v, { transB: true });
    const row_BHT1 = reduceSum(mul(dy!, y!), [-1]);
    const ds_BHTS = mul(sub(dp_BHTS, row_BHT1), p!);
    return [
      matMul(ds_BHTS, k, { alpha: scale }),
      matMul(ds_BHTS, q, { transA: true, alpha: scale }),
      matMul(p!, dy!, { transA: true }),
      ...bias.map(() => ds_BHTS),
    ];
  },
  samples: [
    {
      inputs: [
        [2, 2, 3, 4],
        [2, 2, 5, 4],
        [2, 2, 5, 4],
      ],
      attributes: { scale: 0.5 },
    },
    {
      inputs: [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 1, 3, 3],
      ],
      attributes: { scale: 0.5 },
    },
  ],
});

/**
 * softmax(scale · q kᵀ + bias) v.
 * @param bias_BHTS added to the scores, broadcast; masks are large negative numbers in it.
 */
export function attention(
  q_BHTK: Value,
  k_BHSK: Value,
  v_BHSK: Value,
  bias_BHTS: Value | undefined,
  options: Attention,
): Value {
  return applyOp(
    attentionOp,
    bias_BHTS === undefined ? [q_BHTK, k_BHSK, v_BHSK] : [q_BHTK, k_BHSK, v_BHSK, bias_BHTS],
    options,
  );
}

/** Attention to a cache and to the new tokens, whose scores are normalised together; inference only. */
const cachedAttentionOp: Op<readonly [Value, ...Value[]], Scaled> = defineOp({
  name: "CachedAttention",
  infer: ([q, k, v, key, value]) => {
    const [batch, heads, tokens, width] = q.shape;
    const groups = k!.shape[1]!;
    const fresh = [batch!, groups, tokens!, width!];
    const past = [batch!, groups, key!.shape[2]!, width!];
    const fits =
      equal(k!.shape, fresh) && equal(v!.shape, fresh) && equal(key!.shape, past) && equal(value!.shape, past);
    if (!fits || (heads as number) % (groups as number) !== 0) {
      const got = [q, k!, v!, key!, value!].map((one) => show(one.shape)).join(", ");
      throw new ShapeError(
        `cached attention: expected q [B, H, T, K], k and v [B, G, T, K], a cache [B, G, M, K], got ${got}`,
      );
    }
    return [q];
  },
  lower: (onnx, { inputs: [q, k, v, key, value, pastBias, bias], outputs, attributes: { scale }, inputTypes }) => {
    const [heads, groups, width] = [inputTypes[0]!.shape[1]!, inputTypes[1]!.shape[1]!, inputTypes[0]!.shape[3]!];
    // Each key head serves several heads: their queries are rows of one product. Reshape keeps a dimension for 0.
    const regroup = (x: string, count: Dim, last: Dim): string =>
      heads === groups ? x : onnx.node("Reshape", [x, onnx.ints([0, count as number, -1, last as number])]);
    // Scaled here, since a product of one row with a factor takes ONNX Runtime three times as long; by a vector, since it
    // would make a scalar the product's factor again.
    const scales = Array<number>(width as number).fill(scale);
    const scaled = onnx.node("Mul", [q!, onnx.constant(inputTypes[0]!.dtype, [scales.length], scales)]);
    const grouped = regroup(scaled, groups, width);
    const scored = (keys: string, added: string): string => {
      const products = onnx.contribNode("FusedMatMul", [grouped, keys], { transB: 1 });
      return onnx.node("Add", [regroup(products, heads, 0), added]);
    };
    const scores = onnx.node("Concat", [scored(key!, pastBias!), scored(k!, bias!)], { axis: 3 });
    const shares = onnx.node("Softmax", [scores], { axis: -1 });
    const past = onnx.dim(inputTypes[3]!.shape[2]!);
    const axis = onnx.ints([3]);
    const part = (start: string, end: string): string =>
      regroup(onnx.node("Slice", [shares, start, end, axis]), groups, 0);
    const fromPast = onnx.node("MatMul", [part(onnx.ints([0]), past), value!]);
    const fromNew = onnx.node("MatMul", [part(past, onnx.ints([Number.MAX_SAFE_INTEGER])), v!]);
    const [y] = outputs;
    if (heads === groups) onnx.node("Add", [fromPast, fromNew], {}, y);
    else {
      const sum = onnx.node("Add", [fromPast, fromNew]);
      onnx.node("Reshape", [sum, onnx.ints([0, heads as number, -1, width as number])], {}, y);
    }
  },
  vjp: "nondifferentiable",
});

interface CachedInputs {
  readonly q_BHTK: Value;
  readonly k_BGTK: Value;
  readonly v_BGTK: Value;
  readonly key_BGMK: Value;
  readonly value_BGMK: Value;
  /** Added to the scores of the cache, broadcast to [B, H, T, M]. */
  readonly pastBias: Value;
  /** Added to the scores of the new tokens, broadcast to [B, H, T, T]. */
  readonly bias: Value;
}

/** softmax(scale · q [key, k]ᵀ + [pastBias, bias]) [value, v], with neither joined: a cache is read, never copied. */
export function attentionWithCache(
  { q_BHTK, k_BGTK, v_BGTK, key_BGMK, value_BGMK, pastBias, bias }: CachedInputs,
  options: Scaled,
): Value {
  const inputs = [q_BHTK, k_BGTK, v_BGTK, key_BGMK, value_BGMK, pastBias, bias] as const;
  return applyOp(cachedAttentionOp, inputs, options);
}
