import { describe, expect, test } from "vitest";
import { createSession } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";
import { gradients } from "./grad.ts";
import { Graph } from "./graph.ts";
import { toOnnx } from "./lower.ts";
import {
  add,
  dropoutWithSeed,
  gather,
  gelu,
  layerNorm,
  linear,
  matMul,
  mul,
  reduceMean,
  reshape,
  sumAll,
  transpose,
} from "./ops/index.ts";
import { product, quotient } from "./shape.ts";

describe("shapes are checked while a graph is built", () => {
  const cases: Record<string, [build: (g: Graph) => unknown, message: RegExp]> = {
    "inner dimensions of a product": [
      (g) => matMul(g.input("a", "float32", ["B", 3]), g.input("b", "float32", [4, 5])),
      /MatMul: expected equal inner dimensions, got \[B, 3\] times \[4, 5\]/,
    ],
    broadcast: [
      (g) => add(g.input("a", "float32", ["B", 3]), g.input("b", "float32", ["B", 4])),
      /Add: expected shapes that broadcast, got \[B, 3\] and \[B, 4\]/,
    ],
    "the layer is named": [
      (g) =>
        g.scope("encoder.layer.3", () =>
          layerNorm(
            g.input("x", "float32", [2, 8]),
            g.param("w", [9], { constant: 1 }),
            g.param("b", [8], { constant: 0 }),
            1e-5,
          ),
        ),
      /encoder\.layer\.3: layerNorm: weight: expected \[8\], got \[9\]/,
    ],
    "reshape keeps the number of elements": [
      (g) => reshape(g.input("x", "float32", ["B", 6]), ["B", 2, 4]),
      /Reshape: expected as many elements as \[B, 6\] has, got \[B, 2, 4\]/,
    ],
    "indices are int64": [
      (g) => gather(g.input("t", "float32", [5, 2]), g.input("i", "int32", [3])),
      /Gather: expected int64 indices, got int32/,
    ],
    "one dtype": [(g) => mul(g.input("a", "float32", [2]), g.input("b", "float64", [2])), /Mul: expected one dtype/],
    "a parameter keeps its shape": [
      (g) => [g.param("w", [2, 3], { constant: 0 }), g.param("w", [3, 2], { constant: 0 })],
      /w: expected \[2, 3\] as before, got \[3, 2\]/,
    ],
    permutations: [(g) => transpose(g.input("x", "float32", [2, 3]), [0, 0]), /expected a permutation of 2 axes/],
    "values of another graph": [
      (g) => add(g.input("a", "float32", [2]), new Graph().input("b", "float32", [2])),
      /Add: "b" belongs to another graph/,
    ],
    "a loss is a scalar": [(g) => gradients(g.input("x", "float32", [2]), []), /expected a scalar loss, got \[2\]/],
  };
  test.each(Object.entries(cases))("%s", (_, [build, message]) => {
    expect(() => build(new Graph())).toThrow(message);
  });
});

test("symbolic dimensions multiply, divide and compare in canonical form", () => {
  expect(product(["T", 2, "B", 3])).toBe("6*B*T");
  expect(product(["T", "B"])).toBe(product(["B", "T"]));
  expect(product([2, 3])).toBe(6);
  expect(quotient("6*B*T", "2*T")).toBe("3*B");
  expect(quotient("6*B", 4)).toBeUndefined();
  expect(quotient("B", "T")).toBeUndefined();
});

test("one graph serves every batch and length, reshaping by dimensions known only at run time", async () => {
  const g = new Graph();
  const x_BTD = g.input("x", "float32", ["B", "T", 4]);
  const y_TB22 = transpose(reshape(x_BTD, ["B", "T", 2, 2]), [1, 0, 2, 3]);
  g.output("y", reshape(y_TB22, [product(["B", "T"]), 4]));
  await using session = await createSession(toOnnx(g));
  for (const [batch, tokens] of [
    [1, 1],
    [2, 3],
    [3, 2],
  ] as const) {
    const data = Float32Array.from({ length: batch * tokens * 4 }, (_, i) => i);
    const { y } = await session.run({ x: tensor("float32", [batch, tokens, 4], data) });
    expect(y!.dims).toEqual([batch * tokens, 4]);
    expect(y!.data[4]).toBe(batch === 1 ? (tokens === 1 ? undefined : 4) : tokens * 4); // row 1 is row (b 1, t 0)
  }
});

