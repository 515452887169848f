/** Packed weights and large constants in ONNX: what a format of weights may rely on. */
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { createSession } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { Graph } from "./graph.ts";
import { toOnnx } from "./lower.ts";
import { add, gather, linear, matMul } from "./ops/index.ts";
import type { PackedWeight } from "./onnx-builder.ts";
import { weightsOf } from "./weights/layers.ts";

/** Four bits in groups of 32, symmetric about 8: ONNX Runtime's MatMulNBits. `exact`: the weight that it stands for. */
function fourBits(weight: Float32Array, width: number): PackedWeight & { exact: Float32Array } {
  const groups = weight.length / 32;
  const scales = new Float32Array(groups);
  const bytes = new Uint8Array(weight.length / 2);
  const exact = new Float32Array(weight.length);
  for (let group = 0; group < groups; group++) {
    const values = weight.subarray(32 * group, 32 * (group + 1));
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 7;
    scales[group] = scale;
    values.forEach((value, i) => {
      const whole = Math.round(value / scale);
      bytes[16 * group + (i >> 1)]! |= (whole + 8) << (i % 2 === 0 ? 0 : 4);
      exact[32 * group + i] = whole * scales[group]!;
    });
  }
  const outputs = weight.length / width;
  return {
    exact,
    multiply(onnx, x, bias, output) {
      const b = onnx.constant("uint8", [outputs, width / 32, 16], bytes);
      const inputs = [x, b, onnx.constant("float32", [scales.length], scales)];
      const attributes = { K: width, N: outputs, bits: 4, block_size: 32 };
      if (bias === undefined) return onnx.contribNode("MatMulNBits", inputs, attributes, output);
      return onnx.node("Add", [onnx.contribNode("MatMulNBits", inputs, attributes), bias], {}, output);
    },
  };
}

describe("packed weights", () => {
  test("a table tied to the head is looked up as it is stored, and multiplied as it is packed", async () => {
    const [rows, width] = [40, 64];
    const numbers = random(2);
    const table = Float32Array.from({ length: rows * width }, () => numbers.normal());
    const packed = fourBits(table, width);
    const build = (): Graph => {
      const g = new Graph();
      const table_VD = g.param("table", [rows, width], { normal: 1 });
      const x_BTD = gather(table_VD, g.input("ids", "int64", ["B", "T"]));
      g.output("logits", matMul(x_BTD, table_VD, { transB: true }));
      g.output("layer", linear(x_BTD, table_VD, g.param("bias", [rows], { constant: 0 })));
      return g;
    };
    const [layer, ...others] = weightsOf(build());
    expect(layer).toMatchObject({ name: "table", outputs: rows, width, uses: new Set(["rows", "product"]) });
    expect(layer!.inputs.length).toBe(2);
    expect(others).toEqual([]);

    const ids = tensor("int64", [1, 3], BigInt64Array.of(7n, 0n, 39n));
    const bias = tensor(
      "float32",
      [rows],
      Float32Array.from({ length: rows }, (_, i) => i),
    );
    const feeds = { ids, table: tensor("float32", [rows, width], table), bias };
    const model = toOnnx(build(), { packed: new Map([["table", packed]]) });
    const { initializer } = onnxProto.onnx.ModelProto.decode(model).graph!;
    expect(initializer!.filter(({ dims }) => Number(dims![0]) === rows).length).toBe(1); // one copy for both products
    await using session = await createSession(model, { threads: 1 });
    const { logits, layer: sums } = await session.run(feeds);
    for (const [t, id] of [7, 0, 39].entries()) {
      for (let row = 0; row < rows; row++) {
        let expected = 0;
        for (let k = 0; k < width; k++) expected += table[id * width + k]! * packed.exact[row * width + k]!;
        expect(Number(logits!.data[t * rows + row])).toBeCloseTo(expected, 3);
        expect(Number(sums!.data[t * rows + row])).toBeCloseTo(expected + row, 3);
      }
    }
  });

  test("a weight with no other use is not stored twice", () => {
    const g = new Graph();
    const x_ND = g.input("x", "float32", ["N", 64]);
    g.output("y", linear(x_ND, g.param("weight", [40, 64], { normal: 1 })));
    const packed = new Map([["weight", fourBits(new Float32Array(40 * 64).fill(1), 64)]]);
    const { input, node } = onnxProto.onnx.ModelProto.decode(toOnnx(g, { packed })).graph!;
    expect(input!.map(({ name }) => name)).toEqual(["x"]);
    expect(node!.map(({ opType }) => opType)).toContain("MatMulNBits");
  });
});

describe("constants", () => {
  // In groups of 32, 2^25 scales are those of 1.07e9 weights; joined to a key they would not fit a string.
  const scales = new Float32Array(2 ** 25).fill(0.5, 0, 3);

  test("scales of a billion weights are written once, without a copy but the model's own", () => {
    const g = new Graph();
    const x_ND = g.input("x", "float32", ["N", 64]);
    const weight_VD = g.param("weight", [40, 64], { normal: 1 });
    g.output("y", add(linear(x_ND, weight_VD), linear(x_ND, weight_VD)));
    const multiply: PackedWeight["multiply"] = (onnx, x, _bias, output) =>
      onnx.contribNode("Anything", [x, onnx.constant("float32", [scales.length], scales)], {}, output);
    const before = process.memoryUsage().arrayBuffers;
    const model = toOnnx(g, { packed: new Map([["weight", { multiply }]]) });
    expect(model.length - scales.byteLength).toBeLessThan(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1.1 * scales.byteLength);
    const { initializer, node } = onnxProto.onnx.ModelProto.decode(model).graph!;
    expect(initializer!.map(({ rawData }) => rawData!.byteLength)).toEqual([scales.byteLength]);
    expect([...initializer![0]!.rawData!.subarray(0, 20)]).toEqual([
      0,
      0,
      0,
      63,
      0,
      0,
      0,
      63,
      0,
      0,
      0,
      63,
      ...Array(8).fill(0),
    ]);
    expect(node!.filter(({ input }) => input!.includes(initializer![0]!.name!)).length).toBe(2);
  });

  test("of a graph are one where they are one array, or few and equal", () => {
    const g = new Graph();
    const large = g.constant("float32", [scales.length], scales);
    expect(g.constant("float32", [scales.length], scales)).toBe(large);
    expect(g.constant("float32", [2 ** 24, 2], scales)).not.toBe(large);
    expect(g.constant("float32", [100], scales.slice(0, 100))).not.toBe(
      g.constant("float32", [100], scales.slice(0, 100)),
    );
    const small = g.constant("float32", [2], [0.5, 1]);
    expect(g.constant("float32", [2], Float32Array.of(0.5, 1))).toBe(small);
    expect(g.constant("float32", [1, 2], [0.5, 1])).not.toBe(small);
    expect(g.constant("float16", [1], Uint16Array.of(0x3c00))).toBe(g.constant("float16", [1], [1]));
  });
});
