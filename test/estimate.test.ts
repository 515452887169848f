/** What a training says of its length, before its first update and when its pace is known. */
import { expect, test } from "vitest";
import { createEstimator, expectedSeconds, roughly, tokensOfUpdate } from "../src/cli/estimate.ts";
import { recipes } from "../src/recipes/index.ts";
import type { TrainEvent } from "../src/train/index.ts";

const started = (steps: number, parameters: number): TrainEvent => ({
  type: "started",
  step: 0,
  steps,
  epochs: 1,
  parameters,
  examples: 1,
  heldOut: 0,
  unit: "tokens",
  notes: [],
});
const step = (number: number, steps: number): TrainEvent => ({
  type: "step",
  step: number,
  steps,
  epoch: 1,
  loss: 1,
  learningRate: 1,
  gradientNorm: 1,
  speed: 1,
  secondsLeft: 0,
});

/** What is said in a run whose updates take so long. */
function said(name: "biogpt-nano" | "biomedbert-small" | "hash-femto", steps: number, seconds: number): string[] {
  let time = 0;
  const estimate = createEstimator({ ...recipes[name](), threads: 2 }, () => time);
  const parameters = { "biogpt-nano": 3.4e6, "biomedbert-small": 22.7e6, "hash-femto": 0.24e6 }[name];
  const events = [
    started(steps, parameters),
    ...Array.from({ length: Math.min(steps, 12) }, (_, i) => step(i + 1, steps)),
  ];
  return events.flatMap((event) => {
    if (event.type === "step") time += seconds;
    return estimate(event) ?? [];
  });
}

test("hours and months are said before a run begins, and what was measured after the first updates", () => {
  expect(said("biogpt-nano", 16_000, 1.5)).toEqual([
    expect.stringMatching(
      /^it will take about \d hours on 2 cores, by its size\n  smaller: steps=\d+ would take about 10/,
    ),
    "measured: about 7 hours more, at 1.5 s an update\n  smaller: steps=400 would take about 10 minutes; --scale debug takes seconds",
  ]);
  const [before, after] = said("biomedbert-small", 100_000, 80);
  expect(before).toMatch(/about \d months .*hash-nano is the next smaller recipe/s);
  expect(after).toMatch(/^measured: about 3 months more, at 80\.0 s an update/);
});

test("a run of minutes is said without advice, a run of seconds says nothing", () => {
  expect(said("biogpt-nano", 400, 0.7)).toEqual([
    expect.stringMatching(/^it will take about \d minutes on 2 cores, by its size$/),
    expect.stringMatching(/^measured: about 5 minutes more, at 1\.4 updates a second$/),
  ]);
  expect(said("hash-femto", 20, 0.1)).toEqual([]);
});

test("tokens of an update are counted for every kind of objective", () => {
  expect(tokensOfUpdate(recipes["biogpt-nano"]())).toBe(8 * 2 * 256);
  expect(tokensOfUpdate(recipes["ddi"]())).toBe(1024 * 32);
  expect(tokensOfUpdate(recipes["classifier"]())).toBe(32 * 128);
  expect(tokensOfUpdate(recipes["embeddings-kl"]())).toBe(16 * (8 * 256 + 64));
  expect(expectedSeconds(1e6, 1e6, 2)).toBeCloseTo(60);
});

test.each([
  [40, "less than a minute"],
  [100, "about 2 minutes"],
  [3600, "about 1 hour"],
  [7 * 3600, "about 7 hours"],
  [86_400 * 3, "about 3 days"],
  [86_400 * 200, "about 7 months"],
  [86_400 * 365 * 69, "about 69 years"],
])("%i seconds are %s", (seconds, text) => expect(roughly(seconds)).toBe(text));
