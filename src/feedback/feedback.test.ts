/** From a file of judgements to its report and to lines for trainings, with figures that were worked out by hand. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  feedbackText,
  itemsPath,
  labelledAnswers,
  openItems,
  openJudgements,
  preferencePairs,
  readItems,
  reportFeedback,
} from "./index.ts";
import { orderFor } from "./judgements.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-feedback-"));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
let file = "";
beforeEach(() => void (file = join(folder, `${number++}.jsonl`)));

const prompts = (...rows: readonly object[]): string => {
  const path = join(folder, `${number++}-prompts.jsonl`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
};
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of items) found.push(one);
  return found;
};
const pair = { chosen: "good", rejected: "bad" };

interface Said {
  readonly ranks: readonly (number | null)[];
  readonly wrong?: readonly boolean[];
  readonly order?: readonly number[];
  readonly seconds?: number;
  readonly reason?: string;
}

/** Writes items, and what each person says of each of them. */
async function judged(
  rows: readonly object[],
  said: Readonly<Record<string, readonly (Said | undefined)[]>>,
): Promise<void> {
  const items = await openItems(file);
  await items.add(await readItems(prompts(...rows)));
  const judgements = openJudgements(file);
  for (const [rater, rankings] of Object.entries(said)) {
    for (const [i, ranking] of rankings.entries()) {
      const item = items.all()[i]!;
      if (ranking === undefined) continue;
      const {
        ranks,
        wrong = ranks.map(() => false),
        order = ranks.map((_, a) => a),
        seconds = 10,
        reason = "",
      } = ranking;
      await judgements.judge({ rater, item: item.id, ranks, wrong, order, seconds, reason } as never);
    }
  }
}

describe("prompts", () => {
  test("come as pairs, as lists, as messages, or bare, and the same line once", async () => {
    const messages = [
      { role: "system", content: "Be short." },
      { role: "user", content: "Why?" },
    ];
    const path = prompts(
      { prompt: "a", ...pair },
      { prompt: "a", ...pair },
      { prompt: "b", answers: ["x", { text: "y", by: "clinic" }], more: 1 },
      { prompt: messages, chosen: [{ role: "assistant", content: "So." }], rejected: "Else." },
      { prompt: "c" },
    );
    const found = await readItems(path);
    expect(found.map(({ prompt, answers }) => [prompt, answers.map(({ text, by }) => [text, by])])).toEqual([
      [
        "a",
        [
          ["good", "chosen"],
          ["bad", "rejected"],
        ],
      ],
      [
        "b",
        [
          ["x", null],
          ["y", "clinic"],
        ],
      ],
      [
        messages,
        [
          ["So.", "chosen"],
          ["Else.", "rejected"],
        ],
      ],
      ["c", []],
    ]);
  });

  test.each([
    [{ answers: ["x", "y"] }, /:1: prompt: expected string or array, got nothing/],
    [{ prompt: "a", chosen: "x" }, /:1: expected a value that must have both chosen and rejected/],
    [{ prompt: "a", answers: ["x"] }, /:1: answers: expected array to have >=2 items/],
    [{ prompt: "a", answers: ["x", "y"], ...pair }, /not both/],
    [{ prompt: "a", answers: ["x", 5] }, /:1: answers\.1: expected string or object, got 5/],
  ])("%j is refused", async (row, message) => {
    await expect(readItems(prompts(row))).rejects.toThrow(message);
  });

  test("are kept: more may be added, none may go", async () => {
    const [a, b] = [
      { prompt: "a", ...pair },
      { prompt: "b", ...pair },
    ];
    await (await openItems(file)).add(await readItems(prompts(a)));
    const again = await openItems(file);
    await again.add(await readItems(prompts(b, a)));
    expect(again.all().map(({ prompt }) => prompt)).toEqual(["a", "b"]);
    await expect((await openItems(file)).add(await readItems(prompts(b)))).rejects.toThrow(
      "expected prompts that the file still has, got 1 that it has not",
    );
  });

  test("whose answers are all the same cannot be judged", async () => {
    const items = await openItems(file);
    await items.add(
      await readItems(prompts({ prompt: "a", answers: ["x", "x"] }, { prompt: "b", answers: ["x", "y", "x"] })),
    );
    expect(items.all().map(({ answers }) => answers.map(({ text }) => text))).toEqual([["x", "y"]]);
    expect(items.count()).toBe(2);
  });
});

