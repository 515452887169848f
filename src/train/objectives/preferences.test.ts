/** Reward models and preferences: update for update what TRL's trainers compute; what holds whatever the batches. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { trainBy } from "../../../test/support/training.ts";
import type { TrainEvent } from "../loop.ts";
import type { TrainOptions } from "../train.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const goldens = join(root, "test/goldens/trl-preferences");
const folder = mkdtempSync(join(tmpdir(), "galen-preferences-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Golden {
  readonly loss: number;
  readonly figures: Readonly<Record<string, number>>;
}
const golden = JSON.parse(readFileSync(join(goldens, "goldens.json"), "utf8")) as {
  readonly tokens: number;
  readonly pairs: number;
  readonly updates: Readonly<Record<string, Readonly<Record<string, readonly Golden[]>>>>;
};
const families = Object.keys(golden.updates);

const lines = readFileSync(join(root, "samples/preferences.jsonl"), "utf8").split("\n").slice(0, golden.pairs);
type Line = Readonly<Record<"prompt" | "chosen" | "rejected", string>>;
const examples = lines.map((line) => JSON.parse(line) as Line);
function write(name: string, rows: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}
const pairs = write("pairs.jsonl", examples);
const margins = write(
  "margins.jsonl",
  examples.map((one, i) => ({ ...one, margin: 0.25 * i })),
);
const judged = write("judged.jsonl", [
  ...examples.map(({ prompt, chosen }) => ({ prompt, completion: chosen, label: true })),
  ...examples.map(({ prompt, rejected }) => ({ prompt, completion: rejected, label: false })),
]);

type Step = Extract<TrainEvent, { type: "step" }>;

let runs = 0;
async function run(
  family: string,
  recipe: string,
  settings: readonly string[],
  options: Partial<TrainOptions> & { readonly data: string },
): Promise<{ events: TrainEvent[]; steps: Step[]; output: string }> {
  const events: TrainEvent[] = [];
  const output = options.output ?? join(folder, `run-${runs++}`);
  const usual = ["device=cpu", "threads=1", "schedule.kind=constant", "schedule.warmup=0", "schedule.peak=1e-3"];
  await trainBy(recipe, [...usual, "steps=10", `maxTokens=${golden.tokens}`, ...settings], {
    model: join(goldens, family),
    ...options,
    output,
    onEvent: async (event) => {
      events.push(event);
      await options.onEvent?.(event);
    },
  });
  return { events, steps: events.filter((event) => event.type === "step"), output };
}

interface Case {
  readonly recipe: string;
  readonly settings: readonly string[];
  readonly data: string;
}
const cases: Readonly<Record<string, Case>> = {
  reward: { recipe: "reward", settings: ["batch=8", "centring=0.01"], data: pairs },
  "reward-margins": { recipe: "reward", settings: ["batch=8", "centring=0"], data: margins },
  sigmoid: { recipe: "preference", settings: ["batch=8"], data: pairs },
  robust: { recipe: "preference", settings: ["batch=8", "loss=robust", "labelSmoothing=0.1"], data: pairs },
  ipo: { recipe: "preference", settings: ["batch=8", "loss=ipo"], data: pairs },
  sigmoid_norm: { recipe: "preference", settings: ["batch=8", "loss=sigmoid_norm", "beta=2"], data: pairs },
  unpaired: { recipe: "preference-unpaired", settings: ["batch=16", "undesirableWeight=1.5"], data: judged },
};

/** Relative, but for what is small beside the numbers that it is a difference of. */
function expectClose(found: number, wanted: number, least: number, what: string): void {
  expect(Math.abs(found - wanted) / Math.max(Math.abs(wanted), least), what).toBeLessThan(1e-4);
}

