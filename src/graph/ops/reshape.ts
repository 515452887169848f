/** Ops that move elements without arithmetic: reshape, transpose, concat, slice. */
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import { axisOf, equal, product, quotient, show, type Dim, type Shape } from "../shape.ts";

const reshapeOp: Op<[x: Value], { shape: Shape }> = defineOp({
  name: "Reshape",
  infer: ([x], { shape }) => {
    if (product(x.shape) !== product(shape)) {
      throw new ShapeError(`Reshape: expected as many elements as ${show(x.shape)} has, got ${show(shape)}`);
    }
    return [{ dtype: x.dtype, shape }];
  },
  lower: (onnx, { inputs, outputs, attributes: { shape } }) => {
    // One unknown dimension needs no computing: ONNX infers it from -1.
    const symbols = shape.filter((dim) => typeof dim === "string").length;
    const dims =
      symbols === 1 ? onnx.ints(shape.map((dim) => (typeof dim === "string" ? -1 : dim))) : onnx.shape(shape);
    onnx.node("Reshape", [inputs[0]!, dims], {}, outputs[0]);
  },
  vjp: ({ inputs: [x] }, [dy]) => [reshape(dy!, x.shape)],
  samples: [{ inputs: [[2, 6]], attributes: { shape: [3, 4] } }],
});

/** The same elements in another shape; one dimension may be -1. @throws ShapeError when the counts differ. */
export function reshape(x: Value, shape: Shape): Value {
  const at = shape.indexOf(-1);
  let resolved = shape;
  if (at >= 0) {
    const rest = quotient(product(x.shape), product(shape.filter((_, i) => i !== at)));
    if (rest === undefined) throw new ShapeError(`Reshape: ${show(x.shape)} does not divide into ${show(shape)}`);
    resolved = shape.map((dim, i) => (i === at ? rest : dim));
  }
  return equal(x.shape, resolved) ? x : applyOp(reshapeOp, [x], { shape: resolved });
}

const transposeOp: Op<[x: Value], { permutation: readonly number[] }> = defineOp({
  name: "Transpose",
  infer: ([x], { permutation }) => {
    if ([...permutation].sort().join() !== [...x.shape.keys()].join()) {
      throw new ShapeError(`Transpose: expected a permutation of ${x.shape.length} axes, got ${show(permutation)}`);
    }
    return [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]!) }];
  },
  lower: (onnx, { inputs, outputs, attributes: { permutation } }) =>
    onnx.node("Transpose", inputs, { perm: permutation }, outputs[0]),
  vjp: ({ attributes: { permutation } }, [dy]) => {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return [transpose(dy!, inverse)];
  },
  samples: [{ inputs: [[2, 3, 4]], attributes: { permutation: [2, 0, 1] } }],
});

/** Axes in another order: output axis i is input axis permutation[i]. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  return applyOp(transposeOp, [x], { permutation });
}

const concatOp: Op<readonly Value[], { axis: number }> = defineOp({
  name: "Concat",
  infer: (inputs, { axis }) => {
    const [first] = inputs;
    const at = axisOf("Concat", axis, first!.shape.length);
    const rest = (shape: Shape): Shape => shape.filter((_, i) => i !== at);
    for (const input of inputs) {
      if (!equal(rest(input.shape), rest(first!.shape)) || input.dtype !== first!.dtype) {
        throw new ShapeError(`Concat: expected ${show(first!.shape)} but for axis ${at}, got ${show(input.shape)}`);
      }
    }
    return [{ dtype: first!.dtype, shape: first!.shape.map((dim, i) => (i === at ? sum(inputs, at) : dim)) }];
  },
  lower: (onnx, { inputs, outputs, attributes: { axis } }) => onnx.node("Concat", inputs, { axis }, outputs[0]),
  vjp: ({ inputs, attributes: { axis } }, [dy]) => {
    let start = 0;
    return inputs.map((input) => {
      const length = input.shape[axisOf("Concat", axis, input.shape.length)]!;
      if (typeof length !== "number") throw new ShapeError("Concat: no gradient along a symbolic axis");
      start += length;
      return slice(dy!, axis, start - length, start);
    });
  },
  samples: [
    {
      inputs: [
        [2, 3],
        [2, 1],
      ],
      attributes: { axis: 1 },
    },
  ],
});

function sum(inputs: readonly Value[], axis: number): Dim {
  const dims = inputs.map((input) => input.shape[axis]!);
  if (dims.every((dim) => typeof dim === "number")) return dims.reduce((total, dim) => total + dim, 0);
  return dims.join("+");
}

/** Joins along `axis`. A symbolic axis gets the name of the sum, `P+T`. */
export function concat(inputs: readonly [Value, ...Value[]], axis: number): Value {
  return applyOp(concatOp as Op<readonly [Value, ...Value[]], { axis: number }>, inputs, { axis });
}

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

const sliceOp: Op<[x: Value], Range> = defineOp({
  name: "Slice",
  infer: ([x], { axis, start, end }) => {
    const at = axisOf("Slice", axis, x.shape.length);
    const length = x.shape[at]!;
    if (start < 0 || end <= start || (typeof length === "number" && end > length)) {
      throw new ShapeError(`Slice: expected a range within axis ${at} of ${show(x.shape)}, got [${start}, ${end})`);
    }
    return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === at ? end - start : dim)) }];
  },
  lower: (onnx, { inputs, outputs, attributes: { axis, start, end } }) => {
    onnx.node("Slice", [inputs[0]!, onnx.ints([start]), onnx.ints([end]), onnx.ints([axis])], {}, outputs[0]);
  },
  vjp: ({ inputs: [x], attributes: { axis, start } }, [dy]) => [
    applyOp(padOp, [dy!], { axis, before: start, length: x.shape[axis]! }),
  ],
  samples: [{ inputs: [[2, 5]], attributes: { axis: 1, start: 1, end: 4 } }],
});

/** Elements [start, end) of an axis. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  return applyOp(sliceOp, [x], { axis: axisOf("Slice", axis, x.shape.length), start, end });
}

/** Zeros before and behind, to `length` in all; the axis that is padded is a number, its new length need not be. */
const padOp: Op<[x: Value], { axis: number; before: number; length: Dim }> = defineOp({
  name: "Pad",
  infer: ([x], { axis, length }) => [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? length : dim)) }],
  lower: (onnx, { inputs, outputs, attributes: { axis, before, length }, inputTypes: [x] }) => {
    const end = before + (x!.shape[axis] as number);
    const pads =
      typeof length === "number"
        ? onnx.ints([before, length - end])
        : onnx.node("Concat", [onnx.ints([before]), onnx.node("Sub", [onnx.dim(length), onnx.ints([end])])], {
            axis: 0,
          });
    onnx.node("Pad", [inputs[0]!, pads, "", onnx.ints([axis])], {}, outputs[0]);
  },
  vjp: ({ inputs: [x], attributes: { axis, before } }, [dy]) => [
    slice(dy!, axis, before, before + (x.shape[axis] as number)),
  ],
  samples: [{ inputs: [[2, 3]], attributes: { axis: 1, before: 1, length: 6 } }],
});
