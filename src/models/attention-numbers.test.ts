import { expect, test } from "vitest";
import { families } from "./registry.ts";

const { bert, llama, mistral, modernbert, qwen2 } = families;
const small = { num_hidden_layers: 3, hidden_size: 32, num_attention_heads: 2, num_key_value_heads: 1, head_dim: null };

test("positions that turn come as an angle for each pair of a head, and windows layer by layer", () => {
  const config = llama!.parseConfig({ ...llama!.sizes["llama-nano"], ...small, rope_theta: 16 }, "llama");
  const { rotary, ...rest } = llama!.attentionNumbers!(config, 64);
  expect(rotary!.factor).toBe(1);
  const expected = Array.from({ length: 8 }, (_, i): unknown => expect.closeTo(16 ** (-i / 8), 7));
  expect(rotary!.angles).toEqual(expected);
  expect(rest).toEqual({});
  const slides = mistral!.parseConfig({ ...mistral!.sizes["mistral-7b"], ...small, sliding_window: 9 }, "mistral");
  expect(mistral!.attentionNumbers!(slides, 64).windows).toEqual([9, 9, 9]);
  const whole = qwen2!.parseConfig({ ...qwen2!.sizes["qwen2-0.5b"], ...small }, "qwen2");
  expect(qwen2!.attentionNumbers!(whole, 64)).not.toHaveProperty("windows");
});

test("ModernBERT's layers with a window turn by angles of their own; BERT's positions are learned", () => {
  const config = modernbert!.debug(modernbert!.sizes["modernbert-base"]!);
  const { rotary, localRotary, windows } = modernbert!.attentionNumbers!(config, 64);
  expect(rotary!.angles[1]).toBeCloseTo(160_000 ** (-2 / 16), 6);
  expect(localRotary!.angles[1]).toBeCloseTo(10_000 ** (-2 / 16), 6);
  expect(windows).toEqual([null, 8, 8]);
  expect(bert!.attentionNumbers).toBeUndefined();
});

test("rows whose length decides their angles are refused where they are longer than the model was trained on", () => {
  const fields = { ...llama!.sizes["llama-nano"], ...small, max_position_embeddings: 64 };
  const factors = { short_factor: Array<number>(8).fill(2), long_factor: Array<number>(8).fill(4) };
  const scaled = (rope_type: string, more: object): object => ({
    ...fields,
    rope_parameters: { rope_type, rope_theta: 10_000, factor: 2, ...more },
  });
  const long = llama!.parseConfig(scaled("longrope", { ...factors, original_max_position_embeddings: 32 }), "long");
  expect(llama!.attentionNumbers!(long, 32).rotary!.angles[0]).toBe(0.5);
  expect(() => llama!.attentionNumbers!(long, 33)).toThrow(
    "config.json: rope_parameters: longrope: expected at most 32 tokens in a row, got 33",
  );
  const dynamic = llama!.parseConfig(scaled("dynamic", {}), "dynamic");
  expect(llama!.attentionNumbers!(dynamic, 64).rotary!.angles[0]).toBe(1);
  expect(() => llama!.attentionNumbers!(dynamic, 65)).toThrow("expected at most 64 tokens in a row, got 65");
  const linear = llama!.parseConfig(scaled("linear", {}), "linear");
  expect(llama!.attentionNumbers!(linear, 128).rotary!.angles[0]).toBe(0.5);
});
