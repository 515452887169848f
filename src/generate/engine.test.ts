/** The batch without an end on tiny random models: what each request gets is what it gets alone, whoever comes and goes. */
import { expect, test } from "vitest";
import { scoringGraph } from "../models/graphs.ts";
import { familyOf } from "../models/registry.ts";
import { allocateParameters, initialise } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import type { Decoder } from "./decoder.ts";
import { createEngine, type EngineRequest } from "./engine.ts";
import { generate, type Generator, openGenerator } from "./index.ts";
import { limitsOf, resolveOptions } from "./options.ts";
import { createJob } from "./search.ts";

const configs = {
  biogpt: { model_type: "biogpt", hidden_size: 16 },
  llama: { model_type: "llama", hidden_size: 16, num_key_value_heads: 2 },
  mistral: { model_type: "mistral", hidden_size: 16, num_key_value_heads: 1, sliding_window: 7 },
};
const common = {
  vocab_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 32,
  max_position_embeddings: 128,
  initializer_range: 0.4,
  eos_token_id: 2,
  pad_token_id: 1,
};

async function open(model: keyof typeof configs): Promise<Generator> {
  const json = { ...common, ...configs[model] };
  const family = familyOf(json, model);
  const config = family.parseConfig(json, model);
  const graph = scoringGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  const weights = Object.fromEntries(parameters.tensors);
  return openGenerator({ family, config, tokenizer: new Error("none"), weights, session: { threads: 1 } });
}

interface Asked {
  readonly prompt: number[];
  readonly maxNewTokens: number;
  readonly seed: number | undefined;
  readonly copies: number;
  readonly repetitionPenalty: number;
}

function asked(seed: number): Asked {
  const next = random(seed);
  const prompt = Array.from({ length: 1 + next.integer(40) }, () => 3 + next.integer(21));
  const draws = next.integer(2) === 0;
  return {
    prompt,
    maxNewTokens: 1 + next.integer(30),
    seed: draws ? seed : undefined,
    copies: draws ? 1 + next.integer(3) : 1,
    repetitionPenalty: next.integer(3) === 0 ? 1.3 : 1,
  };
}

const optionsOf = ({ maxNewTokens, seed, copies, repetitionPenalty }: Asked) => ({
  maxNewTokens,
  repetitionPenalty,
  ...(seed === undefined ? {} : { doSample: true, seed, numReturnSequences: copies }),
});

function requestOf({ config, decoder }: Generator, one: Asked, found: number[][], owner: object): EngineRequest {
  const settings = resolveOptions(optionsOf(one), {}, config);
  const limits = limitsOf(settings, one.prompt.length, decoder.cache.maxTokens);
  const job = createJob(one.prompt, limits, settings, () => false);
  const draws = Array.from({ length: one.copies }, (_, row) =>
    one.seed === undefined ? undefined : { seed: one.seed, row },
  );
  for (let i = 0; i < one.copies; i++) found[i] = [...one.prompt];
  return { job, draws, owner, onToken: (index, { id }) => void found[index]!.push(id) };
}

const few = { rows: 6, cacheBytes: 1e9, part: 9 };

test.each(Object.keys(configs) as (keyof typeof configs)[])(
  "%s: requests that come at any time get the tokens that they get alone",
  async (model) => {
    await using generator = await open(model);
    await using engine = createEngine(generator.decoder, few);
    const all = Array.from({ length: 60 }, (_, i) => asked(i));
    const results = await Promise.all(
      all.map(async (one, i) => {
        for (let wait = 0; wait < i % 17; wait++) await new Promise((resolve) => setTimeout(resolve, 1));
        const found: number[][] = [];
        await engine.run(requestOf(generator, one, found, one));
        return found;
      }),
    );
    for (const [i, one] of all.entries()) {
      const { sequences } = await generate(generator, { ids: [one.prompt], ...optionsOf(one) });
      expect(results[i], `request ${i}`).toEqual(sequences);
    }
    expect(engine.state).toEqual({ waiting: 0, running: 0, bytes: 0 });
  },
);

test("a request that is cancelled, while it waits, while its prompt is computed or while it runs, disturbs no other", async () => {
  await using generator = await open("llama");
  await using engine = createEngine(generator.decoder, few);
  const all = Array.from({ length: 40 }, (_, i) => asked(100 + i));
  let cancelled = 0;
  const results = await Promise.all(
    all.map(async (one, i) => {
      const found: number[][] = [];
      const controller = new AbortController();
      const request = requestOf(generator, one, found, one);
      let tokens = 0;
      const onToken: EngineRequest["onToken"] = (index, taken) => {
        request.onToken(index, taken);
        if (i % 4 === 1 && ++tokens === 3) controller.abort();
      };
      const run = engine.run({ ...request, onToken, signal: controller.signal });
      if (i % 4 === 0) setTimeout(() => controller.abort(), i);
      return run.then(
        () => found,
        (error: Error) => {
          expect(error.name).toBe("AbortError");
          cancelled += 1;
          return undefined;
        },
      );
    }),
  );
  expect(cancelled).toBeGreaterThan(5);
  for (const [i, one] of all.entries()) {
    if (results[i] === undefined) continue;
    const { sequences } = await generate(generator, { ids: [one.prompt], ...optionsOf(one) });
    expect(results[i], `request ${i}`).toEqual(sequences);
  }
  expect(engine.state.running).toBe(0);
});

