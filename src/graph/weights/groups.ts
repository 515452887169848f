/**
 * Few bits: weights in groups of 4 or 8 bits (`tensor/grouped.ts`), the head and the table of embeddings too. ONNX
 * Runtime's MatMulNBits brings each row of the input to eight bits, group by group, as it multiplies, so a text's results
 * do not depend on what else is in its batch. Products with float32 inputs (accuracy level 1) are exact to 1e-7 instead of
 * 5e-3, and 4 (four bits) to 100 times (eight) slower for a single row.
 */
import { type Bits, type Grouping, groupsOf, rowBytes } from "../../tensor/grouped.ts";
import type { OnnxTensor } from "../onnx.ts";
import type { OnnxBuilder, PackedWeight } from "../onnx-builder.ts";
import type { Weight, WeightFormat } from "./format.ts";

/** Outputs that a layer needs to be worth it: a classifier's few rows take no memory and decide everything. */
const leastOutputs = 32;

/** Whether a weight is held in groups: layers, and tables with a row for every token. Others have few rows, of all sizes. */
export function takesGroups({ outputs, width, uses, vocabulary }: Weight, group: number): boolean {
  if (outputs < leastOutputs || width % group !== 0 || uses.has("other")) return false;
  return vocabulary || !uses.has("rows");
}

/** Groups of 32, which are made before the graph is compiled, since they lie in files that the engine maps. */
export const groupFormat = (bits: Bits): WeightFormat => ({
  device: "cpu", // where it was tried
  grouping: { bits, group: 32 },
  packer: () => undefined,
});

type Stored = OnnxTensor["data"];

/** A weight in groups whose parts lie in a file. */
export interface StoredGroups extends Grouping {
  readonly outputs: number;
  readonly width: number;
  readonly whole: Stored;
  readonly scales: Stored;
  readonly shifts?: Stored | undefined;
}

/** The whole numbers are two initialisers in the same place, with the dimensions that either operator wants. */
export function packedGroups(name: string, weight: StoredGroups): PackedWeight {
  const { bits, group, outputs, width } = weight;
  const groups = groupsOf(weight);
  const perGroup = (onnx: OnnxBuilder, part: string, data: Stored): string =>
    onnx.initializer(`${name}/${part}`, "float32", [outputs, groups], data);
  const scales = (onnx: OnnxBuilder): string => perGroup(onnx, "scales", weight.scales);
  /** x [..., width] as [..., groups, group]. */
  const byGroups = (onnx: OnnxBuilder, x: string): string => {
    const leading = onnx.node("Shape", [x], { end: -1 });
    return onnx.node("Reshape", [x, onnx.node("Concat", [leading, onnx.ints([groups, group])], { axis: 0 })]);
  };
  return {
    multiply(onnx, x, bias, output) {
      const whole = onnx.initializer(`${name}/whole`, "uint8", [outputs, groups, (group * bits) / 8], weight.whole);
      const inputs = [x, whole, scales(onnx), ...(bias === undefined ? [] : ["", "", bias])];
      const attributes = { K: width, N: outputs, bits, block_size: group, accuracy_level: 4 };
      const { shifts } = weight;
      if (shifts === undefined) return onnx.contribNode("MatMulNBits", inputs, attributes, output);
      // What shifts add is a product with the groups' sums: the operator itself is slow with zeros that are not whole.
      const sums = onnx.node("ReduceSum", [byGroups(onnx, x), onnx.ints([-1])], { keepdims: 0 });
      const added = onnx.contribNode("FusedMatMul", [sums, perGroup(onnx, "shifts", shifts)], { transB: 1 });
      return onnx.node("Add", [onnx.contribNode("MatMulNBits", inputs, attributes), added], {}, output);
    },
    rows(onnx, index, output) {
      const whole = onnx.initializer(`${name}/rows`, "uint8", [outputs, rowBytes(weight)], weight.whole);
      const inputs = [whole, index, scales(onnx)];
      const attributes = { bits, block_size: group, gather_axis: 0, quantize_axis: 1 };
      const { shifts } = weight;
      if (shifts === undefined) {
        onnx.contribNode("GatherBlockQuantized", inputs, attributes, output);
        return;
      }
      const rows = onnx.contribNode("GatherBlockQuantized", inputs, attributes);
      const added = onnx.node("Gather", [perGroup(onnx, "shifts", shifts), index], { axis: 0 });
      const sum = onnx.node("Add", [byGroups(onnx, rows), onnx.node("Unsqueeze", [added, onnx.ints([-1])])]);
      onnx.node("Reshape", [sum, onnx.node("Shape", [rows])], {}, output);
    },
  };
}
