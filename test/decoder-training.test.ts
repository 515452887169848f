/** Every family of decoders is pre-trained in small, and goes on from its weights in each way of training. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTokens } from "../src/corpus/token-files.ts";
import { loadModel } from "../src/model.ts";
import { families, type Family } from "../src/models/index.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { type Config, train, type RunResult, type TrainEvent, withSettings } from "../src/train/index.ts";

const decoders = Object.values(families).filter(({ causal }) => causal);

const place = mkdtempSync(join(tmpdir(), "galen-decoders-"));
const data = join(place, "data");
beforeAll(async () => {
  const writer = await writeTokens(data, { vocabSize: 61 });
  for (let i = 0; i < 40; i++) {
    await writer.write([1, ...Array.from({ length: 40 }, (_, t) => 4 + ((3 * t + i) % 57)), 2]);
  }
  await writer.close();
});
afterAll(() => rmSync(place, { recursive: true }));

const tokenizer = { vocabSize: 61, special: {}, continuesWord: () => false, files: () => new Map<string, string>() };
const base = recipeOf("biogpt-nano")({ scale: "debug" });
const fast = ["threads=1", "steps=30", "schedule.peak=1e-2", "batch=4"];

/** A miniature that looks back over few tokens, where its family has windows. */
function small({ sizes, debug }: Family): NonNullable<Config["model"]> {
  const config = { ...debug(Object.values(sizes)[0]!), vocab_size: 61 };
  return "sliding_window" in config ? { ...config, sliding_window: 7 } : config;
}

test("from token files a model without a tokenizer goes on, but not from documents", async () => {
  const notes: string[] = [];
  const onNote = (event: TrainEvent): void => void (event.type === "started" && notes.push(...event.notes));
  const model = families["llama"]!;
  const config = withSettings({ ...base, model: small(model) }, [...fast, "steps=2"]);
  const first = await train(config, { data, valid: data, tokenizer, output: join(place, "bare") });
  const next = { model: first.model, output: join(place, "bare-next"), onEvent: onNote };
  const result = await train(withSettings({ ...config, model: null }, []), { ...next, data, valid: data });
  expect(result.after!).toBeLessThan(result.before!);
  expect(notes.filter((note) => note.startsWith("no tokenizer is written beside the weights"))).toHaveLength(1);
  const texts = join(place, "texts.jsonl");
  writeFileSync(texts, '{"id": "1", "text": "Aspirin."}\n');
  const wrong = { model: first.model, data: texts, output: join(place, "bare-wrong") };
  await expect(train(config, wrong)).rejects.toThrow(`${first.model}: expected `);
});

const ids = [[1, 9, 33, 5, 60, 4, 17, 2]];

async function logitsOf(folder: string): Promise<Float32Array> {
  await using model = await loadModel(folder, { threads: 1 });
  return (await model.forward({ ids })).logits.data as Float32Array;
}

describe("an adapter cannot hold", () => {
  const notes: string[] = [];
  const onEvent = (event: TrainEvent): void => void (event.type === "started" && notes.push(...event.notes));
  const config = withSettings({ ...base, model: small(families["llama"]!) }, [...fast, "steps=2"]);
  const lora = (...settings: string[]): Config =>
    withSettings({ ...config, model: null }, ["trainable=lora", ...settings]);
  let model: string;
  beforeAll(async () => {
    ({ model } = await train(config, { data, tokenizer, output: join(place, "plain") }));
  });

  test.each([
    ["a mean of epochs", ["average=2"], undefined, /: a mean of epochs is no low-rank product$/],
    ["new rows", [], 64, /: new rows of model\.embed_tokens\.weight learned beside the layers$/],
  ])("%s, which is said; an older one goes", async (name, settings, vocabSize, why) => {
    notes.length = 0;
    const output = join(place, name);
    mkdirSync(join(output, "adapter"), { recursive: true });
    const words = vocabSize === undefined ? tokenizer : { ...tokenizer, vocabSize };
    await train(lora(...settings), { model, data, tokenizer: words, output, onEvent });
    expect(notes.filter((note) => note.startsWith("no adapter is written beside the model: "))).toEqual([
      expect.stringMatching(why),
    ]);
    expect(existsSync(join(output, "adapter"))).toBe(false);
  });

  test("nor belong to another adapter, or to no model", async () => {
    notes.length = 0;
    const first = join(place, "stacked");
    await train(lora(), { model, data, tokenizer, output: first, onEvent });
    expect(notes.filter((note) => note.startsWith("no adapter"))).toEqual([]);
    const adapter = join(first, "adapter");
    await train(lora(), { model: adapter, data, tokenizer, output: join(place, "stacked-next"), onEvent });
    await train(withSettings(config, ["trainable=lora"]), { data, tokenizer, output: join(place, "none"), onEvent });
    expect(notes.filter((note) => note.startsWith("no adapter"))).toEqual([
      expect.stringContaining(`the base is itself an adapter (${adapter})`),
      expect.stringContaining("there is no model that it would belong to"),
    ]);
  });
});

describe.each(decoders.map((family) => [family.modelType, family] as const))("%s", (name, family) => {
  const run = (config: Config, output: string, model?: string): Promise<RunResult> =>
    train(config, { data, valid: data, tokenizer, model, output: join(place, name, output) });
  const config = withSettings({ ...base, model: small(family) }, fast);
  let first: RunResult;

  test("is pre-trained", async () => {
    first = await run(config, "first");
    expect(first.after!).toBeLessThan(first.before! - 1);
  });

  test.each(["trainable=all", "trainable=lora", "precision=float16", "checkpointing=true"])(
    "goes on from its weights with %s, and what is written has the loss that was reached",
    async (setting) => {
      const next = await run(withSettings(config, ["steps=10", setting]), setting, first.model);
      expect(next.before!).toBeCloseTo(first.after!, 4);
      expect(next.after!).toBeLessThan(next.before!);
      const again = await run(withSettings(config, ["steps=1"]), `${setting}-again`, next.model);
      expect(again.before!).toBeCloseTo(next.after!, 4);
    },
  );

  test("the adapter beside what was trained with trainable=lora gives the same logits on its base", async () => {
    const { model } = await run(withSettings(config, ["steps=10", "trainable=lora"]), "adapted", first.model);
    const adapter = join(model, "../adapter");
    const settings = JSON.parse(readFileSync(join(adapter, "adapter_config.json"), "utf8"));
    expect(settings).toMatchObject({ peft_type: "LORA", task_type: "CAUSAL_LM", r: 8, modules_to_save: null });
    const [merged, found, before] = [await logitsOf(model), await logitsOf(adapter), await logitsOf(first.model)];
    const difference = (some: Float32Array): number =>
      merged.reduce((most, value, i) => Math.max(most, Math.abs(value - some[i]!)), 0);
    expect(difference(found)).toBeLessThan(1e-5);
    expect(difference(before)).toBeGreaterThan(1e-2);
  });
});