describe("judgements", () => {
  test("the last of each person holds, until it is taken back; a half line is nobody's", async () => {
    await judged([{ prompt: "a", ...pair }], { Ann: [{ ranks: [1, 2] }], Bob: [{ ranks: [2, 1] }] });
    const { id } = (await openItems(file)).all()[0]!;
    const judgements = openJudgements(file);
    const said = { item: id, wrong: [false, false], order: [0, 1], seconds: 1, reason: "" };
    await judgements.judge({ rater: "Ann", ranks: [1, 1], ...said });
    expect(judgements.by("Ann", id)?.ranks).toEqual([1, 1]);
    await judgements.takeBack("Bob", id);
    expect(judgements.of(id).map(({ rater }) => rater)).toEqual(["Ann"]);
    writeFileSync(file, '{"act":"judge","rater":"Bo', { flag: "a" });
    await judgements.judge({ rater: "Cleo", ranks: [1, 2], ...said });
    const lines = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ rater, act }) => [rater, act])).toEqual([
      ["Ann", "judge"],
      ["Bob", "judge"],
      ["Ann", "judge"],
      ["Bob", "take back"],
      ["Cleo", "judge"],
    ]);
  });

  test("what is changed after others' were seen is no part of agreement", async () => {
    await judged([{ prompt: "a", ...pair }], { Ann: [{ ranks: [1, 2] }], Bob: [{ ranks: [2, 1] }] });
    const { id } = (await openItems(file)).all()[0]!;
    const judgements = openJudgements(file);
    await judgements.refresh();
    await judgements.reveal("Bob", id);
    const said = { item: id, wrong: [false, false], order: [0, 1], seconds: 1, reason: "" };
    await judgements.judge({ rater: "Bob", ranks: [1, 2], ...said });
    expect(judgements.of(id).map(({ ranks, informed }) => [ranks, informed])).toEqual([
      [[1, 2], false],
      [[1, 2], true],
    ]);
    expect(judgements.independent(id).map(({ ranks }) => ranks)).toEqual([
      [1, 2],
      [2, 1],
    ]);
    const { informed, agreement, disagreements } = await reportFeedback(file);
    expect([informed, agreement.preference.equal, disagreements.length]).toEqual([1, 0, 0]);
  });

  test("the order on the screen is each rater's and item's own, the same again, and balanced", () => {
    expect(orderFor(1, "Ann", "x", 4)).toEqual(orderFor(1, "Ann", "x", 4));
    const first = (rater: string): number[] => Array.from({ length: 400 }, (_, i) => orderFor(1, rater, `${i}`, 2)[0]!);
    const [ann, bob] = [first("Ann"), first("Bob")];
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    // Five standard deviations of 400 throws of a coin.
    for (const total of [sum(ann), sum(bob), sum(ann.map((one, i) => one ^ bob[i]!))]) {
      expect(Math.abs(total - 200)).toBeLessThan(50);
    }
  });
});

