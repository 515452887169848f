/**
 * Connected components of a graph that lies in files, by alternating large-star and small-star steps (Kiveris et al. 2014,
 * "Connected Components in MapReduce and Beyond", SoCC): each step goes through the neighbours of some nodes at a time, so that no
 * task holds the graph. In the end every document but the first of a cluster has one edge, to that first one.
 *
 * A node is a document: shard and row, whose order is the corpus's. Edges go from the later to the earlier.
 */
import { join } from "node:path";
import * as z from "zod";
import { edgeWidth, lossWidth } from "./keyed-tasks.ts";
import { fullRange } from "./ranges.ts";
import { agree, readRange, readRecords, Records, writeRecords } from "./records.ts";

export const starMarker = z.object({ records: z.int().nonnegative(), changed: z.int().nonnegative() });
export type StarMarker = z.output<typeof starMarker>;

export type Star = "large" | "small";

/** Files of edges have a hash of the node first, by which they are sorted and read in ranges. */
const starWidth = edgeWidth + 1;

/** Hash of a node: neighbouring documents lie in different ranges. */
function hashOf(shard: number, row: number): number {
  let hash = Math.imul(shard ^ 0x9e3779b9, 0x85ebca6b) ^ row;
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Sends edges to where the next step looks for them: to their later node, or to both. */
export async function spreadEdges(
  files: readonly string[],
  index: number,
  star: Star,
  path: string,
  output: string,
): Promise<StarMarker> {
  const records = new Records(starWidth);
  const edges = await readRecords(join(output, files[index]!), edgeWidth);
  for (let i = 0; i < edges.length; i++) {
    const [a, b, c, d] = [edges.word(i, 0), edges.word(i, 1), edges.word(i, 2), edges.word(i, 3)];
    const isLater = a > c || (a === c && b > d);
    const [later, earlier] = isLater ? [[a, b] as const, [c, d] as const] : [[c, d] as const, [a, b] as const];
    records.push(hashOf(...later), ...later, ...earlier);
    if (star === "large") records.push(hashOf(...earlier), ...earlier, ...later);
  }
  const sorted = records.sorted();
  await writeRecords(join(output, path), sorted);
  return { records: sorted.length, changed: 0 };
}

/** One step at the nodes of a range; writes the edges that there are afterwards. */
export async function starStep(
  files: readonly string[],
  range: { readonly index: number; readonly parts: number },
  star: Star,
  path: string,
  output: string,
): Promise<StarMarker> {
  const sorted = await gather(files, range, output);
  const edges = new Records(edgeWidth);
  let changed = 0;
  for (let start = 0, end = 1; start < sorted.length; start = end, end = start + 1) {
    while (end < sorted.length && agree(sorted, start, end, 3)) end += 1;
    const [shard, row] = [sorted.word(start, 1), sorted.word(start, 2)];
    // Neighbours are sorted: the first is the least.
    const [leastShard, leastRow] = [sorted.word(start, 3), sorted.word(start, 4)];
    const isOwn = shard < leastShard || (shard === leastShard && row < leastRow);
    const [toShard, toRow] = isOwn ? [shard, row] : [leastShard, leastRow];
    for (let i = start; i < end; i++) {
      const [otherShard, otherRow] = [sorted.word(i, 3), sorted.word(i, 4)];
      const isLater = otherShard > shard || (otherShard === shard && otherRow > row);
      if (star === "large" && !isLater) continue;
      if (otherShard === toShard && otherRow === toRow) continue;
      edges.push(otherShard, otherRow, toShard, toRow);
      if (star === "small" || !isOwn) changed += 1;
    }
    if (star === "small") edges.push(shard, row, toShard, toRow);
  }
  const result = edges.sorted();
  await writeRecords(join(output, path), result);
  return { records: result.length, changed };
}

/** Edges of a range of nodes, once all lead to the first of their cluster, as losses: sorted by shard and row. */
export async function clusterLosses(
  files: readonly string[],
  range: { readonly index: number; readonly parts: number },
  path: string,
  output: string,
): Promise<{ readonly records: number }> {
  const sorted = await gather(files, range, output);
  const losses = new Records(lossWidth);
  for (let i = 0; i < sorted.length; i++) {
    losses.push(sorted.word(i, 1), sorted.word(i, 2), 0, sorted.word(i, 3), sorted.word(i, 4));
  }
  const result = losses.sorted();
  await writeRecords(join(output, path), result);
  return { records: result.length };
}

async function gather(
  files: readonly string[],
  range: { readonly index: number; readonly parts: number },
  output: string,
): Promise<Records> {
  const [from, to] = fullRange(range);
  const all = new Records(starWidth);
  for (const file of files) {
    all.append(await readRange(join(output, file), starWidth, from, to));
  }
  return all.sorted();
}