test("the scores after each token of a prompt are those of a pass over all of it", async () => {
  await using generator = await open("biogpt");
  await using engine = createEngine(generator.decoder, few);
  const one = { ...asked(7), prompt: Array.from({ length: 50 }, (_, i) => 3 + (i % 20)) };
  const found: number[] = [];
  const { job, owner } = requestOf(generator, one, [], one);
  await engine.run({
    job,
    owner,
    draws: [],
    onPrompt: (at, { logits, logSum }) => void (found[at] = logits[one.prompt[at + 1] ?? 0]! - logSum),
    onToken: () => expect.unreachable(),
  });
  // Alone, every beginning of the prompt has the next of its tokens forced on it.
  expect(found).toHaveLength(50);
  for (const at of [0, 8, 9, 30, 48]) {
    const force = (_ids: readonly number[], scores: Float32Array): void =>
      void scores.forEach((_, id) => (scores[id] = id === one.prompt[at + 1] ? 0 : -Infinity));
    const { logProbabilities } = await generate(generator, {
      ids: [one.prompt.slice(0, at + 1)],
      maxNewTokens: 1,
      processors: () => [force],
    });
    expect(found[at]).toBeCloseTo(logProbabilities[0]![0]!, 4);
  }
});

test("who asks for much does not keep others waiting", async () => {
  await using generator = await open("llama");
  await using engine = createEngine(generator.decoder, { rows: 2, cacheBytes: 1e9 });
  const order: string[] = [];
  const ask = async (name: string, owner: object, seed: number): Promise<void> => {
    await engine.run(requestOf(generator, { ...asked(seed), copies: 1, maxNewTokens: 4 }, [], owner));
    order.push(name);
  };
  const many = {};
  const other = {};
  await Promise.all([
    ...Array.from({ length: 30 }, (_, i) => ask("many", many, i)),
    ...Array.from({ length: 3 }, (_, i) => ask("other", other, i)),
  ]);
  expect(order).toHaveLength(33);
  expect(order.lastIndexOf("other")).toBeLessThan(12);
});

test("keys and values stay within their bytes; what needs more runs alone", async () => {
  await using generator = await open("llama");
  const { cache } = generator.decoder;
  const token = 2 * cache.layers * cache.keyHeads * cache.headWidth * 4;
  await using engine = createEngine(generator.decoder, { rows: 64, cacheBytes: 100 * token });
  let most = 0;
  const runs = Array.from({ length: 12 }, (_, i) => {
    const one = { ...asked(i), prompt: [5, 6, 7], copies: 1, maxNewTokens: i === 5 ? 120 : 17 };
    const request = requestOf(generator, one, [], one);
    const onToken: EngineRequest["onToken"] = () => {
      const { running, bytes } = engine.state;
      most = Math.max(most, running);
      expect(bytes <= 100 * token || running === 1).toBe(true);
    };
    return engine.run({ ...request, onToken });
  });
  await Promise.all(runs);
  expect(most).toBe(5);
});

test("what fails ends those that were in it, and the others go on", async () => {
  await using generator = await open("llama");
  let failing = true;
  const broken: Decoder = {
    ...generator.decoder,
    start(options) {
      const decoding = generator.decoder.start(options);
      const run = <T>(rows: number, then: () => Promise<T>): Promise<T> =>
        failing && rows === 3 ? Promise.reject(new Error("the device is gone")) : then();
      return {
        ...decoding,
        prefill: (prompts, all) => run(prompts.length, () => decoding.prefill(prompts, all)),
        step: (tokens) => run(tokens.length, () => decoding.step(tokens)),
      };
    },
  };
  await using engine = createEngine(broken, { rows: 3, cacheBytes: 1e9 });
  const all = Array.from({ length: 5 }, (_, i) => ({ ...asked(i), copies: 1, prompt: [4, 5, 6 + i], maxNewTokens: 5 }));
  const ended = await Promise.allSettled(all.map((one) => engine.run(requestOf(generator, one, [], one))));
  failing = false;
  expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "fulfilled", "fulfilled"]);
  const found: number[][] = [];
  await engine.run(requestOf(generator, all[0]!, found, {}));
  const thrown = engine.run({
    ...requestOf(generator, all[1]!, [], {}),
    onToken: () => {
      throw new Error("the listener's own");
    },
  });
  await expect(thrown).rejects.toThrow("the listener's own");
  const { sequences } = await generate(generator, { ids: [all[0]!.prompt], ...optionsOf(all[0]!) });
  expect(found).toEqual(sequences);
});
