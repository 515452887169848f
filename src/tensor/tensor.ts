/** Host tensors: a dtype, dimensions and a typed array, row-major. The only numeric container that crosses layers. */

import { ShapeError } from "../errors.ts";

export type DType = "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "uint8" | "int8" | "bool";

/** float16 and bfloat16 are held as their raw bits; bool as 0 or 1. */
export interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  int8: Int8Array;
  bool: Uint8Array;
}

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly dims: readonly number[];
  readonly data: TypedArrays[D];
}

/** Bytes of one element. */
export const byteSize: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  int8: 1,
  bool: 1,
};

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** Number of elements of `dims`; 1 for a scalar. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A new typed array of `length` zeros. */
export function allocate<D extends DType>(dtype: D, length: number): TypedArrays[D] {
  return new constructors[dtype](length) as TypedArrays[D];
}

/** A typed array over bytes that are already in memory; copies only where the offset is not aligned. */
export function view<D extends DType>(dtype: D, bytes: Uint8Array): TypedArrays[D] {
  const Type = constructors[dtype];
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new Type(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / Type.BYTES_PER_ELEMENT,
  ) as TypedArrays[D];
}

/**
 * A tensor of these elements, or of zeros.
 * @throws ShapeError for an element type that there is not, or elements of another type or number.
 */
export function tensor<D extends DType>(dtype: D, dims: readonly number[], data?: TypedArrays[D]): Tensor<D> {
  if (!Object.hasOwn(constructors, dtype)) {
    throw new ShapeError(`tensor: expected one of ${Object.keys(constructors).join(", ")}, got ${String(dtype)}`);
  }
  if (!Array.isArray(dims)) throw new ShapeError(`tensor: dims: expected a list of numbers, got ${String(dims)}`);
  if (data !== undefined && (!(data instanceof constructors[dtype]) || data.length !== sizeOf(dims))) {
    const { name } = constructors[dtype];
    const got = Object(data) === data ? `${String(data.length)} in ${data.constructor.name}` : String(data);
    throw new ShapeError(`tensor: expected ${sizeOf(dims)} elements in ${name}, got ${got}`);
  }
  return { dtype, dims, data: data ?? allocate(dtype, sizeOf(dims)) };
}

/** A float32 tensor whose numbers are made each time that they are asked for, instead of being kept. */
export function madeTensor(dims: readonly number[], make: () => Float32Array): Tensor<"float32"> {
  return {
    dtype: "float32",
    dims,
    get data() {
      return make();
    },
  };
}
