/** Losses and their gradients against sentence-transformers and PyLate (scripts/goldens/encoder-losses.py). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gradients } from "../graph/grad.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { l2Normalize, matMul, sigmoid, slice } from "../graph/ops/index.ts";
import { createSession } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";
import { principalComponents } from "../train/objectives/principal-components.ts";
import {
  allInteractions,
  binaryLoss,
  contrastiveLoss,
  cosineLoss,
  divergenceLoss,
  listNetLoss,
  marginLoss,
  matryoshka,
  ownInteractions,
  ownScores,
  rankingLoss,
  rankNetLoss,
  squaredLoss,
  stretched,
} from "./losses.ts";

const goldens = JSON.parse(
  readFileSync(new URL("../../test/goldens/encoder-losses.json", import.meta.url), "utf8"),
) as Record<string, number[]> & {
  shape: Record<"B" | "n" | "D" | "Q" | "S" | "K", number>;
  losses: Record<string, { loss: number; gradients: number[][] }>;
};
const { B, n, D, Q, S, K } = goldens.shape;
const N = B * n;
const dims: Record<string, number[]> = {
  query: [B, D],
  documents: [N, D],
  logits: [B, n],
  projection: [2 * D, D],
  lateQuery: [B, Q, K],
  lateDocuments: [N, S, K],
};

type Build = (inputs: Value[], g: Graph) => Value;
const constant = (g: Graph, name: string, shape: number[]): Value => g.constant("float64", shape, goldens[name]!);
const teacher = (g: Graph): Value => constant(g, "teacher", [B, n]);
const positives = (g: Graph): Value =>
  g.constant(
    "int64",
    [B],
    Array.from({ length: B }, (_, i) => i * n),
  );
const late = (query: Value, documents: Value, g: Graph) => ({ query, documents, kept: constant(g, "kept", [N, S]) });
const apart: Build = ([query, documents], g) =>
  ownInteractions(late(l2Normalize(query!), l2Normalize(documents!), g), n);

const cases: Record<string, [inputs: string[], build: Build]> = {
  ranking: [["query", "documents"], ([q, d], g) => rankingLoss(q!, d!, positives(g))],
  margin: [["query", "documents"], ([q, d], g) => marginLoss(ownScores(q!, d!, n), teacher(g))],
  "divergence 1.0": [["query", "documents"], ([q, d], g) => divergenceLoss(ownScores(q!, d!, n), teacher(g))],
  "divergence 2.5": [
    ["query", "documents"],
    ([q, d], g) => divergenceLoss(ownScores(q!, d!, n), teacher(g), { student: 2.5, teacher: 2.5 }),
  ],
  "divergence 2 and 0.25": [
    ["query", "documents"],
    ([q, d], g) => divergenceLoss(ownScores(q!, d!, n), teacher(g), { student: 2, teacher: 0.25 }),
  ],
  mse: [["query"], ([q], g) => squaredLoss(q!, slice(constant(g, "wide", [B, 2 * D]), 1, 0, D))],
  "cosine, projected": [
    ["query", "projection"],
    ([q, w], g) => cosineLoss(matMul(q!, w!, { transB: true }), constant(g, "wide", [B, 2 * D])),
  ],
  matryoshka: [
    ["query", "documents"],
    ([q, d], g) => matryoshka([q!, d!], [8, 4], ([a, b]) => rankingLoss(a!, b!, positives(g)), [1, 0.5]),
  ],
  binary: [["logits"], ([x], g) => binaryLoss(x!, sigmoid(teacher(g)))],
  regression: [["logits"], ([x], g) => squaredLoss(x!, teacher(g))],
  ranknet: [["logits"], ([x], g) => rankNetLoss(x!, constant(g, "grades", [B, n]))],
  listnet: [["logits"], ([x], g) => listNetLoss(x!, constant(g, "grades", [B, n]))],
  "late contrastive": [
    ["lateQuery", "lateDocuments"],
    ([q, d], g) => contrastiveLoss(allInteractions(late(q!, d!, g)), positives(g), 0.5),
  ],
  "late divergence, stretched": [
    ["lateQuery", "lateDocuments"],
    (inputs, g) => divergenceLoss(stretched(apart(inputs, g)), teacher(g)),
  ],
  "late divergence": [["lateQuery", "lateDocuments"], (inputs, g) => divergenceLoss(apart(inputs, g), teacher(g))],
};

const near = (actual: number, expected: number): boolean =>
  Math.abs(actual - expected) <= 1e-4 * Math.max(1e-2, Math.abs(expected));

test.each(Object.entries(cases))("%s equals its reference, with gradients", async (name, [names, build]) => {
  const g = new Graph({ float: "float64" });
  const inputs = names.map((input) => g.input(input, "float64", dims[input]!));
  const loss = g.output("loss", build(inputs, g));
  gradients(loss, inputs).forEach((gradient, i) => g.output(`d${i}`, gradient));
  await using session = await createSession(toOnnx(g), { threads: 1 });
  const feeds = names.map((input) => [input, tensor("float64", dims[input]!, Float64Array.from(goldens[input]!))]);
  const outputs = await session.run(Object.fromEntries(feeds));
  const golden = goldens.losses[name]!;
  expect(near(Number(outputs["loss"]!.data[0]), golden.loss)).toBe(true);
  golden.gradients.forEach((expected, i) => {
    const actual = [...(outputs[`d${i}`]!.data as Float64Array)];
    expect(actual.filter((value, k) => !near(value, expected[k]!))).toEqual([]);
  });
});

test("every golden loss is tested", () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(goldens.losses).sort());
});

test("principal components equal sklearn's but for the sign", () => {
  const sample = goldens["sample"]!;
  const rows = Array.from({ length: 40 }, (_, i) => Float32Array.from(sample.slice(i * D, (i + 1) * D)));
  const found = principalComponents(rows, 3);
  for (let i = 0; i < 3; i++) {
    const expected = goldens["components"]!.slice(i * D, (i + 1) * D);
    const cosine = expected.reduce((sum, value, k) => sum + value * found[i * D + k]!, 0);
    expect(Math.abs(cosine)).toBeGreaterThan(1 - 1e-5);
  }
});
