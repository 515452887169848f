/**
 * Requests a second over HTTP at 1, 8 and 64 clients. Completions: 64 tokens of prompt, 64 new by greedy search, beside
 * llama.cpp's library with a slot a request (its own server is in no package). Embeddings: a text a request, beside
 * sentence-transformers behind FastAPI. Servers are processes of their own and take turns; medians are compared.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/serve.ts completions MODEL FILE.gguf [rounds] [threads] [clients,…]
 *     PEERS_PYTHON=/path/to/python npx node bench/serve.ts embeddings MODEL TEXTS [rounds] [threads] [clients,…]
 *
 * FILE.gguf is what llama.cpp runs; MODEL may be the same file. In float32: `python bench/serve.py float32 FROM.gguf TO.gguf`.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readTexts } from "../src/corpus/texts.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const [kind = "completions", model, other, rounds = "3", threads = "2", listed = "1,8,64"] = process.argv.slice(2);
if (model === undefined || other === undefined || (kind !== "completions" && kind !== "embeddings")) {
  throw new Error("expected completions MODEL FILE.gguf, or embeddings MODEL TEXTS");
}
const clients = listed.split(",").map(Number);
const most = Math.max(...clients);

interface Side {
  readonly name: string;
  readonly url: string;
}

async function startGalen(): Promise<Side & Disposable> {
  const bin = fileURLToPath(new URL("../bin/galen.js", import.meta.url));
  const args = [bin, "serve", "--port", "0", "--json", "--threads", threads, "--model", `model=${model}`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { url } = JSON.parse((await lines.next()).value as string) as { url: string };
  return { name: "Galen", url, [Symbol.dispose]: () => void child.kill() };
}

/** What each of a run's requests asks; no two alike. */
async function createBodies(): Promise<(index: number) => object> {
  if (kind === "embeddings") {
    const texts: string[] = [];
    for await (const { text } of readTexts(other!)) if (texts.push(text) === 4096) break;
    return (index) => ({ model: "model", input: [texts[index % texts.length]] });
  }
  const tokenizer = await loadTokenizer(model!);
  const text = (i: number): string =>
    `Patient ${i} was given aspirin, and the ${["heart", "liver", "brain", "kidney"][i % 4]} was examined after ${i} days. `;
  const end = tokenizer.special.eos;
  return (index) => ({
    model: "model",
    prompt: tokenizer.encodeIds(text(index).repeat(8)).slice(0, 64),
    max_tokens: 64,
    temperature: 0,
    ...(end === undefined ? {} : { logit_bias: { [end]: -100 } }),
  });
}

const bodies = await createBodies();
let asked = 0;

/** Seconds that so many clients take for `each` requests one after another. */
async function measure({ url }: Side, count: number, each: number): Promise<number> {
  const start = performance.now();
  const ask = async (): Promise<void> => {
    for (let i = 0; i < each; i++) {
      const response = await fetch(`${url}/v1/${kind}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(bodies(asked++)),
      });
      const answer = (await response.json()) as { usage?: { completion_tokens?: number } };
      if (!response.ok) throw new Error(JSON.stringify(answer));
      if (kind === "completions" && answer.usage?.completion_tokens !== 64) throw new Error("expected 64 tokens");
    }
  };
  await Promise.all(Array.from({ length: count }, ask));
  return (performance.now() - start) / 1000;
}

using galen = await startGalen();
using peer = startPeer(
  new URL("serve.py", import.meta.url),
  ...(kind === "completions" ? ["llama", other, threads, String(most)] : ["embed", model, threads]),
);
const sides: Side[] = [galen, ...(peer === undefined ? [] : [await peer.ask<Side>()])];
for (const side of sides) await measure(side, 1, 2); // loads the model
console.log(`${machine()}, ${threads} threads; ${kind}, ${model}; medians of ${rounds} rounds`);
for (const count of clients) {
  const each = Math.max(1, Math.ceil((kind === "completions" ? 8 : 64) / count));
  const seconds = sides.map((): number[] => []);
  for (let round = -1; round < Number(rounds); round++) {
    for (const [i, side] of sides.entries()) {
      const time = await measure(side, count, each);
      if (round >= 0) seconds[i]!.push(time); // the first round warms up
    }
  }
  const speeds = seconds.map((times) => (count * each) / median(times));
  const told = sides.map(({ name }, i) => `${name} ${speeds[i]!.toFixed(2)}/s`);
  const ratio = speeds.length > 1 ? `; ratio ${(speeds[0]! / speeds[1]!).toFixed(2)}` : "";
  console.log(`${count} clients: ${told.join(", ")}${ratio}`);
}
