/**
 * Dropout whose mask is a pure function of (seed, site, element), computed in the graph: a resumed run drops what the
 * uninterrupted one would. Element (i, j) is dropped when the wrapped 32-bit product of a row hash and a column hash
 * is below a threshold: multiplicative hashing, two passes over the elements.
 */
import { applyOp, defineOp, type Op, type Value } from "../graph.ts";
import type { OnnxBuilder } from "../onnx-builder.ts";
import { type Dim, product } from "../shape.ts";
import { mul } from "./elementwise.ts";

interface Dropout {
  /** Probability of zero. */
  readonly rate: number;
  /** Number of the dropout in its graph: each has a mask of its own. */
  readonly site: number;
}

const prime = 2147483647; // 2^31 - 1: products of two residues fit int64

/** Odd int32 hashes of 0..count-1 as a vector: three rounds of squaring modulo a prime. */
function hashes(onnx: OnnxBuilder, count: Dim, seed: string, salt: number): string {
  const int = (value: number): string => onnx.constant("int64", [], [value]);
  const modulo = (x: string): string => onnx.node("Mod", [x, int(prime)]);
  const length = onnx.node("Squeeze", [onnx.dim(count), onnx.ints([0])]);
  const key = modulo(onnx.node("Add", [onnx.node("Mul", [modulo(seed), int(48271)]), int(salt * 69621 + 1)]));
  let z = onnx.node("Range", [int(0), length, int(1)]);
  for (let round = 0; round < 3; round++) {
    z = modulo(onnx.node("Add", [onnx.node("Mul", [z, int(16807 + 2 * round)]), key]));
    z = modulo(onnx.node("Add", [onnx.node("Mul", [z, z]), z]));
  }
  const odd = onnx.node("Add", [onnx.node("Mul", [z, int(2)]), int(1 - 2147483648)]);
  return onnx.node("Cast", [odd], { to: 6 });
}

/** Outputs: y, and the multipliers 0 or 1 / (1 - rate). */
const dropoutOp: Op<[x: Value, seed: Value], Dropout> = defineOp({
  name: "Dropout",
  infer: ([x]) => [x, x],
  lower: (onnx, { inputs: [x, seed], outputs: [y, kept], attributes: { rate, site }, types: [type] }) => {
    const { dtype, shape } = type!;
    const rows = onnx.node("Unsqueeze", [hashes(onnx, product(shape.slice(0, -1)), seed!, 2 * site), onnx.ints([1])]);
    const columns = hashes(onnx, shape.at(-1)!, seed!, 2 * site + 1);
    const threshold = Math.round(-2147483648 + rate * 4294967296);
    const hashed = onnx.node("Mul", [rows, columns]);
    const dropped = onnx.node("Less", [hashed, onnx.constant("int32", [], [threshold])]);
    const scalar = (value: number): string => onnx.constant(dtype, [], [value]);
    const flat = onnx.node("Where", [dropped, scalar(0), scalar(1 / (1 - rate))]);
    onnx.node("Reshape", [flat, onnx.shape(shape)], {}, kept);
    onnx.node("Mul", [x!, kept!], {}, y);
  },
  vjp: ({ outputs: [, kept] }, [dy]) => [mul(dy!, kept!), null],
  samples: [{ inputs: [[3, 4, 5], { int64: [7], dims: [] }], attributes: { rate: 0.3, site: 1 } }],
});

/** Zeroes elements with probability `rate` and scales the rest by 1 / (1 - rate). `seed` is an int64 scalar. */
export function dropoutWithSeed(x: Value, seed: Value, options: Dropout): Value {
  return applyOp(dropoutOp, [x, seed], options);
}
