/** The peer of embed.ts in JavaScript: transformers.js from the folder PEERS_NODE, on ONNX Runtime. */
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";

interface Output {
  tolist(): number[][];
}
interface TransformersJs {
  readonly env: { version: string; localModelPath: string; allowRemoteModels: boolean };
  pipeline(
    task: "feature-extraction",
    model: string,
    options: { dtype: string; device: "cpu"; session_options: { intraOpNumThreads: number } },
  ): Promise<(texts: readonly string[], options: { pooling: "mean"; normalize: true }) => Promise<Output>>;
}

const batch = 32; // sentence-transformers' default
const [folder, threads, dtype] = process.argv.slice(2);
const require = createRequire(`${process.env["PEERS_NODE"]}/`);
const { env, pipeline } = require("@huggingface/transformers") as TransformersJs;
env.localModelPath = dirname(folder!);
env.allowRemoteModels = false;
const session_options = { intraOpNumThreads: Number(threads) };
const extract = await pipeline("feature-extraction", basename(folder!), {
  dtype: dtype!,
  device: "cpu",
  session_options,
});
console.log(JSON.stringify(`transformers.js ${env.version}, ${dtype}`));
for await (const line of createInterface({ input: process.stdin })) {
  const { texts } = JSON.parse(line) as { texts: string[] };
  const start = performance.now();
  const outputs: Output[] = [];
  for (let i = 0; i < texts.length; i += batch) {
    outputs.push(await extract(texts.slice(i, i + batch), { pooling: "mean", normalize: true }));
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, vectors: outputs.flatMap((output) => output.tolist()) }));
}
