/** Log-likelihoods of choices against sums over the model's logits, sequence by sequence. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { writeTinyTask } from "../test/support/tiny-task.ts";
import { loadLikelihoods } from "./likelihoods.ts";
import { loadModel } from "./model.ts";
import { scoringGraph } from "./models/graphs.ts";
import { configText, familyOf } from "./models/index.ts";
import { allocateParameters, initialise } from "./runtime/parameters.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import { saveModel } from "./train/checkpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-likelihoods-"));
const { start } = await writeTinyTask(folder);
const model = await loadModel(start, { threads: 1 });
const tokenizer = await loadTokenizer(start);
const likelihoods = await loadLikelihoods(start, { threads: 1 });
afterAll(async () => {
  await model.dispose();
  await likelihoods[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const decoders = {
  llama: { num_key_value_heads: 2 },
  mistral: { num_key_value_heads: 1, sliding_window: 5 },
  qwen2: { num_key_value_heads: 2, use_sliding_window: true, sliding_window: 4, max_window_layers: 1 },
  qwen3: { num_key_value_heads: 4, head_dim: 8 },
  gpt2: {},
};

test.each(Object.entries(decoders))("choices of several tokens share a row in %s", async (type, more) => {
  const own = join(folder, type);
  const sizes = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 48 };
  // Wide enough for a token seen or not to make a difference.
  const json = {
    ...sizes,
    initializer_range: 0.3,
    vocab_size: tokenizer.vocabSize,
    max_position_embeddings: 64,
    ...more,
    model_type: type,
  };
  const family = familyOf(json, own);
  const config = family.parseConfig(json, own);
  const graph = scoringGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  const files = new Map([...tokenizer.files(), ["config.json", configText(config)]]);
  await saveModel(own, parameters.tensors, files);
  await using reference = await loadModel(own, { threads: 1 });
  await using asked = await loadLikelihoods(own, { threads: 1 });
  const context = "Aspirin raises Warfarin levels again and again and";
  const choices = [" Insulin levels in man.", " in man.", " and", " Insulin levels again and again", " levels"];
  const [found, other] = await asked.logLikelihoods([context, "Codeine"], [choices, choices.slice(0, 2)]);
  for (const [k, choice] of choices.entries()) {
    const count = tokenizer.encodeIds(context + choice).length - tokenizer.encodeIds(context).length;
    expect(found![k]).toBeCloseTo(await sumOver(tokenizer.encodeIds(context + choice), count, reference), 4);
  }
  const alike = ["Codeine", "Insulin", "Aspirin"].map((one) => `${context} ${one}`);
  const scores = await asked.logLikelihoods(
    alike,
    alike.map(() => [" and", " in"]),
  );
  for (const [i, one] of alike.entries()) {
    expect(scores[i]![0]).toBeCloseTo(await sumOver(tokenizer.encodeIds(`${one} and`), 1, reference), 4);
    expect(scores[i]![1]).toBeCloseTo(await sumOver(tokenizer.encodeIds(`${one} in`), 1, reference), 4);
  }
  const ids = tokenizer.encodeIds(`Codeine${choices[0]}`);
  const count = ids.length - tokenizer.encodeIds("Codeine").length;
  expect(other![0]).toBeCloseTo(await sumOver(ids, count, reference), 4);
});

/** Σ log p of the last `count` tokens, each given all before it. */
async function sumOver(ids: readonly number[], count: number, by = model): Promise<number> {
  const { logits } = await by.forward({ ids: [ids.slice(0, -1)] });
  const width = logits.dims[2]!;
  let sum = 0;
  for (let at = ids.length - count; at < ids.length; at++) {
    const row = Array.from(logits.data.subarray((at - 1) * width, at * width));
    const largest = Math.max(...row);
    const logSum = largest + Math.log(row.reduce((all, x) => all + Math.exp(x - largest), 0));
    sum += row[ids[at]!]! - logSum;
  }
  return sum;
}

