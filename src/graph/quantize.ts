/**
 * Linear layers in eight bits (Jacob et al. 2018, arXiv:1712.05877): a weight is whole numbers with a scale for each
 * output, symmetric about zero; activations are quantised as they come, to 0..255 over the range of the whole batch.
 * Weights go to ±64 only: processors without VNNI add two products of a byte in 16 bits, and 2 · 255 · 64 fits.
 * A few channels of an activation are far larger than the rest and would leave it a handful of steps, so they are
 * divided, and the weight's columns multiplied (Xiao et al. 2023, arXiv:2211.10438, for these channels only).
 */
import type { Graph, Value } from "./graph.ts";
import type { Int8Weight } from "./lower.ts";
import { maximum, neg, reduceMax } from "./ops/index.ts";

const largest = 64;

/** Outputs that a layer needs to be worth it: a classifier's few rows take no time and decide everything. */
const leastOutputs = 32;

/** Channels larger than so many medians are brought to at most that. */
const outlier = 5;

/** Parameters that are nothing but weights of linear layers, with what they multiply (whatever its leading axes). */
export function linearLayers(graph: Graph): Map<string, Value> {
  const inputsOf = new Map<Value, Value>();
  const others = new Set<Value>();
  for (const { op, inputs, attributes } of graph.nodes) {
    const isLinear = op.name === "Gemm" && (attributes as { transB: boolean }).transB;
    inputs.forEach((input, i) => (isLinear && i === 1 ? inputsOf.set(input, unshaped(inputs[0]!)) : others.add(input)));
  }
  const layers = new Map<string, Value>();
  for (const [name, { value }] of graph.parameters) {
    const x = inputsOf.get(value);
    if (x !== undefined && !others.has(value) && (value.shape[0] as number) >= leastOutputs) layers.set(name, x);
  }
  return layers;
}

/** What x is a reshape of with the same channels. */
function unshaped(x: Value): Value {
  const below = x.node?.op.name === "Reshape" ? x.node.inputs[0]! : undefined;
  return below !== undefined && below.shape.at(-1) === x.shape.at(-1) ? unshaped(below) : x;
}

/** The largest absolute number of each channel of x [..., width]: [width]. */
export function channelRanges(x: Value): Value {
  const leading = x.shape.slice(0, -1).map((_, axis) => axis);
  return reduceMax(maximum(x, neg(x)), leading, { keepDims: false });
}

/** What each channel is divided by, powers of two; undefined where none is far larger than the others. */
export function channelDivisors(ranges: Float32Array): Float32Array | undefined {
  const median = ranges.toSorted()[ranges.length >> 1]!;
  if (median === 0) return undefined;
  const divisors = ranges.map((range) => 2 ** Math.max(0, Math.ceil(Math.log2(range / (outlier * median)))));
  return divisors.some((divisor) => divisor > 1) ? divisors : undefined;
}

/** A weight [outputs, width], row-major, for an input whose channels are divided. */
export function quantizeWeight(weight: Float32Array, outputs: number, divisors?: Float32Array): Int8Weight {
  const width = weight.length / outputs;
  const scales = new Float32Array(outputs);
  const whole = new Int8Array(weight.length);
  for (let o = 0; o < outputs; o++) {
    const row = weight.subarray(o * width, (o + 1) * width).map((value, k) => value * (divisors?.[k] ?? 1));
    const most = row.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
    const scale = most === 0 ? 1 : most / largest;
    scales[o] = scale;
    for (let k = 0; k < width; k++) whole[k * outputs + o] = Math.round(row[k]! / scale);
  }
  return { dtype: "int8", bytes: new Uint8Array(whole.buffer), scales, divisors };
}
