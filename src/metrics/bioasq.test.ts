/** BioASQ's measures against its own scorer (scripts/goldens/bioasq.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { factoidScores, listScores, yesNoMacroF1 } from "./bioasq.ts";
import { mean } from "./counts.ts";

type Question =
  | { type: "yesno"; gold: string; answer: string }
  | { type: "factoid" | "list"; gold: string[][]; answer: string[] };

interface Golden {
  sets: { questions: Question[]; figures: Record<string, number> }[];
}

const file = new URL("../../test/goldens/bioasq.json", import.meta.url);
const { sets } = JSON.parse(readFileSync(file, "utf8")) as Golden;

describe("BioASQ's measures", () => {
  test.each(sets)("are those of its own scorer", ({ questions, figures }) => {
    const named = (type: string): { gold: string[][]; answer: string[] }[] =>
      questions.flatMap((one) => (one.type === type && one.type !== "yesno" ? [one] : []));
    const yesNo = questions.flatMap((one) => (one.type === "yesno" ? [one] : []));
    const factoids = named("factoid").map(({ gold, answer }) => factoidScores(gold, answer));
    const lists = named("list").map(({ gold, answer }) => listScores(gold, answer));
    const found = {
      accuracy: mean(yesNo.map(({ gold, answer }) => Number(gold === answer))),
      macro_f1: yesNoMacroF1(
        yesNo.map(({ gold }) => gold),
        yesNo.map(({ answer }) => answer),
      ),
      strict: mean(factoids.map(({ strict }) => strict)),
      lenient: mean(factoids.map(({ lenient }) => lenient)),
      mrr: mean(factoids.map(({ reciprocalRank }) => reciprocalRank)),
      precision: mean(lists.map(({ precision }) => precision)),
      recall: mean(lists.map(({ recall }) => recall)),
      f1: mean(lists.map(({ f1 }) => f1)),
    };
    for (const [name, value] of Object.entries(found))
      expect([name, value]).toEqual([name, expect.closeTo(figures[name]!, 10)]);
  });

  test("count no entity twice, and any of its names", () => {
    expect(listScores([["a", "B"], ["c"]], ["A", "b"])).toMatchObject({ precision: 1 / 2, recall: 1 / 2 });
    expect(factoidScores([["a"]], ["x", "A", "a"])).toEqual({ strict: 0, lenient: 1, reciprocalRank: 1 / 2 });
    expect(factoidScores([["a"]], [])).toEqual({ strict: 0, lenient: 0, reciprocalRank: 0 });
  });
});
