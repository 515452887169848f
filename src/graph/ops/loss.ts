/** Cross-entropy: over a vocabulary, fused with the product that makes the logits; over classes; of binary labels. */
// N tokens, D width, V vocabulary
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import { expectShape } from "../shape.ts";
import { add, cast, less, maximum, mul, neg, sigmoid, sub } from "./elementwise.ts";
import { addRows, gather, gatherElements } from "./indexing.ts";
import { matMul } from "./matmul.ts";
import { logSoftmax } from "./normalisation.ts";
import { reshape } from "./reshape.ts";

/**
 * Outputs: the loss of every token, and the probabilities p_NV for the backward pass, which makes no other N×V matrix:
 * labels and weights of rows enter where a row is only D wide.
 */
const linearCrossEntropyOp: Op<[x_ND: Value, weight_VD: Value, label_N: Value, ...bias_V: Value[]], null> = defineOp({
  name: "LinearCrossEntropy",
  infer: ([x, weight, label, bias]) => {
    expectShape("linearCrossEntropy: weight", weight.shape, ["_", x.shape[1]!]);
    if (bias !== undefined) expectShape("linearCrossEntropy: bias", bias.shape, [weight.shape[0]!]);
    expectShape("linearCrossEntropy: label", label.shape, [x.shape[0]!]);
    if (label.dtype !== "int64") throw new ShapeError(`linearCrossEntropy: expected int64 labels, got ${label.dtype}`);
    return [
      { dtype: x.dtype, shape: [x.shape[0]!] },
      { dtype: x.dtype, shape: [x.shape[0]!, weight.shape[0]!] },
    ];
  },
  lower: (onnx, { inputs: [x, weight, label, ...bias], outputs: [loss, p], types: [type] }) => {
    const { dtype } = type!;
    const logits =
      onnx.packed.get(weight!)?.multiply(onnx, x!, bias[0]) ?? onnx.node("Gemm", [x!, weight!, ...bias], { transB: 1 });
    onnx.node("Softmax", [logits], { axis: -1 }, p);
    // -log p[label] = max(logits) - log(max(p)) - logits[label]: exact where p[label] underflows.
    const last = onnx.ints([1]);
    const top = onnx.node("ReduceMax", [logits, last], { keepdims: 1 });
    const topLog = onnx.node("Log", [onnx.node("ReduceMax", [p!, last], { keepdims: 1 })]);
    const safe = onnx.node("Max", [label!, onnx.constant("int64", [], [0])]);
    const at = onnx.node("GatherElements", [logits, onnx.node("Unsqueeze", [safe, last])], { axis: 1 });
    const all = onnx.node("Squeeze", [onnx.node("Sub", [onnx.node("Sub", [top, topLog]), at]), last]);
    const ignored = onnx.node("Less", [label!, onnx.constant("int64", [], [0])]);
    onnx.node("Where", [ignored, onnx.constant(dtype, [], [0]), all], {}, loss);
  },
  weight: () => ({ at: 1, as: "loss" }),
  // With rows scaled by s: dx = s (P W - W[label]), dW = Pᵀ (s x) - rows of s x added at the labels, db likewise.
  vjp: ({ inputs: [x_ND, weight_VD, label_N, ...bias], outputs: [, p_NV] }, [dloss_N]) => {
    const { graph, dtype } = x_ND;
    const safe_N = maximum(label_N, graph.scalar(0, "int64"));
    const kept_N = cast(less(graph.scalar(-1, "int64"), label_N), dtype);
    const scale_N = mul(dloss_N!, kept_N);
    const scale_N1 = reshape(scale_N, [label_N.shape[0]!, 1]);
    const scaled_ND = mul(x_ND, scale_N1);
    const sumOver = (product: Value, rows: Value, sum: Value | undefined): Value =>
      addRows(sum === undefined ? product : add(sum, product), safe_N, neg(rows));
    return [
      mul(sub(matMul(p_NV!, weight_VD), gather(weight_VD, safe_N)), scale_N1),
      (sum): Value => sumOver(matMul(p_NV!, scaled_ND, { transA: true }), scaled_ND, sum),
      null,
      ...bias.map(
        (bias_V) =>
          (sum: Value | undefined): Value =>
            sumOver(reshape(matMul(scale_N1, p_NV!, { transA: true }), bias_V.shape), scale_N, sum),
      ),
    ];
  },
  samples: [
    { inputs: [[4, 3], [5, 3], { int64: [0, 4, -100, 2], dims: [4] }], attributes: null },
    { inputs: [[4, 3], [5, 3], { int64: [0, 4, -100, 2], dims: [4] }, [5]], attributes: null },
  ],
});

/**
 * Cross-entropy of softmax(x Wᵀ [+ b]) against labels, a loss for every token; 0 where the label is negative (-100,
 * ignored).
 * @param x_ND hidden states; @param weight_VD output embeddings; @param label_N int64; @param bias_V of the logits.
 */
export function linearCrossEntropy(x_ND: Value, weight_VD: Value, label_N: Value, bias_V?: Value): Value {
  return applyOp(linearCrossEntropyOp, [x_ND, weight_VD, label_N, ...(bias_V === undefined ? [] : [bias_V])], null);
}

/** Cross-entropy of softmax(logits) against labels, a loss for every row; 0 where the label is negative. */
export function crossEntropy(logits_NC: Value, label_N: Value): Value {
  const { graph, dtype } = logits_NC;
  const rows = label_N.shape[0]!;
  const safe_N1 = reshape(maximum(label_N, graph.scalar(0, "int64")), [rows, 1]);
  const kept_N = cast(less(graph.scalar(-1, "int64"), label_N), dtype);
  return neg(mul(reshape(gatherElements(logSoftmax(logits_NC), safe_N1, 1), [rows]), kept_N));
}

/** log(1 + eˣ), exact for large |x|. */
const softplusOp: Op<[x: Value], null> = defineOp({
  name: "Softplus",
  infer: ([x]) => [x],
  lower: (onnx, { inputs: [x], outputs: [y], types: [type] }) => {
    if (type!.dtype !== "float64") {
      onnx.node("Softplus", [x!], {}, y);
      return;
    }
    // ONNX Runtime's CPU has no Softplus for float64: max(x, 0) + log(1 + exp(-|x|)).
    const constant = (value: number): string => onnx.constant("float64", [], [value]);
    const small = onnx.node("Exp", [onnx.node("Neg", [onnx.node("Abs", [x!])])]);
    const rest = onnx.node("Log", [onnx.node("Add", [small, constant(1)])]);
    onnx.node("Add", [onnx.node("Max", [x!, constant(0)]), rest], {}, y);
  },
  vjp: ({ inputs: [x] }, [dy]) => [mul(dy!, sigmoid(x))],
  samples: [{ inputs: [[3, 5]], attributes: null, range: [-3, 3] }],
});

/** Binary cross-entropy of σ(x) against targets in [0, 1], a loss for every element: log(1 + eˣ) - x y. */
export function binaryCrossEntropy(x: Value, target: Value): Value {
  return sub(applyOp(softplusOp, [x], null), mul(x, target));
}
