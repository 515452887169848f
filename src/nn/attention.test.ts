/** Attention over split heads against its definition, with fewer key heads too, and with a cache against without. */
import { describe, expect, test } from "vitest";
import { checkGradient, difference } from "../../test/support/gradcheck.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { int64 } from "../runtime/batch.ts";
import { createSession } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { attentionOf, cachedAttention, joinHeads, splitHeads } from "./attention.ts";

const [B, T, H, K] = [2, 5, 4, 3];
const mask = [
  [1, 1, 1, 1, 1],
  [1, 1, 1, 0, 0],
];
const documents = [
  [0, 0, 1, 1, 1],
  [0, 1, 1, 2, 2],
];

function normal(seed: number, ...dims: number[]): Tensor<"float32"> {
  const numbers = random(seed);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return tensor(
    "float32",
    dims,
    Float32Array.from({ length: size }, () => numbers.normal()),
  );
}

/** softmax(q kᵀ / √K) v of one row and head, over the tokens that `sees` allows. */
function expectedOf(
  { q, k, v }: Record<"q" | "k" | "v", Tensor<"float32">>,
  sees: (row: number, from: number, to: number) => boolean,
): number[] {
  const groups = k.dims[1]!;
  const at = ({ data, dims }: Tensor<"float32">, row: number, head: number, token: number, i: number): number =>
    data[((row * dims[1]! + head) * T + token) * K + i]!;
  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return all(B).flatMap((row) =>
    all(H).flatMap((head) => {
      const group = Math.floor(head / (H / groups));
      return all(T).flatMap((from) => {
        const weights = all(T).map((to) => {
          const product = all(K).reduce((sum, i) => sum + at(q, row, head, from, i) * at(k, row, group, to, i), 0);
          return sees(row, from, to) ? Math.exp(product / Math.sqrt(K)) : 0;
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return all(K).map((i) => weights.reduce((sum, w, to) => sum + w * at(v, row, group, to, i), 0) / total);
      });
    }),
  );
}

describe.each([4, 2, 1])("attention of 4 heads to %i key heads", (G) => {
  const inputs = { q: normal(1, B, H, T, K), k: normal(2, B, G, T, K), v: normal(3, B, G, T, K) };

  test.each([
    [
      "in order, two tokens back",
      { causal: true, window: 3 },
      (_row: number, from: number, to: number) => to <= from && from - to < 3,
    ],
    [
      "one token to either side",
      { causal: false, window: 1 },
      (_row: number, from: number, to: number) => Math.abs(from - to) <= 1,
    ],
    [
      "masked, three tokens to either side",
      { causal: false, mask: true, window: 3 },
      (row: number, from: number, to: number) => mask[row]![to] === 1 && Math.abs(from - to) <= 3,
    ],
    ["within a window of more than there are", { causal: false, window: 9 }, () => true],
    [
      "in order, within a window of more",
      { causal: true, window: 9 },
      (_row: number, from: number, to: number) => to <= from,
    ],
    ["in order", { causal: true }, (_row: number, from: number, to: number) => to <= from],
    ["masked", { causal: false, mask: true }, (row: number, _from: number, to: number) => mask[row]![to] === 1],
    [
      "in order, of its own document",
      { causal: true, documents: true },
      (row: number, from: number, to: number) => to <= from && documents[row]![from] === documents[row]![to],
    ],
  ] as const)("%s is its definition", async (_name, options, sees) => {
    const g = new Graph();
    const whole = (name: string): Value => g.input(name, "int64", [B, T]);
    const attend = attentionOf(
      g,
      {
        ids_BT: whole("ids"),
        mask_BT: "mask" in options ? whole("mask") : undefined,
        documents_BT: "documents" in options ? whole("documents") : undefined,
      },
      { causal: options.causal, dropout: 0, windows: "window" in options ? [null, options.window] : undefined },
    );
    const [q, k, v] = Object.entries(inputs).map(([name, { dims }]) => g.input(name, "float32", dims));
    g.output("y", attend(q!, k!, v!, 1));
    await using session = await createSession(toOnnx(g, { branches: true }), { threads: 1 });
    const feeds = { ids: int64(mask, T), mask: int64(mask, T), documents: int64(documents, T), ...inputs };
    const used = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
    const { y } = await session.run(Object.fromEntries(used));
    expectedOf(inputs, sees).forEach((value, i) => expect(y!.data[i]).toBeCloseTo(value, 5));
  });

  test("has the gradients of its definition", async () => {
    const build = ([q, k, v]: Value[]): Value => {
      const ids_BT = q!.graph.constant(
        "int64",
        [1, T],
        Array.from({ length: T }, () => 0),
      );
      return attentionOf(q!.graph, { ids_BT }, { causal: true, dropout: 0, windows: [3] })(q!, k!, v!, 0);
    };
    const check = await checkGradient(build, [
      [1, H, T, K],
      [1, G, T, K],
      [1, G, T, K],
    ]);
    expect(difference(check)).toBeLessThan(1e-6);
  });

  test.each([null, 1, 2, 3, 9])("with a cache gives the same for the tokens behind it, window %s", async (window) => {
    const M = 3;
    const g = new Graph();
    const [ids_BT, positions_BT] = [g.input("ids", "int64", [B, T - M]), g.input("positions", "int64", [B, T - M])];
    const attend = cachedAttention(g, { ids_BT, positions_BT, past_BM: g.input("past", "int32", [B, M]) })([window]);
    const [q, k, v] = [H, G, G].map((heads, i) => g.input("qkv"[i]!, "float32", [B, heads, T - M, K]));
    g.output("y", attend(q!, k!, v!, 0));
    await using session = await createSession(toOnnx(g), { threads: 1 });
    /** Tokens `from` to `to` of every row and head. */
    const part = ({ dims, data }: Tensor<"float32">, from: number, to: number): Tensor<"float32"> => {
      const kept = data.filter((_, i) => Math.floor(i / K) % T >= from && Math.floor(i / K) % T < to);
      return tensor("float32", [B, dims[1]!, to - from, K], kept);
    };
    const places = Array.from({ length: T - M }, (_, i) => M + i);
    const feeds = {
      ids: int64([places, places], T - M),
      positions: int64([places, places], T - M),
      past: tensor("int32", [B, M], new Int32Array(B * M).fill(1)),
      ...Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, part(one, M, T)])),
      "past_key_values.0.key": part(inputs.k, 0, M),
      "past_key_values.0.value": part(inputs.v, 0, M),
    };
    const { y, ...present } = await session.run(feeds);
    const sees = (_: number, from: number, to: number): boolean => to <= from && from - to < (window ?? T);
    const whole = tensor("float32", [B, H, T, K], Float32Array.from(expectedOf(inputs, sees)));
    part(whole, M, T).data.forEach((value, i) => expect(y!.data[i]).toBeCloseTo(value, 5));
    expect(present["present.0.key"]!.data).toEqual(part(inputs.k, M, T).data);
  });
});

test("heads that are split and joined again are what they were", async () => {
  const g = new Graph();
  const rows_BT = g.input("rows", "int64", ["B", "T"]).shape;
  const x_ND = g.input("x", "float32", ["B*T", H * K]);
  const split = g.output("split", splitHeads(x_ND, H, rows_BT));
  g.output("joined", joinHeads(split));
  await using session = await createSession(toOnnx(g), { threads: 1 });
  const x = normal(4, B * T, H * K);
  const outputs = await session.run({ x, rows: int64(mask, T) });
  expect(outputs["joined"]).toEqual(x);
  expect(outputs["split"]!.dims).toEqual([B, H, T, K]);
  expect(outputs["split"]!.data[T * K]).toBe(x.data[K]); // the second head's first number
});
