/**
 * Milliseconds of a training step, forward and backward and with the optimiser, beside PyTorch eager on the same
 * machine, step by step in turn; medians.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/train-step.ts [gpt|nano|llama] [steps] [threads]
 *
 * gpt: 13.9M parameters (6 layers, 384 wide, vocabulary 8,192), batch 8 × 256, fp32. nano: `biogpt-nano`, the same batch.
 * llama: `llama-nano`, 15.7M parameters, the same batch, beside transformers' LlamaForCausalLM (sdpa).
 */
import { toOnnx } from "../src/graph/lower.ts";
import { bioGpt, type Family, llama, type ModelConfig } from "../src/models/index.ts";
import { lossGraph } from "../src/models/graphs.ts";
import { createSession } from "../src/runtime/session.ts";
import { allocateParameters, initialise, parameterCount } from "../src/runtime/parameters.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { createArena } from "../src/train/arena.ts";
import { createOptimiser } from "../src/train/optimiser.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const [which = "gpt", steps = "15", threads = "2"] = process.argv.slice(2);
const [batch, tokens] = [8, 256];
const plain = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
const nano = { ...bioGpt.sizes["nano"]!, ...plain };
const gpt = {
  ...nano,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 6,
  intermediate_size: 1536,
  max_position_embeddings: 256,
};
const known: Readonly<Record<string, readonly [unknown, ModelConfig]>> = {
  gpt: [bioGpt, gpt],
  nano: [bioGpt, nano],
  llama: [llama, llama.sizes["llama-nano"]!],
};
const [family, config] = known[which]!;

const graph = lossGraph(family as Family, config, { batch, tokens, training: true });
const { allocate } = createArena(parameterCount(graph), 4); // parameters, gradients, two moments
const parameters = allocateParameters(graph, allocate);
initialise(graph, parameters, 1);
const gradients = allocateParameters(graph, allocate);
await using session = await createSession(toOnnx(graph), { threads: Number(threads) });
const optimiser = createOptimiser(
  { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 0 },
  parameters.flat,
);
const numbers = random(1);
const ids = (): BigInt64Array =>
  BigInt64Array.from({ length: batch * tokens }, () => BigInt(numbers.integer(config.vocab_size)));
const feeds = {
  ids: tensor("int64", [batch, tokens], ids()),
  labels: tensor("int64", [batch, tokens], ids()),
  scale: tensor("float32", [], Float32Array.of(1 / (batch * tokens))),
  ...Object.fromEntries(parameters.tensors),
};
const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));

interface Timing {
  readonly step: number;
  readonly optimiser: number;
}

async function ownStep(): Promise<Timing> {
  const start = performance.now();
  await session.run(feeds, into);
  const middle = performance.now();
  optimiser.update(gradients.flat, 1e-4);
  return { step: middle - start, optimiser: performance.now() - middle };
}

using peer = startPeer(
  new URL("train-step.py", import.meta.url),
  JSON.stringify({ ...config, batch, tokens, threads: Number(threads) }),
);
const versions = await peer?.ask<string>();
const own: Timing[] = [];
const others: Timing[] = [];
for (let i = 0; i < Number(steps) + 2; i++) {
  const timing = await ownStep();
  const other = await peer?.ask<Timing>({});
  if (i < 2) continue; // warm-up
  own.push(timing);
  if (other !== undefined) others.push(other);
}
const of = (timings: readonly Timing[], pick: (timing: Timing) => number): number => median(timings.map(pick));
const whole = ({ step, optimiser: update }: Timing): number => step + update;
const row = (name: string, timings: readonly Timing[]): string => {
  const total = of(timings, whole);
  const rate = (batch * tokens * 1e3) / total;
  return `| ${name} | ${of(timings, (t) => t.step).toFixed(0)} | ${of(timings, (t) => t.optimiser).toFixed(1)} | ${total.toFixed(0)} | ${rate.toFixed(0)} |`;
};
console.log(
  `${machine()}; ${which}, ${parameters.flat.length} parameters, batch ${batch} × ${tokens}, ${threads} threads, medians of ${steps} pairs`,
);
console.log("| | forward + backward, ms | optimiser, ms | step, ms | tokens/s |\n| --- | ---: | ---: | ---: | ---: |");
console.log(row("Galen", own));
if (others.length > 0) {
  console.log(row(`${versions}`, others));
  // Medians of the pairs' ratios: each pair saw the same state of the machine.
  const ratio = (pick: (timing: Timing) => number): string =>
    median(own.map((t, i) => pick(others[i]!) / pick(t))).toFixed(2);
  console.log(`ratio: forward + backward ${ratio((t) => t.step)}, with optimiser ${ratio(whole)}`);
}
console.log(
  `optimiser's share of the step: ${((100 * of(own, (t) => t.optimiser)) / of(own, whole)).toFixed(1)} %; peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
);
