/** Where positions come from: the caller, the mask, the documents of a row, or nothing but the order. */
import { expect, test } from "vitest";
import { Graph, type Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { int64 } from "../runtime/batch.ts";
import { createSession } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";
import { learnedPositions, positionsInDocument, positionsOf } from "./positions.ts";

const rows = [
  [0, 0, 1, 1, 1],
  [1, 1, 1, 0, 0],
];

/** What `build` makes of an input [2, 5] with these rows. */
async function run(
  build: (x_BT: Value, g: Graph) => Value,
  shape: [number | "B", number | "T"] = ["B", "T"],
): Promise<number[]> {
  const g = new Graph();
  const x_BT = g.input("x", "int64", shape);
  g.output("y", build(x_BT, g));
  await using session = await createSession(toOnnx(g), { threads: 1 });
  const table = tensor(
    "float32",
    [9, 1],
    Float32Array.from({ length: 9 }, (_, row) => row),
  );
  const feeds = session.inputNames.includes("table") ? { table } : {};
  return Array.from((await session.run({ x: int64(rows, 5), ...feeds }))["y"]!.data, Number);
}

test("padding has no position and is not counted, on either side", async () => {
  expect(await run((x) => positionsOf({ ids_BT: x, mask_BT: x }))).toEqual([-1, -1, 0, 1, 2, 0, 1, 2, -1, -1]);
});

test("without a mask all rows have the same", async () => {
  expect(await run((x) => positionsOf({ ids_BT: x }))).toEqual([0, 1, 2, 3, 4]);
});

test("given positions are taken as they are", async () => {
  expect(await run((x) => positionsOf({ ids_BT: x, mask_BT: x, positions_BT: x }))).toEqual(rows.flat());
});

test("each document of a row begins anew", async () => {
  expect(await run((x) => positionsInDocument(x))).toEqual([0, 1, 0, 1, 2, 0, 1, 2, 0, 1]);
});

test("a learned table is read from its offset on, looked up or cut out", async () => {
  const table = (g: Graph): Value => g.input("table", "float32", [9, 1]);
  expect(await run((x, g) => learnedPositions(table(g), { ids_BT: x }, 2))).toEqual([2, 3, 4, 5, 6]);
  expect(await run((x, g) => learnedPositions(table(g), { ids_BT: x }, 2), [2, 5])).toEqual([2, 3, 4, 5, 6]);
  expect(await run((x, g) => learnedPositions(table(g), { ids_BT: x, mask_BT: x }, 2))).toEqual([
    1, 1, 2, 3, 4, 2, 3, 4, 1, 1,
  ]);
});