test("a sum of gradients over every use of a shared parameter", async () => {
  const g = new Graph();
  const w = g.param("w", [2, 2], { constant: 0 });
  const x = g.input("x", "float32", [1, 2]);
  const loss = g.output("loss", sumAll(add(linear(linear(x, w), w), reduceMean(w, [0]))));
  g.output("dw", gradients(loss, [w])[0]!);
  await using session = await createSession(toOnnx(g));
  const at = async (values: number[]): Promise<{ loss: number; dw: number[] }> => {
    const inputs = {
      x: tensor("float32", [1, 2], Float32Array.of(1, 2)),
      w: tensor("float32", [2, 2], Float32Array.from(values)),
    };
    const { loss: value, dw } = await session.run(inputs);
    return { loss: Number(value!.data[0]), dw: [...(dw!.data as Float32Array)] };
  };
  const point = [0.3, -0.2, 0.5, 0.7];
  const { dw } = await at(point);
  for (let i = 0; i < 4; i++) {
    const shifted = (step: number): number[] => point.map((value, k) => (k === i ? value + step : value));
    const numeric = ((await at(shifted(1e-2))).loss - (await at(shifted(-1e-2))).loss) / 2e-2;
    expect(dw[i]).toBeCloseTo(numeric, 3);
  }
});

describe("dropout", () => {
  async function kept(seed: number, rate: number, site = 0): Promise<Float32Array> {
    const g = new Graph();
    const x = g.input("x", "float32", ["N", 200]);
    g.output("y", dropoutWithSeed(x, g.input("seed", "int64", []), { rate, site }));
    await using session = await createSession(toOnnx(g));
    const ones = tensor("float32", [500, 200], new Float32Array(100_000).fill(1));
    const { y } = await session.run({ x: ones, seed: tensor("int64", [], BigInt64Array.of(BigInt(seed))) });
    return y!.data as Float32Array;
  }
  const share = (values: Float32Array): number => values.filter((value) => value === 0).length / values.length;

  test("drops the share that it says and scales the rest", async () => {
    for (const rate of [0.1, 0.5]) {
      const values = await kept(1, rate);
      expect(Math.abs(share(values) - rate)).toBeLessThan(0.01);
      expect(values.find((value) => value !== 0)).toBeCloseTo(1 / (1 - rate), 6);
    }
  });

  test("is a function of the seed and the site; rows and columns look independent", async () => {
    const first = await kept(1, 0.5);
    expect(await kept(1, 0.5)).toEqual(first);
    const agreement = (other: Float32Array): number =>
      first.filter((value, i) => (value === 0) === (other[i] === 0)).length / first.length;
    expect(Math.abs(agreement(await kept(2, 0.5)) - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(agreement(await kept(1, 0.5, 1)) - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(agreement(first.slice(200)) - 0.5)).toBeLessThan(0.02); // a row and the next
    expect(Math.abs(agreement(first.slice(1)) - 0.5)).toBeLessThan(0.02); // a column and the next
    const rows = Array.from({ length: 500 }, (_, i) => share(first.slice(i * 200, (i + 1) * 200)));
    expect(Math.max(...rows.map((value) => Math.abs(value - 0.5)))).toBeLessThan(0.2); // 5.6 standard deviations
  });
});

test("a checkpointed segment is computed again: its inner values are not inputs of the backward pass", () => {
  const build = (checkpointing: boolean): Graph => {
    const g = new Graph({ checkpointing });
    const w = g.param("w", [4, 4], { constant: 0 });
    const x = g.input("x", "float32", ["N", 4]);
    const y = g.checkpoint(() => gelu(linear(gelu(linear(x, w)), w)));
    g.output("dw", gradients(sumAll(y), [w])[0]!);
    return g;
  };
  const count = (g: Graph, name: string): number => g.nodes.filter(({ op }) => op.name === name).length;
  expect(count(build(false), "Gelu")).toBe(2);
  expect(count(build(true), "Gelu")).toBe(4);
});
