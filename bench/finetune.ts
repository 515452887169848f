/**
 * Fine-tuning updates of BioGPT's shape, whole model, one batch of 1,024 tokens, AdamW, beside transformers on the same
 * weights and sequences, in turn; medians, and the peak memory of each process.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/finetune.ts [base|micro|nano] [rounds] [threads]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bioGpt } from "../src/models/biogpt/biogpt.ts";
import { labelLoss } from "../src/models/graphs.ts";
import { recipeOf } from "../src/recipes/index.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { random } from "../src/tensor/random.ts";
import { withSettings } from "../src/train/config.ts";
import { sequenceBatch } from "../src/train/objectives/soft-prompt.ts";
import { createRun } from "../src/train/run.ts";
import { startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";
import { measureUpdates, printUpdates } from "./support/updates.ts";

const [size = "base", rounds = "3", threads = "2"] = process.argv.slice(2);
const plain = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
const config = { ...bioGpt.sizes[size]!, ...plain };
const folder = mkdtempSync(join(tmpdir(), "galen-finetune-bench-"));
await writeRandomModel(folder, config);

// Four abstracts of different length, as the tasks have them: 1,024 tokens with padding.
const draw = random(1);
const sequences = [256, 240, 225, 210].map((length) =>
  Array.from({ length: length + 1 }, (_, i) => (i === 0 ? 2 : 4 + draw.integer(config.vocab_size - 4))),
);
const tokens = sequences.reduce((sum, ids) => sum + ids.length - 1, 0);

const model = await openModelFolder(folder, { as: "language" });
const run = await createRun(withSettings(recipeOf("bc5cdr")(), ["batch=4", "accumulate=1", `threads=${threads}`]), {
  start: model,
  train: { count: 4, batch: () => sequenceBatch(sequences, config.pad_token_id) },
  order: "random",
  reduction: "sum",
  unit: "tokens",
  loss: (g) => labelLoss(g, model.family, model.config, { gathered: true }),
  save: async () => {},
  async [Symbol.asyncDispose]() {},
});
using peer = startPeer(new URL("finetune.py", import.meta.url), folder, threads);
const versions = await peer?.ask<string>();
const measured = await measureUpdates({
  update: async () => (await run.update(1e-5))!.loss,
  peer,
  request: { sequences },
  rounds: Number(rounds),
});
await run[Symbol.asyncDispose]();
rmSync(folder, { recursive: true });

printUpdates(measured, {
  about: `${size}, ${run.parameters.flat.length} parameters, ${tokens} tokens, ${threads} threads`,
  names: ["Galen", versions ?? ""],
  tokens,
});
