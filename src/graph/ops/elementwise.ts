/** Elementwise arithmetic with ONNX's broadcasting. Gradients are summed over broadcast axes by `grad.ts`. */
import { ShapeError } from "../../errors.ts";
import type { DType } from "../../tensor/tensor.ts";
import { applyOp, defineOp, type Op, type Sample, type Value, type Vjp } from "../graph.ts";
import { onnxType } from "../onnx.ts";
import { broadcast } from "../shape.ts";

type Binary = Op<[a: Value, b: Value], null>;
type Unary = Op<[x: Value], null>;

function sameDtype(name: string, a: Value, b: Value): void {
  if (a.dtype !== b.dtype) throw new ShapeError(`${name}: expected one dtype, got ${a.dtype} and ${b.dtype}`);
}

/** Shape rule and lowering of ONNX's operator `name`, with `dtype` for its result where that is not the operands'. */
function broadcasting(name: string, dtype?: DType): Pick<Binary, "name" | "infer" | "lower"> {
  return {
    name,
    infer: ([a, b]) => {
      sameDtype(name, a, b);
      return [{ dtype: dtype ?? a.dtype, shape: broadcast(name, a.shape, b.shape) }];
    },
    lower: (onnx, { inputs, outputs }) => onnx.node(name, inputs, {}, outputs[0]),
  };
}

function elementwise(name: string): Pick<Unary, "name" | "infer" | "lower"> {
  return { name, infer: ([x]) => [x], lower: (onnx, { inputs, outputs }) => onnx.node(name, inputs, {}, outputs[0]) };
}

function binary(
  name: string,
  vjp: Vjp<[a: Value, b: Value], null>,
  range: readonly [number, number] = [-2, 2],
): Binary {
  const sample = (...inputs: number[][]): Sample<null> => ({ inputs, attributes: null, range });
  return defineOp({
    ...broadcasting(name),
    vjp,
    samples: [sample([2, 3], [2, 3]), sample([2, 1, 3], [4, 1])],
  });
}

function unary(name: string, vjp: Vjp<[x: Value], null>, range?: readonly [number, number]): Unary {
  const sample: Sample<null> = { inputs: [[2, 3]], attributes: null };
  return defineOp({
    ...elementwise(name),
    vjp,
    samples: [range === undefined ? sample : { ...sample, range }],
  });
}

const addOp = binary("Add", (_, [dy]) => [dy!, dy!]);
const subOp = binary("Sub", (_, [dy]) => [dy!, neg(dy!)]);
const mulOp = binary("Mul", ({ inputs: [a, b] }, [dy]) => [mul(dy!, b), mul(dy!, a)]);
const divOp = binary(
  "Div",
  ({ inputs: [, b], outputs: [y] }, [dy]) => {
    const da = div(dy!, b);
    return [da, neg(mul(da, y!))]; // d(a/b)/db = -(a/b)/b
  },
  [0.5, 2],
);
const negOp = unary("Neg", (_, [dy]) => [neg(dy!)]);
const expOp = unary("Exp", ({ outputs: [y] }, [dy]) => [mul(dy!, y!)]);
const logOp = unary("Log", ({ inputs: [x] }, [dy]) => [div(dy!, x)], [0.5, 2]);
const sqrtOp = unary("Sqrt", ({ outputs: [y] }, [dy]) => [scale(div(dy!, y!), 0.5)], [0.5, 2]);
const cosOp = unary("Cos", ({ inputs: [x] }, [dy]) => [neg(mul(dy!, sin(x)))]);
const sinOp = unary("Sin", ({ inputs: [x] }, [dy]) => [mul(dy!, cos(x))]);
const tanhOp = unary("Tanh", ({ outputs: [y] }, [dy]) => [sub(dy!, mul(dy!, mul(y!, y!)))]);
const sigmoidOp = unary("Sigmoid", ({ outputs: [y] }, [dy]) => {
  const through = mul(dy!, y!);
  return [sub(through, mul(through, y!))];
});
const reluOp = unary("Relu", ({ outputs: [y] }, [dy]) => [mul(dy!, sign(y!))], [0.1, 2]);
const signOp: Unary = defineOp({ ...elementwise("Sign"), vjp: "nondifferentiable" });

