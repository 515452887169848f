import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recipeOf, recipes } from "../recipes/index.ts";
import { random } from "../tensor/random.ts";
import { listCheckpoints } from "./checkpoint.ts";
import { writeTokens } from "../corpus/token-files.ts";
import { type Config, configSchema, withSettings } from "./config.ts";
import { killedTraining } from "../../test/support/killed-training.ts";
import type { TrainEvent } from "./loop.ts";
import { train, type TrainOptions } from "./train.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-train-"));
afterAll(() => rmSync(folder, { recursive: true }));
const inputs = { data: join(folder, "train"), valid: join(folder, "valid") };

/** A language of one rule with noise, so that the loss can fall. */
beforeAll(async () => {
  for (const [name, count] of [
    ["train", 60],
    ["valid", 8],
  ] as const) {
    const numbers = random(7, count);
    const writer = await writeTokens(join(folder, name), { vocabSize: 64 });
    for (let i = 0; i < count; i++) {
      const ids = [2];
      while (ids.length < 60)
        ids.push(numbers.next() < 0.1 ? 4 + numbers.integer(60) : ((ids.at(-1)! * 5 + 3) % 60) + 4);
      await writer.write(ids);
    }
    await writer.close();
  }
});

const base = withSettings(recipeOf("biogpt-nano")({ scale: "debug" }), [
  "model.vocab_size=64",
  "model.hidden_dropout_prob=0.1",
  "model.attention_probs_dropout_prob=0.1",
  "threads=1",
  "steps=12",
  "save.every=3",
  "evaluate.every=0",
]);

