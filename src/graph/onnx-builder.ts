/**
 * An ONNX model under construction: the nodes and initialisers that the ops of a graph lower to. It knows nothing of
 * graphs, so that an op's rule for lowering and the graph's own types need not import each other.
 */
import { ShapeError } from "../errors.ts";
import type { DType } from "../tensor/tensor.ts";
import { ConstantPool, type Numbers } from "./constants.ts";
import {
  type OnnxAttribute,
  type OnnxBranch,
  type OnnxNode,
  type OnnxTensor,
  onnxType,
  type OnnxValueInfo,
} from "./onnx.ts";
import { type Dim, partsOf, type Shape } from "./shape.ts";

/** What the model is made for. */
export interface Target {
  /** By the names of parameters. */
  readonly packed: ReadonlyMap<string, PackedWeight>;
  /** By the names of parameters. */
  readonly widened: ReadonlyMap<string, WidenedWeight>;
  /** ONNX Runtime's own operators (`com.microsoft`) may be used. They lack float64. */
  readonly contrib: boolean;
  /** `either` may be used. */
  readonly branches: boolean;
}

/** A weight W [outputs, width] that is not held as plain numbers: it writes the nodes that use it. */
export interface PackedWeight {
  /** Adds what computes x Wᵀ [+ bias], and gives its name. Called for each product; large arrays must be the same each time. */
  multiply(onnx: OnnxBuilder, x: string, bias: string | undefined, output?: string): string;
  /** Adds what takes rows of W. Absent: nothing takes rows of it. */
  rows?(onnx: OnnxBuilder, index: string, output: string): void;
}

/** A parameter that is held in few bits and widened for each node that uses it. */
export interface WidenedWeight {
  /** Inputs of the model that it is made of. */
  readonly inputs: readonly OnnxValueInfo[];
  /** Adds what computes the matrix as the parameter has it, not before `after` is there, and gives its name. */
  widen(onnx: OnnxBuilder, after: string | undefined): string;
  /** Adds what takes rows of it. Absent: they are taken of the whole. */
  rows?(onnx: OnnxBuilder, index: string, output: string): void;
}

export class OnnxBuilder implements Target {
  nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly contrib: boolean;
  readonly branches: boolean;
  readonly packed: Target["packed"];
  readonly widened: Target["widened"];
  readonly #inputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly #constants = new ConstantPool<string>();
  readonly #once = new Map<string, string>();
  #count = 0;

  /** @param inputs those of the model, which symbolic dimensions are read from. */
  constructor(
    inputs: readonly { readonly name: string; readonly shape: Shape }[],
    { contrib, branches, packed, widened }: Target,
  ) {
    this.#inputs = inputs;
    this.contrib = contrib;
    this.branches = branches;
    this.packed = packed;
    this.widened = widened;
  }

  /** Adds a node and gives the name of its output; `output` fixes that name. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output: string = `t${this.#count++}`,
  ): string {
    this.multiNode(type, inputs, attributes, [output]);
    return output;
  }

  /** One of ONNX Runtime's own operators. */
  contribNode(
    type: string,
    inputs: readonly string[],
    attributes: OnnxNode["attributes"],
    output: string = `t${this.#count++}`,
  ): string {
    this.multiNode(type, inputs, attributes, [output], "com.microsoft");
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

  /** int64 [1]: 0, which cannot be known before the numbers of `trigger` are. */
  zeroAfter(trigger: string): string {
    const flat = this.node("Reshape", [trigger, this.ints([-1])]);
    const first = this.node("Slice", [flat, this.ints([0]), this.ints([1])]);
    return this.node("Cast", [this.node("Less", [first, first])], { to: onnxType.int64 });
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

  /** An initialiser; equal ones are one (large ones: where they are the same array). */
  constant<D extends DType>(dtype: D, dims: readonly number[], numbers: Numbers<D>): string {
    return this.#constants.of(dtype, dims, numbers, (data) => {
      const name = `c${this.initializers.length}`;
      this.initializers.push({ name, dtype, dims, data });
      return name;
    });
  }

  /** An initialiser of this name, once: bytes, or where they lie in another file. */
  initializer(name: string, dtype: DType, dims: readonly number[], data: OnnxTensor["data"]): string {
    return this.once(`initializer ${name}`, () => {
      this.initializers.push({ name, dtype, dims, data });
      return name;
    });
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