describe("the report", () => {
  test("counts by hand", async () => {
    const rows = ["a", "b", "c", "d"].map((prompt) => ({ prompt, ...pair }));
    await judged(rows, {
      // Order [1, 0]: the second answer stood first on the screen.
      Ann: [
        { ranks: [1, 2], seconds: 4 },
        { ranks: [1, 2], order: [1, 0], seconds: 6 },
        { ranks: [2, 1], order: [1, 0], wrong: [true, false], seconds: 8 },
        { ranks: [1, 1], seconds: 30 },
      ],
      Bob: [{ ranks: [1, 2] }, { ranks: [2, 1] }, { ranks: [2, 1] }, { ranks: [1, 2], wrong: [false, true] }],
      Cleo: [{ ranks: [1, 2] }],
    });
    const report = await reportFeedback(file);
    expect(report).toMatchObject({ items: 4, judged: 4, shared: 4, judgements: 9, informed: 0 });
    // Preferred among the eight that prefer one: shown first were a of Ann, c of Ann, a and d of Bob, a of Cleo.
    expect(report.firstShown).toMatchObject([{ answers: 2, chance: 0.5, count: 5, of: 8, share: 0.625 }]);
    expect(report.ties).toMatchObject({ count: 1, of: 9 });
    expect(report.wrong).toMatchObject({ count: 2, of: 18 });
    expect(report.seconds).toEqual({ low: 8, median: 10, high: 10 });
    expect(report.raters.map(({ rater, judgements, seconds }) => [rater, judgements, seconds])).toEqual([
      ["Ann", 4, 7],
      ["Bob", 4, 10],
      ["Cleo", 1, 10],
    ]);
    expect(report.origins).toMatchObject([
      { by: "chosen", won: 5, lost: 3, tied: 1, wrong: { count: 1, of: 9 } },
      { by: "rejected", won: 3, lost: 5, tied: 1, wrong: { count: 1, of: 9 } },
    ]);
    expect(report.disagreements).toMatchObject([{ prompt: "b", answers: [0, 1], first: ["Ann"], second: ["Bob"] }]);
    // Six pairs of judgements: three of a and one of c are equal, that of b and that of d are not.
    expect(report.agreement.preference).toMatchObject({ units: 4, equal: 4 / 6 });
    /*
     * Both ways round: a (---, +++), b (-+, +-), c (++, --), d (0-, 0+). Values: 8 of -, 8 of +, 2 of 0.
     * Ordinal distances: - and 0: 8 + 2 - 5 = 5; 0 and +: 5; - and +: 18 - 8 = 10. Coincidences: - and +: 2, - and 0: 1, 0 and +: 1.
     * Observed 2 * 100 + 25 + 25 = 250; expected 64 * 100 + 16 * 25 + 16 * 25 = 7200; 1 - 17 * 250 / 7200.
     */
    expect(report.agreement.preference.alpha).toBeCloseTo(1 - (17 * 250) / 7200, 12);
    // Marks: units 000 000 | 00 00 | 10 00 | 00 01: two coincidences of unequal values, 16 zeros and 2 ones.
    expect(report.agreement.wrong.alpha).toBeCloseTo(1 - (17 * 2) / (16 * 2), 12);
    expect(report.agreement.preference.interval!.low).toBeLessThan(report.agreement.preference.alpha!);
    const text = feedbackText(report);
    expect(text).toContain("5 of 8, 63 % [31, 86] (50 % by chance)");
    expect(text).toContain("answer 1: Ann; answer 2: Bob");
  });

  test("does not depend on which answer the file names first", async () => {
    const said = { Ann: [{ ranks: [1, 2] }, { ranks: [1, 2] }, { ranks: [1, 2] }] };
    const rows = ["a", "b", "c"].map((prompt) => ({ prompt, ...pair }));
    // All but one prefer what the file has first: by its own order alone, chance would explain it.
    await judged(rows, { ...said, Bob: [{ ranks: [1, 2] }, { ranks: [1, 2] }, { ranks: [2, 1] }] });
    const one = await reportFeedback(file);
    file = join(folder, "turned.jsonl");
    const turned = rows.map(({ prompt }, i) => ({ prompt, answers: i === 1 ? ["bad", "good"] : ["good", "bad"] }));
    await judged(turned, {
      Ann: [{ ranks: [1, 2] }, { ranks: [2, 1] }, { ranks: [1, 2] }],
      Bob: [{ ranks: [1, 2] }, { ranks: [2, 1] }, { ranks: [2, 1] }],
    });
    const { agreement } = await reportFeedback(file);
    expect(agreement.preference.alpha).toBeCloseTo(one.agreement.preference.alpha!, 12);
    expect(agreement.preference.alpha).toBeGreaterThan(0.3);
  });

  test("of more answers takes pairs, and what was not compared is no part of it", async () => {
    const rows = [{ prompt: "a", answers: ["x", "y", "z"] }];
    await judged(rows, { Ann: [{ ranks: [null, 1, null], order: [1, 2, 0] }], Bob: [{ ranks: [2, 1, 2] }] });
    const { ties, firstShown, agreement } = await reportFeedback(file);
    expect(ties).toMatchObject({ count: 1, of: 5 });
    expect(firstShown).toMatchObject([{ answers: 3, chance: 1 / 3, count: 1, of: 2 }]);
    expect(agreement.preference).toMatchObject({ units: 2, equal: 1, alpha: 1 });
  });

  test("of nothing says so, and of no file what is missing", async () => {
    await judged([{ prompt: "a", ...pair }], { Ann: [{ ranks: [1, 2] }] });
    expect(feedbackText(await reportFeedback(file))).toContain("nothing that two people judged");
    await expect(reportFeedback(join(folder, "none.jsonl"))).rejects.toThrow(
      "expected a file of galen feedback, got none",
    );
    rmSync(itemsPath(file));
    await expect(reportFeedback(file)).rejects.toThrow("items.jsonl: expected a file of galen feedback, got none");
  });
});

describe("lines for trainings", () => {
  const rows = [
    { prompt: "a", answers: ["x", "y", "z"] },
    { prompt: [{ role: "user", content: "b" }], ...pair },
  ];

  test("pairs: ties left out, disagreement left out or to the majority", async () => {
    await judged(rows, {
      Ann: [{ ranks: [1, 1, 2] }, { ranks: [1, 2] }],
      Bob: [{ ranks: [1, 2, 3] }, { ranks: [1, 2] }],
      Cleo: [undefined, { ranks: [2, 1] }],
    });
    const sure = { raters: 2, agreement: 1 };
    const ofA = [
      { prompt: "a", chosen: "x", rejected: "y", raters: 1, agreement: 1 },
      { prompt: "a", chosen: "x", rejected: "z", ...sure },
      { prompt: "a", chosen: "y", rejected: "z", ...sure },
    ];
    expect(await all(preferencePairs(file))).toEqual(ofA);
    const [, , , last] = await all(preferencePairs(file, { disagreements: "majority" }));
    const message = (content: string): object[] => [{ role: "assistant", content }];
    const prompt = [{ role: "user", content: "b" }];
    expect(last).toEqual({ prompt, chosen: message("good"), rejected: message("bad"), raters: 3, agreement: 2 / 3 });
  });

  test("single answers: the best is wanted, the worst and the wrong are not", async () => {
    await judged(rows, {
      Ann: [{ ranks: [1, 2, 3] }, { ranks: [1, 2], wrong: [true, false] }],
      Bob: [{ ranks: [1, null, null], wrong: [false, true, false] }, undefined],
    });
    const labels = (await all(labelledAnswers(file))).map(({ completion, label }) => [completion, label]);
    expect(labels).toEqual([
      ["x", true],
      ["y", false],
      ["z", false],
      [[{ role: "assistant", content: "good" }], false],
      [[{ role: "assistant", content: "bad" }], false],
    ]);
  });
});
