/** Scaled dot-product attention as one op, so that its backward pass needs no softmax Jacobian. */
// B batch, H heads, T query tokens, S key tokens, K width of a head
import { ShapeError } from "../../errors.ts";
import { applyOp, type Op, type Value } from "../graph.ts";
import { broadcast, equal, show } from "../shape.ts";
import { mul, sub } from "./elementwise.ts";
import { matMul } from "./matmul.ts";
import { reduceSum } from "./reduce.ts";

interface Attention {
  /** Factor of q·k, 1 / √K as a rule. */
  readonly scale: number;
}

/** Outputs: y_BHTK, and the probabilities p_BHTS for the backward pass. */
const attentionOp: Op<[q_BHTK: Value, k_BHSK: Value, v_BHSK: Value, ...bias: Value[]], Attention> = {
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
  lower: (onnx, { inputs: [q, k, v, bias], outputs: [y, p], attributes: { scale }, types: [type] }) => {
    let scores: string;
    if (onnx.contrib) {
      scores = onnx.contribNode("FusedMatMul", [q!, k!], { transB: 1, alpha: { float: scale } });
    } else {
      const transposed = onnx.node("Transpose", [k!], { perm: [0, 1, 3, 2] });
      scores = onnx.node("MatMul", [q!, transposed]);
      scores = onnx.node("Mul", [scores, onnx.constant(type!.dtype, [], [scale])]);
    }
    if (bias !== undefined) scores = onnx.node("Add", [scores, bias]);
    onnx.node("Softmax", [scores], { axis: -1 }, p);
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
};

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

interface GroupQuery {
  readonly heads: number;
  readonly keyHeads: number;
}

interface CachedInputs {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly key: Value;
  readonly value: Value;
  readonly lengths: Value;
  readonly total: Value;
}

/** ONNX Runtime's causal attention over a cache; inference only. */
const groupQueryAttentionOp: Op<readonly [Value, ...Value[]], GroupQuery> = {
  name: "GroupQueryAttention",
  infer: ([q, , , key, value]) => [q, key!, value!],
  lower: (onnx, { inputs, outputs, attributes: { heads, keyHeads } }) => {
    onnx.multiNode(
      "GroupQueryAttention",
      inputs,
      { num_heads: heads, kv_num_heads: keyHeads },
      outputs,
      "com.microsoft",
    );
  },
  vjp: "nondifferentiable",
  samples: [],
};

/**
 * Causal attention of new tokens over a cache [B, G, M, K] that they are appended to: q [B, T, H·K], k and v
 * [B, T, G·K]; `lengths` int32 [B], each row's last token's index; `total` int32 [1], the most tokens of any row.
 */
export function groupQueryAttention(
  { q, k, v, key, value, lengths, total }: CachedInputs,
  options: GroupQuery,
): { y: Value; presentKey: Value; presentValue: Value } {
  const inputs = [q, k, v, key, value, lengths, total] as const;
  const [y, presentKey, presentValue] = q.graph.apply(groupQueryAttentionOp, inputs, options);
  return { y: y!, presentKey: presentKey!, presentValue: presentValue! };
}

export const attentionOps = [attentionOp] as const;
