/**
 * llama.cpp as the engine of a GGUF file: what it gives beside what ONNX Runtime gives of the same file, through the same
 * `Model`. Skips where node-llama-cpp is not installed: `npm install --no-save node-llama-cpp@3.22.1`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertModel } from "../src/convert.ts";
import type { Decoder } from "../src/generate/decoder.ts";
import { createEngine } from "../src/generate/engine.ts";
import { generate, generateStream } from "../src/generate/index.ts";
import { limitsOf, resolveOptions } from "../src/generate/options.ts";
import { createJob } from "../src/generate/search.ts";
import { openLlamaCpp } from "../src/llama-cpp.ts";
import { loadModel } from "../src/model.ts";
import { random } from "../src/tensor/random.ts";
import type { Tokenizer } from "../src/tokenizers/tokenizer.ts";
import { tinyTexts, writeTinyLlama } from "./support/tiny-llama.ts";

const name = "node-llama-cpp";
const isInstalled = await import(name).then(
  () => true,
  () => false,
);
if (!isInstalled) console.warn(`skipped: ${name} is not installed`);

const folder = mkdtempSync(join(tmpdir(), "galen-llama-cpp-"));
afterAll(() => rmSync(folder, { recursive: true }));
const source = join(folder, "source");
const types = ["f32", "f16", "q8_0"] as const;
const pathOf = (type: string): string => join(folder, `${type}.gguf`);
let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await writeTinyLlama(source);
  for (const type of types) await convertModel({ source, output: pathOf(type), type });
});
const prompts = [tinyTexts[0]!, "It’s 37", "cells died. It’s", "warfarin 100 mg raised the levels of naïve"];

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.runIf(isInstalled)("llama.cpp as the engine", () => {
  test("gives our logits, exactly where keys and values are float32", async () => {
    const ids = prompts.map((prompt) => tokenizer.encodeIds(prompt));
    await using own = await loadModel(pathOf("f32"), { threads: 1 });
    const { dims, data } = (await own.forward({ ids })).logits;
    await using theirs = await loadModel(pathOf("f32"), { threads: 1, engine: "llama.cpp" });
    const found = (await theirs.forward({ ids })).logits;
    expect(found.dims).toEqual(dims);
    const [, tokens, vocabulary] = dims as [number, number, number];
    const off = (row: number, other: Float32Array): number =>
      largest(other.map((value, i) => value - data[row * tokens * vocabulary + i]!));
    const ofRow = (row: number): Float32Array =>
      found.data.slice(row * tokens * vocabulary, (row * tokens + ids[row]!.length) * vocabulary);
    // Keys and values in float16: a thousandth of the logits.
    for (const row of ids.keys()) expect(off(row, ofRow(row))).toBeLessThan(3e-3 * largest(data));
    const { decoder } = await own.generator();
    await using exact = await openLlamaCpp(pathOf("f32"), decoder, { threads: 1, cache: "float32" });
    using decoding = exact.start({ rows: ids.length, capacity: 64 });
    const { scores } = await decoding.prefill(ids, true);
    for (const [row, own] of scores.entries()) {
      const flat = Float32Array.from(own.flatMap(({ logits }) => [...logits]));
      expect(off(row, flat)).toBeLessThan(1e-5 * largest(data));
    }
  });

  test.each(types)("continues texts in %s as ONNX Runtime does, with drafts and without", async (type) => {
    await using own = await loadModel(pathOf(type), { threads: 1 });
    await using theirs = await loadModel(pathOf(type), { threads: 1, engine: "llama.cpp" });
    const options = { prompts, maxNewTokens: 40, eosTokenId: [] };
    const expected = await own.generate(options);
    const tried: number[] = [];
    for (const lookup of [true, false]) {
      const found = await theirs.generate({ ...options, lookup });
      tried.push(found.lookup.tried);
      for (const [row, ids] of found.sequences.entries()) {
        const first = ids.findIndex((id, i) => id !== expected.sequences[row]![i]);
        if (first < 0) expect(Math.abs(found.scores[row]! - expected.scores[row]!)).toBeLessThan(0.05);
        else {
          // Both round what few bits are multiplied with: a choice may fall otherwise where two tokens are as good.
          expect(type).toBe("q8_0");
          const { data } = (await own.forward({ ids: [ids.slice(0, first)] })).logits;
          const scores = data.slice(-400);
          const lead = scores[expected.sequences[row]![first]!]! - scores[ids[first]!]!;
          expect(lead).toBeLessThan(0.02 * largest(scores));
        }
      }
    }
    expect(tried[0]).toBeGreaterThan(0);
    expect(tried[1]).toBe(0);
  });

  test("searches with beams, draws by our seed, obeys processors, and streams", async () => {
    await using own = await loadModel(pathOf("f32"), { threads: 1 });
    const generator = await own.generator();
    await using decoder = await openLlamaCpp(pathOf("f32"), generator.decoder, { threads: 1, cache: "float32" });
    const theirs = { ...generator, decoder };
    for (const more of [
      { numBeams: 3, numReturnSequences: 2 },
      { doSample: true, seed: 7, numReturnSequences: 3, temperature: 0.7 },
      { repetitionPenalty: 1.3, noRepeatNgramSize: 3 },
      { cacheBytes: 1 },
    ]) {
      const options = { prompts, maxNewTokens: 12, eosTokenId: [], ...more };
      expect((await generate(theirs, options)).sequences).toEqual((await own.generate(options)).sequences);
    }
    const pieces: number[] = [];
    for await (const { id } of generateStream(theirs, { prompts: prompts[0], maxNewTokens: 12, eosTokenId: [] }))
      pieces.push(id);
    const { sequences } = await own.generate({ prompts: prompts[0], maxNewTokens: 12, eosTokenId: [] });
    expect(pieces).toEqual(sequences[0]!.slice(-12));
    const signal = AbortSignal.abort(new Error("enough"));
    const stopped = generate(theirs, { prompts, maxNewTokens: 40, signal });
    await expect(stopped).rejects.toThrow("enough");
  });

  test("rows that are added, cut, copied and dropped have the scores of their tokens", async () => {
    await using own = await loadModel(pathOf("f32"), { threads: 1 });
    const { decoder } = await own.generator();
    await using theirs = await openLlamaCpp(pathOf("f32"), decoder, { threads: 1, cache: "float32" });
    const histories = await Promise.all([theirs, theirs].map((one, seed) => exercise(one, random(seed))));
    for (const scored of histories) {
      expect(scored.length).toBeGreaterThan(30);
      const { logits } = await own.forward({ ids: scored.map(({ ids }) => ids) });
      const [, tokens, vocabulary] = logits.dims as [number, number, number];
      scored.forEach(({ ids, scores }, row) => {
        const at = (row * tokens + ids.length - 1) * vocabulary;
        expect(largest(scores.map((value, i) => value - logits.data[at + i]!))).toBeLessThan(1e-4 * largest(scores));
      });
    }
  });

  test("answers many requests at once as each alone", async () => {
    await using theirs = await loadModel(pathOf("f32"), { threads: 1, engine: "llama.cpp" });
    const { decoder, config } = await theirs.generator();
    await using engine = createEngine(decoder, { rows: 3, cacheBytes: 1e9, part: 8 });
    const settings = resolveOptions({ maxNewTokens: 10, eosTokenId: [] }, {}, config);
    const found = await Promise.all(
      prompts.map(async (text) => {
        const prompt = tokenizer.encodeIds(text);
        const job = createJob(prompt, limitsOf(settings, prompt.length, 512), settings, () => false);
        const ids = [...prompt];
        const onToken = (_: number, { id }: { readonly id: number }): void => void ids.push(id);
        await engine.run({ job, draws: [undefined], owner: {}, onToken });
        return ids;
      }),
    );
    expect(found).toEqual((await theirs.generate({ prompts, maxNewTokens: 10, eosTokenId: [] })).sequences);
  });

  test("says what it cannot do", async () => {
    await expect(loadModel(source, { engine: "llama.cpp" })).rejects.toThrow(/expected a GGUF file with "llama.cpp"/);
    await expect(loadModel(pathOf("f32"), { engine: "llama.cpp", weights: "int4" })).rejects.toThrow(
      /weights: expected none/,
    );
    await expect(loadModel(pathOf("f32"), { engine: "llama" as "onnx" })).rejects.toThrow(/engine: expected one of/);
    await using theirs = await loadModel(pathOf("f32"), { engine: "llama.cpp" });
    await expect(theirs.hidden({ ids: [[1]] })).rejects.toThrow(/hidden: expected engine "onnx"/);
    await expect(theirs.lossAndGradients({ ids: [[1]], labels: [[1]] })).rejects.toThrow(/lossAndGradients/);
    await expect(theirs.forward({ ids: [[1, 2]], mask: [[0, 1]] })).rejects.toThrow(/forward with a mask/);
    const bare = join(folder, "bare.gguf");
    await convertModel({ source: join("test/goldens/llama/llama/model"), output: bare, type: "f32" });
    // llama.cpp itself would end the process.
    await using without = await loadModel(bare, { engine: "llama.cpp" });
    await expect(without.generate({ ids: [1] })).rejects.toThrow(/tokenizer.ggml.model: expected llama, gpt2 or bert/);
  });
});

interface Scored {
  readonly ids: readonly number[];
  readonly scores: Float32Array;
}

/** Random changes to the rows of a decoder, of whose tokens a list is kept beside. */
async function exercise(decoder: Decoder, draw: ReturnType<typeof random>): Promise<Scored[]> {
  const scored: Scored[] = [];
  const ids = (count: number): number[] => Array.from({ length: count }, () => draw.integer(400));
  using decoding = decoder.start({ rows: 2, capacity: 60 });
  let rows: number[][] = [ids(5), ids(9)];
  const { scores } = await decoding.prefill(rows);
  scores.forEach((own, row) => scored.push({ ids: [...rows[row]!], scores: own[0]!.logits }));
  for (let i = 0; i < 30; i++) {
    const [from, to] = [draw.integer(rows.length), draw.integer(rows.length + 1)];
    const kind = draw.integer(5);
    if (kind === 0 && rows.length < 6) {
      decoding.copy(from, to);
      rows[to] = [...rows[from]!];
    } else if (kind === 1 && rows.length > 1) {
      rows = rows.slice(0, Math.max(1, rows.length - 1));
      decoding.keepRows(rows.length);
    } else if (kind === 2 && rows.length < 6) {
      rows.push(ids(1 + draw.integer(12)));
      const { first, scores } = await decoding.prefill([rows.at(-1)!]);
      expect(first).toBe(rows.length - 1);
      scored.push({ ids: [...rows.at(-1)!], scores: scores[0]![0]!.logits });
    } else {
      rows[from]!.length = Math.max(1, rows[from]!.length - draw.integer(3));
      decoding.cut(from, rows[from]!.length);
      const next = rows.map((row) => ids(row.length > 50 ? 1 : 1 + draw.integer(3)));
      const after = await decoding.step(next);
      next.forEach((own, row) =>
        own.forEach((id, at) => {
          rows[row]!.push(id);
          scored.push({ ids: [...rows[row]!], scores: after[row]![at]!.logits });
        }),
      );
    }
  }
  return scored;
}
