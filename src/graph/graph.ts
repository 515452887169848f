/**
 * The graph builder. A graph is a list of nodes in topological order; a node applies an op to values; a value has a
 * dtype and a shape that are checked the moment it is made. Layers are functions that take values and give values;
 * `scope` gives parameters the names of the published checkpoint. Lowering to ONNX is in `lower.ts`, reverse mode in
 * `grad.ts`.
 */
import { ShapeError } from "../errors.ts";
import type { DType } from "../tensor/tensor.ts";
import { ConstantPool, type Numbers } from "./constants.ts";
import type { OnnxBuilder } from "./onnx-builder.ts";
import { equal, type Shape, show } from "./shape.ts";

export interface Value {
  readonly graph: Graph;
  /** Unique in the graph; becomes the ONNX name. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The node that made it; undefined for inputs and parameters. */
  readonly node: Node | undefined;
}

export interface Node {
  readonly op: Op<readonly Value[], unknown>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: unknown;
  /** Set inside `checkpoint`: the segment whose nodes are computed again in the backward pass. */
  readonly segment: number | undefined;
}

/** What an op's shape rule says of one output. */
export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * A gradient with respect to one input: a value, null where there is none, or a function that adds itself to the sum
 * so far (so that a scatter into an embedding's gradient needs no zeros of its own).
 */
export type Cotangent = Value | null | ((sum: Value | undefined) => Value);

/** Inputs of an op for one gradient check: shapes of float inputs, or explicit data of the others. */
export interface Sample<Attributes> {
  readonly inputs: readonly SampleInput[];
  readonly attributes: Attributes;
  /** Keeps inputs away from kinks and poles. */
  readonly range?: readonly [low: number, high: number];
}

type SampleInput =
  | readonly number[]
  | { readonly int64: readonly number[]; readonly dims: readonly number[] }
  | { readonly bool: readonly number[]; readonly dims: readonly number[] };

/** A node as its lowering sees it: ONNX names, and the types of inputs and outputs. */
export interface LoweredNode<Attributes> {
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Attributes;
  readonly inputTypes: readonly Type[];
  readonly types: readonly Type[];
}

/** Cotangents of the inputs, given those of the outputs (undefined where an output is not used). */
export type Vjp<Inputs extends readonly Value[], Attributes> = (
  node: { inputs: Inputs; outputs: readonly Value[]; attributes: Attributes },
  cotangents: readonly (Value | undefined)[],
) => { [K in keyof Inputs]: Cotangent };

/**
 * What a node does with an input W [out, in]: x Wᵀ [+ b], a cross-entropy with such logits, or taking rows; or with W
 * [in, out], x W [+ b].
 */
export interface WeightUse {
  readonly at: number;
  readonly as: "product" | "transposed" | "loss" | "rows";
}

/** An operation: shape rule, lowering to ONNX and gradient together; no gradient without samples that it is checked on. */
export type Op<Inputs extends readonly Value[], Attributes> = {
  readonly name: string;
  infer(inputs: Inputs, attributes: Attributes): readonly Type[];
  lower(onnx: OnnxBuilder, node: LoweredNode<Attributes>): void;
  /** The input that may be a packed weight (`OnnxBuilder.packed`), where a node has one. */
  weight?(inputs: Inputs, attributes: Attributes): WeightUse | undefined;
} & (
  | { readonly vjp: Vjp<Inputs, Attributes>; readonly samples: readonly [Sample<Attributes>, ...Sample<Attributes>[]] }
  | { readonly vjp: "nondifferentiable" }
);

const defined = new Set<unknown>();

/** Every op that was defined, for the tests that loop over them. */
export const ops: ReadonlySet<Node["op"]> = defined as Set<Node["op"]>;

/** Makes an op known. Graphs take no others, so that no op escapes the gradient test. */
export function defineOp<Inputs extends readonly Value[], Attributes>(
  op: NoInfer<Op<Inputs, Attributes>>,
): Op<Inputs, Attributes> {
  defined.add(op);
  return op;
}

/** How a parameter starts; `runtime/` fills it from a seed and the parameter's name. */
export type Initialiser =
  | { readonly normal: number }
  | { readonly constant: number }
  /** Positions as sines and cosines (Vaswani et al. 2017, arXiv:1706.03762, §3.5), of this deviation. */
  | { readonly sinusoids: number };

/** What shared code needs to know of a parameter, so that it never asks for a name. */
export interface Marks {
  /** Its rows (of a vector, its numbers) are the vocabulary's: a larger vocabulary adds rows. */
  readonly vocabulary?: true;
  /** It stands on the network: a training may start from a checkpoint without it. */
  readonly head?: true;
  /** A linear layer's weight that is stored [in, out]. */
  readonly transposed?: true;
}

export interface Parameter extends Marks {
  readonly value: Value;
  readonly init: Initialiser;
}

export interface GraphOptions {
  /** Element type of parameters and activations. */
  readonly float?: "float32" | "float64" | "float16";
  /** Element type of parameters where it is another: mixed precision, with `adapt` casting them where they are used. */
  readonly parameterFloat?: "float32";
  /** Dropout is applied, from the graph input `seed`. */
  readonly training?: boolean;
  /** `checkpoint` has an effect: less memory for a second forward pass. */
  readonly checkpointing?: boolean;
  /** What stands in for a parameter where layers use it, such as its sum with a low-rank product. */
  readonly adapt?: Adapt | undefined;
}

/** Gives the value that is used instead of the parameter `path`, or nothing; it may declare parameters in its scope. */
export type Adapt = (g: Graph, path: string, value: Value) => Value | undefined;

export class Graph {
  readonly float: "float32" | "float64" | "float16";
  readonly #parameterFloat: DType;
  readonly training: boolean;
  readonly checkpointing: boolean;
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  readonly parameters: Map<string, Parameter> = new Map();
  readonly outputs: Map<string, Value> = new Map();
  /** Little-endian bytes. */
  readonly constants: Map<Value, Uint8Array> = new Map();
  #scope: string[] = [];
  #count = 0;
  #segments = 0;
  #dropouts = 0;
  #segment: number | undefined;
  #head = false;
  readonly #constantPool: ConstantPool<Value> = new ConstantPool();
  readonly #adapt: Adapt | undefined;
  readonly #adapted: Map<Value, Value> = new Map();

  constructor(options: GraphOptions = {}) {
    this.float = options.float ?? "float32";
    this.#parameterFloat = options.parameterFloat ?? this.float;
    this.training = options.training ?? false;
    this.checkpointing = options.checkpointing ?? false;
    this.#adapt = options.adapt;
  }

  /** A value fed at every run. */
  input(name: string, dtype: DType, shape: Shape): Value {
    if (this.inputs.some((value) => value.name === name)) throw new ShapeError(`input "${name}" is declared twice`);
    const value = { graph: this, name, dtype, shape, node: undefined };
    this.inputs.push(value);
    return value;
  }

  /** A weight, named by the scopes around it and `name`; asking again for the same name gives the same value. */
  param(name: string, shape: readonly number[], init: Initialiser, marks: Omit<Marks, "head"> = {}): Value {
    const path = [...this.#scope, name].join(".");
    const known = this.parameters.get(path);
    if (known !== undefined) {
      if (!equal(known.value.shape, shape)) {
        throw new ShapeError(`${path}: expected ${show(known.value.shape)} as before, got ${show(shape)}`);
      }
      return this.#adapted.get(known.value) ?? known.value;
    }
    const value = { graph: this, name: path, dtype: this.#parameterFloat, shape, node: undefined };
    this.parameters.set(path, { value, init, ...marks, ...(this.#head ? { head: true } : {}) });
    const adapted = this.#adapt?.(this, path, value);
    if (adapted !== undefined) this.#adapted.set(value, adapted);
    return adapted ?? value;
  }

  /** A constant in the graph; equal constants are one (large ones: where they are the same array). */
  constant<D extends DType>(dtype: D, dims: readonly number[], numbers: Numbers<D>): Value {
    return this.#constantPool.of(dtype, dims, numbers, (bytes) => {
      const value = { graph: this, name: `constant_${this.#count++}`, dtype, shape: dims, node: undefined };
      this.constants.set(value, bytes);
      return value;
    });
  }

  scalar(value: number, dtype: DType = this.float): Value {
    return this.constant(dtype, [], [value]);
  }

  /** Names made inside `build` begin with `name.`. */
  scope<T>(name: string, build: () => T): T {
    this.#scope.push(name);
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }

  /** Parameters that `build` declares are a head's. */
  head<T>(build: () => T): T {
    const outer = this.#head;
    this.#head = true;
    try {
      return build();
    } finally {
      this.#head = outer;
    }
  }

  /** The number of the next dropout in this graph: each has a mask of its own. */
  nextDropout(): number {
    return this.#dropouts++;
  }

  /** Gradient checkpointing: what `build` computes is not kept for the backward pass but computed again there. */
  checkpoint<T>(build: () => T): T {
    const outer = this.#segment;
    if (!this.checkpointing || outer !== undefined) return build();
    this.#segment = this.#segments++;
    try {
      return build();
    } finally {
      this.#segment = outer;
    }
  }

  output(name: string, value: Value): Value {
    this.outputs.set(name, value);
    return value;
  }

  /** Applies an op: checks shapes, appends a node and gives its outputs. @throws ShapeError with the scope's path. */
  apply<Inputs extends readonly Value[], Attributes>(
    op: Op<Inputs, Attributes>,
    inputs: Inputs,
    attributes: Attributes,
  ): Value[] {
    if (!defined.has(op)) throw new ShapeError(`${op.name}: expected an op made by defineOp`);
    for (const input of inputs) {
      if (input.graph !== this) throw new ShapeError(`${op.name}: "${input.name}" belongs to another graph`);
    }
    let types: readonly Type[];
    try {
      types = op.infer(inputs, attributes);
    } catch (error) {
      if (!(error instanceof ShapeError) || this.#scope.length === 0) throw error;
      throw new ShapeError(`${this.#scope.join(".")}: ${error.message}`, { cause: error });
    }
    const outputs: Value[] = [];
    const node: Node = {
      op: op as unknown as Node["op"],
      inputs,
      outputs,
      attributes,
      segment: this.#segment,
    };
    for (const type of types) {
      const name = [...this.#scope, `${op.name}_${this.#count++}`].join("/");
      outputs.push({ graph: this, name, dtype: type.dtype, shape: type.shape, node });
    }
    this.nodes.push(node);
    return outputs;
  }
}

/** `apply` for an op with one output of interest: its first. */
export function applyOp<Inputs extends readonly [Value, ...Value[]], Attributes>(
  op: Op<Inputs, Attributes>,
  inputs: Inputs,
  attributes: Attributes,
): Value {
  return inputs[0].graph.apply(op, inputs, attributes)[0]!;
}
