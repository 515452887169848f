/** Lowers a graph to an ONNX model: only what the outputs need, each op by its own rule. */
import { ShapeError } from "../errors.ts";
import { allocate, type DType } from "../tensor/tensor.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { encodeOnnx, type OnnxAttribute, type OnnxBranch, type OnnxNode, type OnnxTensor, onnxType } from "./onnx.ts";
import { type Dim, partsOf, type Shape } from "./shape.ts";

/** Where a parameter's numbers are: fed at every run, in the model's bytes, or in a file that ONNX Runtime maps. */
export type ParameterSource =
  | "input"
  | Int8Weight
  | { readonly dtype: DType; readonly bytes: Uint8Array }
  | { readonly dtype: DType; readonly location: string; readonly offset: number; readonly length: number };

/** A linear layer's weight [out, in] in eight bits; see `quantize.ts`. */
export interface Int8Weight {
  readonly dtype: "int8";
  /** [in, out], row-major. */
  readonly bytes: Uint8Array;
  /** What each output's integers are multiplied by. */
  readonly scales: Float32Array;
  /** What each channel of the input is divided by; absent: none is. */
  readonly divisors?: Float32Array | undefined;
}

export interface LowerOptions {
  /** Default: every parameter is an input. */
  readonly parameters?: (name: string) => ParameterSource;
  /** False: only operators of the ONNX standard, for other runtimes. Default true: ONNX Runtime's own as well. */
  readonly contrib?: boolean;
  /** Work that some inputs do not need is left out by an If at run time. Default false: GPUs would wait for each. */
  readonly branches?: boolean;
  /** Default: the graph's. */
  readonly outputs?: ReadonlyMap<string, Value>;
  readonly name?: string;
}

/** What an op's `lower` writes to. */
export class Lowering {
  nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  /** ONNX Runtime's own operators (`com.microsoft`) may be used. They lack float64. */
  readonly contrib: boolean;
  /** `either` may be used. */
  readonly branches: boolean;
  /** Weights that are int8. */
  readonly int8: ReadonlyMap<string, Int8Weight>;
  readonly #inputs: readonly Value[];
  readonly #constants = new Map<string, string>();
  readonly #once = new Map<string, string>();
  #count = 0;

  constructor(inputs: readonly Value[], { contrib, branches, int8 }: Pick<Lowering, "contrib" | "branches" | "int8">) {
    this.#inputs = inputs;
    this.contrib = contrib;
    this.branches = branches;
    this.int8 = int8;
  }

  /** Adds a node and gives the name of its output; `output` fixes that name. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output: string = `t${this.#count++}`,
  ): string {
    this.nodes.push({ type, domain: "", inputs, outputs: [output], attributes });
    return output;
  }

  /** One of ONNX Runtime's own operators. */
  contribNode(
    type: string,
    inputs: readonly string[],
    attributes: OnnxNode["attributes"],
    output: string = `t${this.#count++}`,
  ): string {
    this.nodes.push({ type, domain: "com.microsoft", inputs, outputs: [output], attributes });
    return output;
  }

  /** A node with several outputs; an empty name leaves one out. */
  multiNode(
    type: string,
    inputs: readonly string[],
    attributes: OnnxNode["attributes"],
    outputs: string[],
    domain = "",
  ): void {
    this.nodes.push({ type, domain, inputs, outputs, attributes });
  }

  /** What `make` adds, the first time that this is asked for under `key`. */
  once(key: string, make: () => string): string {
    const name = this.#once.get(key) ?? make();
    this.#once.set(key, name);
    return name;
  }

  /** The output of one of two branches, which add nodes but read no dimension; `condition` is a bool scalar. */
  either(condition: string, yes: () => string, no: () => string, output?: string): string {
    const branch = (make: () => string): OnnxBranch => {
      const around = this.nodes;
      this.nodes = [];
      const name = make();
      const { nodes } = this;
      this.nodes = around;
      return { nodes, output: name };
    };
    return this.node("If", [condition], { then_branch: branch(yes), else_branch: branch(no) }, output);
  }

  /** An initialiser; equal ones are one. */
  constant(dtype: DType, dims: readonly number[], data: readonly number[]): string {
    const key = `${dtype}[${dims.join()}]${data.join()}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = `c${this.#constants.size}`;
      this.#constants.set(key, name);
      this.initializers.push({ name, dtype, dims, data: bytesOf(dtype, data) });
    }
    return name;
  }

