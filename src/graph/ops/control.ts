/** Ops about the graph itself rather than about numbers. */
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";

/** A control dependency: the first input unchanged, but not before the second has been computed. */
const controlDependencyOp: Op<[value: Value, trigger: Value], null> = defineOp({
  name: "ControlDependency",
  infer: ([value]) => [value],
  lower: (onnx, { inputs: [value, trigger], outputs }) => {
    // Reshape to its own shape plus a zero that is computed from the trigger's numbers: no copy, nothing to fold away.
    const zero = onnx.zeroAfter(trigger!);
    onnx.node(
      "Reshape",
      [value!, onnx.node("Add", [onnx.node("Shape", [value!]), zero])],
      { allowzero: 1 },
      outputs[0],
    );
  },
  vjp: (_, [dy]) => [dy!, null],
  samples: [{ inputs: [[2, 3], { int64: [1, 2], dims: [2] }], attributes: null }],
});

/** `value`, for who must not read it before `trigger` is there: recomputation, before the gradient that needs it. */
export function withControlDependency(value: Value, trigger: Value): Value {
  return applyOp(controlDependencyOp, [value, trigger], null);
}
