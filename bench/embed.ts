/**
 * Texts a second of all-MiniLM-L6-v2 at float32 and in eight bits, beside sentence-transformers at float32 on the same machine, window by
 * window in turn; medians. Abstracts are cut to 256 tokens; short texts are the first 90 characters of each.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/embed.ts MODEL_DIR TEXTS.jsonl [texts] [pairs] [threads]
 */
import { cosines, loadEmbedder } from "../src/retrieval/embedder.ts";
import { readLines } from "../src/cli/lines.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const [folder, file, count = "64", pairs = "7", threads = "2"] = process.argv.slice(2);
if (folder === undefined || file === undefined) throw new Error("expected MODEL_DIR and TEXTS.jsonl");
const abstracts: string[] = [];
for await (const line of readLines(file)) {
  const { text } = JSON.parse(line) as { text: string };
  if (text.length > 300) abstracts.push(text);
  if (abstracts.length === Number(count)) break;
}
await using float32 = await loadEmbedder(folder, { threads: Number(threads) });
await using int8 = await loadEmbedder(folder, { threads: Number(threads), int8: true });
using peer = startPeer(new URL("embed.py", import.meta.url), folder, threads);
const versions = await peer?.ask<string>();

console.log(`${machine()}; ${count} texts, ${threads} threads, medians of ${pairs} pairs, beside ${versions}`);
console.log("| texts | Galen, texts/s | peer, texts/s | ratio | least cosine |\n| --- | ---: | ---: | ---: | ---: |");
const short = abstracts.map((text) => text.slice(0, 90));
for (const [name, texts, embedder] of [
  ["abstracts, 256 tokens", abstracts, float32],
  ["the same, int8", abstracts, int8],
  ["90 characters", short, float32],
  ["the same, int8", short, int8],
] as const) {
  const own: number[] = [];
  const others: number[] = [];
  let least = 1;
  for (let i = 0; i < Number(pairs) + 1; i++) {
    const start = performance.now();
    const vectors = await embedder.embed(texts);
    const seconds = (performance.now() - start) / 1000;
    const other = await peer?.ask<{ seconds: number; vectors: number[][] }>({ texts });
    if (other !== undefined) ({ least } = cosines(vectors, other.vectors));
    if (i === 0) continue; // warm-up
    own.push(seconds);
    if (other !== undefined) others.push(other.seconds);
  }
  const rate = (seconds: readonly number[]): string => (texts.length / median(seconds)).toFixed(1);
  const ratio = others.length === 0 ? "–" : median(own.map((s, i) => others[i]! / s)).toFixed(2);
  console.log(
    `| ${name} | ${rate(own)} | ${others.length === 0 ? "–" : rate(others)} | ${ratio} | ${least.toFixed(6)} |`,
  );
}
