/**
 * Preferences of people, without a reward model (Rafailov et al. 2023, arXiv:2305.18290): the chosen answer is to become
 * more probable than it was to the model at the start, the rejected one less. As TRL 1.16's DPOTrainer with reference
 * log-probabilities that are computed once, before the first update.
 */
// B pairs, C = 2B completions: chosen and rejected in turn
import * as z from "zod";
import { ConfigError } from "../../errors.ts";
import { readPreferences } from "../../corpus/conversations.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { reshape, sub, sumAll } from "../../graph/ops/index.ts";
import { product } from "../../graph/shape.ts";
import { preferenceKinds, preferenceLoss } from "../../nn/preference-losses.ts";
import { answered, answerSettings, laidOut, ofPairs, openAnswers, writing } from "./answers.ts";
import { type Branching, completionFeeds, completionScores, scoredTokens, tokensOf } from "./completions.ts";
import type { Batch, Context, Figures, Inputs, Objective } from "./objective.ts";
import { referenceScores } from "./reference.ts";
import { exampleSets, float32, readSplits } from "./texts.ts";

export const preferenceSettings = z.strictObject({
  kind: z.literal("preference"),
  loss: z
    .enum(preferenceKinds)
    .describe("sigmoid: DPO; robust: DPO for labels that may be wrong; ipo; sigmoid_norm: DPO of a token's mean"),
  beta: z.number().positive().describe("How the model is kept near its start: the less, the further it may go"),
  labelSmoothing: z.number().min(0).lt(0.5).describe("Share of pairs that are taken to be the wrong way round"),
  ...answerSettings,
});

type Settings = z.infer<typeof preferenceSettings>;

/** A pair with the reference's log-probabilities of its completions. */
interface Pair {
  readonly row: Branching;
  readonly reference: readonly number[];
}

interface PairBatch extends Batch {
  readonly pairs: readonly Pair[];
}

const figures = [
  "rewards/accuracies",
  "rewards/margins",
  "rewards/chosen",
  "rewards/rejected",
  "logps/chosen",
  "logps/rejected",
  "lengths/chosen",
  "lengths/rejected",
] as const;

/** @throws ConfigError for smoothing of a loss that has none; DataError where no pair is left. */
export async function openPreference(settings: Settings, inputs: Inputs, context: Context): Promise<Objective> {
  const { loss: kind, labelSmoothing: smoothing } = settings;
  if (smoothing > 0 && (kind === "ipo" || kind === "sigmoid_norm")) {
    throw new ConfigError(`labelSmoothing: expected 0 with loss=${kind}, got ${smoothing}`, {
      hint: "loss=sigmoid and loss=robust have it",
    });
  }
  const source = await openAnswers(inputs, settings, context);
  const { chat, still } = source;
  const found = await readSplits(inputs, readPreferences);
  const rows = laidOut(
    found,
    ({ chosen, rejected, where }) => [answered(chat, chosen, where), answered(chat, rejected, where)],
    source.maxTokens,
    context,
  );
  const [train, valid] = [rows.train, rows.valid ?? []].map((list) => list.map(({ row }) => row)) as [
    Branching[],
    Branching[],
  ];
  // An engine outside computes them with its own weights.
  const [ofTrain, ofValid] = (
    context.outside === true ? [[], []] : await referenceScores(still, [train, valid], context)
  ) as [number[][], number[][]];
  const pairsOf = (list: readonly Branching[], scores: readonly number[][]): Pair[] =>
    list.map((row, i) => ({ row, reference: scores[i]! }));
  const splits = { train: pairsOf(train, ofTrain), valid: rows.valid && pairsOf(valid, ofValid) };
  return {
    start: still,
    ...exampleSets(
      splits,
      ({ row }) => tokensOf(row),
      (pairs) => pairBatch(pairs, still.config.pad_token_id ?? 0),
      ({ row: { prompt, branches } }) =>
        branches.map(({ ids, scored }) => ({
          ids: [...prompt, ...ids],
          learned: [...prompt.map(() => false), ...scored],
        })),
    ),
    ...pairLoss(still, settings),
    ...(await writing(source, rows, context)),
    async [Symbol.asyncDispose]() {},
  };
}

/** What `pairLoss` is fed with. */
export function pairBatch(pairs: readonly Pair[], padId: number): PairBatch {
  const rows = completionFeeds(
    pairs.map(({ row }) => row),
    padId,
  );
  const reference = float32(
    pairs.flatMap((pair) => pair.reference),
    [2 * pairs.length],
  );
  const work = pairs.reduce((sum, { row }) => sum + tokensOf(row), 0);
  return { feeds: { ...rows, reference }, count: pairs.length, work, pairs };
}

/** The loss of pairs, how it is counted, and what is measured beside it. */
export function pairLoss(
  source: Parameters<typeof completionScores>[1],
  { loss: kind, beta, labelSmoothing: smoothing }: Pick<Settings, "loss" | "beta" | "labelSmoothing">,
): Pick<Objective, "order" | "sizesAreTokens" | "reduction" | "unit" | "figures" | "loss" | "measure"> {
  return {
    order: "random",
    sizesAreTokens: true,
    reduction: "sum",
    unit: "tokens",
    figures,
    loss(g: Graph): Value {
      const completions = product([2, "B"]);
      const { scores_C, lengths_C } = completionScores(g, source, completions);
      g.output("scores", scores_C);
      const ratios_C = sub(scores_C, g.input("reference", "float32", [completions]));
      const ratios = ofPairs(reshape(ratios_C, ["B", 2]));
      const lengths = ofPairs(reshape(lengths_C, ["B", 2]));
      const [chosen, rejected] = [
        { ratios_B: ratios[0], lengths_B: lengths[0] },
        { ratios_B: ratios[1], lengths_B: lengths[1] },
      ] as const;
      return sumAll(preferenceLoss(chosen, rejected, { kind, beta, smoothing }));
    },
    measure: ({ scores }, batch) => pairFigures(scores!.data as Float32Array, (batch as PairBatch).pairs, beta),
  };
}

/** A reward is β times what the training changed a completion's log-probability by. */
function pairFigures(scores: Float32Array, pairs: readonly Pair[], beta: number): Figures {
  const sums = Object.fromEntries(figures.map((name) => [name, 0])) as Record<(typeof figures)[number], number>;
  for (const [i, { row, reference }] of pairs.entries()) {
    const [chosen, rejected] = [scores[2 * i]!, scores[2 * i + 1]!];
    const better = beta * (chosen - reference[0]!);
    const worse = beta * (rejected - reference[1]!);
    sums["rewards/accuracies"] += Number(better > worse);
    sums["rewards/margins"] += better - worse;
    sums["rewards/chosen"] += better;
    sums["rewards/rejected"] += worse;
    sums["logps/chosen"] += chosen;
    sums["logps/rejected"] += rejected;
    sums["lengths/chosen"] += scoredTokens(row.branches[0]!);
    sums["lengths/rejected"] += scoredTokens(row.branches[1]!);
  }
  return Object.fromEntries(figures.map((name) => [name, { sum: sums[name], count: pairs.length }]));
}
