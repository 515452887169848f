/** The graph builder: values and ops with shapes and gradients, lowered to ONNX. */
export { gradients } from "./grad.ts";
export {
  applyOp,
  defineOp,
  Graph,
  type GraphOptions,
  type Initialiser,
  type Marks,
  type Op,
  type Value,
} from "./graph.ts";
export { type LowerOptions, type ParameterSource, toOnnx } from "./lower.ts";
export * from "./ops/index.ts";
export type { Dim, Shape } from "./shape.ts";
