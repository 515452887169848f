/** What each option of generation promises beyond transformers' goldens: cache, sampling, streams, fairseq, errors. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSafetensors } from "../src/checkpoints/safetensors.ts";
import { createDecoding } from "../src/generate/decoder.ts";
import type { GenerateOptions, Piece } from "../src/generate/index.ts";
import { toOnnx } from "../src/graph/lower.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { loadModel, type Model } from "../src/model.ts";
import { bioGpt } from "../src/models/biogpt/biogpt.ts";
import { decodingGraph } from "../src/models/graphs.ts";
import { createSession } from "../src/runtime/session.ts";
import { parameterSources } from "../src/runtime/parameters.ts";
import { placesOf } from "../src/runtime/places.ts";
import { addTokenizer, endingFolder, goldenFolder } from "./support/generation.ts";

const prompts = [
  [2, 17, 5],
  [2, 9, 33, 40, 12],
  [2, 58],
];
let folder: string;
let model: Model;
beforeAll(async () => {
  folder = await endingFolder();
  await addTokenizer(folder);
  model = await loadModel(folder, { threads: 1 });
});
afterAll(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

/** Log-probabilities after each token of each row, without a cache. */
async function logProbabilities(ids: number[][]): Promise<number[][][]> {
  const { logits } = await model.forward({ ids });
  const [, tokens, width] = logits.dims as [number, number, number];
  return ids.map((row, r) =>
    row.map((_, t) => {
      const scores = [...logits.data.subarray((r * tokens + t) * width, (r * tokens + t + 1) * width)];
      const largest = Math.max(...scores);
      const normaliser = largest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0));
      return scores.map((score) => score - normaliser);
    }),
  );
}

describe("cache", () => {
  test("logits with a cache are those without, for unequal prompts, moved and copied rows", async () => {
    const path = `${goldenFolder}/model`;
    const plain = await loadModel(path, { threads: 1 });
    const config = plain.config as Parameters<typeof bioGpt.hidden>[1];
    const graph = decodingGraph(bioGpt, config);
    const { entries } = await openSafetensors(`${path}/model.safetensors`);
    const parameters = await parameterSources(graph, entries, placesOf(entries));
    const session = await createSession(toOnnx(graph, { parameters }), { threads: 1, externalFolder: path });
    const decoding = createDecoding(
      { session, cache: bioGpt.cache!(config), vocabSize: 61 },
      { rows: 4, capacity: 12 },
    );
    const expectSame = async (actual: Float32Array, ids: number[]): Promise<void> => {
      const { logits } = await plain.forward({ ids: [ids] });
      const expected = logits.data.slice(-61);
      actual.forEach((score, i) => expect(Math.abs(score - expected[i]!)).toBeLessThan(1e-4));
    };
    const { scores } = await decoding.prefill(prompts);
    for (const [i, prompt] of prompts.entries()) await expectSame(scores[i]![0]!.logits, prompt);
    const rows = prompts.map((prompt) => [...prompt]);
    const step = async (...next: number[][]): Promise<void> => {
      const scored = await decoding.step(next);
      for (const [i, ids] of next.entries()) {
        for (const [j, id] of ids.entries()) {
          rows[i]!.push(id);
          await expectSame(scored[i]![j]!.logits.slice(), rows[i]!);
        }
      }
    };
    await step([7], [8, 4, 30], [9, 5]);
    decoding.cut(1, prompts[1]!.length + 1);
    rows[1]!.length = prompts[1]!.length + 1;
    decoding.copy(1, 3);
    rows[3] = [...rows[1]!];
    await step([10], [11], [12], [13]);
    decoding.copy(3, 1); // they differ in the last token alone
    rows[1] = [...rows[3]];
    decoding.copy(2, 0);
    rows[0] = [...rows[2]!];
    decoding.keepRows(3);
    await step([14], [15], [16]);
    const later = await decoding.prefill([prompts[0]!]);
    expect(later.first).toBe(3);
    rows[3] = [...prompts[0]!];
    await step([17, 18], [19], [20], [21]);
    await session.dispose();
    await expect(decoding.step([[1], [1], [1], [1]])).rejects.toThrow("disposed");
    await plain.dispose();
  });

  test("200 calls keep no memory", async () => {
    const call = (): Promise<unknown> => model.generate({ ids: prompts, numBeams: 4, maxNewTokens: 10 });
    for (let i = 0; i < 50; i++) await call();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 200; i++) await call();
    // A call's caches are 150 kB, so caches kept would be 30 MB.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(24);
  });

  test("a model that was disposed opens again", async () => {
    const other = await loadModel(folder, { threads: 1 });
    const first = await other.generate({ ids: prompts });
    await other.dispose();
    expect(await other.generate({ ids: prompts })).toEqual(first);
    await other.dispose();
  });
});

