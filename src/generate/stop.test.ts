/** Stop strings against transformers (scripts/goldens/stop-strings.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readTokenizer } from "../tokenizers/registry.ts";
import { stopFinder, stopRule } from "./stop.ts";

const { files, cases } = JSON.parse(readFileSync("test/goldens/stop-strings.json", "utf8")) as {
  files: Record<string, string>;
  cases: [ids: number[], stop: string, ends: number[]][];
};
const tokenizer = readTokenizer(new Map(Object.entries(files)));
const counts = (ids: readonly number[]): number[] => ids.map((_, i) => i + 1);

describe("a stop string ends a sequence", () => {
  test("at the tokens at which transformers ends it, over the borders of tokens and from within what was there", () => {
    expect(cases.filter(([, , ends]) => ends.length > 0).length).toBeGreaterThan(30);
    for (const [ids, stop, ends] of cases) {
      const isFound = stopFinder([stop], tokenizer);
      expect(
        counts(ids).filter((count) => isFound(ids.slice(0, count))),
        stop,
      ).toEqual(ends);
    }
  });

  test("where any of several does", () => {
    const [ids] = cases[0]!;
    const isFound = stopFinder(["stroke.", "n inh"], tokenizer);
    expect(counts(ids).filter((count) => isFound(ids.slice(0, count)))).toEqual([3, 5]);
  });

  test("within a word of several pieces, which transformers reads with white space, where the text has it", () => {
    const ids = tokenizer.encodeIds("the zebra");
    const textOf = (some: readonly number[]): string => tokenizer.decode(some, { skipSpecialTokens: true });
    const ends = stopRule(["zebra"], tokenizer, textOf);
    expect(counts(ids).filter((count) => count > 1 && ends(ids.slice(0, count), 1))).toEqual([ids.length]);
    expect(stopFinder(["zebra"], tokenizer)(ids)).toBe(false);
  });
});
