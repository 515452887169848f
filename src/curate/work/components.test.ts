/** Components in files against union-find in memory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterLosses, spreadEdges, type Star, starStep } from "./components.ts";
import { edgeWidth, lossWidth } from "./keyed-tasks.ts";
import { readRecords, Records, writeRecords } from "./records.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-components-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Node = readonly [shard: number, row: number];
const nameOf = ([shard, row]: Node): string => `${shard}:${row}`;
const isBefore = (a: Node, b: Node): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** First node of each node's cluster, where that is another. */
function byUnionFind(edges: readonly (readonly [Node, Node])[]): Map<string, string> {
  const parents = new Map<string, Node>();
  const rootOf = (node: Node): Node => {
    const parent = parents.get(nameOf(node));
    return parent === undefined ? node : rootOf(parent);
  };
  for (const [a, b] of edges) {
    const [one, two] = [rootOf(a), rootOf(b)];
    if (nameOf(one) === nameOf(two)) continue;
    const [first, second] = isBefore(one, two) ? [one, two] : [two, one];
    parents.set(nameOf(second), first);
  }
  const nodes = new Map(edges.flat().map((node) => [nameOf(node), node]));
  return new Map(
    [...nodes.values()].flatMap((node): [string, string][] => {
      const root = nameOf(rootOf(node));
      return root === nameOf(node) ? [] : [[nameOf(node), root]];
    }),
  );
}

async function byStars(
  edges: readonly (readonly [Node, Node])[],
  parts: number,
  files: number,
): Promise<Map<string, string>> {
  let names: string[] = [];
  for (let i = 0; i < files; i++) {
    const records = new Records(edgeWidth);
    for (const [a, b] of edges.filter((_, at) => at % files === i)) records.push(...a, ...b);
    await writeRecords(join(folder, `edges-${i}`), records.sorted());
    names.push(`edges-${i}`);
  }
  const ranges = Array.from({ length: parts }, (_, index) => ({ index, parts }));
  const spread = async (star: Star, to: string): Promise<string[]> => {
    for (const i of names.keys()) await spreadEdges(names, i, star, `${to}-spread-${i}`, folder);
    return names.map((_, i) => `${to}-spread-${i}`);
  };
  for (let round = 0; round < 100; round++) {
    let changed = 0;
    for (const star of ["large", "small"] as const) {
      const sent = await spread(star, `${round}-${star}`);
      for (const range of ranges) {
        changed += (await starStep(sent, range, star, `${round}-${star}-${range.index}`, folder)).changed;
      }
      names = ranges.map(({ index }) => `${round}-${star}-${index}`);
    }
    if (changed === 0) break;
    expect(round).toBeLessThan(40);
  }
  const sent = await spread("small", "last");
  const found = new Map<string, string>();
  for (const range of ranges) {
    await clusterLosses(sent, range, `clusters-${range.index}`, folder);
    const losses = await readRecords(join(folder, `clusters-${range.index}`), lossWidth);
    for (let i = 0; i < losses.length; i++) {
      const node = nameOf([losses.word(i, 0), losses.word(i, 1)]);
      expect(found.has(node)).toBe(false);
      found.set(node, nameOf([losses.word(i, 3), losses.word(i, 4)]));
    }
  }
  return found;
}

const node = fc.tuple(fc.nat(3), fc.nat(12)) as fc.Arbitrary<Node>;
const edge = fc.tuple(node, node).filter(([a, b]) => nameOf(a) !== nameOf(b));

test("clusters in files are those of union-find, in however many parts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edge, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (edges, parts) => {
      expect(await byStars(edges, parts, 1 + (edges.length % 3))).toEqual(byUnionFind(edges));
    }),
    { numRuns: 60, seed: 1 },
  );
});

test("a chain of 300 documents, the worst that there is, ends as one cluster", async () => {
  const chain = Array.from({ length: 299 }, (_, i): [Node, Node] => [
    [0, (i * 7) % 300],
    [0, ((i + 1) * 7) % 300],
  ]);
  const found = await byStars(chain, 3, 2);
  expect(found.size).toBe(299);
  expect(new Set(found.values())).toEqual(new Set(["0:0"]));
});
