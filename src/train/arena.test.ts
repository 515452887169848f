import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { mul } from "../graph/ops/index.ts";
import { createSession } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { allocateBeside, createArena, walk } from "./arena.ts";
import { accumulate } from "./optimiser.ts";

test("the module is what its AssemblyScript compiles to", () => {
  const script = fileURLToPath(new URL("../../scripts/build-wasm.js", import.meta.url));
  execFileSync(process.execPath, [script, "--check"], { stdio: "pipe" });
});

describe("an arena", () => {
  test("gives zeros of one memory, on boundaries of 64 bytes, which do not overlap", () => {
    const { allocate } = createArena(17, 3);
    const buffers = [allocate(17), allocate(17), allocate(17)];
    buffers.forEach((buffer, i) => {
      expect(buffer).toEqual(new Float32Array(17));
      expect(buffer.byteOffset % 64).toBe(0);
      expect(buffer.buffer).toBe(buffers[0]!.buffer);
      buffer.fill(i + 1);
    });
    expect(buffers.map((buffer) => new Set(buffer))).toEqual([new Set([1]), new Set([2]), new Set([3])]);
  });

  test("gives ordinary arrays once it is full", () => {
    const { allocate } = createArena(1 << 20, 1);
    const inside = allocate(1 << 20);
    const outside = allocate(1 << 20);
    expect(outside.length).toBe(1 << 20);
    expect(outside.buffer).not.toBe(inside.buffer);
    expect(allocateBeside(inside).buffer).not.toBe(inside.buffer);
  });

  test("has room beside a buffer for what belongs to it", () => {
    const { allocate } = createArena(1000, 2);
    const buffer = allocate(1000);
    const neighbour = allocateBeside(buffer);
    expect(neighbour).toEqual(new Float32Array(1000));
    expect(neighbour.buffer).toBe(buffer.buffer);
    expect(allocateBeside(new Float32Array(1000)).buffer).not.toBe(buffer.buffer);
  });

  test("holds as many whole buffers as 4 GiB do, and reaches beyond 2 GiB", () => {
    const length = 700 * 2 ** 18; // 700 MiB, of which only touched pages take memory
    const { allocate } = createArena(length, 7);
    const buffers = Array.from({ length: 5 }, () => allocate(length));
    expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(1);
    const last = buffers[4]!;
    expect(last.byteOffset).toBeGreaterThan(2 ** 31);
    const [target, source] = [last.subarray(0, 32), last.subarray(-32)];
    target.fill(1);
    source.fill(2);
    accumulate(target, source);
    expect(target).toEqual(new Float32Array(32).fill(3));
    expect(source).toEqual(new Float32Array(32).fill(2));
    expect(createArena(2 ** 31, 1).allocate(8)).toEqual(new Float32Array(8));
  });

  test("is read and written in place by ONNX Runtime", async () => {
    const { allocate } = createArena(64, 2);
    const [input, output] = [allocate(64), allocate(64)];
    const g = new Graph();
    const x_N = g.input("x", "float32", ["N"]);
    g.output("square", mul(x_N, x_N));
    await using session = await createSession(toOnnx(g), { threads: 1 });
    const feeds = { x: tensor("float32", [30], input.subarray(10, 40)) };
    const into = { square: tensor("float32", [30], output.subarray(20, 50)) };
    const places = Float32Array.from(input.keys());
    for (const sign of [1, -2]) {
      input.set(places.map((place) => sign * place));
      await session.run(feeds, into);
      expect(output).toEqual(places.map((i) => (i < 20 || i >= 50 ? 0 : (sign * (i - 10)) ** 2)));
    }
  });
});

describe("adding one buffer to another", () => {
  /** Several chunks and a tail; a little more than the buffers, so that what must stay as it is can be seen. */
  const [length, room] = [200_003, 200_100];
  const numbers = random(3);
  const [target, source] = [0, 1].map(() => Float32Array.from({ length: room }, () => numbers.normal()));
  const expected = target!.map((value, i) => (i < length ? value + source![i]! : value));
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
  const heap = (values: Float32Array): Float32Array => values.slice();
  const inside = (values: Float32Array): Float32Array => {
    const buffer = allocate(room);
    buffer.set(values);
    return buffer;
  };
  const { allocate } = createArena(room, 6);

  test.each([
    ["one arena", inside, inside],
    ["an arena and an ordinary array", inside, heap],
    ["an ordinary array and an arena", heap, inside],
    ["ordinary arrays", heap, heap],
  ])("%s", (_, first, second) => {
    const [sum, other] = [first(target!), second(source!)];
    accumulate(sum.subarray(0, length), other.subarray(0, length));
    // Not toEqual: a failing test would print two hundred thousand differences.
    expect(Buffer.compare(bytes(sum), bytes(expected))).toBe(0);
    expect(Buffer.compare(bytes(other), bytes(source!))).toBe(0);
  });

  test("buffers of different lengths are refused, and nothing is computed", () => {
    const sum = inside(target!);
    expect(() => accumulate(sum, source!.subarray(1))).toThrow("expected equal lengths, got 200100, 200099");
    expect(Buffer.compare(bytes(sum), bytes(target!))).toBe(0);
    walk([new Float32Array(0)], 1, () => expect.unreachable("an empty buffer has no chunk"));
  });
});
