import { describe, expect, test } from "vitest";
import { checkGradient, checkOp, difference } from "../../../test/support/gradcheck.ts";
import { applyOp, type Op, type Value } from "../graph.ts";
import { crossEntropy, geluTanh, l2Normalize, linear, ops, rmsNorm, silu } from "./index.ts";

describe("every op's gradient equals finite differences", () => {
  for (const op of ops) {
    test.each(op.samples.map((sample, i) => ({ i, sample })))(`${op.name}, sample $i`, async ({ sample }) => {
      expect(difference(await checkOp(op, sample))).toBeLessThan(op.name === "Gelu" ? 1e-3 : 1e-6);
    });
  }

  test("every op has a sample", () => {
    expect(ops.filter((op) => op.samples.length === 0).map((op) => op.name)).toEqual(["Where"]);
  });
});

describe("composed functions' gradients equal finite differences", () => {
  const cases: Record<string, [build: (inputs: Value[]) => Value, inputs: Parameters<typeof checkGradient>[1]]> = {
    linear: [([x, w, b]) => linear(x!, w!, b), [[2, 3, 4], [5, 4], [5]]],
    rmsNorm: [([x, w]) => rmsNorm(x!, w!, 1e-6), [[2, 3, 4], [4]]],
    geluTanh: [([x]) => geluTanh(x!), [[3, 4]]],
    silu: [([x]) => silu(x!), [[3, 4]]],
    l2Normalize: [([x]) => l2Normalize(x!), [[3, 4]]],
    crossEntropy: [([x, y]) => crossEntropy(x!, y!), [[3, 4], { int64: [1, -100, 3], dims: [3] }]],
  };
  test.each(Object.entries(cases))("%s", async (_, [build, inputs]) => {
    expect(difference(await checkGradient(build, inputs))).toBeLessThan(1e-6);
  });
});

test("a wrong gradient is found", async () => {
  const original = ops.find((op) => op.name === "Mul") as Op<[a: Value, b: Value], null>;
  const wrong: typeof original = {
    ...original,
    vjp: ({ inputs: [a, b] }, [dy]) => [applyOp(original, [dy!, a], null), applyOp(original, [dy!, b], null)],
  };
  const check = await checkGradient(
    ([a, b]) => applyOp(wrong, [a!, b!], null),
    [
      [2, 3],
      [2, 3],
    ],
  );
  expect(difference(check)).toBeGreaterThan(1e-2);
});
