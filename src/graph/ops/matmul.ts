/** Matrix products: batched with transposed operands, and the linear layer y = x Wᵀ + b, with low-rank adapters too. */
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type Op, type Type, type Value } from "../graph.ts";
import { broadcast, product, type Shape, show } from "../shape.ts";
import { add } from "./elementwise.ts";
import { reduceSum } from "./reduce.ts";
import { reshape } from "./reshape.ts";

interface MatMul {
  readonly transA: boolean;
  readonly transB: boolean;
  /** Factor of the product. */
  readonly alpha: number;
}

const swapped = (shape: Shape): Shape => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

const isLinear = ({ shape }: Type, { transA, transB, alpha }: MatMul): boolean =>
  !transA && transB && alpha === 1 && shape.length === 2;

const matMulOp: Op<[a: Value, b: Value], MatMul> = defineOp({
  name: "MatMul",
  infer: ([a, b], { transA, transB }) => {
    if (a.shape.length < 2 || b.shape.length < 2 || a.dtype !== b.dtype) {
      throw new ShapeError(`MatMul: expected two matrices of one dtype, got ${show(a.shape)} and ${show(b.shape)}`);
    }
    const left = transA ? swapped(a.shape) : a.shape;
    const right = transB ? swapped(b.shape) : b.shape;
    if (left.at(-1) !== right.at(-2)) {
      throw new ShapeError(`MatMul: expected equal inner dimensions, got ${show(left)} times ${show(right)}`);
    }
    const batch = broadcast("MatMul", left.slice(0, -2), right.slice(0, -2));
    return [{ dtype: a.dtype, shape: [...batch, left.at(-2)!, right.at(-1)!] }];
  },
  lower: (onnx, { inputs: [a, b], outputs: [y], attributes: { transA, transB, alpha }, inputTypes, types: [type] }) => {
    const packed = isLinear(inputTypes[1]!, { transA, transB, alpha }) ? onnx.packed.get(b!) : undefined;
    if (packed !== undefined) {
      packed.multiply(onnx, a!, undefined, y);
      return;
    }
    if (onnx.contrib) {
      const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } };
      onnx.contribNode("FusedMatMul", [a!, b!], attributes, y);
      return;
    }
    const swap = (name: string, { shape: { length } }: Type): string =>
      onnx.node("Transpose", [name], { perm: [...Array(length - 2).keys(), length - 1, length - 2] });
    const left = transA ? swap(a!, inputTypes[0]!) : a!;
    const right = transB ? swap(b!, inputTypes[1]!) : b!;
    if (alpha === 1) onnx.node("MatMul", [left, right], {}, y);
    else onnx.node("Mul", [onnx.node("MatMul", [left, right]), onnx.constant(type!.dtype, [], [alpha])], {}, y);
  },
  weight: ([, b], attributes) => (isLinear(b, attributes) ? { at: 1, as: "product" } : undefined),
  vjp: ({ inputs: [a, b], attributes: { transA, transB, alpha } }, [dy]) => [
    transA ? matMul(b, dy!, { transA: transB, transB: true, alpha }) : matMul(dy!, b, { transB: !transB, alpha }),
    transB ? matMul(dy!, a, { transA: true, transB: transA, alpha }) : matMul(a, dy!, { transA: !transA, alpha }),
  ],
  samples: [
    {
      inputs: [
        [2, 3, 4],
        [2, 4, 5],
      ],
      attributes: { transA: false, transB: false, alpha: 1 },
    },
    {
      inputs: [
        [2, 3, 4],
        [2, 5, 4],
      ],
      attributes: { transA: false, transB: true, alpha: 0.5 },
    },
    {
      inputs: [
        [2, 4, 3],
        [2, 4, 5],
      ],
      attributes: { transA: true, transB: false, alpha: 2 },
    },
    {
      inputs: [
        [2, 4, 3],
        [2, 5, 4],
      ],
      attributes: { transA: true, transB: true, alpha: 1 },
    },
    {
      inputs: [
        [2, 1, 3, 4],
        [5, 4, 2],
      ],
      attributes: { transA: false, transB: false, alpha: 1 },
    },
  ],
});

/** `alpha · A B` over the last two axes, each operand transposed first if asked; leading axes broadcast. */
export function matMul(a: Value, b: Value, options: Partial<MatMul> = {}): Value {
  return applyOp(matMulOp, [a, b], { transA: false, transB: false, alpha: 1, ...options });
}

type Transposed = Omit<MatMul, "alpha">;
const isLayer = ([, , c]: readonly Type[], { transA }: Transposed): boolean =>
  !transA && (c === undefined || c.shape.length === 1);

