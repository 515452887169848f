/** Lowers a graph to an ONNX model: only what the outputs need, each op by its own rule. */
import type { DType } from "../tensor/tensor.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { encodeOnnx, type FilePlace, type OnnxNode, type OnnxValueInfo, onnxType } from "./onnx.ts";
import { OnnxBuilder, type PackedWeight, type Target, type WidenedWeight } from "./onnx-builder.ts";

/** Where a parameter's numbers are: fed at every run, in the model's bytes, or in a file that ONNX Runtime maps. */
export type ParameterSource =
  | "input"
  | { readonly dtype: DType; readonly bytes: Uint8Array }
  | (FilePlace & { readonly dtype: DType });

export interface LowerOptions {
  /** Default: every parameter is an input. */
  readonly parameters?: (name: string) => ParameterSource;
  /** Weights, by name, that are held and multiplied in a format of their own. */
  readonly packed?: ReadonlyMap<string, PackedWeight>;
  /** Weights, by name, that are inputs in few bits, and float32 only for each node that uses them. */
  readonly widened?: ReadonlyMap<string, WidenedWeight>;
  /** False: only operators of the ONNX standard, for other runtimes. Default true: ONNX Runtime's own as well. */
  readonly contrib?: boolean;
  /** Work that some inputs do not need is left out by an If at run time. Default false: GPUs would wait for each. */
  readonly branches?: boolean;
  /** Default: the graph's. */
  readonly outputs?: ReadonlyMap<string, Value>;
  readonly name?: string;
}

/**
 * The bytes of an ONNX model that computes the graph's outputs.
 * @throws ShapeError when a dimension's value cannot be known at run time.
 */
export function toOnnx(graph: Graph, options: LowerOptions = {}): Uint8Array {
  const target: Target = {
    contrib: (options.contrib ?? true) && graph.float !== "float64",
    branches: options.branches ?? false,
    packed: options.packed ?? new Map(),
    widened: options.widened ?? new Map(),
  };
  const onnx = new OnnxBuilder(graph.inputs, target);
  const renamed = new Map<Value, string>();
  const wanted = options.outputs ?? graph.outputs;
  const used = new Set<Value>(wanted.values());
  for (const [name, value] of wanted) {
    // An output is written where it is computed; only one that is no node's, or is named twice, needs a copy.
    if (value.node !== undefined && !renamed.has(value)) renamed.set(value, name);
  }
  const nameOf = (value: Value): string => renamed.get(value) ?? value.name;
  for (const node of neededNodes(graph, wanted)) {
    const inPacked = packedInput(graph, node, target.packed);
    for (const [i, input] of node.inputs.entries()) if (i !== inPacked) used.add(input);
    const { attributes, inputs: inputTypes, outputs: types } = node;
    const after = node.inputs.find((input) => input.node !== undefined);
    const inputs = node.inputs.map((input, i) => {
      const whole = widenedInput(graph, node, i, target.widened);
      return whole?.widen(onnx, after && nameOf(after)) ?? nameOf(input);
    });
    const outputs = types.map(nameOf);
    node.op.lower(onnx, { inputs, outputs, attributes, inputTypes, types });
  }
  const outputs = [...wanted].map(([name, value]) => {
    if (nameOf(value) !== name) onnx.node("Identity", [nameOf(value)], {}, name);
    return { name, dtype: value.dtype, shape: value.shape };
  });
  for (const [value, data] of graph.constants) {
    const { name, dtype } = value;
    if (used.has(value)) onnx.initializers.push({ name, dtype, dims: value.shape as number[], data });
  }
  const inputs: OnnxValueInfo[] = graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const casts: OnnxNode[] = [];
  for (const [name, { value }] of graph.parameters) {
    if (!used.has(value)) continue;
    const widened = target.widened.get(name);
    if (widened !== undefined) {
      inputs.push(...widened.inputs);
      continue;
    }
    const source = options.parameters?.(name) ?? "input";
    if (source === "input") {
      inputs.push({ name, dtype: value.dtype, shape: value.shape });
      continue;
    }
    const stored = source.dtype === value.dtype ? name : `${name}/stored`;
    const { location, offset, length } = "bytes" in source ? { location: "", offset: 0, length: 0 } : source;
    const data = "bytes" in source ? source.bytes : { location, offset, length };
    onnx.initializers.push({ name: stored, dtype: source.dtype, dims: value.shape as number[], data });
    if (stored !== name) {
      const attributes = { to: onnxType[value.dtype] };
      casts.push({ type: "Cast", domain: "", inputs: [stored], outputs: [name], attributes });
    }
  }
  return encodeOnnx({
    name: options.name ?? "galen",
    nodes: [...casts, ...onnx.nodes],
    initializers: onnx.initializers,
    inputs,
    outputs,
  });
}

/** Which input of a node, if any, is a weight that it uses as it is packed. */
function packedInput(graph: Graph, { op, inputs, attributes }: Node, packed: Target["packed"]): number | undefined {
  const use = op.weight?.(inputs, attributes);
  if (use === undefined) return undefined;
  const weight = inputs[use.at]!;
  const found = graph.parameters.get(weight.name)?.value === weight ? packed.get(weight.name) : undefined;
  return found === undefined || (use.as === "rows" && found.rows === undefined) ? undefined : use.at;
}

/** The weight in few bits, if it is one, that a node needs whole: not where it takes rows of it. */
function widenedInput(
  graph: Graph,
  { op, inputs, attributes }: Node,
  at: number,
  widened: Target["widened"],
): WidenedWeight | undefined {
  const value = inputs[at]!;
  const found = graph.parameters.get(value.name)?.value === value ? widened.get(value.name) : undefined;
  const use = op.weight?.(inputs, attributes);
  return use?.at === at && use.as === "rows" && found?.rows !== undefined ? undefined : found;
}

/**
 * The nodes that the outputs need, in order, and those that nothing else uses (the gradients of parameters) at the end,
 * backwards: ONNX Runtime walks from the last of these, so each is computed as soon as it can be and what it needs is
 * freed, instead of all waiting for the end of the backward pass.
 */
function neededNodes(graph: Graph, outputs: ReadonlyMap<string, Value>): Node[] {
  const needed = new Set<Node>();
  const used = new Set<Value>();
  const pending = [...outputs.values()].map((value) => value.node);
  while (pending.length > 0) {
    const node = pending.pop();
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) {
      used.add(input);
      pending.push(input.node);
    }
  }
  const ordered = graph.nodes.filter((node) => needed.has(node));
  const isLeaf = (node: Node): boolean => !node.outputs.some((output) => used.has(output));
  return [...ordered.filter((node) => !isLeaf(node)), ...ordered.filter(isLeaf).reverse()];
}
