/**
 * Updates of DPO, whole model, pairs of unequal length whose prompts are as long as their answers, AdamW, beside TRL's
 * DPOTrainer on the same weights, pairs and reference log-probabilities, in turn; medians, and the peak memory of each
 * process. Tokens are those of both answers with their prompts, without padding, as TRL computes them; Galen computes a
 * prompt once for both.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/preference.ts [llama-nano|base|SIZE] [rounds] [threads] [pairs]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { families, mostTokens } from "../src/models/index.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { random } from "../src/tensor/random.ts";
import { withSettings } from "../src/train/config.ts";
import { tokensOf } from "../src/train/objectives/completions.ts";
import { pairBatch, pairLoss } from "../src/train/objectives/preference.ts";
import { createRun } from "../src/train/run.ts";
import { startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";
import { measureUpdates, printUpdates } from "./support/updates.ts";

const [size = "llama-nano", rounds = "5", threads = "2", count = "8"] = process.argv.slice(2);
const family = Object.values(families).find(({ causal, sizes }) => causal && Object.hasOwn(sizes, size))!;
const plain = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
const config = { ...family.sizes[size]!, ...(family.modelType === "biogpt" ? plain : {}) };
const folder = mkdtempSync(join(tmpdir(), "galen-preference-bench-"));
await writeRandomModel(folder, config);

const draw = random(1);
const longest = Math.min(256, mostTokens(config));
const some = (length: number): number[] => Array.from({ length }, () => 4 + draw.integer(config.vocab_size - 4));
const pairs = Array.from({ length: Number(count) }, (_, i) => {
  const share = [1, 0.4, 0.25, 0.8, 0.5, 0.33, 0.66, 0.2][i % 8]!;
  const half = Math.round((share * longest) / 2);
  const answers = [some(half), some(Math.max(1, Math.round(half * 0.7)))];
  const branches = answers.map((ids) => ({ ids, scored: ids.map(() => true) }));
  return { row: { prompt: some(half), branches }, reference: [-900, -700] };
});
const tokens = pairs.reduce((sum, { row }) => sum + tokensOf(row), 0);

const model = await openModelFolder(folder, { as: "language" });
const settings = [`batch=${count}`, "accumulate=1", `threads=${threads}`, "device=cpu"];
const run = await createRun(withSettings(recipeOf("preference")(), settings), {
  start: model,
  train: {
    count: pairs.length,
    batch: (numbers) =>
      pairBatch(
        numbers.map((i) => pairs[i]!),
        config.pad_token_id ?? 0,
      ),
  },
  ...pairLoss(model, { loss: "sigmoid", beta: 0.1, labelSmoothing: 0 }),
  save: async () => {},
  async [Symbol.asyncDispose]() {},
});
using peer = startPeer(new URL("preference.py", import.meta.url), folder, threads);
const versions = await peer?.ask<string>({
  pairs: pairs.map(({ row: { prompt, branches }, reference }) => ({
    prompt_ids: prompt,
    chosen_ids: branches[0]!.ids,
    rejected_ids: branches[1]!.ids,
    ref_chosen_logps: reference[0],
    ref_rejected_logps: reference[1],
  })),
});
const measured = await measureUpdates({
  update: async () => (await run.update(1e-6))!.loss,
  peer,
  request: {},
  rounds: Number(rounds),
});
await run[Symbol.asyncDispose]();
rmSync(folder, { recursive: true });

printUpdates(measured, {
  about: `${size}, ${run.parameters.flat.length} parameters, ${tokens} tokens in ${pairs.length} pairs of at most ${longest} each, ${threads} threads`,
  names: ["Galen", versions ?? ""],
  tokens,
});
