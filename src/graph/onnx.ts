/**
 * A writer of ONNX's protobuf (onnx.proto3, IR version 10): just the messages that Galen's graphs need. The schema is
 * fixed, so this file does what a protobuf library and its generated code would.
 */
import type { DType } from "../tensor/tensor.ts";
import { partsOf, type Shape } from "./shape.ts";

/** ONNX's TensorProto.DataType. */
export const onnxType: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

/** Integers are ints, `{ float }` floats, arrays ints, strings strings; `{ nodes, output }` is a branch of an If. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number } | OnnxBranch;

/** A graph without inputs, whose nodes may use any value that is known where it stands. */
export interface OnnxBranch {
  readonly nodes: readonly OnnxNode[];
  readonly output: string;
}

export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Little-endian bytes in the model, or where they lie in another file. */
  readonly data: Uint8Array | FilePlace;
}

/** Part of a file beside the model. */
export interface FilePlace {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

const text = new TextEncoder();

/** A protobuf message under construction: chunks of bytes. */
class Message {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  #varint(value: number): void {
    // Two's complement in 64 bits, as protobuf wants of negative int64.
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    this.#push(Uint8Array.from(bytes));
  }

  int(field: number, value: number): this {
    this.#varint(field << 3);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#varint((field << 3) | 5);
    this.#push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint((field << 3) | 2);
    this.#varint(value.length);
    this.#push(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, text.encode(value));
  }

  /** The inner message's chunks as they are: weights are copied once, when the outermost message is finished. */
  message(field: number, value: Message): this {
    this.#varint((field << 3) | 2);
    this.#varint(value.#size);
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

function attributeMessage(name: string, value: OnnxAttribute): Message {
  const message = new Message().string(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, 2);
  if (typeof value === "string") return message.string(4, value).int(20, 3);
  if ("float" in value) return message.float(2, value.float).int(20, 1);
  if ("nodes" in value) return message.message(6, branchMessage(name, value)).int(20, 5);
  for (const item of value) message.int(8, item);
  return message.int(20, 7);
}

function branchMessage(name: string, { nodes, output }: OnnxBranch): Message {
  const graph = new Message();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  return graph.string(2, name).message(12, new Message().string(1, output));
}

function nodeMessage(node: OnnxNode): Message {
  const message = new Message();
  for (const input of node.inputs) message.string(1, input);
  for (const output of node.outputs) message.string(2, output);
  message.string(3, node.outputs.find((output) => output !== "") ?? node.type).string(4, node.type);
  for (const [name, value] of Object.entries(node.attributes)) message.message(5, attributeMessage(name, value));
  return node.domain === "" ? message : message.string(7, node.domain);
}

function tensorMessage(tensor: OnnxTensor): Message {
  const message = new Message();
  for (const dim of tensor.dims) message.int(1, dim);
  message.int(2, onnxType[tensor.dtype]).string(8, tensor.name);
  if (tensor.data instanceof Uint8Array) return message.bytes(9, tensor.data);
  for (const [key, value] of Object.entries(tensor.data)) {
    message.message(13, new Message().string(1, key).string(2, String(value)));
  }
  return message.int(14, 1);
}

function valueMessage(value: OnnxValueInfo): Message {
  const shape = new Message();
  for (const dim of value.shape) {
    const { factor, names } = partsOf(dim);
    shape.message(1, names.length === 0 ? new Message().int(1, factor) : new Message().string(2, String(dim)));
  }
  const tensorType = new Message().int(1, onnxType[value.dtype]).message(2, shape);
  return new Message().string(1, value.name).message(2, new Message().message(1, tensorType));
}

/** The bytes of a `.onnx` file. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const graph = new Message();
  for (const node of model.nodes) graph.message(1, nodeMessage(node));
  graph.string(2, model.name);
  for (const tensor of model.initializers) graph.message(5, tensorMessage(tensor));
  for (const input of model.inputs) graph.message(11, valueMessage(input));
  for (const output of model.outputs) graph.message(12, valueMessage(output));
  const opset = (domain: string, version: number): Message => new Message().string(1, domain).int(2, version);
  return new Message()
    .int(1, 10)
    .string(2, "galen")
    .message(7, graph)
    .message(8, opset("", 21))
    .message(8, opset("com.microsoft", 1))
    .finish();
}
