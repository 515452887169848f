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
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

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
interface Answer {
  readonly milliseconds: number;
  readonly loss: number;
  /** MiB. */
  readonly peak: number;
}
const own: Answer[] = [];
const others: Answer[] = [];
for (let round = -1; round < Number(rounds); round++) {
  const start = performance.now();
  const { loss } = (await run.update(1e-5))!;
  const answer = { milliseconds: performance.now() - start, loss, peak: process.resourceUsage().maxRSS / 1024 };
  const other = await peer?.ask<Answer>({ sequences });
  if (round < 0) continue; // warm-up
  own.push(answer);
  if (other !== undefined) others.push(other);
}
await run[Symbol.asyncDispose]();
rmSync(folder, { recursive: true });

const row = (name: string, answers: readonly Answer[]): string => {
  const time = median(answers.map(({ milliseconds }) => milliseconds));
  const last = answers.at(-1)!;
  return `| ${name} | ${time.toFixed(0)} | ${((1000 * tokens) / time).toFixed(0)} | ${last.peak.toFixed(0)} | ${last.loss.toFixed(5)} |`;
};
console.log(
  `${machine()}; ${size}, ${run.parameters.flat.length} parameters, ${tokens} tokens, ${threads} threads, medians of ${rounds} pairs`,
);
console.log("| | update, ms | tokens/s | peak memory, MiB | last loss |\n| --- | ---: | ---: | ---: | ---: |");
console.log(row("Galen", own));
if (others.length > 0) {
  console.log(row(`${versions}`, others));
  const ratio = median(own.map(({ milliseconds }, i) => others[i]!.milliseconds / milliseconds));
  console.log(`ratio of tokens/s: ${ratio.toFixed(2)}`);
}
