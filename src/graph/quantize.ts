/**
 * Linear layers in eight bits (Jacob et al. 2018, arXiv:1712.05877): a weight is whole numbers with a scale for each
 * output, symmetric about zero; activations are quantised as they come, to 0..255 over the range of the whole batch.
 * Weights go to ±64 only: processors without VNNI add two products of a byte in 16 bits, and 2 · 255 · 64 fits.
 */
import type { Graph, Value } from "./graph.ts";
import type { Int8Weight } from "./lower.ts";

const largest = 64;

/** Outputs that a layer needs to be worth it: a classifier's few rows take no time and decide everything. */
const leastOutputs = 32;

/**
 * Names of the parameters that are nothing but weights of linear layers, without the first that narrows: the first
 * feed-forward layer's input has outliers, and in float32 it takes a fifth off the loss of all-MiniLM-L6-v2.
 */
export function linearWeights(graph: Graph): Set<string> {
  const weights = new Set<Value>();
  const others = new Set<Value>();
  for (const { op, inputs, attributes } of graph.nodes) {
    const isLinear = op.name === "Gemm" && (attributes as { transB: boolean }).transB;
    inputs.forEach((input, i) => (isLinear && i === 1 ? weights : others).add(input));
  }
  const narrowing = [...weights].find(({ shape: [out, width] }) => (out as number) < (width as number));
  const names = [...graph.parameters].filter(
    ([, { value }]) =>
      weights.has(value) && !others.has(value) && value !== narrowing && (value.shape[0] as number) >= leastOutputs,
  );
  return new Set(names.map(([name]) => name));
}

/** A weight [outputs, width], row-major. */
export function quantizeWeight(weight: Float32Array, outputs: number): Int8Weight {
  const width = weight.length / outputs;
  const scales = new Float32Array(outputs);
  const whole = new Int8Array(weight.length);
  for (let o = 0; o < outputs; o++) {
    let most = 0;
    for (let k = 0; k < width; k++) most = Math.max(most, Math.abs(weight[o * width + k]!));
    const scale = most === 0 ? 1 : most / largest;
    scales[o] = scale;
    for (let k = 0; k < width; k++) whole[k * outputs + o] = Math.round(weight[o * width + k]! / scale);
  }
  return { dtype: "int8", bytes: new Uint8Array(whole.buffer), scales };
}
