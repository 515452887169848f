/**
 * Shapes with symbolic dimensions. A dimension is a number or a product of names with a factor in front, written
 * canonically: `B`, `B*T`, `2*B*T`. A sum (`P+T`, past and new tokens) is a name of its own: no arithmetic on it.
 */
import { ShapeError } from "../errors.ts";

export type Dim = number | string;
export type Shape = readonly Dim[];

/** `[B, T, 384]`, for messages. */
export function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

function factors(dim: Dim): { factor: number; names: string[] } {
  if (typeof dim === "number") return { factor: dim, names: [] };
  const names = dim.split("*");
  const factor = Number(names[0]);
  return Number.isInteger(factor) ? { factor, names: names.slice(1) } : { factor: 1, names };
}

/** Product of dimensions, in canonical form. */
export function product(dims: Shape): Dim {
  let factor = 1;
  const names: string[] = [];
  for (const dim of dims) {
    const parts = factors(dim);
    factor *= parts.factor;
    names.push(...parts.names);
  }
  names.sort();
  if (names.length === 0 || factor === 0) return factor;
  return (factor === 1 ? names : [factor, ...names]).join("*");
}

/** `numerator / denominator` where it is exact, else undefined: `quotient("2*B*T", "B") === "2*T"`. */
export function quotient(numerator: Dim, denominator: Dim): Dim | undefined {
  const over = factors(numerator);
  const under = factors(denominator);
  if (under.factor === 0 || over.factor % under.factor !== 0) return undefined;
  const names = [...over.names];
  for (const name of under.names) {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    names.splice(at, 1);
  }
  return product([over.factor / under.factor, ...names]);
}

/** The names and the factor of a dimension, for computing its value at run time. */
export function partsOf(dim: Dim): { factor: number; names: string[] } {
  return factors(dim);
}

export function equal(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** ONNX's multidirectional broadcast. @throws ShapeError where two dimensions differ and neither is 1. */
export function broadcast(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new ShapeError(`${where}: expected shapes that broadcast, got ${show(a)} and ${show(b)}`);
  });
}

/** The axes of `from` along which `to` was broadcast: what a gradient has to be summed over. */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const lead = from.length - to.length;
  const axes: number[] = [];
  for (let i = 0; i < from.length; i++) if (i < lead || (to[i - lead] === 1 && from[i] !== 1)) axes.push(i);
  return axes;
}

/** A non-negative axis. @throws ShapeError when out of range. */
export function axisOf(where: string, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new ShapeError(`${where}: expected an axis in [${-rank}, ${rank}), got ${axis}`);
  }
  return positive;
}

/** Checks a shape against a pattern: numbers and names must be equal, `"_"` is anything. */
export function expectShape(where: string, actual: Shape, expected: Shape): void {
  const fits = actual.length === expected.length && expected.every((dim, i) => dim === "_" || dim === actual[i]);
  if (!fits) throw new ShapeError(`${where}: expected ${show(expected)}, got ${show(actual)}`);
}
