/** Rows by index (embeddings), elements by index, and the scatters that are their gradients. Indices are int64. */
import { ShapeError } from "../../errors.ts";
import { applyOp, defineOp, type LoweredNode, type Op, type Value } from "../graph.ts";
import type { OnnxBuilder } from "../onnx-builder.ts";
import { onnxType } from "../onnx.ts";
import { axisOf, equal, product, type Shape, show } from "../shape.ts";
import { cast } from "./elementwise.ts";
import { reshape } from "./reshape.ts";

const gatherOp: Op<[table: Value, index: Value], null> = defineOp({
  name: "Gather",
  infer: ([table, index]) => {
    if (index.dtype !== "int64") throw new ShapeError(`Gather: expected int64 indices, got ${index.dtype}`);
    return [{ dtype: table.dtype, shape: [...index.shape, ...table.shape.slice(1)] }];
  },
  lower: (onnx, { inputs, outputs }) => {
    const packed = onnx.packed.get(inputs[0]!) ?? onnx.widened.get(inputs[0]!);
    if (packed?.rows === undefined) onnx.node("Gather", inputs, { axis: 0 }, outputs[0]);
    else packed.rows(onnx, inputs[1]!, outputs[0]!);
  },
  weight: () => ({ at: 0, as: "rows" }),
  vjp: ({ inputs: [table, index] }, [dy]) => {
    const accumulate = (sum: Value | undefined): Value => addRows(sum ?? zeros(dy!, table.shape), index, dy!);
    return [accumulate, null];
  },
  samples: [{ inputs: [[5, 3], { int64: [4, 0, 4, 2], dims: [2, 2] }], attributes: null }],
});

/** Rows of a table: table [V, ...], index int64 [...] → [..., ...]. */
export function gather(table: Value, index: Value): Value {
  return applyOp(gatherOp, [table, index], null);
}

const addRowsOp: Op<[sum: Value, index: Value, rows: Value], null> = defineOp({
  name: "ScatterND",
  infer: ([sum]) => [sum],
  lower: (onnx, node) => lowerScatter(onnx, "ScatterND", node, {}),
  vjp: "nondifferentiable",
});

/** A scatter that adds; float16 is summed in float32, which is exacter and what the CPU's kernel has. */
function lowerScatter(
  onnx: OnnxBuilder,
  type: string,
  { inputs: [sum, index, values], outputs, types }: LoweredNode<unknown>,
  attributes: { axis?: number },
): void {
  const { dtype } = types[0]!;
  const to = { to: onnxType.float32 };
  const half = dtype === "float16";
  const wide = (name: string): string => (half ? onnx.node("Cast", [name], to) : name);
  const result = onnx.node(
    type,
    [wide(sum!), index!, wide(values!)],
    { ...attributes, reduction: "add" },
    half ? undefined : outputs[0],
  );
  if (half) onnx.node("Cast", [result], { to: onnxType[dtype] }, outputs[0]);
}

/** `sum` [V, ...] with rows [L, ...] added at index [L] (no gradient). */
export function addRows(sum: Value, index: Value, rows: Value): Value {
  const count = product(index.shape);
  const flat = reshape(rows, [count, ...sum.shape.slice(1)]);
  return applyOp(addRowsOp, [sum, reshape(index, [count, 1]), flat], null);
}

const zerosOp: Op<[like: Value], { shape: Shape }> = defineOp({
  name: "Zeros",
  infer: ([like], { shape }) => [{ dtype: like.dtype, shape }],
  lower: (onnx, { outputs, attributes: { shape }, types: [type] }) => {
    const zero = onnx.constant(type!.dtype, [1], [0]);
    onnx.node("Expand", [zero, onnx.shape(shape)], {}, outputs[0]);
  },
  vjp: "nondifferentiable",
});

/** Zeros of the given shape, of the dtype of `like`. */
export function zeros(like: Value, shape: Shape): Value {
  return applyOp(zerosOp, [like], { shape });
}