async function run(name: string, config: Config, options: Partial<TrainOptions> = {}): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  await train(config, {
    ...inputs,
    output: join(folder, name),
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return events;
}

const weightsOf = (name: string): Buffer => readFileSync(join(folder, name, "model/model.safetensors"));

test("training lowers the held-out loss", async () => {
  const events = await run(
    "longer",
    withSettings(base, ["steps=60", "schedule.peak=1e-2", "model.hidden_dropout_prob=0"]),
  );
  const losses = events.filter((event) => event.type === "evaluated").map((event) => event.loss);
  expect(losses).toHaveLength(2);
  expect(losses[0]).toBeGreaterThan(4);
  expect(losses[1]).toBeLessThan(3);
});

test("a run stopped by a signal and resumed equals an uninterrupted one, bit for bit, and its log has every step once", async () => {
  await run("whole", base);
  const controller = new AbortController();
  const stopAt = (event: TrainEvent): void => {
    if (event.type === "step" && event.step === 5) controller.abort();
  };
  const first = await train(base, {
    ...inputs,
    output: join(folder, "stopped"),
    signal: controller.signal,
    onEvent: stopAt,
  });
  expect(first).toMatchObject({ step: 5, stopped: true });
  await run("stopped", base, { resume: true });
  expect(weightsOf("stopped").equals(weightsOf("whole"))).toBe(true);
  const lines = readFileSync(join(folder, "stopped/metrics.jsonl"), "utf8").trim().split("\n");
  const steps = lines.map((line) => JSON.parse(line) as TrainEvent).filter((event) => event.type === "step");
  expect(steps.map((event) => event.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(await listCheckpoints(join(folder, "stopped"))).toHaveLength(2);
});

test("a run killed with SIGKILL at random moments and resumed equals an uninterrupted one, bit for bit", async () => {
  const config = withSettings(base, ["steps=30"]);
  await run("unkilled", config);
  const data = { data: join(folder, "train"), valid: join(folder, "valid") };
  await killedTraining(config, { ...data, output: join(folder, "killed") });
  expect(weightsOf("killed").equals(weightsOf("unkilled"))).toBe(true);
});

test("one micro-batch of 8 blocks equals 8 micro-batches of one", async () => {
  const plain = withSettings(base, ["model.hidden_dropout_prob=0", "model.attention_probs_dropout_prob=0", "steps=6"]);
  const losses = async (name: string, settings: string[]): Promise<number[]> => {
    const events = await run(name, withSettings(plain, settings));
    return events.filter((event) => event.type === "step").map((event) => event.loss);
  };
  const together = await losses("together", ["batch=8", "accumulate=1"]);
  const apart = await losses("apart", ["batch=1", "accumulate=8"]);
  together.forEach((loss, i) => expect(Math.abs(loss - apart[i]!)).toBeLessThan(1e-5));
});

test("gradient checkpointing changes no loss", async () => {
  const losses = async (name: string, settings: string[]): Promise<number[]> => {
    const events = await run(
      name,
      withSettings(base, [
        "model.attention_probs_dropout_prob=0",
        "model.hidden_dropout_prob=0",
        "steps=4",
        ...settings,
      ]),
    );
    return events.filter((event) => event.type === "step").map((event) => event.loss);
  };
  const without = await losses("kept", []);
  const recomputed = await losses("recomputed", ["checkpointing=true"]);
  without.forEach((loss, i) => expect(Math.abs(loss - recomputed[i]!)).toBeLessThan(1e-5));
});

test("mixed precision trains nearly as float32 does, and an overflow halves the loss scale without an update", async () => {
  const plain = withSettings(base, [
    "model.hidden_dropout_prob=0",
    "model.attention_probs_dropout_prob=0",
    "steps=15",
    "schedule.peak=5e-3",
  ]);
  const steps = async (name: string, config: Config): Promise<{ loss: number; gradientNorm: number }[]> =>
    (await run(name, config)).filter((event) => event.type === "step");
  const full = await steps("fp32", plain);
  const half = await steps("fp16", withSettings(plain, ["precision=float16"]));
  expect(full[0]!.loss - full.at(-1)!.loss).toBeGreaterThan(0.1);
  full.forEach(({ loss }, i) => expect(Math.abs(loss - half[i]!.loss)).toBeLessThan(0.05));
  const saved = JSON.parse(readFileSync(join(folder, "fp16/checkpoints/step-00000015/training.json"), "utf8")) as {
    lossScale: { value: number };
  };
  const overflows = half.filter(({ gradientNorm }) => !Number.isFinite(gradientNorm)).length;
  expect(saved.lossScale.value).toBe(65536 / 2 ** overflows);
});

test.each(["biogpt-nano", "biogpt-micro", "biogpt-base", "biogpt-large", "llama-nano"])(
  "%s runs at its debug scale, with its own schedule and optimiser",
  async (name) => {
    const events = await run(
      `debug-${name}`,
      withSettings(recipeOf(name)({ scale: "debug" }), ["model.vocab_size=64", "threads=1"]),
    );
    const steps = events.filter((event) => event.type === "step");
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(steps.every(({ loss, gradientNorm }) => Number.isFinite(loss) && gradientNorm > 0)).toBe(true);
    expect(events.some((event) => event.type === "saved")).toBe(true);
  },
);

describe("settings", () => {
  test("every recipe at every scale is a complete configuration", () => {
    for (const recipe of Object.values(recipes)) {
      for (const scale of ["full", "debug"] as const) expect(configSchema.parse(recipe({ scale }))).toBeDefined();
    }
  });

  test("the published batch is 524,288 tokens", () => {
    for (const name of ["biogpt-base", "biogpt-large"]) {
      const { objective, batch, accumulate } = recipeOf(name)();
      expect((objective as { tokens: number }).tokens * batch! * accumulate).toBe(524_288);
    }
  });

  test.each([
    ["schedule.peek=1", /expected one of kind, peak, warmup.*got "schedule.peek"/],
    ["steps=many", /steps: .*expected number.*got "many"/],
    ["nonsense", /expected path=value/],
    ["__proto__.x=1", /got "__proto__\.x"/],
  ])("%s is refused with the reason", (setting, message) => {
    expect(() => withSettings(base, [setting])).toThrow(message);
  });
});
