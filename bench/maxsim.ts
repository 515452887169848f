/**
 * Milliseconds of MaxSim of one query (32 vectors of 128) with 1,000 documents (180 vectors each), beside PyLate's
 * colbert_scores, in turn; medians. Vectors are random and of unit length, and in memory on both sides.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/maxsim.ts [documents] [pairs] [threads]
 */
import { createMaxSim, type TokenVectors } from "../src/retrieval/max-sim.ts";
import { random } from "../src/tensor/random.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const [documents = "1000", pairs = "15", threads = "2"] = process.argv.slice(2);
const [width, queryCount, documentCount] = [128, 32, 180];
const draw = random(1);
function vectors(count: number): TokenVectors {
  const data = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const part = data.subarray(row * width, (row + 1) * width);
    for (let k = 0; k < width; k++) part[k] = draw.next() - 0.5;
    const norm = Math.hypot(...part);
    for (let k = 0; k < width; k++) part[k]! /= norm;
  }
  return { width, count, data };
}
const query = vectors(queryCount);
await using scorer = await createMaxSim(
  Array.from({ length: Number(documents) }, () => vectors(documentCount)),
  { threads: Number(threads) },
);
using peer = startPeer(new URL("maxsim.py", import.meta.url), documents, threads);
const versions = await peer?.ask<string>();
const own: number[] = [];
const others: number[] = [];
for (let i = 0; i < Number(pairs) + 2; i++) {
  const start = performance.now();
  await scorer.score(query);
  const time = performance.now() - start;
  const other = await peer?.ask<number>({});
  if (i < 2) continue; // warm-up
  own.push(time);
  if (other !== undefined) others.push(other);
}
console.log(
  `${machine()}; ${documents} documents of ${documentCount} vectors, ${threads} threads, medians of ${pairs} pairs`,
);
console.log(`| | ms a query |\n| --- | ---: |\n| Galen | ${median(own).toFixed(1)} |`);
if (others.length > 0) {
  console.log(`| ${versions} | ${median(others).toFixed(1)} |`);
  console.log(`ratio: ${median(own.map((time, i) => others[i]! / time)).toFixed(2)}`);
}