describe("sampling", () => {
  const options = { ids: prompts, doSample: true, temperature: 1.5, maxNewTokens: 6, numReturnSequences: 3 };

  test("is a function of the seed", async () => {
    const first = await model.generate({ ...options, seed: 5 });
    expect(await model.generate({ ...options, seed: 5 })).toEqual(first);
    expect((await model.generate({ ...options, seed: 6 })).sequences).not.toEqual(first.sequences);
    expect(first.sequences.length).toBe(9);
    expect(new Set(first.sequences.map(String)).size).toBeGreaterThan(5);
    first.sequences.forEach((ids, i) =>
      expect(ids.slice(0, prompts[Math.floor(i / 3)]!.length)).toEqual(prompts[Math.floor(i / 3)]),
    );
  });

  test("follows the model's distribution after temperature, top-k and top-p", async () => {
    const [heat, kept, mass, total] = [2, 8, 0.9, 4000];
    const { sequences } = await model.generate({
      ids: prompts[1]!,
      doSample: true,
      temperature: heat,
      topK: kept,
      topP: mass,
      maxNewTokens: 1,
      numReturnSequences: total,
      seed: 11,
    });
    const scores = (await logProbabilities([prompts[1]!]))[0]!.at(-1)!;
    const order = scores
      .map((score, id) => ({ id, weight: Math.exp(score / heat) }))
      .sort((a, b) => b.weight - a.weight);
    const top = order.slice(0, kept);
    const sum = top.reduce((all, { weight }) => all + weight, 0);
    let before = 0;
    const nucleus = top.filter(({ weight }) => {
      const inside = before < mass * sum; // the token that crosses the mass stays
      before += weight;
      return inside;
    });
    const whole = nucleus.reduce((all, { weight }) => all + weight, 0);
    const counts = new Map<number, number>();
    for (const ids of sequences) counts.set(ids.at(-1)!, (counts.get(ids.at(-1)!) ?? 0) + 1);
    expect([...counts.keys()].every((id) => nucleus.some((token) => token.id === id))).toBe(true);
    const chi = nucleus.reduce((all, { id, weight }) => {
      const expected = (total * weight) / whole;
      return all + ((counts.get(id) ?? 0) - expected) ** 2 / expected;
    }, 0);
    expect(chi).toBeLessThan(24.3); // at most 7 degrees of freedom, one in a thousand
  });

  test("top-k of one is greedy search", async () => {
    const greedy = await model.generate({ ids: prompts, maxNewTokens: 8 });
    const sampled = await model.generate({ ids: prompts, maxNewTokens: 8, doSample: true, topK: 1 });
    expect(sampled.sequences).toEqual(greedy.sequences);
  });

  test("beams may be drawn, and a seed repeats them", async () => {
    const beams = { ids: prompts, doSample: true, numBeams: 3, numReturnSequences: 2, maxNewTokens: 6, temperature: 3 };
    const first = await model.generate({ ...beams, seed: 1 });
    expect(first.sequences.length).toBe(6);
    expect(await model.generate({ ...beams, seed: 1 })).toEqual(first);
    expect((await model.generate({ ...beams, seed: 2 })).sequences).not.toEqual(first.sequences);
  });
});

describe("each prompt of a batch gives what it gives alone", () => {
  const cases: GenerateOptions[] = [
    { maxLength: 14, minLength: 9 },
    { maxLength: 14, numBeams: 3, numReturnSequences: 2 },
    { maxNewTokens: 9, numBeams: 4, earlyStopping: true, noRepeatNgramSize: 2 },
    { maxLength: 12, numBeams: 3, scoring: "fairseq", numReturnSequences: 3 },
    { maxNewTokens: 5, repetitionPenalty: 1.4, badWordsIds: [[22], [51, 51]] },
  ];
  test.each(cases)("%o", async (options) => {
    const together = await model.generate({ ids: prompts, ...options });
    const alone = [];
    for (const ids of prompts) alone.push(await model.generate({ ids, ...options }));
    expect(together.sequences).toEqual(alone.flatMap(({ sequences }) => sequences));
    const scores = alone.flatMap(({ scores }) => scores);
    together.scores.forEach((score, i) => expect(score).toBeCloseTo(scores[i]!, 4));
  });

  test("the score of greedy search is the sum of the new tokens' log-probabilities", async () => {
    const { sequences, scores } = await model.generate({ ids: prompts[0]!, maxNewTokens: 6, repetitionPenalty: 1.5 });
    const ids = sequences[0]!;
    const all = (await logProbabilities([ids]))[0]!;
    const sum = ids.slice(3).reduce((total, id, i) => total + all[2 + i]![id]!, 0);
    expect(scores[0]).toBeCloseTo(sum, 4);
  });
});

