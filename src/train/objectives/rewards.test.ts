/** Rewards by a model, rules and functions, and their weighted sums. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTinyTask } from "../../../test/support/tiny-task.ts";
import { loadModel } from "../../model.ts";
import { configText } from "../../models/index.ts";
import { scoringGraph } from "../../models/graphs.ts";
import { allocateParameters, initialise } from "../../runtime/parameters.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import { saveModel } from "../checkpoint.ts";
import { type SampledAnswer, rewardRule } from "./reward-rules.ts";
import { openRewards, type RewardFunction, rewardsOf } from "./rewards.ts";
import { openHeadSource } from "./source.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-rewards-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { start } = await writeTinyTask(folder);

/** A random head of as many numbers on the tiny decoder. */
async function writeScorer(name: string, labels: readonly string[]): Promise<string> {
  const { family, config, tokenizer } = await openHeadSource(start, "sequence", labels, "regression");
  const graph = scoringGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 9);
  const files = new Map(tokenizer.files()).set("config.json", configText(config));
  await saveModel(join(folder, name), parameters.tensors, files);
  return join(folder, name);
}
const scorer = await writeScorer("scorer", ["reward"]);

const answerOf = (prompt: string, text: string): SampledAnswer => ({
  prompt,
  text,
  ids: [1, 2],
  ended: true,
  fields: {},
  where: "p.jsonl:1",
});
const answers = [
  answerOf("Aspirin raises", " Warfarin levels in man."),
  answerOf("Codeine lowers", " Insulin."),
  answerOf("In man.", ""),
];
const options = { device: "cpu" } as const;

test("a reward model reads prompt and answer as one text with its end, whatever else is in the batch", async () => {
  await using rewards = await openRewards({ rules: [], rewardWeight: 1 }, scorer, options);
  const { sums } = await rewardsOf(rewards, answers);
  await using model = await loadModel(scorer, { threads: 1 });
  const tokenizer = await loadTokenizer(scorer);
  for (const [i, { prompt, text }] of answers.entries()) {
    const ids = tokenizer.encodeIds(`${prompt as string}${text}`);
    const ended = ids.at(-1) === tokenizer.special.eos ? ids : [...ids, tokenizer.special.eos!];
    const { logits } = await model.forward({ ids: [ended] });
    expect(sums[i]).toBeCloseTo(logits.data[0]!, 5);
  }
  expect(new Set(sums).size).toBe(3);
});

test("terms are summed with their weights, and those of one kind are told apart", async () => {
  const rules = [
    { rule: "contains", texts: ["warfarin"], weight: 2 },
    { rule: "contains", texts: ["insulin"] },
    { rule: "length", most: 10, weight: -1 },
  ].map((one) => rewardRule.parse(one));
  const letters: RewardFunction = async (some) => some.map(({ text }) => text.length);
  await using rewards = await openRewards({ rules, rewardWeight: 0.5 }, letters, options);
  expect(rewards.parts.map(({ name }) => name)).toEqual(["letters", "contains", "contains 2", "length"]);
  const { sums, byPart } = await rewardsOf(rewards, answers);
  expect(byPart).toEqual([
    [24, 9, 0],
    [1, 0, 0],
    [0, 1, 0],
    [1, 1, 1],
  ]);
  expect(sums).toEqual([12 + 2 - 1, 4.5 + 1 - 1, -1]);
});

test("a model that gives more numbers than one is refused", async () => {
  const two = await writeScorer("two", ["a", "b"]);
  await expect(openRewards({ rules: [], rewardWeight: 1 }, two, options)).rejects.toThrow(
    /two: expected a reward model, ForSequenceClassification of one label, got/,
  );
});
