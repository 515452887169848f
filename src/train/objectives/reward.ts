/**
 * Reward models: a decoder with a head of one number, which is to be larger for the answer that people chose (Bradley and
 * Terry 1952), as TRL 1.16's RewardTrainer. The number is read at an answer's last token.
 */
// B pairs, T tokens
import * as z from "zod";
import { readPreferences } from "../../corpus/conversations.ts";
import { DataError } from "../../errors.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { cast, reshape, sumAll } from "../../graph/ops/index.ts";
import { product } from "../../graph/shape.ts";
import { configText, headOf, mostTokens } from "../../models/index.ts";
import { rewardLoss } from "../../nn/preference-losses.ts";
import { makeBatch } from "../../runtime/batch.ts";
import { saveModel } from "../checkpoint.ts";
import { answered, answerSettings, ofPairs } from "./answers.ts";
import { openChatSource } from "./chat-source.ts";
import { type Batch, type Context, type Figures, type Inputs, type Objective, startFolder } from "./objective.ts";
import { openHeadSource } from "./source.ts";
import { exampleSets, float32, readSplits } from "./texts.ts";

export const rewardSettings = z.strictObject({
  kind: z.literal("reward"),
  centring: z
    .number()
    .min(0)
    .describe("What the square of both rewards' sum is added times, so that they stay around 0; 0: not"),
  maxTokens: answerSettings.maxTokens.describe(
    "Most tokens of a prompt with its answer, and at most the model's; longer pairs are left out",
  ),
  template: answerSettings.template,
});

interface Pair {
  /** Ids of the chosen answer with its prompt, and of the rejected one. */
  readonly texts: readonly [readonly number[], readonly number[]];
  readonly margin: number;
}

const figures = ["accuracy", "margin", "rewards/chosen", "rewards/rejected"] as const;

/** @throws ConfigError for a model that is no decoder; DataError where no pair is short enough. */
export async function openReward(
  { centring, maxTokens, template }: z.infer<typeof rewardSettings>,
  inputs: Inputs,
  { note }: Context,
): Promise<Objective> {
  const chat = await openChatSource(startFolder(inputs), template, { note });
  const opened = await openHeadSource(startFolder(inputs), "sequence", ["reward"], "regression");
  const { family, tokenizer } = opened;
  const { pad, eos } = tokenizer.special;
  // The last token that is no padding is found by this id, here and by transformers.
  const stored = { ...opened.config, pad_token_id: pad ?? eos ?? opened.config.pad_token_id };
  const config = family.withDropout(stored, 0);
  const most = Math.min(maxTokens, mostTokens(config));
  const found = await readSplits(inputs, readPreferences);
  const short = (list: typeof found.train): Pair[] => {
    const pairs = list.map(({ chosen, rejected, margin = 0, where }) => ({
      texts: [answered(chat, chosen, where).ids, answered(chat, rejected, where).ids] as const,
      margin,
    }));
    const kept = pairs.filter(({ texts }) => texts.every(({ length }) => length <= most));
    const long = pairs.length - kept.length;
    if (kept.length === 0) {
      throw new DataError(`${list[0]?.where}: expected a pair of at most ${most} tokens each, got none`, {
        hint: "allow more with maxTokens=N",
      });
    }
    if (long > 0) note(`${long} of ${pairs.length} pairs are left out, being longer than ${most} tokens`);
    return kept;
  };
  const splits = { train: short(found.train), valid: found.valid && short(found.valid) };
  const files = new Map(tokenizer.files()).set("config.json", configText(stored));
  if (chat.chats && chat.template !== undefined) files.set("chat_template.jinja", chat.template);
  return {
    start: { ...opened, config },
    ...exampleSets(
      splits,
      ({ texts: [chosen, rejected] }) => chosen.length + rejected.length,
      (pairs): Batch => {
        const { ids, mask } = makeBatch({ ids: pairs.flatMap(({ texts }) => texts) }, config).tensors;
        const margins = float32(
          pairs.map(({ margin }) => margin),
          [pairs.length],
        );
        const work = pairs.reduce((sum, { texts }) => sum + texts[0].length + texts[1].length, 0);
        return { feeds: { ids, mask, margins }, count: pairs.length, work };
      },
    ),
    order: "random",
    sizesAreTokens: true,
    reduction: "sum",
    unit: "tokens",
    figures,
    loss(g: Graph): Value {
      const rows = product([2, "B"]);
      const inputs_BT = {
        ids_BT: g.input("ids", "int64", [rows, "T"]),
        mask_BT: g.input("mask", "int64", [rows, "T"]),
      };
      const hidden_BTD = family.hidden(g, config, inputs_BT);
      const rewards_B2 = cast(
        reshape(headOf(family, config)!.logits(g, config, hidden_BTD, inputs_BT), ["B", 2]),
        "float32",
      );
      g.output("rewards", rewards_B2);
      const [better_B, worse_B] = ofPairs(rewards_B2);
      const margins_B = g.input("margins", "float32", ["B"]);
      return sumAll(rewardLoss(better_B, worse_B, { margins_B, centring }));
    },
    measure: ({ rewards }) => rewardFigures(rewards!.data as Float32Array),
    save: (path, weights) => saveModel(path, weights, files),
    async [Symbol.asyncDispose]() {},
  };
}

/** @param rewards [B, 2]: of chosen and rejected. */
function rewardFigures(rewards: Float32Array): Figures {
  const sums = Object.fromEntries(figures.map((name) => [name, 0])) as Record<(typeof figures)[number], number>;
  for (let i = 0; i < rewards.length; i += 2) {
    const [better, worse] = [rewards[i]!, rewards[i + 1]!];
    sums.accuracy += Number(better > worse);
    sums.margin += better - worse;
    sums["rewards/chosen"] += better;
    sums["rewards/rejected"] += worse;
  }
  return Object.fromEntries(figures.map((name) => [name, { sum: sums[name], count: rewards.length / 2 }]));
}
