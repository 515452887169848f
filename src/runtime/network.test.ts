import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openSafetensors, writeSafetensors } from "../checkpoints/safetensors.ts";
import { Graph } from "../graph/graph.ts";
import { linear, reshape } from "../graph/ops/index.ts";
import { channelDivisors, linearLayers } from "../graph/quantize.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { openNetwork } from "./network.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-network-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("channels are divided by powers of two to at most five medians, or not at all", () => {
  expect(channelDivisors(Float32Array.of(1, 2, 2, 10, 41, 0))).toEqual(Float32Array.of(1, 1, 1, 1, 8, 1));
  expect(channelDivisors(Float32Array.of(1, 2, 3))).toBeUndefined();
  expect(channelDivisors(Float32Array.of(0, 0, 9))).toBeUndefined();
});

test("a layer's input is what its channels are those of, whatever the reshapes before it", () => {
  const g = new Graph();
  const x_BTHK = g.input("x", "float32", ["B", "T", 4, 16]);
  const joined = reshape(x_BTHK, ["B", "T", 64]);
  g.output("y", linear(joined, g.param("weight", [48, 64], { normal: 1 })));
  expect(linearLayers(g).get("weight")).toBe(joined);
});

test("eight bits keep a product whose input has one channel far larger than the others", async () => {
  const [width, out, rows] = [64, 48, 20];
  const numbers = random(3);
  const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => numbers.normal());
  const weight = draw(out * width).map((value, i) => (i % width === 5 ? value / 20 : value));
  const path = join(folder, "model.safetensors");
  await writeSafetensors(path, [{ name: "weight", ...tensor("float32", [out, width], weight) }]);
  const { entries } = await openSafetensors(path);
  const inputs = (): { x: ReturnType<typeof tensor<"float32">> } => ({
    x: tensor(
      "float32",
      [rows, width],
      draw(rows * width).map((value, i) => (i % width === 5 ? value * 60 : value)),
    ),
  });
  const open = async (int8: boolean, sample: ReturnType<typeof inputs>) => {
    const g = new Graph();
    g.output("y", linear(g.input("x", "float32", ["N", width]), g.param("weight", [out, width], { normal: 1 })));
    return openNetwork(g, entries, folder, { threads: 1, int8 }, () => sample);
  };
  const x = inputs();
  const errorOf = async (sample: ReturnType<typeof inputs>): Promise<number> => {
    await using exact = await open(false, sample);
    await using int8 = await open(true, sample);
    const [a, b] = [(await exact.run(x))["y"]!.data, (await int8.run(x))["y"]!.data] as Float32Array[];
    return Math.hypot(...a!.map((value, i) => value - b![i]!)) / Math.hypot(...a!);
  };
  const flat = { x: tensor("float32", [1, width], new Float32Array(width).fill(1)) };
  const [calibrated, blind] = [await errorOf(inputs()), await errorOf(flat)];
  expect(blind).toBeGreaterThan(0.05);
  expect(calibrated).toBeLessThan(0.02);
});
