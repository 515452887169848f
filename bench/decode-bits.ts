/**
 * Generation in four bits beside llama.cpp's Q4_0, on models of one size with random numbers; rounds take turns, medians
 * are compared. A prompt of 256 tokens, then 64 more by greedy search without drafts. SIZE is `base` (BioGPT's 347
 * million parameters; llama.cpp runs a LLaMA of as many) or a named size such as llama-2-7b; both models are written to
 * FOLDER, one matrix in memory, and kept there if it is given.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/decode-bits.ts [SIZE] [rounds] [threads] [group] [FOLDER]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "../src/model.ts";
import { families } from "../src/models/index.ts";
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomBits } from "./support/random-bits.ts";

const [size = "base", rounds = "5", threads = "2", group = "32", kept] = process.argv.slice(2);
const folder = kept ?? mkdtempSync(join(tmpdir(), "galen-decode-bits-"));
const runs = { prefill: 1, decode: 65 };
const prompt = Array.from({ length: 256 }, (_, i) => (i === 0 ? 2 : 1000 + 37 * i));

interface Answer {
  readonly seconds: number;
  /** MiB: the peak, and what is the process's own and not a file's. */
  readonly peak: number;
  readonly anonymous: number;
}

const status = (field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1024;

/** What llama.cpp's side has as many parameters as. */
function shapeOf(config: Readonly<Record<string, unknown>>): Record<string, number> {
  const number = (field: string, otherwise?: number): number => (config[field] as number | undefined) ?? otherwise!;
  const heads = number("num_attention_heads");
  const [width, inner] = [number("hidden_size"), number("intermediate_size")];
  return {
    layers: number("num_hidden_layers"),
    width,
    // A gated network has three matrices where BioGPT's has two.
    inner: config["model_type"] === "biogpt" ? Math.round((2 * inner) / 3 / 32) * 32 : inner,
    heads,
    keyHeads: number("num_key_value_heads", heads),
    vocabulary: number("vocab_size"),
    tied: config["tie_word_embeddings"] === false ? 0 : 1,
  };
}

const family = Object.values(families).find(({ sizes }) => Object.hasOwn(sizes, size));
if (family === undefined) throw new Error(`expected base or the name of a size, got ${size}`);
const config = family.sizes[size]!;
const own = join(folder, `galen-${size}-${group}`);
if (!existsSync(join(own, "config.json")))
  await writeRandomBits(own, family, config, { bits: 4, group: Number(group) });
const weights = readdirSync(own)
  .filter((name) => name.endsWith(".safetensors"))
  .reduce((sum, name) => sum + statSync(join(own, name)).size, 0);
const shape = JSON.stringify(shapeOf(config as unknown as Record<string, unknown>));
using peer = startPeer(new URL("decode-bits.py", import.meta.url), join(folder, `${size}.gguf`), threads, shape);
const named = await peer?.ask<{ readonly name: string; readonly bytes: number }>();
await using model = await loadModel(own, { threads: Number(threads) });

async function galen(tokens: number): Promise<Answer> {
  const start = performance.now();
  await model.generate({ ids: prompt, maxNewTokens: tokens, eosTokenId: [], lookup: false });
  return { seconds: (performance.now() - start) / 1000, peak: status("VmHWM"), anonymous: status("RssAnon") };
}

const sides = [
  { name: "Galen", bytes: weights, run: galen },
  ...(named === undefined ? [] : [{ ...named, run: (tokens: number) => peer!.ask<Answer>({ prompt, tokens }) }]),
];
const seconds = sides.map(() => ({ prefill: [] as number[], decode: [] as number[] }));
const last = sides.map((): Answer | undefined => undefined);
for (let round = -1; round < Number(rounds); round++) {
  for (const kind of ["prefill", "decode"] as const) {
    for (const [i, side] of sides.entries()) {
      const answer = await side.run(runs[kind]);
      last[i] = answer;
      if (round >= 0) seconds[i]![kind].push(answer.seconds); // the first round warms up
    }
  }
}
const speeds = seconds.map(({ prefill, decode }) => ({
  prefill: 256 / median(prefill),
  decode: 64 / median(decode.map((time, round) => time - prefill[round]!)),
}));
console.log(`${machine()}, ${threads} threads; ${size} in four bits, groups of ${group}; medians of ${rounds} rounds`);
for (const [i, { name, bytes }] of sides.entries()) {
  const { peak, anonymous } = last[i]!;
  const ratio = (kind: "prefill" | "decode"): string =>
    i === 0 ? "" : ` (Galen ${(speeds[0]![kind] / speeds[i]![kind]).toFixed(2)} ×)`;
  const mib = bytes / 2 ** 20;
  console.log(
    `${name}: prefill ${speeds[i]!.prefill.toFixed(1)} tokens/s${ratio("prefill")}, decode ${speeds[i]!.decode.toFixed(2)} tokens/s${ratio("decode")}; ` +
      `weights ${mib.toFixed(0)} MiB, peak ${peak.toFixed(0)} MiB (${(peak / mib).toFixed(2)} ×), of its own ${anonymous.toFixed(0)} MiB (${(anonymous / mib).toFixed(2)} ×)`,
  );
}
if (kept === undefined) rmSync(folder, { recursive: true });