/** One matrix product of ONNX's Gemm: op(A) op(B) [+ c], A and B of rank 2. */
const gemmOp: Op<[a: Value, b: Value, ...c: Value[]], Transposed> = defineOp({
  name: "Gemm",
  infer: ([a, b, c], { transA, transB }) => {
    const left = transA ? swapped(a.shape) : a.shape;
    const right = transB ? swapped(b.shape) : b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || left[1] !== right[0]) {
      throw new ShapeError(
        `Gemm: expected matrices with equal inner dimensions, got ${show(left)} times ${show(right)}`,
      );
    }
    const shape = [left[0]!, right[1]!];
    if (c !== undefined) broadcast("Gemm", c.shape, shape);
    return [{ dtype: a.dtype, shape }];
  },
  lower: (onnx, { inputs, outputs, attributes: { transA, transB }, inputTypes }) => {
    const packed = isLayer(inputTypes, { transA, transB }) ? onnx.packed.get(inputs[1]!) : undefined;
    if (packed === undefined) onnx.node("Gemm", inputs, { transA: transA ? 1 : 0, transB: transB ? 1 : 0 }, outputs[0]);
    else packed.multiply(onnx, inputs[0]!, inputs[2], outputs[0]);
  },
  weight: (inputs, attributes) =>
    isLayer(inputs, attributes) ? { at: 1, as: attributes.transB ? "product" : "transposed" } : undefined,
  vjp: ({ inputs: [a, b, ...rest], attributes: { transA, transB } }, [dy]) => [
    transA ? gemm(b, dy!, { transA: transB, transB: true }) : gemm(dy!, b, { transB: !transB }),
    (sum): Value => {
      // The sum so far rides along as Gemm's third operand.
      const c = sum === undefined ? [] : [sum];
      if (transB) return applyOp(gemmOp, [dy!, a, ...c], { transA: true, transB: transA });
      return applyOp(gemmOp, [a, dy!, ...c], { transA: !transA, transB: false });
    },
    ...rest.map((c) => (c.shape.length === 2 ? dy! : reduceSum(dy!, [0], { keepDims: false }))),
  ],
  samples: [
    {
      inputs: [
        [3, 4],
        [4, 5],
      ],
      attributes: { transA: false, transB: false },
    },
    { inputs: [[3, 4], [5, 4], [5]], attributes: { transA: false, transB: true } },
    {
      inputs: [
        [4, 3],
        [4, 5],
        [3, 5],
      ],
      attributes: { transA: true, transB: false },
    },
    {
      inputs: [
        [4, 3],
        [5, 4],
      ],
      attributes: { transA: true, transB: true },
    },
  ],
});

function gemm(a: Value, b: Value, options: { transA?: boolean; transB?: boolean } = {}): Value {
  return applyOp(gemmOp, [a, b], { transA: false, transB: false, ...options });
}

/** y = x Wᵀ [+ b], as torch.nn.Linear: x [..., in], weight [out, in], bias [out] → [..., out]. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  return overRows(x, weight, bias, true);
}

/** y = x W [+ b], as transformers' Conv1D: x [..., in], weight [in, out], bias [out] → [..., out]. */
export function conv1d(x: Value, weight: Value, bias?: Value): Value {
  return overRows(x, weight, bias, false);
}

interface LowRank {
  readonly weight: Value;
  /** [rank, in] and [out, rank], however the weight is stored. */
  readonly a: Value;
  readonly b: Value;
  readonly scale: number;
}

/** What a weight is the sum of, where it has an adapter. */
const adapters = new WeakMap<Value, LowRank>();

/**
 * W + scale · B A: weight [out, in], or [in, out] where `transposed`, b [out, rank], a [rank, in]. Layers multiply with
 * the three one after the other, so that neither the sum nor its gradient, as large as W, is ever made.
 */
export function withLowRank(parts: LowRank, { transposed }: { readonly transposed: boolean }): Value {
  const { weight, a, b, scale } = parts;
  const change = transposed
    ? matMul(a, b, { alpha: scale, transA: true, transB: true })
    : matMul(b, a, { alpha: scale });
  const sum = add(weight, change);
  adapters.set(sum, parts);
  return sum;
}

function overRows(x: Value, weight: Value, bias: Value | undefined, transB: boolean): Value {
  const flat = reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1)!]);
  const adapter = adapters.get(weight);
  const plain = adapter?.weight ?? weight;
  const inputs: [Value, Value, ...Value[]] = bias === undefined ? [flat, plain] : [flat, plain, bias];
  let y = applyOp(gemmOp, inputs, { transA: false, transB });
  if (adapter !== undefined) {
    const inner = matMul(flat, adapter.a, { transB: true, alpha: adapter.scale });
    y = applyOp(gemmOp, [inner, adapter.b, y], { transA: false, transB: true });
  }
  return reshape(y, [...x.shape.slice(0, -1), y.shape[1]!]);
}
