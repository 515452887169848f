/** ModernBERT beyond its figures (encoders.test.ts): older config.json, windows, packed rows, every kind of training, embedding. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertModel } from "../src/convert.ts";
import { writeTokens } from "../src/corpus/token-files.ts";
import { toOnnx } from "../src/graph/lower.ts";
import { loadModel } from "../src/model.ts";
import { hiddenGraph, lossGraph, modernBert, type ModernBertConfig } from "../src/models/index.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { int64 } from "../src/runtime/batch.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { readParameters } from "../src/runtime/parameters.ts";
import { createSession } from "../src/runtime/session.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { random } from "../src/tensor/random.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { train, withSettings } from "../src/train/index.ts";
import { writeEncoderData } from "./support/encoder-data.ts";
import { largestDifference } from "./support/goldens.ts";
import { trainBy } from "./support/training.ts";

const goldens = fileURLToPath(new URL("goldens", import.meta.url));
const folder = join(goldens, "modernbert");
const { ids, sentences } = JSON.parse(readFileSync(join(folder, "goldens.json"), "utf8"));
const masked = join(folder, "masked");
const scratch = mkdtempSync(join(tmpdir(), "galen-modernbert-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A copy of a model's folder with other fields in config.json; those that are undefined are taken out. */
function changed(from: string, change: object): string {
  const target = mkdtempSync(join(scratch, "changed-"));
  cpSync(from, target, { recursive: true });
  const path = join(target, "config.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  return target;
}

const logitsOf = async (path: string): Promise<ArrayLike<number>> => {
  await using model = await loadModel(path, { threads: 1 });
  return (await model.forward({ ids })).logits.data;
};

describe("config.json", () => {
  test("of before transformers 5 says the same by other fields", async () => {
    const older = {
      layer_types: undefined,
      rope_parameters: undefined,
      global_attn_every_n_layers: 3,
      global_rope_theta: 5000,
      local_rope_theta: 30,
    };
    expect(await logitsOf(changed(masked, older))).toEqual(await logitsOf(masked));
  });

  test.each([
    [{ local_attention: 6 }],
    [{ layer_types: ["full_attention", "full_attention", "sliding_attention", "full_attention"] }],
    [{ layer_types: undefined, global_attn_every_n_layers: 2 }],
    [{ rope_parameters: undefined }],
    [{ hidden_activation: "silu" }],
    [{ norm_eps: 0.1 }],
  ])("makes a difference by %j", async (change) => {
    const [own, other] = [await logitsOf(masked), await logitsOf(changed(masked, change))];
    expect(largestDifference(own, other)).toBeGreaterThan(1e-3);
  });

  test("with an odd local_attention sees as far as with the even number below", async () => {
    expect(await logitsOf(changed(masked, { local_attention: 5 }))).toEqual(await logitsOf(masked));
  });

  test.each([
    [{ layer_types: ["full_attention"] }, "layer_types: expected one for each of num_hidden_layers"],
    [{ num_attention_heads: 8 }, "num_attention_heads: expected a number of heads of even width"],
    [{ local_rope_theta: null }, "local_rope_theta"],
    [{ rope_parameters: { sliding_attention: { rope_type: "odd" } } }, "rope_parameters.sliding_attention"],
    [
      { rope_parameters: { full_attention: { rope_type: "longrope", short_factor: [1], long_factor: [1] } } },
      "rope_parameters.full_attention: short_factor: expected 2 factors",
    ],
    [{ classifier_pooling: "max" }, "classifier_pooling"],
    [{ intermediate_size: 11 }, "intermediate_size: expected 10, as the weights have, got 11"],
  ])("%j is refused", async (change, message) => {
    await expect(loadModel(changed(masked, change))).rejects.toThrow(message);
  });
});

test("a checkpoint with the prefix of the whole model is opened as the network alone, and one without it too", async () => {
  const { config, entries } = await openModelFolder(masked, { as: "bare" });
  expect(config.architectures).toEqual(["ModernBertModel"]);
  const bare = await openModelFolder(join(folder, "bare"));
  const network = [...entries.keys()].filter((name) => name.startsWith("model."));
  expect([...bare.entries.keys()].sort()).toEqual(network.sort());
});

test.each(["safetensors", "pytorch"] as const)("is converted to %s and gives the same", async (format) => {
  for (const name of ["masked", "biased", "single"]) {
    const output = mkdtempSync(join(scratch, "converted-"));
    const { parity } = await convertModel({ source: join(folder, name), output, to: format });
    expect(parity.difference).toBe(0);
    expect(await logitsOf(output)).toEqual(await logitsOf(join(folder, name)));
  }
});

test("a directory of Sentence Transformers gives its vectors, of texts beyond the window too", async () => {
  await using embedder = await loadEmbedder(join(folder, "sentence"), { threads: 1 });
  const vectors = await embedder.embed(sentences.texts);
  sentences.vectors.forEach((expected: number[], i: number) => {
    expect(largestDifference(vectors[i]!, expected)).toBeLessThan(1e-5);
  });
});

test("texts within half the window are spared the masks of local layers; longer ones get one in each", async () => {
  const { family, config, entries } = await openModelFolder(masked, { as: "bare" });
  const graph = hiddenGraph(family, config);
  const { tensors } = await readParameters(graph, entries, masked);
  /** How many sums a run has of each number of rows by columns: of the scores, T × T. */
  const masksOf = async (length: number): Promise<number> => {
    const profile = join(mkdtempSync(join(scratch, "profile-")), "run");
    const session = await createSession(toOnnx(graph, { branches: true }), { threads: 1, profile });
    const rows = {
      ids: int64([Array<number>(length).fill(5)], length),
      mask: int64([Array<number>(length).fill(1)], length),
    };
    await session.run({ ...rows, ...Object.fromEntries(tensors) });
    await session.dispose();
    const [file] = readdirSync(dirname(profile));
    const events = JSON.parse(readFileSync(join(dirname(profile), file!), "utf8")) as {
      args?: { op_name?: string; output_type_shape?: { float?: number[] }[] };
    }[];
    const isMask = ({
      op_name: name,
      output_type_shape: [output] = [],
    }: NonNullable<(typeof events)[0]["args"]>): boolean =>
      name === "Add" && output?.float?.join() === `1,2,${length},${length}`;
    return events.filter(({ args }) => args !== undefined && isMask(args)).length;
  };
  expect(await masksOf(3)).toBe(0);
  expect(await masksOf(4)).toBe(2);
});

describe("documents that share a row", () => {
  const documents = [
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ];
  const losses = async (rows: number[][], packed?: number[][]): Promise<number[]> => {
    const { family, config, entries } = await openModelFolder(masked);
    const graph = lossGraph(family, config, { packed: packed !== undefined, each: true, gradients: false });
    const { tensors } = await readParameters(graph, entries, masked);
    await using session = await createSession(toOnnx(graph), { threads: 1 });
    const length = rows[0]!.length;
    const feeds = {
      ids: int64(rows, length),
      labels: int64(rows, length),
      ...(packed === undefined ? {} : { documents: int64(packed, length) }),
      scale: tensor("float32", [], Float32Array.of(1)),
    };
    return Array.from((await session.run({ ...feeds, ...Object.fromEntries(tensors) }))["losses"]!.data, Number);
  };

  test("have the losses that each has alone, windows and positions included", async () => {
    const together = await losses(ids, documents);
    const alone: number[] = [];
    for (const [i, row] of (ids as number[][]).entries()) {
      for (const number of new Set(documents[i])) {
        alone.push(...(await losses([row.filter((_, t) => documents[i]![t] === number)])));
      }
    }
    expect(largestDifference(together, alone)).toBeLessThan(1e-5);
  });
});

describe("a small one", () => {
  const tokenizerFolder = join(goldens, "retrieval/mean");
  const data = writeEncoderData(scratch, "train", 48, 3);
  const held = writeEncoderData(scratch, "held", 12, 4);
  const tokens = join(scratch, "tokens");
  const always = ["threads=1", "device=cpu", "schedule.warmup=0", "schedule.kind=constant", "save.every=0"];
  let start: string;

  beforeAll(async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder);
    const { vocabSize, special } = tokenizer;
    const writer = await writeTokens(tokens, { vocabSize });
    const numbers = random(7, 40);
    for (let i = 0; i < 60; i++) {
      // Longer than the window of local layers, 8 tokens on either side, and of unequal length.
      const text = Array.from(
        { length: 12 + (i % 30) },
        (_, t) => 8 + ((numbers.integer(2) + 3 * t + i) % (vocabSize - 8)),
      );
      await writer.write([special.cls!, ...text, special.sep!]);
    }
    await writer.close();
    const debug: ModernBertConfig = modernBert.debug(modernBert.sizes["modernbert-base"]!);
    const model = { ...debug, vocab_size: vocabSize, pad_token_id: special.pad! };
    const base = recipeOf("biomedbert-small")({ scale: "debug" });
    const config = withSettings({ ...base, model }, [
      ...always,
      "steps=80",
      "schedule.peak=1e-2",
      "batch=8",
      "tokens=48",
    ]);
    const output = join(scratch, "first");
    const first = await train(config, { data: tokens, valid: tokens, tokenizer, output });
    expect(first.after!).toBeLessThan(first.before! - 0.5);
    start = first.model;
  });

  const short = ["documentTokens=16", "batch=8", "steps=16", "schedule.peak=3e-3"];
  const cases = {
    masked: [
      "biomedbert-small",
      ["tokens=48", "batch=4", "accumulate=1", "steps=16", "schedule.peak=3e-3"],
      tokens,
      tokens,
    ],
    classes: ["classifier", short, data.classes, held.classes],
    targets: ["classifier", short, data.multiLabel, held.multiLabel],
    tags: ["tagger", short, data.tags, held.tags],
    pairs: ["reranker", [...short, "documents=3", "loss=ranknet"], data.lists, held.lists],
    ranking: ["embeddings-ranking", [...short, "queryTokens=16", "documents=3"], data.lists, held.lists],
  } as const;
  const kinds = Object.keys(cases) as (keyof typeof cases)[];
  const run = (
    kind: keyof typeof cases,
    { model = start }: { readonly model?: string } = {},
    ...more: string[]
  ): ReturnType<typeof trainBy> => {
    const [recipe, settings, train, valid] = cases[kind];
    const output = join(mkdtempSync(join(scratch, "run-")), "run");
    return trainBy(recipe, [...always, ...settings, ...more], { model, data: train, valid, output });
  };

  test.each(kinds)("learns by the objective %s", async (kind) => {
    const { before, after } = await run(kind);
    expect(after!).toBeLessThan(before!);
  });

  test.each(kinds)("learns low-rank adapters by the objective %s", async (kind) => {
    const { before, after } = await run(kind, {}, "trainable=lora", "lora.rank=2", "schedule.peak=6e-3", "steps=36");
    expect(after!).toBeLessThan(before!);
  });

  test.each(kinds)("learns in half precision by the objective %s", async (kind) => {
    const [full, half] = [await run(kind, {}, "steps=1"), await run(kind, {}, "precision=float16", "steps=32")];
    expect(Math.abs(half.before! / full.before! - 1)).toBeLessThan(0.005);
    expect(half.after!).toBeLessThan(half.before!);
  });

  test("layers that are computed a second time give the same losses, with dropout too", async () => {
    const rates = { attention_dropout: 0.1, embedding_dropout: 0.1, mlp_dropout: 0.1, classifier_dropout: 0.1 };
    const model = changed(start, rates);
    const [kept, again] = [await run("classes", { model }), await run("classes", { model }, "checkpointing=true")];
    expect(again.after).not.toBe((await run("classes")).after);
    expect(Math.abs(again.after! - kept.after!)).toBeLessThan(1e-4);
  });

  test("embeds in float32 and in eight bits, whatever is in the batch", async () => {
    const { model } = await run("ranking");
    const texts = ["kidney", "the heart of the and the kidney of insulin ".repeat(6), "renal gene"];
    await using exact = await loadEmbedder(model, { threads: 1 });
    await using fast = await loadEmbedder(model, { threads: 1, weights: "int8" });
    const [vectors, eight] = [await exact.embed(texts), await fast.embed(texts)];
    for (const [i, text] of texts.entries()) {
      const [alone] = await exact.embed([text]);
      expect(largestDifference(vectors[i]!, alone!)).toBeLessThan(1e-5);
      const cosine = vectors[i]!.reduce((sum, x, k) => sum + x * eight[i]![k]!, 0);
      expect(cosine).toBeGreaterThan(0.99);
    }
  });
});
