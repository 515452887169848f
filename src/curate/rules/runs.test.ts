import * as fc from "fast-check";
import { expect, test } from "vitest";
import { codePoints } from "./judged.ts";
import { runsOf } from "./runs.ts";

/** As the rules are written down: strings in a map. */
function naiveMost(words: readonly string[], size: number): number {
  const counts = new Map<string, number>();
  for (let i = 0; i + size <= words.length; i++) {
    const run = words.slice(i, i + size).join(" ");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  const [first] = [...counts].find(([, count]) => count === most)!;
  return codePoints(first) * most;
}

function naiveRepeated(words: readonly string[], size: number): number {
  const seen = new Set<string>();
  let characters = 0;
  for (let i = 0; i + size <= words.length;) {
    const run = words.slice(i, i + size).join("");
    if (seen.has(run)) characters += codePoints(run);
    i += seen.has(run) ? size : 1;
    seen.add(run);
  }
  return characters;
}

// Few letters, so that runs repeat, and read the same where they are cut into other words.
const words = fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 4, maxLength: 60 });

test("runs are counted as if each were a string", () => {
  fc.assert(
    fc.property(
      fc.oneof(words, fc.array(fc.constantFrom("😀", "a", "é", "aa"), { minLength: 4, maxLength: 30 })),
      (some) => {
        const runs = runsOf(some);
        for (const size of [2, 3, 4]) expect(runs.most(size)).toBe(naiveMost(some, size));
        for (const size of [2, 3, 5, 10]) expect(runs.repeated(size)).toBe(naiveRepeated(some, size));
      },
    ),
    { numRuns: 2000, seed: 20261127 },
  );
});
