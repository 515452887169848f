import { expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import { allocateParameters, initialise } from "./parameters.ts";

test("sinusoids start a table with neighbours alike and the deviation asked for", () => {
  const graph = new Graph();
  graph.param("positions", [64, 32], { sinusoids: 0.04 });
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 1);
  const { data } = parameters.tensors.get("positions")!;
  const row = (t: number): number[] => Array.from(data.subarray(t * 32, t * 32 + 32));
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  for (const t of [0, 20, 63]) expect(dot(row(t), row(t)) / 32).toBeCloseTo(0.04 ** 2, 8);
  expect(row(5)[0]).toBeCloseTo(0.04 * Math.SQRT2 * Math.sin(5), 7);
  expect(row(5)[3]).toBeCloseTo(0.04 * Math.SQRT2 * Math.cos(5 * 10000 ** (-2 / 32)), 7);
  // A shift by three is one rotation wherever it starts.
  expect(dot(row(10), row(13))).toBeCloseTo(dot(row(40), row(43)), 6);
  expect(dot(row(10), row(11))).toBeGreaterThan(dot(row(10), row(30)));
});
