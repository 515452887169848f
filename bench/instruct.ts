/**
 * Updates of supervised fine-tuning, whole model, eight exchanges of unequal length, half of the tokens learned, AdamW,
 * beside TRL's SFTTrainer on the same weights and exchanges, in turn; medians, and the peak memory of each process. Tokens
 * are those of exchanges, without padding: TRL pads (its packing wants FlashAttention), Galen packs, or pads with `padded`.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/instruct.ts [llama-nano|base|SIZE] [rounds] [threads] [packed|padded]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labelLoss } from "../src/models/graphs.ts";
import { families, mostTokens } from "../src/models/index.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { random } from "../src/tensor/random.ts";
import { withSettings } from "../src/train/config.ts";
import { type Lesson, lessonBatch } from "../src/train/objectives/instructions.ts";
import { createRun } from "../src/train/run.ts";
import { startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";
import { measureUpdates, printUpdates } from "./support/updates.ts";

const [size = "llama-nano", rounds = "5", threads = "2", layout = "packed"] = process.argv.slice(2);
const family = Object.values(families).find(({ causal, sizes }) => causal && Object.hasOwn(sizes, size))!;
const plain = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
const config = { ...family.sizes[size]!, ...(family.modelType === "biogpt" ? plain : {}) };
const folder = mkdtempSync(join(tmpdir(), "galen-instruct-bench-"));
await writeRandomModel(folder, config);

const draw = random(1);
const longest = Math.min(256, mostTokens(config));
const lessons: Lesson[] = [1, 0.4, 0.25, 0.8, 0.5, 0.33, 0.66, 0.2].map((share) => {
  const length = Math.round(share * longest);
  const ids = Array.from({ length }, () => 4 + draw.integer(config.vocab_size - 4));
  return { ids, learned: ids.map((_, t) => t).filter((t) => t >= length >> 1) };
});
const tokens = lessons.reduce((sum, { ids }) => sum + ids.length, 0);
const packing = layout === "packed";
const padId = config.pad_token_id ?? 0;

const model = await openModelFolder(folder, { as: "language" });
const settings = ["batch=8", "accumulate=1", `threads=${threads}`, "device=cpu"];
const run = await createRun(withSettings(recipeOf("instruct")(), settings), {
  start: model,
  train: {
    count: lessons.length,
    batch: (numbers) =>
      lessonBatch(
        numbers.map((i) => lessons[i]!),
        { padId, packing },
      ),
  },
  order: "random",
  reduction: "sum",
  unit: "tokens",
  loss: (g) => labelLoss(g, model.family, model.config, { gathered: true, packed: packing }),
  save: async () => {},
  async [Symbol.asyncDispose]() {},
});
using peer = startPeer(new URL("instruct.py", import.meta.url), folder, threads);
const versions = await peer?.ask<string>({ lessons });
const measured = await measureUpdates({
  update: async () => (await run.update(1e-5))!.loss,
  peer,
  request: {},
  rounds: Number(rounds),
});
await run[Symbol.asyncDispose]();
rmSync(folder, { recursive: true });

printUpdates(measured, {
  about: `${size}, ${run.parameters.flat.length} parameters, ${tokens} tokens in ${lessons.length} exchanges of at most ${longest}, ${threads} threads`,
  names: [`Galen, ${layout}`, `${versions}, padded`],
  tokens,
});
