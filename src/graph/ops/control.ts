/** Ops about the graph itself rather than about numbers. */
import { applyOp, type Op, type Value } from "../graph.ts";

/** The first input unchanged, but not before the second has been computed: orders recomputation after its trigger. */
const afterOp: Op<[value: Value, trigger: Value], null> = {
  name: "After",
  infer: ([value]) => [value],
  lower: (onnx, { inputs: [value, trigger], outputs }) => {
    // Reshape to its own shape, plus nothing times the trigger's: no copy, yet a dependency.
    const shape = onnx.node("Shape", [value!]);
    const first = onnx.node("Shape", [trigger!], { start: 0, end: 1 });
    const nothing = onnx.node("Mul", [first, onnx.ints([0])]);
    onnx.node("Reshape", [value!, onnx.node("Add", [shape, nothing])], { allowzero: 1 }, outputs[0]);
  },
  vjp: (_, [dy]) => [dy!, null],
  samples: [{ inputs: [[2, 3], { int64: [1, 2], dims: [2] }], attributes: null }],
};

export function after(value: Value, trigger: Value): Value {
  return applyOp(afterOp, [value, trigger], null);
}

export const controlOps = [afterOp] as const;
