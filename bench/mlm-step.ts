/**
 * Milliseconds of a masked-language-model step of `biomedbert-small`, forward, backward and AdamW, logits at masked
 * positions alone, beside Hugging Face's BertForMaskedLM with torch.optim.AdamW, step by step in turn; medians.
 * Both have dropout as published (0.1) and the same weights, tokens and labels.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/mlm-step.ts [tokens] [batch] [steps] [threads]
 */
import { toOnnx } from "../src/graph/lower.ts";
import { bert, type Family } from "../src/models/index.ts";
import { lossGraph } from "../src/models/graphs.ts";
import { createSession } from "../src/runtime/session.ts";
import { allocateParameters, initialise, parameterCount } from "../src/runtime/parameters.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { createArena } from "../src/train/arena.ts";
import { createOptimiser } from "../src/train/optimiser.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const [T = "128", B = "8", steps = "7", threads = "2"] = process.argv.slice(2);
const [tokens, batch] = [Number(T), Number(B)];
const config = bert.sizes["biomedbert-small"]!;
const count = Math.round(tokens * 0.15) * batch;
const graph = lossGraph(bert as unknown as Family, config, { batch, tokens, gathered: count, training: true });
const { allocate } = createArena(parameterCount(graph), 4); // parameters, gradients, two moments
const parameters = allocateParameters(graph, allocate);
initialise(graph, parameters, 1);
const gradients = allocateParameters(graph, allocate);
await using session = await createSession(toOnnx(graph), { threads: Number(threads) });
const optimiser = createOptimiser(
  { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-6, weightDecay: 0.01, clipNorm: 0 },
  parameters.flat,
);
const draw = random(1);
const ids = Array.from({ length: batch * tokens }, () => 1000 + draw.integer(config.vocab_size - 1000));
const places = draw
  .shuffle(Array.from(ids.keys()))
  .slice(0, count)
  .sort((a, b) => a - b);
const labels = places.map((place) => ids[place]!);
for (const place of places) ids[place] = 103;
const int64 = (values: readonly number[], dims: number[]) => tensor("int64", dims, BigInt64Array.from(values, BigInt));
const feeds = {
  ids: int64(ids, [batch, tokens]),
  at: int64(places, [count]),
  labels: int64(labels, [count]),
  scale: tensor("float32", [], Float32Array.of(1 / count)),
  ...Object.fromEntries(parameters.tensors),
};
const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));

const all = Array.from({ length: batch * tokens }, () => -100);
places.forEach((place, i) => (all[place] = labels[i]!));
using peer = startPeer(
  new URL("mlm-step.py", import.meta.url),
  JSON.stringify({ batch, tokens, threads: Number(threads), config: { ...config, architectures: undefined } }),
);
const versions = await peer?.ask<string>({ ids, labels: all });
const own: number[] = [];
const others: number[] = [];
for (let i = 0; i < Number(steps) + 2; i++) {
  const start = performance.now();
  const seed = tensor("int64", [], BigInt64Array.of(BigInt(i + 1)));
  await session.run({ ...feeds, seed }, into);
  optimiser.update(gradients.flat, 1e-4);
  const time = performance.now() - start;
  const other = await peer?.ask<number>({});
  if (i < 2) continue; // warm-up
  own.push(time);
  if (other !== undefined) others.push(other);
}
console.log(
  `${machine()}; biomedbert-small, ${parameters.flat.length} parameters, ${batch} × ${tokens}, ${count} masked, ${threads} threads, medians of ${steps} pairs`,
);
const row = (name: string, times: readonly number[]): string =>
  `| ${name} | ${median(times).toFixed(0)} | ${((batch * tokens * 1e3) / median(times)).toFixed(0)} |`;
console.log(`| | step, ms | tokens/s |\n| --- | ---: | ---: |\n${row("Galen", own)}`);
if (others.length > 0) {
  console.log(row(String(versions), others));
  console.log(`ratio: ${median(own.map((time, i) => others[i]! / time)).toFixed(2)}`);
}
