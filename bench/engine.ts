/**
 * A GGUF file run by ONNX Runtime and by llama.cpp behind the same `Model`, and by llama-cpp-python outside: a prompt of 256
 * tokens, then 64 more by greedy search without drafts. Rounds take turns, medians are compared. Where FILE is not there, a
 * LLaMA of BioGPT base's size with random weights is written to it, in Q4_0. Needs node-llama-cpp (`npm install --no-save
 * node-llama-cpp@3.22.1`).
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/engine.ts FILE.gguf [rounds] [threads]
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, loadModel } from "../src/model.ts";
import { llama } from "../src/models/llama/llama.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { writeGgufModel } from "../src/runtime/gguf.ts";
import { trainTokenizer } from "../src/tokenizers/registry.ts";
import { ggufVocabulary } from "../src/tokenizers/gguf.ts";
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

const [path, rounds = "5", threads = "2"] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: npx node bench/engine.ts FILE.gguf [rounds] [threads]");

/** As many parameters as BioGPT base has: a gated network has three matrices where it has two. */
async function writeBase(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "galen-engine-bench-"));
  const config = llama.parseConfig(
    {
      model_type: "llama",
      vocab_size: 42_384,
      hidden_size: 1024,
      intermediate_size: 2720,
      num_hidden_layers: 24,
      num_attention_heads: 16,
      max_position_embeddings: 1024,
      tie_word_embeddings: true,
    },
    "base",
  );
  await writeRandomModel(folder, config);
  const tokenizer = await trainTokenizer(["a few words, over and over"], { kind: "byte-bpe", vocabSize: 300 });
  const vocabulary = ggufVocabulary(tokenizer, config.vocab_size);
  await writeGgufModel(path!, await openModelFolder(folder), { type: "q4_0", name: "base", vocabulary });
  rmSync(folder, { recursive: true });
}
if (!existsSync(path)) await writeBase();

const prompt = Array.from({ length: 256 }, (_, i) => 100 + ((37 * i) % 20_000));
await using onnx = await loadModel(path, { threads: Number(threads) });
await using other = await loadModel(path, { threads: Number(threads), engine: "llama.cpp" satisfies Engine });
const own = (model: typeof onnx) => async (tokens: number, fresh: number) => {
  const start = performance.now();
  // Another first token every time: llama.cpp's side would find the prompt's keys and values where they were.
  const ids = [fresh, ...prompt.slice(1)];
  const { sequences } = await model.generate({ ids, maxNewTokens: tokens, eosTokenId: [], lookup: false });
  return { seconds: (performance.now() - start) / 1000, ids: sequences[0]! };
};
using peer = startPeer(new URL("decode-bits.py", import.meta.url), path, threads, "{}");
const named = await peer?.ask<{ readonly name: string }>();
const sides = {
  "Galen, ONNX Runtime": own(onnx),
  "Galen, llama.cpp": own(other),
  ...(named === undefined
    ? {}
    : {
        [named.name]: async (tokens: number, fresh: number) =>
          peer!.ask<{ seconds: number; ids?: number[] }>({ prompt: [fresh, ...prompt.slice(1)], tokens }),
      }),
};
const taken = Object.keys(sides).map(() => ({ prefill: [] as number[], decode: [] as number[] }));
let agreed = 0;
for (let round = -1; round < Number(rounds); round++) {
  const found: (number[] | undefined)[] = [];
  for (const [i, run] of Object.values(sides).entries()) {
    const first = await run(1, 100 + 2 * round + 4);
    const whole = await run(65, 101 + 2 * round + 4);
    found.push(whole.ids);
    if (round < 0) continue; // the first round warms up
    taken[i]!.prefill.push(first.seconds);
    taken[i]!.decode.push(whole.seconds - first.seconds);
  }
  const differs = found[0]!.findIndex((id, i) => id !== found[1]![i]);
  if (round >= 0) agreed += (differs < 0 ? found[0]!.length : differs) - prompt.length;
}
console.log(`${machine()}, ${threads} threads; ${path}; medians of ${rounds} rounds`);
for (const [i, name] of Object.keys(sides).entries()) {
  const [prefill, decode] = [256 / median(taken[i]!.prefill), 64 / median(taken[i]!.decode)];
  console.log(`${name}: prefill ${prefill.toFixed(1)} tokens/s, decode ${decode.toFixed(1)} tokens/s`);
}
console.log(`both engines write the same ${(agreed / Number(rounds)).toFixed(1)} of 65 tokens before they part`);
