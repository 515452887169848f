/** Ops about the graph itself rather than about numbers. */
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import { onnxType } from "../onnx.ts";

/** The first input unchanged, but not before the second has been computed: orders recomputation after its trigger. */
const afterOp: Op<[value: Value, trigger: Value], null> = defineOp({
  name: "After",
  infer: ([value]) => [value],
  lower: (onnx, { inputs: [value, trigger], outputs }) => {
    // Reshape to its own shape plus a zero that only the trigger's numbers tell: no copy, and nothing to fold away.
    const flat = onnx.node("Reshape", [trigger!, onnx.ints([-1])]);
    const first = onnx.node("Slice", [flat, onnx.ints([0]), onnx.ints([1])]);
    const zero = onnx.node("Cast", [onnx.node("Less", [first, first])], { to: onnxType.int64 });
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

export function after(value: Value, trigger: Value): Value {
  return applyOp(afterOp, [value, trigger], null);
}
