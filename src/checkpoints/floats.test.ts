import { describe, expect, it } from "vitest";
import { fromFloat32, toFloat32 } from "./floats.ts";

const half = (...values: number[]): number[] => [...fromFloat32("float16", Float32Array.from(values))];
const brain = (...values: number[]): number[] => [...fromFloat32("bfloat16", Float32Array.from(values))];
const every16 = Uint16Array.from({ length: 65536 }, (_, i) => i);

describe("float16", () => {
  it("widens every number exactly", () => {
    const wide = toFloat32("float16", every16);
    for (const bits of every16) {
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      const sign = bits & 0x8000 ? -1 : 1;
      const infinite = fraction === 0 ? sign * Infinity : NaN;
      const finite = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
      expect(wide[bits]).toBe(exponent === 31 ? infinite : sign * finite);
    }
  });

  it("narrows every number that it holds to itself, and NaN to NaN", () => {
    const back = fromFloat32("float16", toFloat32("float16", every16));
    for (const bits of every16) {
      if ((bits & 0x7fff) > 0x7c00) expect(back[bits]! & 0x7fff).toBeGreaterThan(0x7c00);
      else expect(back[bits]).toBe(bits);
    }
  });

  it("rounds to nearest, ties to even", () => {
    expect(half(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([0x3c00, 0x3c02, 0x3c01]);
    expect(half(65504, 65519.996, 65520, -65520, 3e38)).toEqual([0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00]);
    expect(half(2 ** -24, 2 ** -25, 2 ** -25 * 1.0001, 3 * 2 ** -25, -(2 ** -26))).toEqual([1, 0, 1, 2, 0x8000]);
    expect(half(2 ** -14 - 2 ** -25, 2 ** -14 - 2 ** -24, -0, Infinity)).toEqual([0x400, 0x3ff, 0x8000, 0x7c00]);
  });

  it("keeps a NaN whose payload lies in the low bits a NaN", () => {
    const quiet = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer);
    expect([...fromFloat32("float16", quiet)]).toEqual([0x7e00, 0xfe00]);
    expect([...fromFloat32("bfloat16", quiet)]).toEqual([0x7fc0, 0xffc0]);
  });
});

describe("bfloat16", () => {
  it("is the upper half of a float32, both ways", () => {
    const wide = toFloat32("bfloat16", every16);
    expect(wide[0x3f80]).toBe(1);
    expect(wide[0xc049]).toBe(-3.140625);
    const back = fromFloat32("bfloat16", wide);
    for (const bits of every16) {
      if ((bits & 0x7fff) > 0x7f80) expect(back[bits]! & 0x7fff).toBeGreaterThan(0x7f80);
      else expect(back[bits]).toBe(bits);
    }
  });

  it("rounds to nearest, ties to even", () => {
    expect(brain(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20)).toEqual([0x3f80, 0x3f82, 0x3f81]);
    expect(brain(3.4e38, -3.4028234663852886e38, Infinity, -0)).toEqual([0x7f80, 0xff80, 0x7f80, 0x8000]);
    expect(brain(2 ** -149, 2 ** -133, 2 ** -134, 3 * 2 ** -134)).toEqual([0, 1, 0, 2]);
  });
});

it("float64 is rounded to float32", () => {
  expect([...toFloat32("float64", Float64Array.of(0.1, 1))]).toEqual([Math.fround(0.1), 1]);
});
