import { expect, test } from "vitest";
import { inFile } from "../checkpoints/disk.ts";
import { ConfigError } from "../errors.ts";
import { Graph } from "../graph/graph.ts";
import { linear } from "../graph/ops/index.ts";
import { openNetwork } from "./network.ts";
import { cacheBytes, freeMemory, requireMemory, weightBytes } from "./memory.ts";

test("weights count as they are held: four bytes a number, or their bits and eight bytes a group", () => {
  const g = new Graph();
  g.output("y", linear(g.input("x", "float32", ["N", 64]), g.param("weight", [48, 64], { normal: 1 })));
  expect(weightBytes(g, new Map(), new Map())).toBe(48 * 64 * 4);
  const four = new Map([["weight", { bits: 4, group: 32 } as const]]);
  expect(weightBytes(g, new Map(), four)).toBe(48 * 32 + 48 * 2 * 8);
  expect(cacheBytes(g)).toBe(0);
  g.input("past_key_values.0.key", "float32", ["B", 2, "M", 16]);
  expect(cacheBytes(g)).toBe(2 * 16 * 4);
});

test("what does not fit is refused with the figures, and with fewer bits where these fit", () => {
  const need = { where: "model", weights: 28e9, cache: 1e6 };
  expect(() => requireMemory(need, 28e9)).not.toThrow();
  const refused = (inBits?: { 4: number; 8: number }): ConfigError => {
    try {
      requireMemory({ ...need, inBits }, 9e9);
    } catch (error) {
      return error as ConfigError;
    }
    throw new Error("expected an error");
  };
  const error = refused({ 8: 8e9, 4: 4e9 });
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toContain("28.0 GB of weights, 1.00 GB of cache for every 1,000 tokens, with 9.00 GB free");
  expect(error.hint).toMatch(/in 8 bits they take 8.00 GB: galen quantize .* --any-memory/);
  expect(refused({ 8: 10e9, 4: 4e9 }).hint).toContain("in 4 bits they take 4.00 GB");
  expect(refused({ 8: 20e9, 4: 10e9 }).hint).toMatch(/^end other programs/);
  expect(freeMemory()).toBeGreaterThan(0);
});

test("a network larger than the memory is refused before anything is read, unless that is wanted", async () => {
  const g = new Graph();
  g.output("y", linear(g.input("x", "float32", ["N", 1e6]), g.param("weight", [1e7, 1e6], { normal: 1 })));
  const file = "/nowhere/model.safetensors";
  const dims = [1e7, 1e6];
  const entries = new Map([
    [
      "weight",
      { name: "weight", file, open: inFile(file), dtype: "float32" as const, dims, offset: 0, byteLength: 4e13 },
    ],
  ]);
  const open = (memory?: "any"): Promise<unknown> => openNetwork(g, entries, "/nowhere", { memory }, () => ({}));
  await expect(open()).rejects.toThrow(
    /^\/nowhere: expected a model that fits the memory, got 40000.0 GB of weights, with/,
  );
  await expect(open("any")).rejects.toThrow(/nowhere\/model.safetensors/); // it went on, to a file that is not there
});
