/** Losses, gradients, advantages and figures of GRPO and RLOO against TRL's trainers (scripts/goldens/trl-policy.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import { toOnnx } from "../../graph/lower.ts";
import { differentiated, tokenDistributions } from "../../models/graphs.ts";
import { openModelFolder } from "../../runtime/folder.ts";
import { readParameters } from "../../runtime/parameters.ts";
import { createSession } from "../../runtime/session.ts";
import { tensor } from "../../tensor/tensor.ts";
import { leaveOneOut, relativeAdvantages } from "./advantages.ts";
import { answerFeeds, clippedCount, countOf, lossFeeds, type LossSettings, policyLoss } from "./policy-loss.ts";
import type { Rollout } from "./rollouts.ts";

interface Golden {
  readonly prompts: number[][];
  readonly completions: number[][];
  readonly rewards: number[];
  readonly options: Partial<Record<"beta" | "temperature", number>> & {
    readonly loss_type?: LossSettings["loss"];
    readonly scale_rewards?: "group" | "batch" | "none";
    readonly normalize_advantages?: boolean;
  };
  readonly epsilon: number;
  readonly maxNewTokens: number;
  readonly samples: number;
  readonly advantages: number[];
  readonly logProbabilities: number[];
  readonly entropies: number[];
  readonly reference: number[] | null;
  readonly old: number[] | null;
  readonly loss: number;
  readonly gradients: Record<string, { norm: number; first: number[] }>;
  readonly figures: Record<string, number>;
}

const goldens = JSON.parse(
  readFileSync(new URL("../../../test/goldens/trl-policy.json", import.meta.url), "utf8"),
) as Record<"llama" | "gpt2", { model: string; cases: Record<string, Golden> }>;

/** A list over all tokens, answer by answer. */
const byAnswer = ({ completions }: Golden, values: ArrayLike<number>): number[][] => {
  let first = 0;
  return completions.map(({ length }) => Array.from(values).slice(first, (first += length)));
};

function rolloutsOf(golden: Golden): Rollout[] {
  const { prompts, completions, samples, advantages, rewards, reference, old, logProbabilities, entropies } = golden;
  const [before, against, spread] = [old ?? logProbabilities, reference, entropies].map(
    (values) => values && byAnswer(golden, values),
  );
  return completions.map((ids, i) => {
    const prompt = prompts[Math.floor(i / samples)]!;
    const known = { old: before![i]!, entropies: spread![i]!, reference: against?.[i] };
    const said = { ids: [...prompt, ...ids], prompt: prompt.length, ended: ids.at(-1) === 2, text: "" };
    return { ...said, ...known, reward: rewards[i]!, parts: [], advantage: advantages[i]! };
  });
}

function settingsOf(name: string, { options, epsilon, maxNewTokens }: Golden): LossSettings {
  const { beta = 0, temperature = 1, loss_type: loss = "dapo" } = options;
  return { method: name.startsWith("rloo") ? "rloo" : "grpo", loss, epsilon, beta, temperature, maxNewTokens };
}

const near = (actual: number, expected: number, tolerance: number): boolean =>
  Math.abs(actual - expected) <= tolerance * Math.max(1e-2, Math.abs(expected));

describe.each(["llama", "gpt2"] as const)("%s", (family) => {
  const { model, cases } = goldens[family];
  const folder = new URL(`../../../test/goldens/${model}/model`, import.meta.url).pathname;

  test.each(Object.entries(cases))("%s: loss, gradients and clipped share are TRL's", async (name, golden) => {
    const opened = await openModelFolder(folder, { as: "language" });
    const config = opened.family.withDropout(opened.config, 0);
    const settings = settingsOf(name, golden);
    const graph = differentiated((g) => policyLoss(g, opened.family, config, settings), { training: true });
    const parameters = await readParameters(graph, opened.entries, folder);
    const rollouts = rolloutsOf(golden);
    await using session = await createSession(toOnnx(graph), { threads: 1 });
    const outputs = await session.run({
      ...Object.fromEntries(parameters.tensors),
      ...lossFeeds(rollouts, settings, 0),
      scale: tensor("float32", [], Float32Array.of(1 / countOf(settings, rollouts))),
      seed: tensor("int64", [], BigInt64Array.of(0n)),
    });
    expect(Math.abs(Number(outputs["loss"]!.data[0]) - golden.loss)).toBeLessThan(1e-5);
    const own = outputs["logProbabilities"]!.data as Float32Array;
    golden.logProbabilities.forEach((expected, i) => expect(Math.abs(own[i]! - expected)).toBeLessThan(1e-5));
    for (const [parameter, { norm, first }] of Object.entries(golden.gradients)) {
      const gradient = [...(outputs[`gradient/${parameter}`]!.data as Float32Array)];
      expect(near(Math.hypot(...gradient), norm, 1e-4)).toBe(true);
      first.forEach((expected, i) => expect(Math.abs(gradient[i]! - expected)).toBeLessThan(1e-4 * norm));
    }
    const clipped = byAnswer(golden, own).map((values, i) => clippedCount(settings, rollouts[i]!, values));
    const measured = settings.method === "rloo" ? rollouts.length : own.length;
    const share = clipped.reduce((sum, count) => sum + count, 0) / measured;
    expect(share).toBeCloseTo(golden.figures["clip_ratio/region_mean"]!, 6);
  });

  test.each(Object.entries(cases))(
    "%s: log-probabilities and entropies before the update are TRL's",
    async (name, golden) => {
      const opened = await openModelFolder(folder, { as: "language" });
      const graph = tokenDistributions(new Graph(), opened.family, opened.config, settingsOf(name, golden).temperature);
      const parameters = await readParameters(graph, opened.entries, folder);
      await using session = await createSession(toOnnx(graph), { threads: 1 });
      const outputs = await session.run({
        ...Object.fromEntries(parameters.tensors),
        ...answerFeeds(rolloutsOf(golden), 0),
      });
      for (const [output, expected] of Object.entries({
        logProbabilities: golden.logProbabilities,
        entropies: golden.entropies,
      })) {
        const values = outputs[output]!.data as Float32Array;
        expect(values).toHaveLength(expected.length);
        expected.forEach((one, i) => expect(Math.abs(values[i]! - one)).toBeLessThan(1e-5));
      }
    },
  );

  test.each(Object.entries(cases))("%s: advantages are TRL's", (name, golden) => {
    const { rewards, samples, reference, logProbabilities, options } = golden;
    const sums = (values: readonly number[]): number[] =>
      byAnswer(golden, values).map((own) => own.reduce((sum, value) => sum + value, 0));
    const found = ((): number[] => {
      if (!name.startsWith("rloo")) return relativeAdvantages(rewards, samples, options.scale_rewards ?? "group");
      const apart =
        reference === null ? rewards.map(() => 0) : sums(logProbabilities.map((own, i) => own - reference[i]!));
      const penalised = rewards.map((reward, i) => reward - options.beta! * apart[i]!);
      return leaveOneOut(penalised, samples, options.normalize_advantages === true ? "batch" : "none");
    })();
    found.forEach((advantage, i) => expect(Math.abs(advantage - golden.advantages[i]!)).toBeLessThan(1e-5));
  });
});

test("advantages of equal rewards are 0, so that nothing is learned from a prompt that all samples answer alike", () => {
  expect(relativeAdvantages([1, 1, 1, 0, 0, 0], 3, "group")).toEqual([0, 0, 0, 0, 0, 0]);
  expect(leaveOneOut([2, 2, 5, 5], 2, "none")).toEqual([0, 0, 0, 0]);
});