const gatherElementsOp: Op<[x: Value, index: Value], { axis: number }> = defineOp({
  name: "GatherElements",
  infer: ([x, index], { axis }) => {
    axisOf("GatherElements", axis, x.shape.length);
    if (index.dtype !== "int64" || index.shape.length !== x.shape.length) {
      throw new ShapeError(
        `GatherElements: expected int64 indices of rank ${x.shape.length}, got ${show(index.shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape: index.shape }];
  },
  lower: (onnx, { inputs, outputs, attributes: { axis } }) => onnx.node("GatherElements", inputs, { axis }, outputs[0]),
  vjp: ({ inputs: [x, index], attributes: { axis } }, [dy]) => [
    (sum): Value => addElements(sum ?? zeros(dy!, x.shape), index, dy!, axis),
    null,
  ],
  samples: [{ inputs: [[3, 4], { int64: [1, 1, 3, 0, 2, 2], dims: [3, 2] }], attributes: { axis: 1 } }],
});

/** y[i][j] = x[i][index[i][j]] along `axis`. */
export function gatherElements(x: Value, index: Value, axis: number): Value {
  return applyOp(gatherElementsOp, [x, index], { axis });
}

const addElementsOp: Op<[sum: Value, index: Value, values: Value], { axis: number }> = defineOp({
  name: "ScatterElements",
  infer: ([sum]) => [sum],
  lower: (onnx, node) => lowerScatter(onnx, "ScatterElements", node, { axis: node.attributes.axis }),
  vjp: "nondifferentiable",
});

/** `sum` with `values` added at `index` along `axis` (no gradient). */
export function addElements(sum: Value, index: Value, values: Value, axis: number): Value {
  return applyOp(addElementsOp, [sum, index, values], { axis });
}

const cumulativeSumOp: Op<[x: Value], { axis: number }> = defineOp({
  name: "CumSum",
  infer: ([x]) => [x],
  lower: (onnx, { inputs, outputs, attributes: { axis } }) =>
    onnx.node("CumSum", [inputs[0]!, onnx.constant("int64", [], [axis])], {}, outputs[0]),
  vjp: "nondifferentiable",
});

/** Running sum along `axis` (no gradient). */
export function cumulativeSum(x: Value, axis: number): Value {
  return applyOp(cumulativeSumOp, [x], { axis });
}

interface Band {
  readonly shape: Shape;
  /** Diagonals below the main one and above it that belong to the band; absent: all. */
  readonly below?: number | undefined;
  readonly above?: number | undefined;
}

const bandOp: Op<[like: Value], Band> = defineOp({
  name: "Trilu",
  infer: (_, { shape }) => [{ dtype: "float32", shape }],
  lower: (onnx, { outputs, attributes: { shape, below, above } }) => {
    const diagonal = (k: number): string => onnx.constant("int64", [], [k]);
    let band = onnx.node("Expand", [onnx.constant("float32", [1], [1]), onnx.shape(shape)]);
    if (below !== undefined) {
      band = onnx.node("Trilu", [band, diagonal(-below)], { upper: 1 }, above === undefined ? outputs[0] : undefined);
    }
    if (above !== undefined) onnx.node("Trilu", [band, diagonal(above)], { upper: 0 }, outputs[0]);
  },
  vjp: "nondifferentiable",
});

/**
 * 1 within a band about the diagonal of the last two axes, 0 outside it; bool. Row i has columns i - `below` to
 * i + `above`; an absent bound leaves that side whole.
 */
export function band(like: Value, { shape, below, above }: Band): Value {
  if (shape.length < 2 || !equal(shape.slice(-1), shape.slice(-2, -1)) || (below ?? above) === undefined) {
    throw new ShapeError(`band: expected a square and a bound, got ${show(shape)}`);
  }
  return cast(applyOp(bandOp, [like], { shape, below, above }), "bool");
}

/** 1 on and below the diagonal of the last two axes, 0 above; bool. */
export const lowerTriangle = (like: Value, shape: Shape): Value => band(like, { shape, above: 0 });