  ints(data: readonly number[]): string {
    return this.constant("int64", [data.length], data);
  }

  /** A shape as an int64 vector: constant where it can be, else computed from the graph's inputs at run time. */
  shape(shape: Shape): string {
    if (shape.every((dim) => typeof dim === "number")) return this.ints(shape);
    return this.node(
      "Concat",
      shape.map((dim) => this.dim(dim)),
      { axis: 0 },
    );
  }

  /** One dimension as an int64 vector of length 1. */
  dim(dim: Dim): string {
    if (typeof dim === "number") return this.ints([dim]);
    return this.once(`dimension ${dim}`, () => {
      const { factor, names } = partsOf(dim);
      if (names.length === 1 && factor === 1) return this.#readDim(dim);
      const parts = names.map((part) => this.dim(part));
      if (factor !== 1) parts.push(this.ints([factor]));
      return parts.reduce((left, right) => this.node("Mul", [left, right]));
    });
  }

  #readDim(dim: string): string {
    for (const input of this.#inputs) {
      const axis = input.shape.indexOf(dim);
      if (axis >= 0) return this.node("Shape", [input.name], { start: axis, end: axis + 1 });
    }
    throw new ShapeError(`lowering: dimension ${dim} is not a dimension of any input, so its value cannot be known`);
  }
}

function isInt8(source: ParameterSource): source is Int8Weight {
  return typeof source === "object" && "scales" in source;
}

function bytesOf(dtype: DType, data: readonly number[]): Uint8Array {
  const array = allocate(dtype, data.length);
  if (array instanceof BigInt64Array) data.forEach((value, i) => (array[i] = BigInt(value)));
  else if (dtype === "float16") data.forEach((value, i) => (array[i] = float16Bits(value)));
  else array.set(data);
  return new Uint8Array(array.buffer, 0, array.byteLength);
}

/** Round-to-nearest-even float16 of a constant (no subnormals: they become zero). */
function float16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) return sign;
  const rounded = (exponent << 10) + ((bits & 0x7fffff) >>> 13);
  const rest = bits & 0x1fff;
  return sign | (rest > 0x1000 || (rest === 0x1000 && (rounded & 1) === 1) ? rounded + 1 : rounded);
}

/**
 * The bytes of an ONNX model that computes the graph's outputs.
 * @throws ShapeError when a dimension's value cannot be known at run time.
 */
export function toOnnx(graph: Graph, options: LowerOptions = {}): Uint8Array {
  const sources = new Map([...graph.parameters.keys()].map((name) => [name, options.parameters?.(name) ?? "input"]));
  const int8 = new Map<string, Int8Weight>();
  for (const [name, source] of sources) if (isInt8(source)) int8.set(name, source);
  const contrib = (options.contrib ?? true) && graph.float !== "float64";
  const onnx = new Lowering(graph.inputs, { contrib, branches: options.branches ?? false, int8 });
  const renamed = new Map<Value, string>();
  const wanted = options.outputs ?? graph.outputs;
  const used = new Set<Value>(wanted.values());
  for (const [name, value] of wanted) {
    // An output is written where it is computed; only one that is no node's, or is named twice, needs a copy.
    if (value.node !== undefined && !renamed.has(value)) renamed.set(value, name);
  }
  const nameOf = (value: Value): string => renamed.get(value) ?? value.name;
  for (const node of neededNodes(graph, wanted)) {
    for (const input of node.inputs) used.add(input);
    node.op.lower(onnx, {
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
      attributes: node.attributes,
      inputTypes: node.inputs,
      types: node.outputs,
    });
  }
  const outputs = [...wanted].map(([name, value]) => {
    if (nameOf(value) !== name) onnx.node("Identity", [nameOf(value)], {}, name);
    return { name, dtype: value.dtype, shape: value.shape };
  });
  for (const [value, data] of graph.constants) {
    if (!used.has(value)) continue;
    const { name, dtype } = value;
    onnx.initializers.push({ name, dtype, dims: value.shape as number[], data: bytesOf(dtype, data) });
  }
  const inputs = graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const casts: OnnxNode[] = [];
  for (const [name, { value }] of graph.parameters) {
    if (!used.has(value)) continue;
    const source = sources.get(name)!;
    if (source === "input") {
      inputs.push({ name, dtype: value.dtype, shape: value.shape });
      continue;
    }
    if (isInt8(source)) {
      const [out, width] = value.shape as number[];
      onnx.initializers.push({ name, dtype: "int8", dims: [width!, out!], data: source.bytes });
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
