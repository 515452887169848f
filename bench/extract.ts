/**
 * Extraction from documents, greedy: Galen's whole `extract` (tokens, answers, places in the text, files) with lookup and
 * without, beside transformers' `generate` alone on the same prompts, in batches of 16, and one by one with its
 * `prompt_lookup_num_tokens`. Weights are random and never copy, so every side is made to write the benchmark's own
 * answers, by a processor of scores: what is measured is what a model that answers rightly would take.
 *
 * `ONE=1`: one document at a time on Galen's side as well, where lookup pays most. `BITS=4`: Galen's weights in four bits.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/extract.ts ddi|bc5cdr DATA [micro|base|nano] [documents] [rounds] [threads]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extractDocuments } from "../src/extract/index.ts";
import type { GenerateOptions } from "../src/generate/index.ts";
import type { Model } from "../src/model.ts";
import { bioGpt } from "../src/models/biogpt/biogpt.ts";
import { openTuned } from "../src/soft-prompts/index.ts";
import { layoutSource } from "../src/soft-prompts/layout.ts";
import { growVocabulary } from "../src/soft-prompts/prompt-rows.ts";
import { openTask } from "../src/soft-prompts/metadata.ts";
import { trainBioGptTokenizer } from "../src/tokenizers/index.ts";
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

const [name, data, size = "micro", wanted = "32", rounds = "3", threads = "2"] = process.argv.slice(2);
if (name === undefined || data === undefined) {
  throw new Error("usage: npx node bench/extract.ts ddi|bc5cdr DATA [micro|base|nano] [documents] [rounds] [threads]");
}
const { task } = await openTask(name);
const most = { text: 2500, answer: 400 }; // characters: what a thousand positions hold
const examples = (await task.read(data, "test"))
  .filter((one) => one.text.length < most.text && task.target(one).length < most.answer)
  .slice(0, Number(wanted));
const tokenizer = await trainBioGptTokenizer(
  examples.flatMap((one) => [task.source(one), task.target(one)]),
  { numMerges: 6000 },
);
const config = bioGpt.sizes[size]!;
const grown = growVocabulary(tokenizer, config.vocab_size, 9);
const folder = mkdtempSync(join(tmpdir(), "galen-extract-bench-"));
await writeRandomModel(join(folder, "model"), { ...config, vocab_size: grown.vocabSize }, grown.tokenizer);
const weights = process.env["BITS"] === "4" ? ("int4" as const) : undefined;
const tuned = await openTuned(join(folder, "model"), { task: name, threads: Number(threads), weights });

// The same prompts in the same order for the other side: longest first.
const whole = examples.filter((one) => !layoutSource(tuned.layout, task.source(one)).cut);
const rows = whole
  .map((one) => ({
    prompt: layoutSource(tuned.layout, task.source(one)).ids,
    answer: [...grown.tokenizer.encodeIds(task.target(one)).slice(1), 2],
  }))
  .sort((a, b) => b.prompt.length - a.prompt.length);
const answers = new Map(rows.map(({ prompt, answer }) => [prompt.join(), answer]));
const tokens = rows.reduce((sum, { answer }) => sum + answer.length, 0);

const counts = { tried: 0, kept: 0 };
/** The model, made to write each prompt's answer. */
const forced = new Proxy(tuned.model, {
  get(model, key): unknown {
    if (key !== "generate") {
      const value: unknown = Reflect.get(model, key, model);
      return typeof value === "function" ? value.bind(model) : value;
    }
    return async (options: GenerateOptions): ReturnType<Model["generate"]> => {
      const processors: GenerateOptions["processors"] = (prompt) => {
        const answer = answers.get(prompt.join())!;
        return [(ids, scores) => void (scores[answer[ids.length - prompt.length] ?? 2] = 1e4)];
      };
      const found = await model.generate({ ...options, processors });
      counts.tried += found.lookup.tried;
      counts.kept += found.lookup.kept;
      return found;
    };
  },
});

const documents = whole.map(({ id, text }) => ({ id, title: "", text, source: name }));
async function own(lookup: boolean, round: number): Promise<number> {
  const start = performance.now();
  await extractDocuments({ ...tuned, model: forced }, documents, {
    output: join(folder, `out-${lookup}-${round}`),
    window: documents.length,
    group: documents.length,
    repeatGuard: false,
    lookup,
    cacheBytes: process.env["ONE"] === undefined ? undefined : 1,
  });
  return (performance.now() - start) / 1000;
}

using peer = startPeer(new URL("extract.py", import.meta.url), join(folder, "model"), threads);
const versions = await peer?.ask<string>();
async function other(batch: number, lookup: number | null): Promise<number | undefined> {
  const request = {
    prompts: rows.map((one) => one.prompt),
    answers: rows.map((one) => one.answer),
    rows: batch,
    lookup,
  };
  const answer = await peer?.ask<{ seconds: number; right: boolean }>(request);
  if (answer?.right === false) throw new Error("transformers did not write the answers it was made to write");
  return answer?.seconds;
}

const sides = {
  "Galen's extract": (round: number) => own(true, round),
  "Galen's extract, --no-lookup": (round: number) => own(false, round),
  [`${versions}, generate in batches of 16`]: () => other(16, null),
  [`${versions}, generate with prompt_lookup_num_tokens: 10`]: () => other(1, 10),
};
const seconds = Object.keys(sides).map((): number[] => []);
for (let round = -1; round < Number(rounds); round++) {
  for (const [i, side] of Object.values(sides).entries()) {
    const taken = await side(round);
    if (round >= 0 && taken !== undefined) seconds[i]!.push(taken); // the first round warms up
  }
}
await tuned.model.dispose();
rmSync(folder, { recursive: true });

const mean = rows.reduce((sum, { prompt }) => sum + prompt.length, 0) / rows.length;
console.log(
  `${machine()}; ${name}, ${size}, ${rows.length} documents of ${mean.toFixed(0)} tokens, answers of ${(tokens / rows.length).toFixed(0)}, ${threads} threads, medians of ${rounds}`,
);
console.log(
  `lookup: ${counts.tried} tokens tried, ${((100 * counts.kept) / counts.tried).toFixed(1)} % kept, which are ${((100 * counts.kept) / (tokens * (1 + Number(rounds)))).toFixed(1)} % of the answers'`,
);
Object.keys(sides).forEach((side, i) => {
  if (seconds[i]!.length === 0) return;
  const ratio = median(seconds[0]!.map((mine, round) => seconds[i]![round]! / mine));
  const rate = (60 * rows.length) / median(seconds[i]!);
  console.log(`${side}: ${rate.toFixed(1)} documents a minute${i === 0 ? "" : ` (Galen ${ratio.toFixed(2)} ×)`}`);
});
