import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openSafetensors, writeSafetensors } from "../checkpoints/safetensors.ts";
import { Graph } from "../graph/graph.ts";
import { linear } from "../graph/ops/index.ts";
import type { WeightFormatName } from "../graph/weights/index.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { openNetwork } from "./network.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-network-"));
afterAll(() => rmSync(folder, { recursive: true }));

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
  const open = async (weights: WeightFormatName, sample: ReturnType<typeof inputs>) => {
    const g = new Graph();
    g.output("y", linear(g.input("x", "float32", ["N", width]), g.param("weight", [out, width], { normal: 1 })));
    return openNetwork(g, entries, folder, { threads: 1, weights }, () => sample);
  };
  const x = inputs();
  const errorOf = async (sample: ReturnType<typeof inputs>): Promise<number> => {
    await using exact = await open("float32", sample);
    await using int8 = await open("int8", sample);
    const [a, b] = [(await exact.run(x))["y"]!.data, (await int8.run(x))["y"]!.data] as Float32Array[];
    return Math.hypot(...a!.map((value, i) => value - b![i]!)) / Math.hypot(...a!);
  };
  const flat = { x: tensor("float32", [1, width], new Float32Array(width).fill(1)) };
  const [calibrated, blind] = [await errorOf(inputs()), await errorOf(flat)];
  expect(blind).toBeGreaterThan(0.05);
  expect(calibrated).toBeLessThan(0.02);
});
