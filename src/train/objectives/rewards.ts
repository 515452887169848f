/** What answers are worth: by a reward model, by rules, by a function of the caller's, or by the weighted sum of several. */
import { ConfigError } from "../../errors.ts";
import { loadRewardModel } from "../../rewards.ts";
import type { Device } from "../../runtime/session.ts";
import type { Completion } from "../../tokenizers/turns.ts";
import { type SampledAnswer, type RewardRule, ruleReward } from "./reward-rules.ts";

/** Scores answers, one number each; any scale will do. */
export type RewardFunction = (answers: readonly SampledAnswer[]) => readonly number[] | Promise<readonly number[]>;

/** One term of a reward. */
export interface RewardPart {
  /** Of figures: the rule's, or "model", or the function's. */
  readonly name: string;
  readonly weight: number;
  readonly score: RewardFunction;
}

export interface Rewards extends AsyncDisposable {
  readonly parts: readonly RewardPart[];
}

export interface RewardSettings {
  readonly rules: readonly RewardRule[];
  /** Of the reward model or function. */
  readonly rewardWeight: number;
}

/** @throws ConfigError where there is neither model, function nor rule. */
export function requireReward(
  { rules }: Pick<RewardSettings, "rules">,
  reward: string | RewardFunction | undefined,
): void {
  if (reward !== undefined || rules.length > 0) return;
  throw new ConfigError("reward: expected a reward model, or rules, got neither", {
    hint: 'name a model (--reward runs/reward/model, which "galen train reward" makes), or set rules=[{"rule":"choice"}]',
  });
}

/** @throws ConfigError for a model that is none that scores texts. */
export async function openRewards(
  { rules, rewardWeight }: RewardSettings,
  reward: string | RewardFunction | undefined,
  options: { readonly device: Device },
): Promise<Rewards> {
  const byRule = rules.map((rule): RewardPart => ({
    name: rule.rule,
    weight: rule.weight,
    score: (answers) => answers.map((answer) => ruleReward(rule, answer)),
  }));
  const names = byRule.map(({ name }) => name);
  // Two of a kind are told apart by their places.
  const told = byRule.map((part, i) =>
    names.indexOf(part.name) === i ? part : { ...part, name: `${part.name} ${i + 1}` },
  );
  if (reward === undefined) return { parts: told, async [Symbol.asyncDispose]() {} };
  if (typeof reward === "function") {
    const part = { name: reward.name === "" ? "function" : reward.name, weight: rewardWeight, score: reward };
    return { parts: [part, ...told], async [Symbol.asyncDispose]() {} };
  }
  const model = await loadRewardModel(reward, options);
  const score: RewardFunction = (answers) => model.score(answers.map(exchangeOf));
  return {
    parts: [{ name: "model", weight: rewardWeight, score }, ...told],
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

function exchangeOf({ prompt, text }: SampledAnswer): Completion {
  if (typeof prompt === "string") return { prompt, completion: text };
  return { prompt, completion: [{ role: "assistant", content: text }] };
}

/** The weighted sum for each answer, and what each part gave. @throws ConfigError for a number that is none. */
export async function rewardsOf(
  { parts }: Pick<Rewards, "parts">,
  answers: readonly SampledAnswer[],
): Promise<{ readonly sums: number[]; readonly byPart: readonly (readonly number[])[] }> {
  const byPart: (readonly number[])[] = [];
  for (const { name, score } of parts) {
    const given = await score(answers);
    if (given.length !== answers.length) {
      throw new ConfigError(`reward ${name}: expected ${answers.length} numbers, one an answer, got ${given.length}`);
    }
    const wrong = given.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      const { where, text } = answers[wrong]!;
      const said = JSON.stringify(text.slice(0, 80));
      throw new ConfigError(
        `reward ${name}: expected a finite number for ${said} (${where}), got ${String(given[wrong])}`,
      );
    }
    byPart.push(given);
  }
  const sums = answers.map((_, i) => parts.reduce((sum, { weight }, part) => sum + weight * byPart[part]![i]!, 0));
  return { sums, byPart };
}
