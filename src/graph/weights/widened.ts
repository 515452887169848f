/**
 * Frozen weights in few bits beside what is trained (QLoRA: Dettmers et al. 2023, arXiv:2305.14314, §3): whole numbers and
 * scales are inputs of the graph, and each node that uses the matrix, forward or backward, has it widened to float32 for
 * itself, exactly, right before it runs. No more than what one node uses is ever in float32. Of what QLoRA has, these are
 * left out: NormalFloat, scales that are quantised themselves, and paged moments.
 */
// I width, G groups of a row
import {
  dequantizeGroups,
  type GroupedWeight,
  type Grouping,
  groupsOf,
  middle,
  transposed,
} from "../../tensor/grouped.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { onnxType } from "../onnx.ts";
import type { OnnxBuilder, WidenedWeight } from "../onnx-builder.ts";

/** A matrix in whole groups; `transposed`: the parameter is [width, outputs]. */
export interface FrozenShape extends Grouping {
  readonly outputs: number;
  readonly width: number;
  readonly shifted: boolean;
}

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * The inputs of the matrix `name`. Where two numbers share a byte, number k of a row is with number k + I / 2 instead of
 * its neighbour, so that two operations on whole rows take them apart; `weight` is changed in place.
 */
export function frozenTensors(name: string, weight: GroupedWeight): Tensors {
  const { bits, outputs, width, whole, scales, shifts } = weight;
  if (bits === 4) rearrange(whole, outputs, (row, at) => nibble(row, at) | (nibble(row, at + width / 2) << 4));
  const perGroup = [outputs, groupsOf(weight)];
  return {
    [`${name}/whole`]: tensor("uint8", [outputs, (width * bits) / 8], whole),
    [`${name}/scales`]: tensor("float32", perGroup, scales),
    ...(shifts === undefined ? {} : { [`${name}/shifts`]: tensor("float32", perGroup, shifts) }),
  };
}

/** The matrix in float32, as the parameter is, of its inputs. */
export function frozenNumbers(name: string, shape: FrozenShape, tensors: Tensors): Float32Array {
  const part = (of: string): Tensor["data"] | undefined => tensors[`${name}/${of}`]?.data;
  let whole = part("whole") as Uint8Array;
  if (shape.bits === 4) {
    whole = whole.slice();
    const half = shape.width / 2;
    const number = (row: Uint8Array, k: number): number => (k < half ? row[k]! & 15 : row[k - half]! >> 4);
    rearrange(whole, shape.outputs, (row, at) => number(row, 2 * at) | (number(row, 2 * at + 1) << 4));
  }
  const scales = part("scales") as Float32Array;
  const shifts = part("shifts") as Float32Array | undefined;
  const numbers = dequantizeGroups({ ...shape, whole, scales, ...(shifts === undefined ? {} : { shifts }) });
  return shape.transposed === true ? transposed(numbers, shape.outputs, shape.width) : numbers;
}

const nibble = (row: Uint8Array, k: number): number => (k % 2 === 0 ? row[k >> 1]! & 15 : row[k >> 1]! >> 4);

/** Makes each row's bytes of what they were. */
function rearrange(whole: Uint8Array, rows: number, byteOf: (row: Uint8Array, at: number) => number): void {
  const bytes = whole.length / rows;
  for (let start = 0; start < whole.length; start += bytes) {
    const row = whole.slice(start, start + bytes);
    for (let at = 0; at < bytes; at++) whole[start + at] = byteOf(row, at);
  }
}

/** The nodes that widen the matrix `name`, and the inputs that they take. */
export function widenedWeight(name: string, shape: FrozenShape): WidenedWeight {
  const { bits, group, outputs, width, shifted } = shape;
  const perGroup = [outputs, groupsOf(shape)];
  /** Of rows' parts, [..., I] numbers in bytes and [..., G]; with `zero` none is computed before it. */
  const widen = (onnx: OnnxBuilder, part: (of: string) => string, zero?: string, output?: string): string => {
    const scales = part("scales");
    const whole = bits === 4 ? apart(onnx, part("whole"), zero) : part("whole");
    const groups = onnx.node("Shape", [scales]);
    const zeroPoints = onnx.node("Expand", [byte(onnx, middle[bits], zero), groups]);
    const inputs = [whole, scales, zeroPoints];
    const attributes = { axis: -1, block_size: group };
    if (!shifted) return onnx.node("DequantizeLinear", inputs, attributes, output);
    const rows = onnx.node("DequantizeLinear", inputs, attributes);
    const byGroups = onnx.node("Reshape", [rows, onnx.node("Concat", [groups, onnx.ints([group])], { axis: 0 })]);
    const sum = onnx.node("Add", [byGroups, onnx.node("Unsqueeze", [part("shifts"), onnx.ints([-1])])]);
    return onnx.node("Reshape", [sum, onnx.node("Shape", [rows])], {}, output);
  };
  return {
    inputs: [
      { name: `${name}/whole`, dtype: "uint8", shape: [outputs, (width * bits) / 8] },
      { name: `${name}/scales`, dtype: "float32", shape: perGroup },
      ...(shifted ? [{ name: `${name}/shifts`, dtype: "float32" as const, shape: perGroup }] : []),
    ],
    widen(onnx, after) {
      const zero = after === undefined ? undefined : onnx.zeroAfter(after);
      const matrix = widen(onnx, (part) => `${name}/${part}`, zero);
      return shape.transposed === true ? onnx.node("Transpose", [matrix], { perm: [1, 0] }) : matrix;
    },
    ...(shape.transposed === true
      ? {}
      : {
          rows(onnx: OnnxBuilder, index: string, output: string): void {
            const taken = (part: string): string => onnx.node("Gather", [`${name}/${part}`, index], { axis: 0 });
            widen(onnx, taken, undefined, output);
          },
        }),
  };
}

/** [..., I / 2] bytes as [..., I] numbers. */
function apart(onnx: OnnxBuilder, bytes: string, zero: string | undefined): string {
  const lower = onnx.node("BitwiseAnd", [bytes, byte(onnx, 15, zero)]);
  const upper = onnx.node("BitShift", [bytes, byte(onnx, 4, zero)], { direction: "RIGHT" });
  return onnx.node("Concat", [lower, upper], { axis: -1 });
}

/** uint8 [1], with `zero` known no earlier than that is. */
function byte(onnx: OnnxBuilder, value: number, zero: string | undefined): string {
  if (zero === undefined) return onnx.constant("uint8", [1], [value]);
  return onnx.node("Cast", [onnx.node("Add", [onnx.ints([value]), zero])], { to: onnxType.uint8 });
}