interface Hypothesis {
  readonly ids: number[];
  readonly score: number;
}

/**
 * fairseq's SequenceGenerator, written down as it is, one prompt: all `beam` rows from the first token on, the prompt
 * forced as a prefix, nothing cached. `maxLen` counts tokens after the first, the end not included.
 */
async function fairseqSearch(
  prompt: number[],
  { beam, maxLen, minLen, penalty }: { beam: number; maxLen: number; minLen: number; penalty: number },
): Promise<Hypothesis[]> {
  const [eos, pad, prefix] = [2, 1, prompt.slice(1)];
  let rows: Hypothesis[] = Array.from({ length: beam }, () => ({ ids: [prompt[0]!], score: 0 }));
  const finished: Hypothesis[] = [];
  for (let step = 0; step <= maxLen; step++) {
    const scores = (await logProbabilities(rows.map(({ ids }) => ids))).map((row) => row.at(-1)!);
    const candidates: { row: number; id: number; score: number }[] = [];
    scores.forEach((row, r) => {
      row[pad] = -Infinity;
      if (step >= maxLen) row.forEach((_, id) => id !== eos && (row[id] = -Infinity));
      if (step < prefix.length && step < maxLen) row.forEach((_, id) => id !== prefix[step] && (row[id] = -Infinity));
      else if (step < minLen) row[eos] = -Infinity;
      if (step > 0 || r === 0)
        row.forEach((score, id) => candidates.push({ row: r, id, score: rows[r]!.score + score }));
    });
    candidates.sort((a, b) => b.score - a.score || a.row - b.row);
    const best = candidates.slice(0, 2 * beam);
    best.slice(0, beam).forEach(({ row, id, score }) => {
      if (id !== eos || score === -Infinity || finished.length === beam) return;
      finished.push({ ids: [...rows[row]!.ids, eos], score: score / (step + 1) ** penalty });
    });
    if (finished.length === beam) break;
    const going = best.filter(({ id, score }) => id !== eos || score === -Infinity).slice(0, beam);
    rows = going.map(({ row, id, score }) => ({ ids: [...rows[row]!.ids, id], score }));
  }
  return finished.sort((a, b) => b.score - a.score);
}

describe("fairseq's scoring", () => {
  const cases = [
    { beam: 1, maxLen: 10, minLen: 1, penalty: 1 },
    { beam: 3, maxLen: 10, minLen: 1, penalty: 1 },
    { beam: 4, maxLen: 8, minLen: 6, penalty: 2 },
    { beam: 5, maxLen: 12, minLen: 1, penalty: 0.5 },
  ];
  test.each(cases.flatMap((options) => prompts.map((prompt) => ({ prompt, ...options }))))(
    "$prompt with beam $beam, length penalty $penalty",
    async ({ prompt, ...options }) => {
      const expected = await fairseqSearch(prompt, options);
      const { sequences, scores } = await model.generate({
        ids: prompt,
        scoring: "fairseq",
        numBeams: options.beam,
        numReturnSequences: options.beam,
        lengthPenalty: options.penalty,
        maxLength: options.maxLen + 2,
        minLength: options.minLen + 1,
      });
      expect(sequences).toEqual(expected.map(({ ids }) => ids));
      scores.forEach((score, i) => expect(score).toBeCloseTo(expected[i]!.score, 4));
    },
  );

  test("differs from transformers' where the prompt's own score matters", async () => {
    const options = { ids: prompts[0]!, numBeams: 3, maxLength: 12 };
    const [ours, theirs] = [await model.generate({ ...options, scoring: "fairseq" }), await model.generate(options)];
    expect(Math.abs(ours.scores[0]! - theirs.scores[0]!)).toBeGreaterThan(0.01);
  });
});

