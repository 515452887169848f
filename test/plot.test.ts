/** Curves of runs: read from their metrics, drawn with characters and as SVG. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SaxesParser } from "saxes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lossLine, sparkline, svgCharts, terminalCharts } from "../src/cli/charts.ts";
import { readMetrics } from "../src/train/index.ts";
import { stdoutOf } from "./support/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-plot-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** A run whose loss falls from `from` by halves. */
function writeRun(name: string, from: number, updates: number): void {
  mkdirSync(at(name), { recursive: true });
  const rows: object[] = [{ type: "evaluated", step: 0, epoch: 0, loss: from }];
  for (let step = 1; step <= updates; step++) {
    const loss = from * 2 ** -(step / updates);
    rows.push({
      type: "step",
      step,
      steps: updates,
      epoch: 1,
      loss,
      learningRate: step / 1e4,
      gradientNorm: 1,
      speed: 500,
    });
  }
  rows.push(
    { type: "sampled", step: updates, texts: ["a"] },
    { type: "evaluated", step: updates, epoch: 1, loss: from / 2 },
  );
  writeFileSync(at(`${name}/metrics.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

beforeAll(() => {
  writeRun("one", 8, 200);
  writeRun("two <&>", 4, 50);
});

test("a run's figures are read, but for a last line that is still being written", async () => {
  const { loss, heldOut, rate, speed } = await readMetrics(at("one"));
  expect([loss.length, rate.length, speed.length]).toEqual([200, 200, 200]);
  expect(heldOut).toEqual([
    { step: 0, value: 8 },
    { step: 200, value: 4 },
  ]);
  appendFileSync(at("one/metrics.jsonl"), '{"type": "step", "st');
  expect((await readMetrics(at("one"))).loss).toEqual(loss);
  writeFileSync(at("metrics.jsonl"), '{"type": "step"}\n');
  await expect(readMetrics(folder)).rejects.toThrow(/metrics\.jsonl:1: step: expected/);
  await expect(readMetrics(at("none"))).rejects.toThrow(/none\/metrics\.jsonl: expected a readable file/);
});

test("the terminal gets one chart a quantity, its highest and lowest values at the side", async () => {
  const printed = await stdoutOf("plot", at("one"));
  expect(printed.match(/^[\w -]+(?: \(a second\))?, updates \d+ to 200$/gm)).toEqual([
    "loss, updates 1 to 200",
    "held-out loss, updates 0 to 200",
    "learning rate, updates 1 to 200",
    "speed (a second), updates 1 to 200",
  ]);
  const [loss] = printed.split("\n\n");
  const lines = loss!.split("\n");
  expect(Number.parseFloat(lines[1]!)).toBeGreaterThan(7.5);
  expect(Number.parseFloat(lines.at(-1)!)).toBeLessThan(4.3);
  for (const line of printed.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  // It falls: the first column's mark stands above the last one's.
  expect(lines.findIndex((line) => line.includes("┼"))).toBeLessThan(lines.length - 2);
});

test("several runs have a curve each, in one chart, under their names", async () => {
  const runs = await Promise.all(
    ["one", "two <&>"].map(async (name) => ({ name, metrics: await readMetrics(at(name)) })),
  );
  const printed = await terminalCharts(runs, { width: 80, height: 6, colours: true });
  expect(printed).toMatch(/one.*two <&>/);
  expect(printed.split("\u001B[31m").length).toBeGreaterThan(4);
  const svg = await svgCharts(runs);
  const parser = new SaxesParser();
  const paths: string[] = [];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    if (name === "path" && attributes["fill"] === "none") paths.push(String(attributes["d"]));
  });
  parser.write(svg).close();
  expect(paths.length).toBe(8);
  expect(paths[0]!.split("L").length).toBe(200);
  expect(svg).toContain("two &lt;&amp;&gt;");
  expect(await stdoutOf("plot", at("one"), "--svg", at("one.svg"))).toContain("1 run\n");
  expect(readFileSync(at("one.svg"), "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
});

test("what an objective measures beside the loss has charts of its own, held out too", async () => {
  mkdirSync(at("rewards"), { recursive: true });
  const usual = { steps: 2, epoch: 1, loss: 1, learningRate: 1, gradientNorm: 1, speed: 1 };
  const rows = [
    { type: "evaluated", step: 0, epoch: 0, loss: 1, figures: { "rewards/margins": 0 } },
    { type: "step", step: 1, ...usual, figures: { "rewards/margins": 0.25, accuracy: 0.5 } },
    { type: "step", step: 2, ...usual, figures: { "rewards/margins": null } },
    { type: "evaluated", step: 2, epoch: 1, loss: 1, figures: { "rewards/margins": 0.75 } },
  ];
  writeFileSync(at("rewards/metrics.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const metrics = await readMetrics(at("rewards"));
  expect(metrics.figures).toEqual({
    "rewards/margins": [
      { step: 1, value: 0.25 },
      { step: 2, value: Number.NaN },
    ],
    accuracy: [{ step: 1, value: 0.5 }],
  });
  expect(metrics.heldOutFigures["rewards/margins"]).toEqual([
    { step: 0, value: 0 },
    { step: 2, value: 0.75 },
  ]);
  const printed = await stdoutOf("plot", at("rewards"));
  expect(printed.match(/^.+, updates \d+ to \d+$/gm)).toEqual([
    "loss, updates 1 to 2",
    "held-out loss, updates 0 to 2",
    "rewards/margins, updates 1 to 2",
    "accuracy, updates 1 to 1",
    "held-out rewards/margins, updates 0 to 2",
    "learning rate, updates 1 to 2",
    "speed (a second), updates 1 to 2",
  ]);
  expect(await svgCharts([{ name: "rewards", metrics }])).toContain(">held-out rewards/margins</text>");
});

test("a line of blocks falls as the loss does; gaps are gaps", async () => {
  expect(sparkline([7, 6, 5, 4, 3, 2, 1, 0])).toBe("█▇▆▅▄▃▂▁");
  expect(sparkline([1, Number.NaN, 1])).toBe("▁ ▁");
  const line = lossLine(await readMetrics(at("one")))!;
  expect(line).toMatch(/^█[▁-█]+▁ {2}7\.97 → 4\.00$/);
  expect(line.split(" ")[0]!.length).toBe(40);
});
