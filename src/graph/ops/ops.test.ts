import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkGradient, checkOp, difference } from "../../../test/support/gradcheck.ts";
import { applyOp, defineOp, Graph, type Op, ops, type Sample, type Value } from "../graph.ts";
import { crossEntropy, geluTanh, l2Normalize, linear, rmsNorm, silu } from "./index.ts";

const source = fileURLToPath(new URL("../..", import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
for (const file of files) if (file.startsWith("graph/ops/")) await import(/* @vite-ignore */ source + file);

/** Of ops with a gradient; undefined where it has none. */
const samplesOf = (op: Op<readonly Value[], unknown>): readonly Sample<unknown>[] | undefined =>
  op.vjp === "nondifferentiable" ? undefined : op.samples;

describe("every op's gradient equals finite differences", () => {
  for (const op of ops) {
    const samples = (samplesOf(op) ?? []).map((sample, i) => ({ i, sample }));
    test.each(samples)(`${op.name}, sample $i`, async ({ sample }) => {
      expect(difference(await checkOp(op, sample))).toBeLessThan(op.name === "Gelu" ? 1e-3 : 1e-6);
    });
  }

  test("every op that has a gradient has a sample", () => {
    expect(ops.size).toBeGreaterThan(40);
    expect([...ops].filter((op) => samplesOf(op)?.length === 0).map((op) => op.name)).toEqual([]);
  });

  test("no op is defined where this test does not look", () => {
    const definers = files.filter((file) => readFileSync(source + file, "utf8").includes("defineOp("));
    expect(definers.filter((file) => !file.startsWith("graph/ops/"))).toEqual([]);
  });

  test("a graph refuses an op that was not defined", () => {
    const stray: Op<[x: Value], null> = { name: "Stray", infer: ([x]) => [x], lower() {}, vjp: "nondifferentiable" };
    expect(() => applyOp(stray, [new Graph().input("x", "float32", [2])], null)).toThrow("Stray: expected an op made");
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
  const original = [...ops].find((op) => op.name === "Mul") as unknown as Op<[a: Value, b: Value], null>;
  const wrong: typeof original = defineOp({
    ...original,
    vjp: ({ inputs: [a, b] }, [dy]) => [applyOp(original, [dy!, a], null), applyOp(original, [dy!, b], null)],
    samples: [{ inputs: [[2, 3], [2, 3]], attributes: null }],
  }); // prettier-ignore
  const check = await checkGradient(
    ([a, b]) => applyOp(wrong, [a!, b!], null),
    [
      [2, 3],
      [2, 3],
    ],
  );
  expect(difference(check)).toBeGreaterThan(1e-2);
});
