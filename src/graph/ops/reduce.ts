/** Sums, means and maxima over axes, and their mirror image: repeating along axes. */
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type Op, type Value, type Vjp } from "../graph.ts";
import { axisOf, broadcast, broadcastAxes, equal, product, type Shape, show } from "../shape.ts";
import { cast, div, equals, scale, where } from "./elementwise.ts";
import { reshape } from "./reshape.ts";

interface Reduction {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

function reducedShape(name: string, shape: Shape, { axes, keepDims }: Reduction): Shape {
  const reduced = new Set(axes.map((axis) => axisOf(name, axis, shape.length)));
  return shape.flatMap((dim, i) => (reduced.has(i) ? (keepDims ? [1] : []) : [dim]));
}

function reduction(name: string, vjp: Vjp<[x: Value], Reduction>): Op<[x: Value], Reduction> {
  return defineOp({
    name,
    infer: ([x], attributes) => [{ dtype: x.dtype, shape: reducedShape(name, x.shape, attributes) }],
    lower: (onnx, { inputs, outputs, attributes: { axes, keepDims } }) => {
      onnx.node(name, [inputs[0]!, onnx.ints(axes)], { keepdims: keepDims ? 1 : 0 }, outputs[0]);
    },
    vjp,
    samples: [
      { inputs: [[2, 3, 4]], attributes: { axes: [1], keepDims: true } },
      { inputs: [[2, 3, 4]], attributes: { axes: [0, 2], keepDims: false } },
    ],
  });
}

/** dy spread again over the axes that were reduced. */
function spread(dy: Value, x: Value, { axes }: Reduction): Value {
  return expand(reshape(dy, reducedShape("spread", x.shape, { axes, keepDims: true })), x.shape);
}

const sumOp = reduction("ReduceSum", ({ inputs: [x], attributes }, [dy]) => [spread(dy!, x, attributes)]);
const meanOp = reduction("ReduceMean", ({ inputs: [x], attributes }, [dy]) => [
  divideByCount(spread(dy!, x, attributes), x, attributes),
]);
/** The gradient goes to every element that is the largest: where two tie, to both. */
const maxOp = reduction("ReduceMax", ({ inputs: [x], outputs: [y], attributes }, [dy]) => [
  where(equals(x, spread(y!, x, attributes)), spread(dy!, x, attributes), x.graph.scalar(0, x.dtype)),
]);

function divideByCount(dx: Value, x: Value, attributes: Reduction): Value {
  const count = product(attributes.axes.map((axis) => x.shape[axisOf("ReduceMean", axis, x.shape.length)]!));
  if (typeof count === "number") return scale(dx, 1 / count);
  return div(dx, cast(applyOp(dimOp, [x], { dim: count }), dx.dtype));
}

/** A symbolic dimension's value as an int64 scalar. */
const dimOp: Op<[x: Value], { dim: string }> = defineOp({
  name: "Dim",
  infer: () => [{ dtype: "int64", shape: [] }],
  lower: (onnx, { outputs, attributes: { dim } }) => {
    onnx.node("Squeeze", [onnx.dim(dim), onnx.ints([0])], {}, outputs[0]);
  },
  vjp: "nondifferentiable",
});

/** Sum over `axes`. */
export function reduceSum(x: Value, axes: readonly number[], { keepDims = true } = {}): Value {
  return applyOp(sumOp, [x], { axes, keepDims });
}

/** Mean over `axes`. */
export function reduceMean(x: Value, axes: readonly number[], { keepDims = true } = {}): Value {
  return applyOp(meanOp, [x], { axes, keepDims });
}

/** Largest over `axes`; where two tie, both get the whole gradient. */
export function reduceMax(x: Value, axes: readonly number[], { keepDims = true } = {}): Value {
  return applyOp(maxOp, [x], { axes, keepDims });
}

/** Sum of everything, a scalar. */
export function sumAll(x: Value): Value {
  return reduceSum(x, [...x.shape.keys()], { keepDims: false });
}

const expandOp: Op<[x: Value], { shape: Shape }> = defineOp({
  name: "Expand",
  infer: ([x], { shape }) => {
    if (!equal(broadcast("Expand", x.shape, shape), shape)) {
      throw new ShapeError(`Expand: ${show(x.shape)} does not broadcast to ${show(shape)}`);
    }
    return [{ dtype: x.dtype, shape }];
  },
  lower: (onnx, { inputs, outputs, attributes: { shape } }) =>
    onnx.node("Expand", [inputs[0]!, onnx.shape(shape)], {}, outputs[0]),
  vjp: ({ inputs: [x] }, [dy]) => [
    reshape(reduceSum(dy!, broadcastAxes(dy!.shape, x.shape), { keepDims: false }), x.shape),
  ],
  samples: [{ inputs: [[3, 1]], attributes: { shape: [2, 3, 4] } }],
});

/** Repeats along axes of length 1. */
export function expand(x: Value, shape: Shape): Value {
  return equal(x.shape, shape) ? x : applyOp(expandOp, [x], { shape });
}
