/** LayerNorm, RMSNorm, softmax and log-softmax over the last axis. */
// L leading axes, D normalised axis
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import type { OnnxBuilder } from "../onnx-builder.ts";
import { expectShape, show } from "../shape.ts";
import { cast, div, exp, mul, shift, sqrt, sub } from "./elementwise.ts";
import { reduceMean, reduceSum } from "./reduce.ts";

const layerNormOp: Op<[x_LD: Value, scale_D: Value, bias_D: Value], { epsilon: number }> = defineOp({
  name: "LayerNormalization",
  infer: ([x, weight, bias]) => {
    const width = x.shape.at(-1);
    if (width === undefined) throw new ShapeError(`layerNorm: expected at least one axis, got ${show(x.shape)}`);
    expectShape("layerNorm: weight", weight.shape, [width]);
    expectShape("layerNorm: bias", bias.shape, [width]);
    // ONNX computes the statistics in float32 at least.
    const dtype = x.dtype === "float64" ? "float64" : "float32";
    const reduced = { dtype, shape: [...x.shape.slice(0, -1), 1] } as const;
    return [x, reduced, reduced];
  },
  lower: (onnx, { inputs, outputs, attributes: { epsilon }, types: [type] }) => {
    if (type!.dtype === "float64") lowerLayerNorm64(onnx, inputs, outputs, epsilon);
    else onnx.multiNode("LayerNormalization", inputs, { axis: -1, epsilon: { float: epsilon } }, outputs);
  },
  // n = (x - mean) rstd;  dn = dy scale;  dx = rstd (dn - mean_D(dn) - n mean_D(dn n))
  vjp: ({ inputs: [x_LD, scale_D], outputs: [, mean_L1, rstd_L1] }, [dy_LD]) => {
    const rstd = cast(rstd_L1!, x_LD.dtype);
    const n_LD = mul(sub(x_LD, cast(mean_L1!, x_LD.dtype)), rstd);
    const dn_LD = mul(dy_LD!, scale_D);
    const dyn_LD = mul(dy_LD!, n_LD);
    const along_L1 = reduceMean(mul(dyn_LD, scale_D), [-1]);
    const centred_LD = sub(sub(dn_LD, reduceMean(dn_LD, [-1])), mul(n_LD, along_L1));
    return [mul(centred_LD, rstd), dyn_LD, dy_LD!]; // the walk sums the last two over L
  },
  samples: [{ inputs: [[2, 3, 5], [5], [5]], attributes: { epsilon: 1e-5 } }],
});

/** The same from simple operators, because LayerNormalization yields float32 statistics for float64 input. */
function lowerLayerNorm64(
  onnx: OnnxBuilder,
  [x, weight, bias]: string[],
  [y, mean, rstd]: string[],
  epsilon: number,
): void {
  const last = onnx.ints([-1]);
  const centred = onnx.node("Sub", [x!, onnx.node("ReduceMean", [x!, last], { keepdims: 1 }, mean)]);
  const variance = onnx.node("ReduceMean", [onnx.node("Mul", [centred, centred]), last], { keepdims: 1 });
  const deviation = onnx.node("Sqrt", [onnx.node("Add", [variance, onnx.constant("float64", [], [epsilon])])]);
  const normal = onnx.node("Mul", [centred, onnx.node("Reciprocal", [deviation], {}, rstd)]);
  onnx.node("Add", [onnx.node("Mul", [normal, weight!]), bias!], {}, y);
}

/** y = (x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis (Ba et al. 2016, arXiv:1607.06450). */
export function layerNorm(x_LD: Value, weight_D: Value, bias_D: Value, epsilon: number): Value {
  return applyOp(layerNormOp, [x_LD, weight_D, bias_D], { epsilon });
}

/** Outputs: y, and 1 / sqrt(mean(x²) + epsilon) [L, 1] for the backward pass. */
const rmsNormOp: Op<[x_LD: Value, weight_D: Value], { epsilon: number }> = defineOp({
  name: "RmsNorm",
  infer: ([x, weight]) => {
    const width = x.shape.at(-1);
    if (width === undefined) throw new ShapeError(`rmsNorm: expected at least one axis, got ${show(x.shape)}`);
    expectShape("rmsNorm: weight", weight.shape, [width]);
    return [x, { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] }];
  },
  lower: (onnx, { inputs: [x, weight], outputs: [y, rstd], attributes: { epsilon }, types: [type] }) => {
    const square = onnx.node("ReduceMean", [onnx.node("Mul", [x!, x!]), onnx.ints([-1])], { keepdims: 1 });
    const root = onnx.node("Sqrt", [onnx.node("Add", [square, onnx.constant(type!.dtype, [], [epsilon])])]);
    onnx.node("Reciprocal", [root], {}, rstd);
    onnx.node("Mul", [onnx.node("Div", [x!, root]), weight!], {}, y);
  },
  // n = x rstd;  dn = dy weight;  dx = rstd (dn - n mean_D(dn n))
  vjp: ({ inputs: [x_LD, weight_D], outputs: [, rstd_L1] }, [dy_LD]) => {
    const n_LD = mul(x_LD, rstd_L1!);
    const dyn_LD = mul(dy_LD!, n_LD);
    const along_L1 = reduceMean(mul(dyn_LD, weight_D), [-1]);
    return [mul(sub(mul(dy_LD!, weight_D), mul(n_LD, along_L1)), rstd_L1!), dyn_LD]; // the walk sums the last over L
  },
  samples: [{ inputs: [[2, 3, 4], [4]], attributes: { epsilon: 1e-6 } }],
});

/** y = x / sqrt(mean(x²) + epsilon) · weight over the last axis (Zhang and Sennrich 2019, arXiv:1910.07467). */
export function rmsNorm(x_LD: Value, weight_D: Value, epsilon: number): Value {
  return applyOp(rmsNormOp, [x_LD, weight_D], { epsilon });
}

const softmaxOp: Op<[x: Value], null> = defineOp({
  name: "Softmax",
  infer: ([x]) => [x],
  lower: (onnx, { inputs, outputs }) => onnx.node("Softmax", inputs, { axis: -1 }, outputs[0]),
  vjp: ({ outputs: [p] }, [dp]) => [mul(p!, sub(dp!, reduceSum(mul(dp!, p!), [-1])))],
  samples: [{ inputs: [[2, 3, 4]], attributes: null }],
});

const logSoftmaxOp: Op<[x: Value], null> = defineOp({
  name: "LogSoftmax",
  infer: ([x]) => [x],
  lower: (onnx, { inputs, outputs }) => onnx.node("LogSoftmax", inputs, { axis: -1 }, outputs[0]),
  vjp: ({ outputs: [y] }, [dy]) => [sub(dy!, mul(exp(y!), reduceSum(dy!, [-1])))],
  samples: [{ inputs: [[2, 3, 4]], attributes: null }],
});

/** e^x / Σ e^x over the last axis. */
export const softmax = (x: Value): Value => applyOp(softmaxOp, [x], null);
/** x - log Σ e^x over the last axis. */
export const logSoftmax = (x: Value): Value => applyOp(logSoftmaxOp, [x], null);

/** x / max(‖x‖₂, epsilon) over the last axis, with the epsilon inside the root so that its gradient is finite. */
export function l2Normalize(x_LD: Value, epsilon = 1e-12): Value {
  return div(x_LD, sqrt(shift(reduceSum(mul(x_LD, x_LD), [-1]), epsilon * epsilon)));
}