describe.each(families)("%s", (family) => {
  test("the first loss is ln 2, and the model is as far from itself as 0", async () => {
    for (const settings of [["loss=sigmoid"], ["loss=sigmoid", "labelSmoothing=0.2"], ["loss=sigmoid_norm"]]) {
      const { events } = await run(family, "preference", ["batch=8", "steps=1", ...settings], {
        data: pairs,
        valid: pairs,
      });
      const [first] = events.filter((event) => event.type === "evaluated");
      expect(first!.loss).toBeCloseTo(Math.LN2, 5);
      expect(first!.figures!["rewards/margins"]).toBeCloseTo(0, 3);
    }
  });

  test.each(["reward", "preference"])(
    "%s: neither micro-batches nor padding change losses or figures",
    async (recipe) => {
      // Alone, a pair has no padding but its own; in a batch of eight, as much as the longest needs.
      const lossesOf = async (settings: readonly string[]): Promise<Step[]> =>
        (await run(family, recipe, ["steps=3", ...settings], { data: pairs })).steps;
      const whole = await lossesOf(["batch=8"]);
      for (const parts of [await lossesOf(["batch=2", "accumulate=4"]), await lossesOf(["batch=1", "accumulate=8"])]) {
        for (const [i, { loss, figures = {} }] of parts.entries()) {
          expect(loss).toBeCloseTo(whole[i]!.loss, 4);
          for (const [name, value] of Object.entries(figures)) {
            // Before the first update all rewards of a preference are 0 but for rounding.
            if (i > 0 || name !== "rewards/accuracies") expect(value).toBeCloseTo(whole[i]!.figures![name]!, 2);
          }
        }
      }
    },
  );

  test("answers judged alone: rows computed in turn give the batch's loss and gradient", async () => {
    const of = async (rows: number): Promise<Step[]> =>
      (await run(family, "preference-unpaired", ["batch=16", "steps=3", `rowsAtOnce=${rows}`], { data: judged })).steps;
    const [whole, parts] = [await of(0), await of(3)];
    for (const [i, { loss, gradientNorm }] of parts.entries()) {
      expect(loss).toBeCloseTo(whole[i]!.loss, 5);
      expect(gradientNorm).toBeCloseTo(whole[i]!.gradientNorm, 4);
    }
    const fromPairs = await run(family, "preference-unpaired", ["batch=16", "steps=3"], { data: pairs });
    expect(fromPairs.steps.map(({ loss }) => loss)).toEqual(whole.map(({ loss }) => loss));
  });

  test.each(Object.keys(cases))("%s: ten updates equal TRL's", async (name) => {
    const { recipe, settings, data } = cases[name]!;
    const { steps } = await run(family, recipe, settings, { data });
    const wanted = golden.updates[family]![name]!;
    expect(steps.length).toBe(wanted.length);
    const first = wanted[0]!.loss;
    for (const [i, { loss, gradientNorm, figures = {} }] of steps.entries()) {
      const { grad_norm, ...rest } = wanted[i]!.figures;
      expectClose(loss, wanted[i]!.loss, 0.05 * first, `loss of update ${i + 1}`);
      expectClose(gradientNorm, grad_norm!, 0, `gradient norm of update ${i + 1}`);
      for (const [figure, value] of Object.entries(rest)) {
        // Of rewards that are all 0 but for rounding, none is the larger one.
        if (i === 0 && figure === "rewards/accuracies") continue;
        // Answers judged alone are not pairs: the mean of desirable ones' rewards less that of the others.
        const found = figures[figure] ?? figures["rewards/chosen"]! - figures["rewards/rejected"]!;
        const size = Math.abs(rest["logps/chosen"] ?? 1);
        expectClose(found, value, figure.startsWith("rewards/") ? 0.01 * size : 0.1, `${figure} of update ${i + 1}`);
      }
    }
  });
});

test("reference log-probabilities are computed once, and a run goes on with no others", async () => {
  const settings = ["batch=4", "steps=4", "save.every=2"];
  const whole = await run("llama", "preference", settings, { data: pairs });
  const controller = new AbortController();
  const onEvent = (event: TrainEvent): void => void (event.type === "step" && event.step === 2 && controller.abort());
  const { output } = await run("llama", "preference", settings, { data: pairs, signal: controller.signal, onEvent });
  const path = join(output, "reference.json");
  const kept = JSON.parse(readFileSync(path, "utf8")) as { fingerprint: string; scores: number[][][] };
  expect(kept.scores[0]!.length).toBe(golden.pairs);
  writeFileSync(path, JSON.stringify({ ...kept, fingerprint: "of others" }));
  const again = { data: pairs, output, resume: true };
  await expect(run("llama", "preference", settings, again)).rejects.toThrow(
    /reference\.json: expected .* got those of/,
  );
  writeFileSync(path, JSON.stringify(kept));
  const { steps, events } = await run("llama", "preference", settings, again);
  expect(events.filter(({ type }) => type === "reading")).toEqual([]);
  expect(steps.map(({ loss }) => loss)).toEqual(whole.steps.slice(2).map(({ loss }) => loss));
});

test("what is too long is cut at its end or left out, and told of; nothing left is an error", async () => {
  const long = { prompt: "Why? ".repeat(60), chosen: " So.", rejected: " Thus." };
  const data = write("long.jsonl", [...examples, long]);
  const notesOf = async (recipe: string, tokens: number): Promise<readonly string[]> => {
    const { events } = await run("gpt2", recipe, ["batch=4", "steps=1", `maxTokens=${tokens}`], { data });
    return events.find((event) => event.type === "started")!.notes;
  };
  expect((await notesOf("preference", 48)).join("\n")).toMatch(
    /1 of 9 examples are left out: no answer within 48 tokens\n\d of 9 examples are cut to 48 tokens/,
  );
  expect((await notesOf("reward", 96)).join("\n")).toMatch(/1 of 9 pairs are left out, being longer than 96 tokens/);
  for (const recipe of ["preference", "preference-unpaired", "reward"]) {
    const only = run("gpt2", recipe, ["maxTokens=48"], { data: write("only.jsonl", [long]) });
    await expect(only).rejects.toThrow(/only\.jsonl:1: expected .* got none/);
  }
});

test("smoothing is refused where a loss has none", async () => {
  await expect(run("llama", "preference", ["loss=ipo", "labelSmoothing=0.1"], { data: pairs })).rejects.toThrow(
    "labelSmoothing: expected 0 with loss=ipo, got 0.1",
  );
});
