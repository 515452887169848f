/** Activations: the exact GELU (erf), its tanh approximation, and SiLU. */
import type { DType } from "../../tensor/tensor.ts";
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import type { OnnxBuilder } from "../onnx-builder.ts";
import { onnxType } from "../onnx.ts";
import { add, mul, scale, shift, sub, tanh } from "./elementwise.ts";

type Unary = Op<[x: Value], null>;

/** u = x / √2 and erf(u). ONNX Runtime's CPU has no Erf for float64: the error function alone is then in float32. */
function errorFunction(onnx: OnnxBuilder, x: string, dtype: DType): { u: string; erf: string } {
  const u = onnx.node("Mul", [x, onnx.constant(dtype, [], [Math.SQRT1_2])]);
  if (dtype !== "float64") return { u, erf: onnx.node("Erf", [u]) };
  const erf = onnx.node("Erf", [onnx.node("Cast", [u], { to: onnxType.float32 })]);
  return { u, erf: onnx.node("Cast", [erf], { to: onnxType.float64 }) };
}

/** GELU: y = x Φ(x), Φ(x) = (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel 2016, arXiv:1606.08415). */
const geluOp: Unary = defineOp({
  name: "Gelu",
  infer: ([x]) => [x],
  lower: (onnx, { inputs: [x], outputs: [y], types: [type] }) => {
    if (onnx.contrib) {
      onnx.contribNode("Gelu", [x!], {}, y);
      return;
    }
    const constant = (value: number): string => onnx.constant(type!.dtype, [], [value]);
    const { erf } = errorFunction(onnx, x!, type!.dtype);
    const half = onnx.node("Mul", [x!, constant(0.5)]);
    onnx.node("Mul", [half, onnx.node("Add", [erf, constant(1)])], {}, y);
  },
  // y' = Φ(x) + x φ(x), with u = x / √2:  2 y' = 1 + erf(u) + (2 / √π) u exp(-u²)
  vjp: ({ inputs: [x] }, [dy]) => [applyOp(geluGradientOp, [x, dy!], null)],
  samples: [{ inputs: [[3, 5]], attributes: null, range: [-3, 3] }],
});

const geluGradientOp: Op<[x: Value, dy: Value], null> = defineOp({
  name: "GeluGradient",
  infer: ([x]) => [x],
  lower: (onnx, { inputs: [x, dy], outputs: [dx], types: [type] }) => {
    const constant = (value: number): string => onnx.constant(type!.dtype, [], [value]);
    const { u, erf } = errorFunction(onnx, x!, type!.dtype);
    const gauss = onnx.node("Exp", [onnx.node("Neg", [onnx.node("Mul", [u, u])])]);
    const slope = onnx.node("Mul", [onnx.node("Mul", [u, constant(2 / Math.sqrt(Math.PI))]), gauss]);
    const sum = onnx.node("Add", [onnx.node("Add", [erf, slope]), constant(1)]);
    onnx.node("Mul", [onnx.node("Mul", [sum, constant(0.5)]), dy!], {}, dx);
  },
  vjp: "nondifferentiable",
});

/** GELU, x Φ(x) with Φ by erf (Hendrycks and Gimpel 2016, arXiv:1606.08415). */
export const gelu = (x: Value): Value => applyOp(geluOp, [x], null);

/** GELU's tanh approximation, `gelu_new` of Hugging Face: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
export function geluTanh(x: Value): Value {
  const cubic = shift(scale(mul(x, x), 0.044715), 1);
  const inner = mul(scale(x, Math.sqrt(2 / Math.PI)), cubic);
  return mul(scale(x, 0.5), shift(tanh(inner), 1));
}

/** Outputs: y = x σ(x), and σ(x) for the backward pass: y' = σ + y (1 - σ). */
const siluOp: Unary = defineOp({
  name: "Silu",
  infer: ([x]) => [x, x],
  lower: (onnx, { inputs: [x], outputs: [y, s] }) => onnx.node("Mul", [x!, onnx.node("Sigmoid", [x!], {}, s)], {}, y),
  vjp: ({ outputs: [y, s] }, [dy]) => [mul(dy!, add(s!, sub(y!, mul(y!, s!))))],
  samples: [{ inputs: [[3, 4]], attributes: null }],
});

/** SiLU, also called swish: x σ(x). */
export const silu = (x: Value): Value => applyOp(siluOp, [x], null);
