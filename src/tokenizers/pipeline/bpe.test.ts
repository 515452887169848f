/** Merging, short words and long, against a merge that is written without any bookkeeping. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BpeModel, wordEncoder } from "./bpe.ts";

const tokens = ["a", "b", "c", "ab", "bc", "abc", "aa", "aab", "🧪", "a🧪", "cab", "<unk>"];
const vocabulary = new Map(tokens.map((token, id) => [token, id]));
const pairs = tokens.flatMap((left) =>
  tokens.flatMap((right) => {
    const product = vocabulary.get(left + right);
    return product === undefined ? [] : [[vocabulary.get(left)!, vocabulary.get(right)!, product] as const];
  }),
);
const plain = { vocabulary, unknownToken: "<unk>", fuseUnknown: false, byteFallback: false, ignoreMerges: false };

/** The pair of lowest rank, leftmost first, until there is none. */
function reference({ merges }: BpeModel, word: string): string[] {
  const ids = Array.from(word, (character) => vocabulary.get(character) ?? vocabulary.get("<unk>")!);
  for (;;) {
    const found = ids.map((id, at) => merges.findLastIndex(([left, right]) => left === id && right === ids[at + 1]));
    const ranks = found.filter((rank) => rank >= 0);
    if (ranks.length === 0) return ids.map((id) => tokens[id]!);
    const rank = Math.min(...ranks);
    ids.splice(found.indexOf(rank), 2, merges[rank]![2]);
  }
}

describe("wordEncoder", () => {
  test("merges the pair of lowest rank, the leftmost first, in words of any length", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "🧪", "d"), minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(fc.shuffledSubarray(pairs), word, (merges, text) => {
        const model = { ...plain, merges };
        const { ids, starts, ends } = wordEncoder(model, false)(`_${text}_`, 1, text.length + 1);
        expect(ids.map((id) => tokens[id])).toEqual(reference(model, text));
        expect(starts).toEqual([0, ...ends.slice(0, -1)]);
        expect(ends.at(-1)).toBe(text.length);
        ids.forEach((id, i) => {
          if (tokens[id] !== "<unk>") expect(text.slice(starts[i], ends[i])).toBe(tokens[id]);
        });
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  test("takes the later rank of a pair that comes twice", () => {
    const [ab, bc] = [
      [0, 1, 3],
      [1, 2, 4],
    ] as const;
    const split = (merges: BpeModel["merges"]): readonly number[] =>
      wordEncoder({ ...plain, merges }, false)("abc", 0, 3).ids;
    expect(split([ab, bc])).toEqual([3, 2]);
    expect(split([ab, bc, ab])).toEqual([0, 4]);
  });

  test("reads a word of two million characters in n log n", () => {
    const { ids } = wordEncoder({ ...plain, merges: pairs }, false)("ab".repeat(1 << 20), 0, 1 << 21);
    expect(ids.length).toBeLessThanOrEqual(1 << 20);
  }, 60_000);
});
