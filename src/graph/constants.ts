/**
 * Constants of a graph: their numbers as bytes, and which of them are the same. Few numbers are compared; of many only
 * the array's identity is, so that the scales of a billion weights cost neither reading nor a copy.
 */
import { allocate, type DType, type TypedArrays } from "../tensor/tensor.ts";

/** Numbers in row-major order: plain ones, or the dtype's own array, which is taken as it is. */
export type Numbers<D extends DType = DType> = readonly number[] | TypedArrays[D];

/** Constants of more numbers are equal only where they are the same array. */
const mostCompared = 64;

/** What stands for each constant, made once for equal ones. */
export class ConstantPool<T> {
  readonly #known = new Map<string, T>();
  readonly #arrays = new Map<Numbers, number>();

  /** What was made for an equal constant before, or what `make` gives now. */
  of<D extends DType>(dtype: D, dims: readonly number[], numbers: Numbers<D>, make: (bytes: Uint8Array) => T): T {
    const small = numbers.length <= mostCompared ? bytesOf(dtype, numbers) : undefined;
    const key = `${dtype}[${dims.join()}]${small?.join() ?? `#${this.#numberOf(numbers)}`}`;
    let found = this.#known.get(key);
    if (found === undefined) this.#known.set(key, (found = make(small ?? bytesOf(dtype, numbers))));
    return found;
  }

  #numberOf(numbers: Numbers): number {
    const number = this.#arrays.get(numbers) ?? this.#arrays.size;
    this.#arrays.set(numbers, number);
    return number;
  }
}

/** Little-endian; without a copy where the numbers are a typed array. */
function bytesOf<D extends DType>(dtype: D, numbers: Numbers<D>): Uint8Array {
  const array = ArrayBuffer.isView(numbers) ? numbers : arrayOf(dtype, numbers);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function arrayOf(dtype: DType, numbers: readonly number[]): TypedArrays[DType] {
  const array = allocate(dtype, numbers.length);
  if (array instanceof BigInt64Array) numbers.forEach((value, i) => (array[i] = BigInt(value)));
  else if (dtype === "float16") numbers.forEach((value, i) => (array[i] = float16Bits(value)));
  else array.set(numbers);
  return array;
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
