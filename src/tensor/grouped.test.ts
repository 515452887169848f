import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../checkpoints/safetensors.ts";
import { ShapeError } from "../errors.ts";
import { dequantizeGroups, type GroupedWeight, quantizeGroups } from "./grouped.ts";
import { random } from "./random.ts";

const goldens = join(import.meta.dirname, "../../test/goldens/grouped");

test("no row has a larger error than llama.cpp's Q4_0 and Q8_0 leave it", async () => {
  const { errors } = JSON.parse(readFileSync(join(goldens, "errors.json"), "utf8")) as {
    errors: Record<"Q4_0" | "Q8_0", Record<string, number[]>>;
  };
  const { entries } = await openSafetensors(join(goldens, "weights.safetensors"));
  expect(entries.size).toBe(6);
  for (const [name, entry] of entries) {
    const [outputs, width] = entry.dims as [number, number];
    const weight = await readFloat32(entry);
    for (const [bits, kind] of [
      [4, "Q4_0"],
      [8, "Q8_0"],
    ] as const) {
      const rest = dequantizeGroups(quantizeGroups(weight, { outputs, width, bits, group: 32 }));
      for (let row = 0; row < outputs; row++) {
        let error = 0;
        for (let k = row * width; k < (row + 1) * width; k++) error += (weight[k]! - rest[k]!) ** 2;
        expect(error, `${kind} ${name} row ${row}`).toBeLessThanOrEqual(errors[kind][name]![row]!);
        expect(error).toBeGreaterThan(0);
      }
    }
  }
});

test("a weight that is whole numbers times a scale comes back to the bit", () => {
  for (const bits of [4, 8] as const) {
    const [most, draw] = [2 ** (bits - 1), random(bits)];
    const weight = Float32Array.from({ length: 3 * 64 }, (_, i) =>
      i % 32 === 5 ? -most / 64 : (draw.integer(2 * most) - most) / 64,
    );
    const grouped = quantizeGroups(weight, { outputs: 3, width: 64, bits, group: 32 });
    expect(grouped.scales.every((scale) => scale === 1 / 64)).toBe(true);
    expect(dequantizeGroups(grouped)).toEqual(weight);
  }
});

test("rows are filled up to whole groups with zeros", () => {
  const weight = Float32Array.from({ length: 2 * 40 }, (_, i) => Math.sin(i));
  const four = quantizeGroups(weight, { outputs: 2, width: 40, bits: 4, group: 32 });
  const eight = quantizeGroups(weight, { outputs: 2, width: 40, bits: 8, group: 32 });
  expect([four.whole.length, four.scales.length]).toEqual([2 * 32, 2 * 2]);
  expect([eight.whole.length, eight.scales.length]).toEqual([2 * 64, 2 * 2]);
  expect([...four.whole.subarray(20, 32)]).toEqual(Array(12).fill(0x88));
  expect([...eight.whole.subarray(40, 64)]).toEqual(Array(24).fill(0x80));
  const back = dequantizeGroups(eight);
  expect(back.length).toBe(80);
  back.forEach((value, i) => expect(Math.abs(value - weight[i]!)).toBeLessThan(0.005));
});

test("the lower half of a byte comes first, and a group may be shifted", () => {
  const weight: GroupedWeight = {
    bits: 4,
    group: 16,
    outputs: 1,
    width: 16,
    whole: Uint8Array.from({ length: 8 }, (_, i) => 2 * i + ((2 * i + 1) << 4)),
    scales: Float32Array.of(0.5),
    shifts: Float32Array.of(2.75),
  };
  expect([...dequantizeGroups(weight)]).toEqual(Array.from({ length: 16 }, (_, i) => (i - 2.5) * 0.5));
});

test("wrong shapes, bits and groups are refused by name", () => {
  const shape = { outputs: 2, width: 32, bits: 4, group: 32 } as const;
  const weight = new Float32Array(64);
  expect(dequantizeGroups(quantizeGroups(weight, shape))).toEqual(weight);
  for (const [changed, message] of [
    [{ outputs: 3 }, /3 · 32 numbers, got 64/],
    [{ bits: 5 as 4 }, /bits: expected 4 or 8, got 5/],
    [{ group: 24 }, /group: expected a power of two from 16, got 24/],
    [{ group: 8 }, /got 8/],
  ] as const) {
    const call = (): unknown => quantizeGroups(weight, { ...shape, ...changed });
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  }
});
