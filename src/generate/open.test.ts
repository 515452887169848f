/** Generation from parameters in memory, and generation that is stopped. */
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../model.ts";
import { scoringGraph } from "../models/graphs.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { readParameters } from "../runtime/parameters.ts";
import { generate, generateStream, type GenerateOptions, openGenerator } from "./index.ts";

const golden = (path: string): string => fileURLToPath(new URL(`../../test/goldens/${path}`, import.meta.url));
const folder = golden("biogpt/model");
const tokenizer = new Error("none is needed");
const { family, config, entries } = await openModelFolder(folder);
const parameters = await readParameters(scoringGraph(family, config), entries, folder);
const weights = Object.fromEntries(parameters.tensors);
const generator = await openGenerator({ family, config, tokenizer, weights, session: { threads: 1 } });
afterAll(() => generator[Symbol.asyncDispose]());

const ids = [
  [2, 17, 5],
  [2, 9, 33, 40, 12],
];

describe("parameters in memory", () => {
  test.each<GenerateOptions>([{}, { numBeams: 3 }, { doSample: true, seed: 4, temperature: 2 }])(
    "give what the directory that they were read from gives, %o",
    async (options) => {
      await using model = await loadModel(folder, { threads: 1 });
      const [memory, disk] = [
        await generate(generator, { ids, ...options }),
        await model.generate({ ids, ...options }),
      ];
      expect(memory.sequences).toEqual(disk.sequences);
      memory.scores.forEach((score, i) => expect(score).toBeCloseTo(disk.scores[i]!, 5));
    },
  );

  test("are read at every run: what changes them is seen by the next", async () => {
    const before = await generate(generator, { ids });
    const norm = weights["biogpt.layer_norm.weight"]!.data as Float32Array;
    const original = norm.slice();
    norm.reverse();
    expect((await generate(generator, { ids })).sequences).not.toEqual(before.sequences);
    norm.set(original);
    expect(await generate(generator, { ids })).toEqual(before);
  });

  test("must be all there, and a decoder's", async () => {
    const { "biogpt.layer_norm.weight": _, ...others } = weights;
    await expect(openGenerator({ family, config, tokenizer, weights: others })).rejects.toThrow(
      'weights: expected parameter "biogpt.layer_norm.weight"',
    );
    const bert = await openModelFolder(golden("bert/hash"));
    await expect(openGenerator({ ...bert, tokenizer, weights: {} })).rejects.toThrow(
      /expected a decoder, got bert_hash[^]*a decoder, such as those with a causal language model/,
    );
  });
});

describe("an aborted signal ends generation between steps, with its reason", () => {
  /** Aborts at the third step, and counts the steps that come. */
  function stopping(): { options: GenerateOptions; reason: Error; steps: () => number } {
    const controller = new AbortController();
    const reason = new Error("enough");
    let steps = 0;
    const count = (): void => {
      steps += 1;
      if (steps === 3) controller.abort(reason);
    };
    const options = { ids: ids[0]!, maxNewTokens: 20, eosTokenId: [], signal: controller.signal };
    return { options: { ...options, processors: () => [count] }, reason, steps: () => steps };
  }

  test("greedy search", async () => {
    const { options, reason, steps } = stopping();
    await expect(generate(generator, options)).rejects.toBe(reason);
    expect(steps()).toBe(3);
  });

  test("beam search", async () => {
    const { options, reason, steps } = stopping();
    await expect(generate(generator, { ...options, numBeams: 2 })).rejects.toBe(reason);
    expect(steps()).toBeLessThan(5); // the processor is called for each beam
  });

  test("a stream, after the tokens that it gave", async () => {
    const { options, reason } = stopping();
    const found: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { id } of generateStream(generator, options)) found.push(id);
    };
    await expect(read()).rejects.toBe(reason);
    const { signal: _, processors: __, ...plain } = options;
    const { sequences } = await generate(generator, plain);
    expect(found).toEqual(sequences[0]!.slice(3, 6));
  });

  test("before the first", async () => {
    const signal = AbortSignal.abort();
    await expect(generate(generator, { ids, signal })).rejects.toMatchObject({ name: "AbortError" });
    await expect(generate(generator, { ids, signal, numBeams: 2 })).rejects.toMatchObject({ name: "AbortError" });
  });

  test("a signal that is not aborted changes nothing", async () => {
    const { signal } = new AbortController();
    expect(await generate(generator, { ids, signal })).toEqual(await generate(generator, { ids }));
  });
});
