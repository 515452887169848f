/** Examples before questions: whose they are, what is refused, and that a question is never its own example. */
import { describe, expect, test } from "vitest";
import type { Benchmark, Example } from "../tasks/benchmark.ts";
import { benchmarks } from "../tasks/index.ts";
import { withShots } from "./shots.ts";

const example = (id: string): Example<string> => ({ id, text: `Question ${id}?`, gold: id });
const pools: Readonly<Record<string, readonly Example<string>[]>> = {
  train: ["a", "b", "c", "d"].map(example),
  test: ["x", "y", "z", "v", "w"].map(example),
};
const toy: Benchmark<Example<string>, string> = {
  ...(benchmarks["medqa"] as unknown as Benchmark<Example<string>, string>),
  name: "toy",
  settings: { kept: true },
  read: async (_, split) => [...(pools[split] ?? [])],
  exampleOf: (id, text) => ({ ...example(id), text }),
  source: ({ text }) => `${text} Answer:`,
  target: ({ gold }) => ` ${gold}`,
};
const asked = async (options: object, benchmark = toy, split: "train" | "test" = "test"): Promise<string[]> => {
  const preceded = await withShots(benchmark, { shots: 2, data: "folder", ...options });
  return (await preceded.read("folder", split)).map((one) => preceded.source(one));
};
const idsIn = (source: string): string[] => [...source.matchAll(/Question (\w)\?/g)].map(([, id]) => id!);

test("two examples with answers and empty lines stand before each question, others before another", async () => {
  const sources = await asked({});
  expect(sources[0]).toMatch(/^Question (\w)\? Answer: \1\n\nQuestion (\w)\? Answer: \2\n\nQuestion x\? Answer:$/);
  for (const source of sources) expect(new Set(idsIn(source)).size).toBe(3);
  expect(new Set(sources.map((source) => idsIn(source).slice(0, 2).join(""))).size).toBeGreaterThan(1);
  expect(await asked({})).toEqual(sources);
  expect(await asked({ seed: 7 })).not.toEqual(sources);
});

test("a question of training is never its own example", async () => {
  for (const shots of [1, 3]) {
    for (const source of await asked({ shots }, toy, "train")) expect(new Set(idsIn(source)).size).toBe(shots + 1);
  }
});

describe("a benchmark whose examples are the first", () => {
  const first = { ...toy, shots: { description: "About blood.\n\n", first: true } };

  test("has the same before each, its description before them and without them", async () => {
    const begin = "About blood.\n\nQuestion a? Answer: a\n\nQuestion b? Answer: b\n\n";
    expect(await asked({}, first)).toEqual(pools["test"]!.map(({ id }) => `${begin}Question ${id}? Answer:`));
    expect((await asked({ shots: 0 }, first))[0]).toBe("About blood.\n\nQuestion x? Answer:");
  });

  test("says no seed in its settings, others do", async () => {
    expect((await withShots(first, { shots: 2, data: "folder" })).settings).toEqual({ kept: true, shots: 2 });
    expect((await withShots(toy, { shots: 2, data: "folder" })).settings).toMatchObject({ shots: 2, shotSeed: 1234 });
    expect((await withShots(toy, { shots: 0, data: "folder" })).settings).toEqual({ kept: true, shots: 0 });
  });
});

describe("in a conversation", () => {
  const described = { ...toy, shots: { description: "About blood.\n\n", first: true } };
  const turnsFor = async (options: object): Promise<unknown> => {
    const preceded = await withShots(described, { shots: 2, data: "folder", ...options });
    return preceded.turns?.((await preceded.read("folder", "test"))[0]!);
  };
  const system = { role: "system", content: "About blood.\n\n" };

  test("examples are turns of the user and of the model, the description is the system's", async () => {
    expect(await turnsFor({ as: "turns" })).toEqual([
      system,
      { role: "user", content: "Question a? Answer:" },
      { role: "assistant", content: "a" },
      { role: "user", content: "Question b? Answer:" },
      { role: "assistant", content: "b" },
      { role: "user", content: "Question x? Answer:" },
    ]);
  });

  test("or stand in the question's turn; without one there are no turns", async () => {
    const content = "Question a? Answer: a\n\nQuestion b? Answer: b\n\nQuestion x? Answer:";
    expect(await turnsFor({ as: "text" })).toEqual([system, { role: "user", content }]);
    expect(await turnsFor({})).toBeUndefined();
  });

  test("the protocol says which, where there are examples at all", async () => {
    const settings = async (options: object): Promise<unknown> =>
      (await withShots(described, { shots: 2, data: "folder", ...options })).settings;
    expect(await settings({ as: "turns" })).toEqual({ kept: true, shots: 2, shotsAs: "turns" });
    expect(await settings({ as: "text" })).toEqual({ kept: true, shots: 2, shotsAs: "text" });
    expect(await settings({ as: "turns", shots: 0 })).toEqual({ kept: true, shots: 0 });
  });
});

test("a text of a user's own gets the examples of the first question", async () => {
  const preceded = await withShots(toy, { shots: 2, data: "folder" });
  const [source] = await asked({});
  expect(preceded.source(preceded.exampleOf("own", "Question x?"))).toBe(source);
});

test.each([
  [{ shots: -1 }, "withShots: shots: expected a whole number from 0, got -1"],
  [{ shots: 1.5 }, "withShots: shots: expected a whole number from 0, got 1.5"],
  [{ shots: 5 }, "folder: expected 5 training examples for shots, got 4"],
  [{ data: 3 }, "withShots: data: expected a text, got 3"],
])("%o is refused", async (options, message) => {
  await expect(asked(options)).rejects.toThrow(message);
});

test("nothing in a benchmark's or the options' place is refused", async () => {
  await expect(withShots(undefined as never, { shots: 1, data: "folder" })).rejects.toThrow("withShots: benchmark");
  await expect(withShots(toy, undefined as never)).rejects.toThrow("withShots: options");
});
