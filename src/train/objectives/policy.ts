/**
 * A decoder that learns from rewards for what it says itself: GRPO (Shao et al. 2024, arXiv:2402.03300) and RLOO (Ahmadian
 * et al. 2024, arXiv:2402.14740) with TRL 1.16's meanings and defaults. Samples are a function of the seed, the update, the
 * prompt and the sample, so a resumed run is the uninterrupted one. Left out: a critic (PPO), tools, servers that sample.
 */
import * as z from "zod";
import { readPrompts } from "../../corpus/conversations.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { mostTokens } from "../../models/index.ts";
import { Owned } from "../../runtime/owned.ts";
import { type ChatSource, endsOf, openChatSource, saveChat, templateSetting } from "./chat-source.ts";
import {
  type Context,
  type ExampleSet,
  type Inputs,
  type Objective,
  pick,
  type Start,
  startFolder,
} from "./objective.ts";
import { policyLoss } from "./policy-loss.ts";
import { type Asked, figureNames, type PolicyBatch, type PolicyParts, policyProgram } from "./policy-program.ts";
import { rewardRule } from "./reward-rules.ts";
import { openRewards, requireReward } from "./rewards.ts";
import { readSplits } from "./texts.ts";

const count = z.int().positive();

export const policySettings = z.strictObject({
  kind: z.literal("policy"),
  method: z
    .enum(["grpo", "rloo"])
    .describe("grpo: rewards beside those of the prompt's other samples, by token; rloo: less their mean, by sample"),
  completions: z
    .int()
    .min(2)
    .nullable()
    .describe("Samples of a prompt, which are compared with one another; null: 8 of grpo, 2 of rloo"),
  maxNewTokens: count.describe("Most tokens of a sample"),
  temperature: z.number().positive().describe("What scores are divided by before a token is drawn"),
  rules: z
    .array(rewardRule)
    .describe(
      'Rewards by rule, each in [0, 1] times its weight (1): {"rule": "length", "least", "most", "unit"}, {"rule": "contains", "texts"}, ' +
        '{"rule": "facts"} and {"rule": "choice"} (by "facts", or "answer" and "choices", of the line), {"rule": "json", "fields"}, {"rule": "ended"}',
    ),
  rewardWeight: z.number().describe("What the reward model's score is multiplied by beside rules"),
  scaleRewards: z
    .enum(["group", "batch", "none"])
    .nullable()
    .describe(
      "The deviation that rewards are divided by, the prompt's or the update's; null: group of grpo, none of rloo",
    ),
  loss: z
    .enum(["dapo", "grpo", "dr_grpo"])
    .describe("Of grpo, what token losses are divided by: all tokens, each sample's own, or the most there could be"),
  beta: z
    .number()
    .min(0)
    .nullable()
    .describe("Weight of the divergence from the start's distribution; null: 0 of grpo, 0.05 of rloo"),
  epsilon: z.number().positive().lt(1).describe("How far a probability may leave the sampled one before it is clipped"),
  iterations: count.describe("Updates that learn from the same samples; of 1 nothing is ever clipped"),
  rowsAtOnce: count.describe("Samples whose losses are computed at once: of memory, not of results"),
  template: templateSetting,
});

type Settings = z.infer<typeof policySettings>;

/** Each method's own values where none are set, TRL's. @throws ConfigError for what a method has not. */
function resolved(settings: Settings): Omit<PolicyParts["settings"], "endIds"> {
  const { method, completions, scaleRewards, beta } = settings;
  if (method === "rloo" && scaleRewards === "group") {
    throw new ConfigError('objective.scaleRewards: expected "batch", "none" or null with rloo, got "group"');
  }
  const own = method === "grpo" ? ([8, "group", 0] as const) : ([2, "none", 0.05] as const);
  return {
    ...settings,
    completions: completions ?? own[0],
    scaleRewards: scaleRewards ?? own[1],
    beta: beta ?? own[2],
  };
}

/** @throws ConfigError without rewards, or for a model that does not write; DataError where no prompt leaves room. */
export async function openPolicy(
  settings: Settings,
  inputs: Inputs,
  context: Context,
): Promise<Objective<PolicyBatch>> {
  const method = resolved(settings);
  requireReward(settings, inputs.reward);
  const { iterations, rowsAtOnce, maxNewTokens, template } = settings;
  const source = await openChatSource(startFolder(inputs), template, context);
  const { tokenizer, turns, family } = source;
  // Ratios of probabilities are of one network: with dropout they would be of two.
  const start: Start = { ...source, config: family.withDropout(source.config, 0) };
  const { ids: endIds } = await endsOf(source, { ids: [], learned: [] });
  if (endIds.length === 0) context.note(`the model has no end token: every sample has ${maxNewTokens} tokens`);
  const splits = await readSplits(inputs, (path) => readAsked(path, source, maxNewTokens, context));
  const owned = new Owned();
  const rewards = owned.use(await openRewards(settings, inputs.reward, context));
  const sampled = { ...method, endIds };
  const parts = { start, tokenizer, rewards, settings: sampled, rowsAtOnce, iterations, output: context.output };
  const setOf = (prompts: readonly Asked[]): ExampleSet<PolicyBatch> => ({
    count: prompts.length,
    batch(numbers) {
      const some = pick(prompts, numbers).map((one, i) => ({ ...one, number: numbers[i]! }));
      return { feeds: {}, count: some.length * method.completions, work: 0, prompts: some };
    },
  });
  const chats = [...splits.train, ...(splits.valid ?? [])].some(({ prompt }) => typeof prompt !== "string");
  return {
    start,
    train: setOf(splits.train),
    valid: splits.valid && setOf(splits.valid),
    order: "random",
    reduction: "sum",
    unit: "tokens",
    surrogate: true,
    repeats: iterations,
    figures: figureNames(rewards, method),
    dropoutStream: 1,
    loss: (g) => policyLoss(g, family, start.config, method),
    program: (compiler) => policyProgram(compiler, parts),
    sampling: {
      tokenizer,
      tokens: maxNewTokens,
      ends: endIds,
      prompts: (given) =>
        given.length > 0
          ? given.map((text) => turns.prompt(chats ? [{ role: "user", content: text }] : text))
          : (splits.valid ?? splits.train).slice(0, shown).map(({ ids }) => ids),
    },
    save: (folder, weights) => saveChat(folder, { ...source, chats }, weights, endIds),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** Prompts that are answered on the way where none are given. */
const shown = 3;

/** Prompts that leave room for an answer. @throws DataError where none does. */
async function readAsked(
  path: string,
  { turns, config }: ChatSource,
  maxNewTokens: number,
  { note }: Context,
): Promise<Asked[]> {
  const positions = mostTokens(config);
  const all = (await readPrompts(path)).map((one) => ({ ...one, ids: turns.prompt(one.prompt) }));
  const empty = all.find(({ ids }) => ids.length === 0);
  if (empty !== undefined) throw new DataError(`${empty.where}: prompt: expected at least one token, got none`);
  const fits = all.filter(({ ids }) => ids.length + maxNewTokens <= positions);
  if (fits.length === all.length) return all;
  const first = all.find(({ ids }) => ids.length + maxNewTokens > positions)!;
  const tooLong = `a prompt of ${first.ids.length} tokens leaves no room for ${maxNewTokens} of the model's ${positions}`;
  if (fits.length === 0) {
    throw new DataError(`${first.where}: ${tooLong}`, { hint: "set a smaller maxNewTokens=, or shorten the prompts" });
  }
  note(`${all.length - fits.length} of ${all.length} prompts are left out, the first at ${first.where}: ${tooLong}`);
  return fits;
}
