/**
 * Weights in few bits: a row's numbers in groups, each whole numbers of 4 or 8 bits with a scale for the group, as ONNX
 * Runtime's MatMulNBits and GatherBlockQuantized hold them. GGUF's Q4_0, Q4_1 and Q8_0 are such weights. Quantising looks
 * for the scale of least squared error among several, which is what llama.cpp's `make_qx_quants` does.
 */
import { ShapeError } from "../errors.ts";

export type Bits = 4 | 8;

export interface Grouping {
  readonly bits: Bits;
  /** Numbers that share a scale. */
  readonly group: number;
  /** The matrix is stored [width, outputs]. */
  readonly transposed?: boolean;
}

export interface GroupedWeight extends Omit<Grouping, "transposed"> {
  readonly outputs: number;
  readonly width: number;
  /** [outputs, groups · group · bits / 8], rows filled up to whole groups; of two numbers in a byte the lower comes first. */
  readonly whole: Uint8Array;
  /** [outputs, groups], where a row has ⌈width / group⌉ groups. */
  readonly scales: Float32Array;
  /** [outputs, groups], added to the numbers of a group: (whole - middle) · scale + shift. Absent: 0. */
  readonly shifts?: Float32Array;
}

/** The whole number that stands for zero. */
export const middle: Readonly<Record<Bits, number>> = { 4: 8, 8: 128 };

/** Groups of a row. */
export function groupsOf({ width, group }: Pick<GroupedWeight, "width" | "group">): number {
  return Math.ceil(width / group);
}

/** Bytes of a row's whole numbers. */
export function rowBytes(shape: Pick<GroupedWeight, "width" | "group" | "bits">): number {
  return (groupsOf(shape) * shape.group * shape.bits) / 8;
}

/**
 * What the number of largest size in a group becomes: -2^(bits-1), the range's longer end, and others, of which some
 * leave less error among the rest, -9 by cutting that one number off. Of four bits the two make 2 % less error in groups
 * of 32 and 3 % in groups of 128; more gain nothing.
 */
const ends: Readonly<Record<Bits, readonly number[]>> = { 4: [-8, -7, -9], 8: [-128, 127] };

/**
 * A weight [outputs, width], row-major, in groups along its rows, symmetric about zero.
 * @throws ShapeError where the weight is not of this shape, or the group no power of two from 16.
 */
export function quantizeGroups(
  weight: Float32Array,
  { outputs, width, bits, group }: Pick<GroupedWeight, "outputs" | "width" | "bits" | "group">,
): GroupedWeight {
  if (weight.length !== outputs * width) {
    throw new ShapeError(`quantize: expected ${outputs} · ${width} numbers, got ${weight.length}`);
  }
  if (bits !== 4 && bits !== 8) throw new ShapeError(`quantize: bits: expected 4 or 8, got ${String(bits)}`);
  if (!Number.isInteger(Math.log2(group)) || group < 16) {
    throw new ShapeError(`quantize: group: expected a power of two from 16, got ${group}`);
  }
  const groups = groupsOf({ width, group });
  const bytes = rowBytes({ width, group, bits });
  const whole = new Uint8Array(outputs * bytes).fill(bits === 4 ? 0x88 : 0x80);
  const scales = new Float32Array(outputs * groups);
  for (let row = 0; row < outputs; row++) {
    for (let g = 0; g < groups; g++) {
      const start = row * width + g * group;
      const end = Math.min(start + group, (row + 1) * width);
      const scale = bestScale(weight, start, end, bits);
      scales[row * groups + g] = scale;
      const at = row * bytes + (g * group * bits) / 8;
      if (bits === 4) putNibbles(weight, start, end, scale, whole, at);
      else putBytes(weight, start, end, scale, whole, at);
    }
  }
  return { bits, group, outputs, width, whole, scales };
}

/** The scale of least squared error that was found for the numbers from `start` to `end`; 0 where all are 0. */
function bestScale(x: Float32Array, start: number, end: number, bits: Bits): number {
  let most = 0;
  for (let i = start; i < end; i++) if (Math.abs(x[i]!) > Math.abs(most)) most = x[i]!;
  if (most === 0) return 0;
  const zero = middle[bits];
  let [best, gain] = [0, 0];
  const consider = (inverse: number): void => {
    let xq = 0;
    let qq = 0;
    for (let i = start; i < end; i++) {
      const value = x[i]!;
      const q = rounded(value * inverse, zero) - zero;
      xq += value * q;
      qq += q * q;
    }
    // The best scale of whole numbers q is Σxq / Σq², which leaves an error of Σx² - (Σxq)² / Σq².
    if ((xq * xq) / qq <= gain) return;
    gain = (xq * xq) / qq;
    best = xq / qq;
  };
  for (const end of ends[bits]) consider(end / most);
  // By the fitted scale numbers may round otherwise than by the one that it came from.
  consider(1 / best);
  return Math.fround(best);
}

/** The whole number in 0 .. 2 · zero - 1 for a number in units of its scale. */
function rounded(value: number, zero: number): number {
  return Math.max(0, Math.min(2 * zero - 1, Math.floor(value + zero + 0.5)));
}

function putNibbles(x: Float32Array, start: number, end: number, scale: number, to: Uint8Array, at: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  const nibble = (i: number): number => (i < end ? rounded(x[i]! * inverse, 8) : 8);
  for (let i = start; i < end; i += 2) to[at++] = nibble(i) | (nibble(i + 1) << 4);
}

function putBytes(x: Float32Array, start: number, end: number, scale: number, to: Uint8Array, at: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = start; i < end; i++) to[at++] = rounded(x[i]! * inverse, 128);
}

/** The weight's numbers, [outputs, width] row-major. */
export function dequantizeGroups(weight: GroupedWeight): Float32Array {
  const { bits, group, outputs, width, whole, scales, shifts } = weight;
  const [groups, bytes] = [groupsOf(weight), rowBytes(weight)];
  const numbers = new Float32Array(outputs * width);
  for (let row = 0; row < outputs; row++) {
    for (let g = 0; g < groups; g++) {
      const [scale, shift] = [scales[row * groups + g]!, shifts?.[row * groups + g] ?? 0];
      const end = Math.min(width, (g + 1) * group);
      for (let k = g * group; k < end; k++) {
        const byte = whole[row * bytes + ((k * bits) >> 3)]!;
        const value = bits === 8 ? byte : k % 2 === 0 ? byte & 15 : byte >> 4;
        numbers[row * width + k] = (value - middle[bits]) * scale + shift;
      }
    }
  }
  return numbers;
}

/** A matrix [rows, columns] as [columns, rows]. */
export function transposed(numbers: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(numbers.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = numbers[row * columns + column]!;
  }
  return turned;
}
