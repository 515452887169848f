/** Recall, precision and leaks on notes small enough to count by hand. */
import { expect, test } from "vitest";
import type { Found, IdentifierClass } from "./classes.ts";
import { type ScoredNote, scoreDeidentification } from "./score.ts";

const at = (text: string, name: IdentifierClass, part: string, rule = "x"): Found => {
  const start = text.indexOf(part);
  return { class: name, rule, start, end: start + part.length };
};

const text = "Ann Roe, seen 3/14/2012 in Boston. Take aspirin.";
const note = (id: string, found: readonly Found[]): ScoredNote => ({
  id,
  text,
  gold: [at(text, "NAME", "Ann Roe"), at(text, "DATE", "3/14/2012"), at(text, "LOCATION", "Boston")],
  found,
});

test("an identifier is found if all of it is covered, by whatever class", () => {
  const score = scoreDeidentification([
    note("a", [
      at(text, "NAME", "Ann"),
      at(text, "ID", "3/14/2012"),
      at(text, "LOCATION", "Boston"),
      at(text, "NAME", "aspirin"),
    ]),
  ]);
  expect(score.classes.NAME!.recall).toMatchObject({ count: 0, of: 1 });
  expect(score.classes.NAME!.characters).toMatchObject({ count: 3, of: 6 });
  expect(score.classes.NAME!.words).toMatchObject({ count: 1, of: 2 });
  expect(score.classes.NAME!.precision).toMatchObject({ count: 1, of: 2 });
  expect(score.classes.DATE!.recall).toMatchObject({ count: 1, of: 1 });
  expect(score.classes.DATE!.sameClass).toMatchObject({ count: 0, of: 1 });
  expect(score.classes.ID!.recall).toMatchObject({ of: 0, share: null });
  expect(score.all.recall).toMatchObject({ count: 2, of: 3 });
  expect(score.leaks).toEqual([{ id: "a", class: "NAME", start: 0, end: 7, text: "Ann Roe" }]);
  // "seen", "in" and "Take" stay, "aspirin" is lost: 7 of 17 letters.
  expect(score.lost).toMatchObject({ count: 7, of: 17 });
});

test("shares have Wilson's interval, and notes without leaks are counted", () => {
  const all = note(
    "b",
    note("b", []).gold.map((one) => ({ ...one, rule: "x" })),
  );
  const score = scoreDeidentification([...Array.from({ length: 19 }, () => all), note("c", [])], 1);
  expect(score.all.recall.share).toBe(0.95);
  expect(score.all.recall.low).toBeCloseTo(0.8628, 3);
  expect(score.cleanNotes).toMatchObject({ count: 19, of: 20 });
  expect(score.leaks).toHaveLength(1);
});

test("a mention neither covers an identifier nor counts against precision", () => {
  const other = "Photographs of Ann.";
  const score = scoreDeidentification([
    { id: "d", text: other, gold: [at(other, "NAME", "Ann")], found: [at(other, "PHOTO", "Photographs", "mention")] },
  ]);
  expect(score.all.precision.of).toBe(0);
  expect(score.all.recall.share).toBe(0);
});
