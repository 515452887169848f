/** Prompts that are longer than a pass, on a tiny random model: scores are those of the whole text at once. */
import { expect, test } from "vitest";
import { scoringGraph } from "../models/graphs.ts";
import { familyOf } from "../models/registry.ts";
import { int64 } from "../runtime/batch.ts";
import { openInMemory } from "../runtime/in-memory.ts";
import { allocateParameters, initialise } from "../runtime/parameters.ts";
import { prefillTokens } from "./decoder.ts";
import { openGenerator } from "./index.ts";

const json = {
  model_type: "mistral",
  vocab_size: 24,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 4096,
  sliding_window: 300,
  initializer_range: 0.4,
};
const family = familyOf(json, "model");
const config = family.parseConfig(json, "model");
const text = (length: number, step: number): number[] => Array.from({ length }, (_, i) => 3 + ((i * step) % 21));

test("a prompt that is longer than a pass, and what follows it, have the scores of the whole text", async () => {
  const graph = scoringGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  const weights = Object.fromEntries(parameters.tensors);
  await using whole = await openInMemory(graph, weights, { threads: 1 });
  const generator = await openGenerator({
    family,
    config,
    tokenizer: new Error("none"),
    weights,
    session: { threads: 1 },
  });
  const [long, short, behind] = [text(prefillTokens + 76, 5), text(9, 2), text(prefillTokens + 3, 11)];
  const largest = async (ids: readonly number[], from: number, found: readonly Float32Array[]): Promise<number> => {
    const mask = int64([ids.map(() => 1)], ids.length);
    const { logits } = await whole.run({ ids: int64([ids], ids.length), mask });
    const wanted = logits!.data.slice(from * 24, (from + found.length) * 24) as Float32Array;
    return Math.max(...wanted.map((score, i) => Math.abs(score - found[Math.floor(i / 24)]![i % 24]!)));
  };
  const logitsOf = (scores: readonly { readonly logits: Float32Array }[]): Float32Array[] =>
    scores.map(({ logits }) => logits.slice());
  {
    using decoding = generator.decoder.start({ rows: 3, capacity: 4000 });
    const all = await decoding.prefill([short, long, short], true);
    expect(all.scores.map(({ length }) => length)).toEqual([short.length, long.length, short.length]);
    for (const [row, ids] of [short, long, short].entries()) {
      expect(await largest(ids, 0, logitsOf(all.scores[row]!))).toBeLessThan(1e-4);
    }
    const last = await decoding.prefill([long]);
    expect(last.scores[0]!.length).toBe(1);
    expect(await largest(long, long.length - 1, logitsOf(last.scores[0]!))).toBeLessThan(1e-4);
    const after = await decoding.extend(1, behind, true);
    expect(after.length).toBe(behind.length);
    expect(await largest([...long, ...behind], long.length, logitsOf(after))).toBeLessThan(1e-4);
    const next = await decoding.step([[4], [5], [6], [7]]);
    expect(await largest([...long, ...behind, 5], long.length + behind.length, logitsOf(next[1]!))).toBeLessThan(1e-4);
    expect(await largest([...long, 7], long.length, logitsOf(next[3]!))).toBeLessThan(1e-4);
  }
  await generator[Symbol.asyncDispose]();
});