test("each choice has the log-probability of its tokens after its own context, whatever the batches", async () => {
  const contexts = ["Aspirin raises", "in man. ", "", "Codeine lowers Insulin levels again and again and"];
  const choices = [
    [" Warfarin levels", " levels"],
    ["effect"],
    ["Aspirin", "man.", "and"],
    [" in man.", " and in man."],
  ];
  const found = await likelihoods.logLikelihoods(contexts, choices);
  expect(found.map(({ length }) => length)).toEqual(choices.map(({ length }) => length));
  for (const [i, context] of contexts.entries()) {
    for (const [k, choice] of choices[i]!.entries()) {
      const ids = tokenizer.encodeIds(context + choice);
      const count = ids.length - tokenizer.encodeIds(context.trimEnd()).length;
      expect(count).toBeGreaterThan(0);
      expect(found[i]![k]).toBeCloseTo(await sumOver(ids, count), 4);
    }
  }
  const alone = await likelihoods.logLikelihoods(contexts.slice(0, 1), [[" levels"]]);
  expect(alone[0]![0]).toBeCloseTo(found[0]![1]!, 4);
});

test("questions with the same beginning share it, and their choices are scored as if alone", async () => {
  const beginning = "Aspirin raises Warfarin levels again and again and ";
  const contexts = [
    `${beginning}in man.`,
    `${beginning}Insulin`,
    `${beginning}Insulin levels`,
    "Codeine",
    "Codeine in",
  ];
  const single = [" and", " in"].filter(
    (one) => tokenizer.encodeIds(`Codeine${one}`).length === 1 + tokenizer.encodeIds("Codeine").length,
  );
  expect(single).toHaveLength(2);
  const choices = [single, single, [" in man. and", ...single], single, single];
  const found = await likelihoods.logLikelihoods(contexts, choices);
  for (const [i, context] of contexts.entries()) {
    for (const [k, choice] of choices[i]!.entries()) {
      const ids = tokenizer.encodeIds(context + choice);
      const count = ids.length - tokenizer.encodeIds(context).length;
      expect(found[i]![k]).toBeCloseTo(await sumOver(ids, count), 4);
    }
  }
});

test("progress is told to the end, and a signal ends it between batches", async () => {
  const contexts = Array.from({ length: 40 }, (_, i) => "Aspirin raises ".repeat(1 + (i % 5)));
  const choices = contexts.map(() => [" Warfarin levels", " in man."]);
  const told: number[] = [];
  await likelihoods.logLikelihoods(contexts, choices, { onDone: (count) => told.push(count) });
  expect(told.length).toBeGreaterThan(1);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(40);
  const stop = new AbortController();
  const some: number[] = [];
  const onDone = (count: number): void => {
    some.push(count);
    stop.abort(new Error("stopped"));
  };
  await expect(likelihoods.logLikelihoods(contexts, choices, { signal: stop.signal, onDone })).rejects.toThrow(
    "stopped",
  );
  expect(some).toHaveLength(1);
});

test("a context that is too long loses its beginning, and a choice that is, or that is empty, is refused", async () => {
  const long = "Aspirin raises Warfarin levels again and ".repeat(20).trimEnd();
  const [[found]] = (await likelihoods.logLikelihoods([long], [[" in man."]])) as [[number]];
  const ids = tokenizer.encodeIds(`${long} in man.`);
  expect(ids.length).toBeGreaterThan(65);
  expect(found).toBeCloseTo(await sumOver(ids.slice(-65), ids.length - tokenizer.encodeIds(long).length), 4);
  await expect(likelihoods.logLikelihoods(["x"], [[` ${long}`]])).rejects.toThrow(
    /choices: expected 1 to 64 tokens, got/,
  );
  await expect(likelihoods.logLikelihoods(["x"], [[""]])).rejects.toThrow(/choices: expected 1 to 64 tokens, got 0/);
});

test("a model that is no decoder is refused", async () => {
  const bert = fileURLToPath(new URL("../test/goldens/retrieval/mean", import.meta.url));
  await expect(loadLikelihoods(bert)).rejects.toThrow("expected a decoder, got bert");
});
