/** `galen plan`: its JSON, what it prints, its picture. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SaxesParser } from "saxes";
import { afterAll, describe, expect, test } from "vitest";
import { bestLayouts, memoryBars, svgMemory } from "../src/cli/plan-picture.ts";
import { fleetOf, memoryParts, type Plan, planTraining } from "../src/plan/index.ts";
import { recipes } from "../src/recipes/index.ts";
import { stdoutOf } from "./support/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-plan-"));
afterAll(() => rmSync(folder, { recursive: true }));
const seventy = (machines: string): Plan => planTraining(recipes["biollm-70b"](), { fleet: fleetOf(machines) });

test("--json is the plan, with settings and options taken", async () => {
  const words = ["biollm-70b", "schedule.peak=1.5e-4", "--accelerators", "256xa100-80", "--tokens", "4e12"];
  const text = await stdoutOf("plan", ...words, "--utilisation", "0.423", "--price", "2", "--json");
  const plan = JSON.parse(text) as Plan;
  expect(plan.parameters).toBe(69_010_202_624);
  expect(plan.flops / 1.66e24).toBeCloseTo(1, 2);
  expect(plan.days.low).toBe(plan.days.high);
  expect(Math.round(plan.days.low)).toBe(567);
  expect(plan.cost!.low).toBeCloseTo(2 * plan.acceleratorHours.low, 3);
  expect(plan.memory).toEqual(plan.layouts[0]!.memory);
  expect(plan.layouts.every(({ feasible, reason }) => feasible === (reason === undefined))).toBe(true);
  expect(plan.warnings.some((one) => one.includes("rate of fine-tuning"))).toBe(false);
});

test("people read weights, days, bars, layouts with reasons, and what to doubt", async () => {
  const text = await stdoutOf("plan", "biollm-70b", "--accelerators", "256xh100");
  for (const part of ["69,010,202,624", "168 to 216", "35 % to 45 % of the dense peak", "828.1 GB each", "567 days"]) {
    expect(text).toContain(part);
  }
  expect(text).toMatch(/no {3}FSDP 256 × tensor parallel 1, micro-batch 1\n +\d+\.\d GB of memory, and 72\.0 GB/);
  expect(text).toMatch(/yes {2}FSDP 32 × tensor parallel 8/);
  expect(text).toMatch(/activations +\d+\.\d GB {2}█+/);
});

test("people read what 256 ranks take beside computing, with what was measured and what assumed", async () => {
  const text = await stdoutOf("plan", "biollm-70b", "--accelerators", "256xh100", "--storage", "20");
  expect(text).toMatch(/start +[\d.]+ s to [\d.]+ min on 32 hosts: 276\.0 GB of start weights/);
  expect(text).toMatch(/checkpoint +3\.23 GB a rank, 41 s each, every 1,000 updates/);
  expect(text).toMatch(/measured +a rank writes its share/);
  expect(text).toMatch(/given +shared storage, all hosts together: 20\.0 GB\/s \(--storage\)/);
});

describe("bars", () => {
  test("are as long as their parts, and fill the room with what is left", () => {
    const { memory } = seventy("256xh100");
    const lines = memoryBars(memory, 130).trimEnd().split("\n");
    expect(lines.map((line) => line.trim().split(" ")[0])).toEqual([...memoryParts, "free"]);
    const lengths = lines.map((line) => [...line].filter((one) => one === "█" || one === "░").length);
    expect(lengths.reduce((sum, one) => sum + one, 0)).toBeCloseTo(100, -1);
    expect(lengths[4]! / 100).toBeCloseTo(memory.activations / memory.usable, 1);
  });

  test("of what does not fit have no room left", () => {
    expect(memoryBars(seventy("8xa100-80").memory, 100)).not.toContain("free");
  });
});

test("the picture has a bar for each layout, of all its parts, and is whole XML with the recipe's name in it", async () => {
  const path = join(folder, "memory.svg");
  await stdoutOf("plan", "biollm-70b", "--accelerators", "256xh100", "--svg", path);
  const plan = seventy("256xh100");
  const svg = readFileSync(path, "utf8");
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(svg).close();
  expect(svg.match(/<title>/g)).toHaveLength(memoryParts.length * bestLayouts(plan).length);
  expect(svg).toContain("biollm-70b on 256 h100: memory of one rank");
  expect(await svgMemory({ ...plan, recipe: "<&>" })).toContain("&lt;&amp;&gt; on 256");
});