/** a + b, elementwise; both broadcast, as NumPy does. */
export const add = (a: Value, b: Value): Value => applyOp(addOp, [a, b], null);
/** a - b, elementwise; both broadcast. */
export const sub = (a: Value, b: Value): Value => applyOp(subOp, [a, b], null);
/** a · b, elementwise; both broadcast. */
export const mul = (a: Value, b: Value): Value => applyOp(mulOp, [a, b], null);
/** a / b, elementwise; both broadcast. */
export const div = (a: Value, b: Value): Value => applyOp(divOp, [a, b], null);
/** -x, elementwise. */
export const neg = (x: Value): Value => applyOp(negOp, [x], null);
/** e to the power of x, elementwise. */
export const exp = (x: Value): Value => applyOp(expOp, [x], null);
/** The natural logarithm, elementwise. */
export const log = (x: Value): Value => applyOp(logOp, [x], null);
/** The square root, elementwise. */
export const sqrt = (x: Value): Value => applyOp(sqrtOp, [x], null);
/** The cosine of radians, elementwise. */
export const cos = (x: Value): Value => applyOp(cosOp, [x], null);
/** The sine of radians, elementwise. */
export const sin = (x: Value): Value => applyOp(sinOp, [x], null);
/** The hyperbolic tangent, elementwise. */
export const tanh = (x: Value): Value => applyOp(tanhOp, [x], null);
/** 1 / (1 + e^-x), elementwise. */
export const sigmoid = (x: Value): Value => applyOp(sigmoidOp, [x], null);
/** max(x, 0), elementwise. */
export const relu = (x: Value): Value => applyOp(reluOp, [x], null);
const sign = (x: Value): Value => applyOp(signOp, [x], null);

/** x times a number known when the graph is built. */
export const scale = (x: Value, factor: number): Value => mul(x, x.graph.scalar(factor, x.dtype));

/** x plus a number known when the graph is built. */
export const shift = (x: Value, offset: number): Value => add(x, x.graph.scalar(offset, x.dtype));

const lessOp: Binary = defineOp({ ...broadcasting("Less", "bool"), vjp: "nondifferentiable" });
const equalOp: Binary = defineOp({ ...broadcasting("Equal", "bool"), vjp: "nondifferentiable" });
const maxOp: Binary = defineOp({ ...broadcasting("Max"), vjp: "nondifferentiable" });

/** a < b, elementwise; bool. */
export const less = (a: Value, b: Value): Value => applyOp(lessOp, [a, b], null);
/** a = b, elementwise; bool. */
export const equals = (a: Value, b: Value): Value => applyOp(equalOp, [a, b], null);
/** The larger of two, elementwise; for integers and masks (no gradient). */
export const maximum = (a: Value, b: Value): Value => applyOp(maxOp, [a, b], null);

const castOp: Op<[x: Value], { to: DType }> = defineOp({
  name: "Cast",
  infer: ([x], { to }) => [{ dtype: to, shape: x.shape }],
  lower: (onnx, { inputs, outputs, attributes: { to } }) => onnx.node("Cast", inputs, { to: onnxType[to] }, outputs[0]),
  vjp: ({ inputs: [x] }, [dy]) => [x.dtype.startsWith("float") ? cast(dy!, x.dtype) : null],
  samples: [{ inputs: [[2, 3]], attributes: { to: "float64" } }],
});

/** x in another dtype; x itself where it has that one. */
export const cast = (x: Value, to: DType): Value => (x.dtype === to ? x : applyOp(castOp, [x], { to }));

const whereOp: Op<[condition: Value, a: Value, b: Value], null> = defineOp({
  name: "Where",
  infer: ([condition, a, b]) => {
    sameDtype("Where", a, b);
    const shape = broadcast("Where", broadcast("Where", condition.shape, a.shape), b.shape);
    return [{ dtype: a.dtype, shape }];
  },
  lower: (onnx, { inputs, outputs }) => onnx.node("Where", inputs, {}, outputs[0]),
  vjp: ({ inputs: [condition] }, [dy]) => {
    const zero = dy!.graph.scalar(0, dy!.dtype);
    return [null, where(condition, dy!, zero), where(condition, zero, dy!)];
  },
  samples: [
    { inputs: [{ bool: [1, 0, 0, 1, 0, 1], dims: [2, 3] }, [2, 3], [2, 3]], attributes: null },
    { inputs: [{ bool: [1, 0], dims: [2, 1] }, [2, 3], []], attributes: null },
  ],
});

/** `a` where the condition holds, else `b`; all broadcast. */
export const where = (condition: Value, a: Value, b: Value): Value => applyOp(whereOp, [condition, a, b], null);
