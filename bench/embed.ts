/**
 * Texts a second of all-MiniLM-L6-v2 at float32, beside sentence-transformers on the same machine, window by window in
 * turn; medians. Abstracts are cut to 256 tokens; short texts are the first 90 characters of each.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/embed.ts MODEL_DIR TEXTS.jsonl [texts] [pairs] [threads]
 */
import { loadEmbedder } from "../src/retrieval/embedder.ts";
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
await using embedder = await loadEmbedder(folder, { threads: Number(threads) });
using peer = startPeer(new URL("embed.py", import.meta.url), folder, threads);
const versions = await peer?.ask<string>();
const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
};

console.log(`${machine()}; ${count} texts, ${threads} threads, medians of ${pairs} pairs, beside ${versions}`);
console.log("| texts | Galen, texts/s | peer, texts/s | ratio | least cosine |\n| --- | ---: | ---: | ---: | ---: |");
for (const [name, texts] of [
  ["abstracts, 256 tokens", abstracts],
  ["90 characters", abstracts.map((text) => text.slice(0, 90))],
] as const) {
  const own: number[] = [];
  const others: number[] = [];
  let least = 1;
  for (let i = 0; i < Number(pairs) + 1; i++) {
    const start = performance.now();
    const vectors = await embedder.embed(texts);
    const seconds = (performance.now() - start) / 1000;
    const other = await peer?.ask<{ seconds: number; vectors: number[][] }>({ texts });
    if (other !== undefined) least = Math.min(...vectors.map((one, k) => cosine(one, other.vectors[k]!)));
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
