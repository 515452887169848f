import { expect, test } from "vitest";
import { createProgress } from "./progress.ts";

/** Lines that are written when so much is done at each second that it is told. */
function linesOf(doneAt: (second: number) => number, seconds: number, total?: number, every = 1): string[] {
  const lines: string[] = [];
  let time = 0;
  const progress = createProgress("counting", { write: (text: string) => lines.push(text.trimEnd()) }, () => time);
  for (let second = every; second <= seconds; second += every) {
    time = 1000 * second;
    progress.update({ done: doneAt(second), total, unit: "records" });
  }
  return lines;
}

test("a line every ten seconds, with the rate and what is left", () => {
  expect(linesOf((second) => 5 * second, 20, 200)).toEqual([
    "counting  50 of 200 records 25 %  5 records/s  30 s left",
    "counting  100 of 200 records 50 %  5 records/s  20 s left",
  ]);
});

test("the rate is that of the last minute: what was there before is passed over faster", () => {
  const lines = linesOf((second) => 10_000 + 2 * second, 180, 20_000);
  expect(lines[0]).toContain("1,002 records/s");
  expect(lines.at(-1)).toBe("counting  10,360 of 20,000 records 51 %  2 records/s  1 h 20 min left");
});

test("work that says something rarely has the rate of its last step", () => {
  expect(linesOf((second) => (second < 400 ? 0 : 900), 600, 1800, 100).slice(2, 4)).toEqual([
    "counting  0 of 1,800 records 0 %  0 records/s",
    "counting  900 of 1,800 records 50 %  9 records/s  1 min 40 s left",
  ]);
});
