import { describe, expect, test } from "vitest";
import { inWindows, keepFirst, mapWindows, numbersOf, ranges, take } from "./streams.ts";

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Numbers from 0, without an end. */
async function* counting(): AsyncGenerator<number> {
  for (let i = 0; ; i++) yield i;
}

describe("streams", () => {
  test("come in windows, the last with fewer", async () => {
    expect(await collect(inWindows([1, 2, 3, 4, 5], 2))).toEqual([[1, 2], [3, 4], [5]]);
    expect(await collect(inWindows([], 2))).toEqual([]);
  });

  test("are computed window by window, and give results one by one", async () => {
    const windows: number[] = [];
    const done: number[] = [];
    const compute = async (some: readonly number[]): Promise<string[]> => {
      windows.push(some.length);
      return some.map((one) => `${one}!`);
    };
    const found = mapWindows(take(counting(), 5), compute, { window: 2, onProgress: (count) => done.push(count) });
    expect(await collect(found)).toEqual(["0!", "1!", "2!", "3!", "4!"]);
    expect([windows, done]).toEqual([
      [2, 2, 1],
      [2, 4, 5],
    ]);
  });

  test("stop between two windows where they are aborted", async () => {
    const controller = new AbortController();
    const computed: number[] = [];
    const compute = async (some: readonly number[]): Promise<readonly number[]> => {
      computed.push(...some);
      if (some.includes(3)) controller.abort(new Error("enough"));
      return some;
    };
    const found = mapWindows(counting(), compute, { window: 2, signal: controller.signal });
    await expect(collect(found)).rejects.toThrow("enough");
    expect(computed).toEqual([0, 1, 2, 3]);
  });

  test("end after so many items, and ask for no more", async () => {
    const asked: number[] = [];
    async function* watched(): AsyncGenerator<number> {
      for await (const item of counting()) {
        asked.push(item);
        yield item;
      }
    }
    expect(await collect(take(watched(), 2))).toEqual([0, 1]);
    expect(asked).toEqual([0, 1]);
    expect(await collect(take(watched(), 0))).toEqual([]);
    expect(asked).toEqual([0, 1]);
  });

  test("keep their first items, by number or by size", async () => {
    const numbers = keepFirst([1, 2, 3], 2);
    expect(numbers.first).toEqual([]);
    expect(await collect(numbers.items)).toEqual([1, 2, 3]);
    expect(numbers.first).toEqual([1, 2]);
    const words = keepFirst(["abc", "de", "f", "g"], 4, (word) => word.length);
    await collect(words.items);
    expect(words.first).toEqual(["abc", "de"]);
  });
});

test("ranges cover all numbers once", () => {
  expect([...ranges(5, 2)]).toEqual([
    [0, 2],
    [2, 4],
    [4, 5],
  ]);
  expect([...ranges(5, 2)].flatMap(([first, end]) => numbersOf(first, end))).toEqual([0, 1, 2, 3, 4]);
  expect([...ranges(0, 2)]).toEqual([]);
});
