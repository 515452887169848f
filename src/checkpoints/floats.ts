/**
 * float16 and bfloat16 (as raw bits) to and from float32: IEEE 754 binary16 and the upper half of binary32.
 * Widening is exact, NaN payloads included; narrowing rounds to nearest, ties to even, overflow to infinity.
 */
import { allocate, type DType, type TypedArrays } from "../tensor/tensor.ts";

export type FloatDType = "float32" | "float64" | "float16" | "bfloat16";

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";
}

let table: Uint32Array | undefined;

/** binary32 bits of every binary16 number, made once (256 KiB). */
function halfTable(): Uint32Array {
  if (table !== undefined) return table;
  table = new Uint32Array(65536);
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) table[half] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) table[half] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else {
      value[0] = fraction * 2 ** -24;
      table[half] = sign | (bits[0] as number);
    }
  }
  return table;
}

/** binary16 bits of the number with these binary32 bits. */
function toHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520, halfway to the next power of two, and above
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  if (magnitude <= 0x33000000) return sign; // 2^-25, half the smallest subnormal, and below
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const quotient = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (quotient + (rest > half || (rest === half && (quotient & 1) === 1) ? 1 : 0));
}

/** bfloat16 bits of the number with these binary32 bits. */
function toBrain(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function bitsOf(data: Float32Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/** Numbers of any float dtype as float32, into `into` when given; float64 is rounded. */
export function toFloat32<D extends FloatDType>(
  dtype: D,
  data: TypedArrays[D],
  into: Float32Array = new Float32Array(data.length),
): Float32Array {
  if (dtype === "float16") {
    const widened = halfTable();
    const bits = bitsOf(into);
    for (let i = 0; i < data.length; i++) bits[i] = widened[data[i] as number] as number;
  } else if (dtype === "bfloat16") {
    const bits = bitsOf(into);
    for (let i = 0; i < data.length; i++) bits[i] = (data[i] as number) << 16;
  } else into.set(data);
  return into;
}

/** float32 numbers in another float dtype. */
export function fromFloat32<D extends FloatDType>(dtype: D, data: Float32Array): TypedArrays[D] {
  const out: TypedArrays[FloatDType] = allocate(dtype, data.length);
  if (dtype === "float16" || dtype === "bfloat16") {
    const bits = bitsOf(data);
    const narrow = dtype === "float16" ? toHalf : toBrain;
    for (let i = 0; i < data.length; i++) out[i] = narrow(bits[i] as number);
  } else out.set(data);
  return out as TypedArrays[D];
}
