/**
 * Eight bits (Jacob et al. 2018, arXiv:1712.05877): a weight is whole numbers with a scale for each output, symmetric
 * about zero; activations are quantised as they come, to 0..255 over the range of the whole batch. A few channels of an
 * activation are far larger than the rest and would leave it a handful of steps, so they are divided, and the weight's
 * columns multiplied (Xiao et al. 2023, arXiv:2211.10438, for these channels only).
 */
import type { WeightFormat } from "./format.ts";

/** Not 127: processors without VNNI add two products of a byte in 16 bits, and 2 · 255 · 64 fits. */
const largest = 64;

/** Outputs that a layer needs to be worth it: a classifier's few rows take no time and decide everything. */
const leastOutputs = 32;

/** Channels larger than so many medians are brought to at most that. */
const outlier = 5;

export const int8: WeightFormat = {
  device: "cpu", // ONNX Runtime has the product there alone
  calibrated: true,
  acrossRows: true,
  packer({ outputs, width, uses }) {
    const isLayer = uses.size === 1 && (uses.has("product") || uses.has("transposed"));
    if (outputs < leastOutputs || !isLayer) return undefined;
    return (weight, ranges) => {
      const divisors = ranges === undefined ? undefined : channelDivisors(ranges);
      const reciprocals = divisors?.map((divisor) => 1 / divisor);
      const { whole, scales } = quantize(weight, outputs, divisors);
      return {
        multiply(onnx, x, bias, output) {
          const divided =
            reciprocals === undefined ? x : onnx.node("Mul", [x, onnx.constant("float32", [width], reciprocals)]);
          const inputs = [
            divided,
            onnx.constant("int8", [width, outputs], whole),
            onnx.constant("float32", [outputs], scales),
            "", // zero points: none
            ...(bias === undefined ? [] : [bias]),
          ];
          return onnx.contribNode("DynamicQuantizeMatMul", inputs, {}, output);
        },
      };
    };
  },
};

/** What each channel is divided by, powers of two; undefined where none is far larger than the others. */
export function channelDivisors(ranges: Float32Array): Float32Array | undefined {
  const median = ranges.toSorted()[ranges.length >> 1]!;
  if (median === 0) return undefined;
  const divisors = ranges.map((range) => 2 ** Math.max(0, Math.ceil(Math.log2(range / (outlier * median)))));
  return divisors.some((divisor) => divisor > 1) ? divisors : undefined;
}

/** A weight [outputs, width] as whole numbers [width, outputs], and what each output's are multiplied by. */
function quantize(
  weight: Float32Array,
  outputs: number,
  divisors: Float32Array | undefined,
): { whole: Int8Array; scales: Float32Array } {
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
  return { whole, scales };
}