describe("text", () => {
  async function pieces(options: GenerateOptions): Promise<Piece[]> {
    const found: Piece[] = [];
    for await (const piece of model.generateStream(options)) found.push(piece);
    return found;
  }

  test.each([{}, { doSample: true, temperature: 4, topK: 0, seed: 3, numReturnSequences: 5 }])(
    "a stream gives generate's ids and text, %o",
    async (extra) => {
      const options = { prompts: ["ab (c", "d, e"], maxNewTokens: 40, ...extra };
      const { sequences, texts } = await model.generate(options);
      const stream = await pieces(options);
      for (const [row, ids] of sequences.entries()) {
        const mine = stream.filter((piece) => piece.row === row);
        expect(mine.map(({ id }) => id)).toEqual(ids.slice(ids.length - mine.length));
        const gained = mine.map(({ text }) => text).join("");
        const prompt = texts[row]!.slice(0, texts[row]!.length - gained.length);
        expect(gained.length).toBeGreaterThan(0);
        expect(texts[row]!.startsWith(prompt)).toBe(true);
        expect(texts[row]).toBe(prompt + gained);
        expect(prompt.replaceAll(" ", "").length).toBeLessThanOrEqual("ab(c".length);
      }
    },
  );

  test("a stop string ends a sequence after the token that completes it", async () => {
    const options = { prompts: "ab c", doSample: true, temperature: 4, topK: 0, eosTokenId: [], maxNewTokens: 30 };
    const whole = (await model.generate(options)).texts[0]!;
    const stop = whole.slice(12, 14);
    const { texts, sequences } = await model.generate({ ...options, stopStrings: [stop] });
    expect(texts[0]!.endsWith(stop)).toBe(true);
    expect(sequences[0]!.length).toBeLessThan(34);
    const beams = await model.generate({ prompts: "ab c", numBeams: 3, stopStrings: ["zz", stop], maxNewTokens: 5 });
    expect(beams.sequences.length).toBe(1);
  });

  test("a stop string that begins in the prompt ends a sequence, one that ends there does not, an empty one is refused", async () => {
    const options = { prompts: "ab c", eosTokenId: [], maxNewTokens: 6 };
    const { sequences } = await model.generate(options);
    const tokenizer = await loadTokenizer(model.folder);
    const prompt = tokenizer.encodeIds("ab c");
    const next = tokenizer.decode([...prompt, sequences[0]![prompt.length]!]).slice(tokenizer.decode(prompt).length);
    const begun = await model.generate({ ...options, stopStrings: `b c${next}` });
    expect(begun.sequences[0]!.length).toBe(prompt.length + 1);
    const ended = await model.generate({ ...options, stopStrings: "ab c" });
    expect(ended.sequences).toEqual(sequences);
    await expect(model.generate({ ...options, stopStrings: ["a", ""] })).rejects.toThrow(
      /stopStrings.*expected a text/,
    );
  });

  test("without a tokenizer texts are empty and prompts an error that says so", async () => {
    await using plain = await loadModel(`${goldenFolder}/model`, { threads: 1 });
    expect((await plain.generate({ ids: prompts })).texts).toEqual(["", "", ""]);
    await expect(plain.generate({ prompts: "a" })).rejects.toThrow("expected a tokenizer in the model directory");
    await expect(plain.generate({ ids: prompts, stopStrings: "a" })).rejects.toThrow("stopStrings");
  });
});

describe("defaults", () => {
  test("20 new tokens, and no more than the model has positions", async () => {
    const { sequences } = await model.generate({ ids: prompts[0]!, eosTokenId: [] });
    expect(sequences[0]!.length).toBe(23);
    const long = Array.from({ length: 55 }, (_, i) => 4 + i);
    expect((await model.generate({ ids: long, eosTokenId: [] })).sequences[0]!.length).toBe(64);
  });

  test("generation_config.json stands between the options and transformers' defaults", async () => {
    const path = join(folder, "generation_config.json");
    const stored = { max_length: 9, num_beams: 3, bad_words_ids: null, transformers_version: "5.3.0", eos_token_id: 2 };
    await writeFile(path, JSON.stringify(stored));
    await using other = await loadModel(folder, { threads: 1 });
    const found = await other.generate({ ids: prompts[0]! });
    expect(found).toEqual(await model.generate({ ids: prompts[0]!, maxLength: 9, numBeams: 3 }));
    const greedy = await other.generate({ ids: prompts[0]!, numBeams: 1 });
    expect(greedy).toEqual(await model.generate({ ids: prompts[0]!, maxLength: 9 }));
    await rm(path);
  });
});

