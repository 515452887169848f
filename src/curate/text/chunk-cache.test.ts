import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createChunkCache, firstHash, nextHash } from "./chunk-cache.ts";

function hashOf(text: string): number {
  let hash = firstHash;
  for (let i = 0; i < text.length; i++) hash = nextHash(hash, text.charCodeAt(i));
  return hash;
}

test("a chunk is found where it was added and nothing else is, also after the cache was full", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 12 }), { maxLength: 60 }), (chunks) => {
      const cache = createChunkCache<string>(3, 4);
      const seen = new Set<string>();
      for (const chunk of chunks) {
        const text = `<${chunk}>`;
        const find = (): string | undefined => cache.find(text, 1, 1 + chunk.length, hashOf(chunk));
        const found = find();
        expect(found === undefined || (found === chunk && seen.has(chunk))).toBe(true);
        if (found !== undefined) continue;
        cache.add(text, 1, 1 + chunk.length, hashOf(chunk), chunk);
        seen.add(chunk);
        expect(find()).toBe(chunk.length <= 32 ? chunk : undefined);
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("chunks of one hash are told apart", () => {
  const cache = createChunkCache<number>(4);
  for (const [i, chunk] of ["ab", "ba", "abc"].entries()) cache.add(chunk, 0, chunk.length, 7, i);
  expect(["ab", "ba", "abc", "b"].map((chunk) => cache.find(chunk, 0, chunk.length, 7))).toEqual([0, 1, 2, undefined]);
});
