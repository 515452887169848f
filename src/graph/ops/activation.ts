/** Activations: the exact GELU (erf), its tanh approximation, and SiLU. */
import { applyOp, type Op, type Value } from "../graph.ts";
import { mul, scale, shift, sigmoid, tanh } from "./elementwise.ts";

type Unary = Op<[x: Value], null>;

/** GELU: y = x Φ(x), Φ(x) = (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel 2016, arXiv:1606.08415). */
const geluOp: Unary = {
  name: "Gelu",
  infer: ([x]) => [x],
  lower: (onnx, { inputs: [x], outputs: [y], types: [type] }) => {
    if (onnx.contrib) {
      onnx.contribNode("Gelu", [x!], {}, y);
      return;
    }
    const { dtype } = type!;
    const constant = (value: number): string => onnx.constant(dtype, [], [value]);
    // ONNX Runtime's CPU has no Erf for float64: the error function alone is then taken in float32.
    const u = onnx.node("Mul", [x!, constant(Math.SQRT1_2)]);
    const narrow = dtype === "float64" ? onnx.node("Cast", [u], { to: 1 }) : u;
    const erf = onnx.node("Erf", [narrow]);
    const wide = dtype === "float64" ? onnx.node("Cast", [erf], { to: 11 }) : erf;
    const half = onnx.node("Mul", [x!, constant(0.5)]);
    onnx.node("Mul", [half, onnx.node("Add", [wide, constant(1)])], {}, y);
  },
  // y' = Φ(x) + x φ(x), with u = x / √2:  2 y' = 1 + erf(u) + (2 / √π) u exp(-u²)
  vjp: ({ inputs: [x] }, [dy]) => [applyOp(geluGradientOp, [x, dy!], null)],
  samples: [{ inputs: [[3, 5]], attributes: null, range: [-3, 3] }],
};

const geluGradientOp: Op<[x: Value, dy: Value], null> = {
  name: "GeluGradient",
  infer: ([x]) => [x],
  lower: (onnx, { inputs: [x, dy], outputs: [dx], types: [type] }) => {
    const { dtype } = type!;
    const constant = (value: number): string => onnx.constant(dtype, [], [value]);
    const u = onnx.node("Mul", [x!, constant(Math.SQRT1_2)]);
    const narrow = dtype === "float64" ? onnx.node("Cast", [u], { to: 1 }) : u;
    const erf = onnx.node("Erf", [narrow]);
    const wide = dtype === "float64" ? onnx.node("Cast", [erf], { to: 11 }) : erf;
    const gauss = onnx.node("Exp", [onnx.node("Neg", [onnx.node("Mul", [u, u])])]);
    const slope = onnx.node("Mul", [onnx.node("Mul", [u, constant(2 / Math.sqrt(Math.PI))]), gauss]);
    const sum = onnx.node("Add", [onnx.node("Add", [wide, slope]), constant(1)]);
    onnx.node("Mul", [onnx.node("Mul", [sum, constant(0.5)]), dy!], {}, dx);
  },
  vjp: "nondifferentiable",
  samples: [],
};

export const gelu = (x: Value): Value => applyOp(geluOp, [x], null);

/** GELU's tanh approximation, `gelu_new` of Hugging Face: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
export function geluTanh(x: Value): Value {
  const cubic = shift(scale(mul(x, x), 0.044715), 1);
  const inner = mul(scale(x, Math.sqrt(2 / Math.PI)), cubic);
  return mul(scale(x, 0.5), shift(tanh(inner), 1));
}

/** SiLU, also called swish: x σ(x). */
export const silu = (x: Value): Value => mul(x, sigmoid(x));

export const activationOps = [geluOp] as const;