describe("options that are wrong are refused with what to do", () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ["an unknown name", { numBeam: 3 }, '"numBeam"'],
    ["a name in snake case", { num_beams: 3 }, '"num_beams"'],
    ["temperature 0", { doSample: true, temperature: 0 }, "temperature: expected a number above 0, got 0"],
    ["top-p above 1", { doSample: true, topP: 1.5 }, "topP: expected a number in [0, 1], got 1.5"],
    ["more sequences than beams", { numBeams: 2, numReturnSequences: 3 }, "expected at most numBeams (2), got 3"],
    ["an unknown kind of early stopping", { numBeams: 2, earlyStopping: "soon" }, "earlyStopping"],
    ["sampling as fairseq", { doSample: true, scoring: "fairseq" }, "scoring"],
    ["fairseq without early stopping", { numBeams: 2, scoring: "fairseq", earlyStopping: false }, "earlyStopping"],
    ["more tokens than positions", { maxLength: 65 }, "64 positions"],
    ["more new tokens than positions", { maxNewTokens: 62 }, "maxNewTokens can be at most 61"],
    ["a prompt as long as the limit", { maxLength: 3 }, "shorter than 3 tokens"],
    ["a least length above the greatest", { minLength: 12, maxLength: 10 }, "minLength: expected at most 10"],
    ["bad words outside the vocabulary", { badWordsIds: [[61]] }, "badWordsIds: expected ids below 61, got 61"],
    ["prompts twice", { prompts: "a" }, "either ids or prompts, got both"],
    ["a seed that is no integer", { doSample: true, seed: 0.5 }, "seed"],
  ];
  test.each(cases)("%s", async (_name, options, message) => {
    const call = model.generate({ ids: prompts[0]!, ...options } as GenerateOptions);
    await expect(call).rejects.toMatchObject({ code: "CONFIG", message: expect.stringContaining(message) });
  });

  test.each([
    [{}, "either ids or prompts, got neither"],
    [{ ids: [] }, "at least one prompt"],
    [{ ids: [[2], []] }, "ids[1]: expected at least one id"],
    [{ ids: [[2], [3, 61]] }, "ids[1][1]: expected an id in [0, 61), got 61"],
  ])("prompts %o", async (options, message) => {
    await expect(model.generate(options)).rejects.toThrow(message);
  });

  test("a stream of beams", async () => {
    const stream = model.generateStream({ ids: prompts, numBeams: 2 });
    await expect(stream.next()).rejects.toThrow("beam search knows its best sequence only at its end");
  });
});

test("options without effect are warned of, not refused", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", listen);
  const plain = await model.generate({ ids: [[2, 17, 5]], maxNewTokens: 4 });
  const { sequences } = await model.generate({
    ids: [[2, 17, 5]],
    maxNewTokens: 4,
    temperature: 0.7,
    earlyStopping: true,
  });
  await new Promise(setImmediate);
  process.off("warning", listen);
  expect(sequences).toEqual(plain.sequences);
  expect(warnings).toEqual([
    "generate: temperature: no effect without doSample: true",
    "generate: earlyStopping: no effect without numBeams above 1",
  ]);
});

describe("the repeat guard", () => {
  const circling: GenerateOptions = {
    ids: [2, 17, 5],
    maxNewTokens: 20,
  };
  // The token 7 for ever, the end far behind: a circle, whatever the model.
  const only = (_ids: readonly number[], scores: Float32Array): void =>
    scores.forEach((score, id) => (scores[id] = id === 7 ? 0 : id === 2 ? -30 : score - 1e6));

  test("ends a circle, with beam search alone where it says so, and never before the least length", async () => {
    const processors = (): (typeof only)[] => [only];
    const lengths = async (options: GenerateOptions): Promise<number> =>
      (await model.generate({ ...circling, processors, ...options })).sequences[0]!.length - 3;
    expect(await lengths({})).toBe(20);
    expect(await lengths({ repeatGuard: "beams" })).toBe(20);
    expect(await lengths({ repeatGuard: true })).toBe(6);
    expect(await lengths({ repeatGuard: true, minNewTokens: 12 })).toBe(13);
    expect(await lengths({ repeatGuard: true, eosTokenId: [] })).toBe(20);
    expect(await lengths({ numBeams: 2, repeatGuard: false })).toBe(20);
    const { sequences } = await model.generate({ ...circling, processors, numBeams: 2, repeatGuard: "beams" });
    expect(sequences[0]!.at(-1)).toBe(2);
    expect(sequences[0]!.length).toBeLessThan(12);
  });
});
