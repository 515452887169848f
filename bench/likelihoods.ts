/**
 * Log-likelihoods of the choices of MedMCQA's questions beside lm-evaluation-harness on transformers: random weights of
 * BioGPT's base shape (347M) and of a LLaMA of 15M, LLaMA-2's tokenizer on both sides, the same prompts. Rounds take turns,
 * medians are compared; a last line says how far scores lie apart. `texts`: the choices' texts instead of their letters.
 * `PEERS_PYTHON=python npx node bench/likelihoods.ts [base|15m] [questions] [rounds] [letters|texts]`; THREADS=2, BATCH=8,
 * SHOTS=0: so many examples before every question, the same for all, as in MMLU.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { bioGpt } from "../src/models/biogpt/biogpt.ts";
import { withShots } from "../src/eval/index.ts";
import { familyOf, type ModelConfig } from "../src/models/index.ts";
import { benchmarks } from "../src/tasks/index.ts";
import { hasShared, shared } from "../test/support/shared.ts";
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

const [shape = "15m", questions = "200", rounds = "3", ask = "letters"] = process.argv.slice(2);
const threads = Number(process.env["THREADS"] ?? 2);
const shots = Number(process.env["SHOTS"] ?? 0);
const batch = process.env["BATCH"] ?? "8";

const small = {
  model_type: "llama",
  vocab_size: 32_000,
  hidden_size: 288,
  intermediate_size: 768,
  num_hidden_layers: 6,
  num_attention_heads: 6,
  num_key_value_heads: 6,
  max_position_embeddings: 1024,
  tie_word_embeddings: true,
};

interface Answer {
  readonly seconds: number;
  readonly scores: number[][];
  /** MiB. */
  readonly peak: number;
}

const peakOf = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1024;

function configOf(): ModelConfig {
  return shape === "base" ? bioGpt.sizes["base"]! : familyOf(small, "llama").parseConfig(small, "llama");
}

async function writeModel(folder: string): Promise<void> {
  await writeRandomModel(folder, configOf());
  const text = readFileSync(shared("data/tokenizers/llama-2/tokenizer.json"), "utf8");
  const tokenizer = JSON.parse(text) as { model: { merges: string[] } };
  // Three merges of blanks, which never meet any, are none to the Rust library.
  tokenizer.model.merges = tokenizer.model.merges.filter((one) => one.split(" ").length === 2);
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  const marks = { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" };
  const settings = { tokenizer_class: "PreTrainedTokenizerFast", ...marks };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(settings));
}

async function main(): Promise<void> {
  if (!hasShared("data/benchmarks/medmcqa") || !hasShared("data/tokenizers/llama-2")) return;
  const folder = mkdtempSync(join(tmpdir(), "galen-likelihoods-"));
  await writeModel(folder);
  const data = shared("data/benchmarks/medmcqa");
  const sameForAll = { ...benchmarks["medmcqa"]!, shots: { first: true } };
  const { read, source, choices } = await withShots(sameForAll, { shots, data });
  const examples = (await read(data, "test")).slice(0, Number(questions));
  const contexts = examples.map((one) => source(one));
  const asked = examples.map((one) =>
    ask === "texts" ? choices!.texts!(one).map((text) => ` ${text}`) : [...choices!.of(one)],
  );
  await using likelihoods = await loadLikelihoods(folder, { threads });
  using peer = startPeer(new URL("likelihoods.py", import.meta.url), folder, String(threads), batch);
  const named = await peer?.ask<{ name: string }>();
  const own = async (): Promise<Answer> => {
    const start = performance.now();
    const scores = await likelihoods.logLikelihoods(contexts, asked);
    return { seconds: (performance.now() - start) / 1000, scores, peak: peakOf() };
  };
  const sides = [{ name: "galen", run: own }];
  if (peer !== undefined) sides.push({ name: named!.name, run: () => peer.ask<Answer>([contexts, asked]) });
  const found = sides.map((): Answer[] => []);
  // The first round warms up.
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [i, { run }] of sides.entries()) found[i]!.push(await run());
  }
  rmSync(folder, { recursive: true });
  console.log(
    `${machine()}, ${threads} threads; ${shape}, ${examples.length} questions, ${shots} shots, ${ask}; ${rounds} rounds`,
  );
  const speeds = found.map((all) => examples.length / median(all.slice(1).map(({ seconds }) => seconds)));
  sides.forEach(({ name }, i) => {
    const ratio = i === 0 ? "" : ` (galen ${(speeds[0]! / speeds[i]!).toFixed(2)} ×)`;
    const [first, last] = [found[i]![0]!.peak.toFixed(0), found[i]!.at(-1)!.peak.toFixed(0)];
    console.log(`${name}: ${speeds[i]!.toFixed(2)} questions/s${ratio}; peak ${first} MiB, ${last} at the end`);
  });
  if (found.length > 1) {
    const [mine, other] = found.map((all) => all[0]!.scores.flat());
    const apart = Math.max(...mine!.map((score, i) => Math.abs(score - other![i]!)));
    console.log(`log-likelihoods lie at most ${apart.toExponential(1)} apart`);
  }
}

await main();
