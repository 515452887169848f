import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array as arrayArbitrary, assert, nat, property, string } from "fast-check";
import { afterAll, expect, test } from "vitest";
import { arrayState, readMarker, tasksOf, writeArray } from "./array.ts";
import { finishArray, runTask, runTasks } from "./task.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-array-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A script in Galen's place: its words are code. */
const galen = [process.execPath, "-e"];
let made = 0;
async function arrayOf(tasks: readonly (readonly string[])[]): Promise<string> {
  const place = join(folder, String(made++));
  await writeArray(place, { galen: "0", directory: folder, tasks: tasks.map((lines) => lines.map((line) => [line])) });
  return place;
}

test("every input is in one task, in order, and tasks differ by at most one input", () => {
  assert(
    property(arrayArbitrary(string({ minLength: 1 }), { minLength: 1, maxLength: 60 }), nat(), (over, seed) => {
      const tasks = 1 + (seed % over.length);
      const made = tasksOf({ command: ["embed", "--file", "{input}"], over, tasks });
      expect(made.flat().map((words) => words[2])).toEqual(over);
      const sizes = made.map((lines) => lines.length);
      expect(made).toHaveLength(tasks);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test("an input with braces, dollars or spaces is one word as it is", () => {
  const over = ["a {task} b", "$(rm -rf x)", "{input}"];
  const made = tasksOf({ command: ["embed", "{input}", "x={input}"], over });
  expect(made.map(([words]) => words)).toEqual(over.map((input) => ["embed", input, `x=${input}`]));
});

test("a name is without folder and endings", () => {
  const name = (input: string): string => tasksOf({ command: ["{name}"], over: [input] })[0]![0]![0]!;
  expect(["s/0001.jsonl.gz", "pubmed26n0001.xml.gz", "a.b/c", ".hidden", "v1.5", "medqa"].map(name)).toEqual([
    "0001",
    "pubmed26n0001",
    "c",
    ".hidden",
    "v1.5",
    "medqa",
  ]);
});

test("shares without inputs are told apart by their number", () => {
  const made = tasksOf({ command: ["--rank", "{task}", "--world", "{tasks}"], over: [], tasks: 3 });
  expect(made.map(([words]) => words!.join(" "))).toEqual([0, 1, 2].map((task) => `--rank ${task} --world 3`));
});

test("what would do the same many times, or leaves inputs out, is refused", () => {
  const of = (command: string[], over: string[], tasks?: number) => () => tasksOf({ command, over, tasks });
  expect(of(["embed"], ["a"])).toThrow(/command: expected \{input\}/);
  expect(of(["embed", "{input}"], [])).toThrow(/--over: expected what \{input\} stands for/);
  expect(of(["embed"], [], 2)).toThrow(/command: expected \{task\}/);
  expect(of(["embed"], [])).toThrow(/--tasks: expected 1 to .*, got none/);
  expect(of(["embed", "{input}"], ["a"], 2)).toThrow(/--tasks: expected at most one for each of 1 inputs/);
});

test("a task that is done is never done again, and one that failed goes on where it was", async () => {
  const log = join(folder, "log");
  const add = (text: string): string => `require("fs").appendFileSync(${JSON.stringify(log)}, "${text}")`;
  const isMended = `require("fs").existsSync(${JSON.stringify(join(folder, "mended"))})`;
  const array = await arrayOf([
    [add("a"), `${add("b")}; if (!${isMended}) { console.error("disk is full"); process.exit(4); }`, add("c")],
  ]);
  expect(await runTask(array, 0, { galen })).toBe(4);
  expect(await arrayState(array)).toMatchObject({
    left: [0],
    lines: { done: 1, of: 3 },
    failed: [{ task: 0, code: 4, words: "disk is full" }],
  });
  writeFileSync(join(folder, "mended"), "");
  expect(await runTask(array, 0, { galen })).toBe(0);
  expect(await runTask(array, 0, { galen })).toBe(0);
  expect(readFileSync(log, "utf8")).toBe("abbc");
  expect(await arrayState(array)).toMatchObject({ left: [], failed: [], lines: { done: 3, of: 3 } });
  expect(await readMarker(array, 0)).toMatchObject({ task: 0, done: 3, of: 3 });
});

test("what a command line writes to stdout is a part of its own, and half of it is none", async () => {
  const array = await arrayOf([['console.log("whole")'], ['console.log("half"); process.exit(1)'], ["0"]]);
  await runTasks(array, { galen });
  expect(readFileSync(join(array, "parts/00000.out"), "utf8")).toBe("whole\n");
  expect(existsSync(join(array, "parts/00001.out"))).toBe(false);
  expect(existsSync(join(array, "parts/00002.out"))).toBe(false);
});

test("a task that has to come again is done once what it waits for is", async () => {
  const flag = join(folder, "flag");
  const first = `process.exit(require("fs").existsSync(${JSON.stringify(flag)}) ? 0 : 75)`;
  const array = await arrayOf([[first], [`require("fs").writeFileSync(${JSON.stringify(flag)}, "")`]]);
  expect(await runTasks(array, { galen, tasks: [0], once: true })).toEqual({ done: 0, failed: [], again: [0] });
  expect(await runTasks(array, { galen })).toEqual({ done: 2, failed: [], again: [] });
  await finishArray(array);
  expect(JSON.parse(readFileSync(join(array, "done.json"), "utf8"))).toMatchObject({ step: 2, stopped: false });
});

test("a task that waits for one that failed gives up, so that an array ends", async () => {
  const array = await arrayOf([["process.exit(75)"], ["process.exit(9)"]]);
  const { failed } = await runTasks(array, { galen });
  expect(failed.map(({ task }) => task).sort()).toEqual([0, 1]);
  await finishArray(array);
  expect(existsSync(join(array, "done.json"))).toBe(false);
});

test("an array that is asked to stop begins nothing more", async () => {
  const array = await arrayOf([["0"], ["0"]]);
  writeFileSync(join(array, "stop"), "");
  expect((await runTasks(array, { galen })).done).toBe(0);
  expect((await arrayState(array)).left).toEqual([0, 1]);
});

test("a signal ends the command line that runs, in order", async () => {
  const controller = new AbortController();
  const array = await arrayOf([
    [
      'process.on("SIGTERM", () => { console.error("in order"); process.exit(1); }); console.log("up"); setInterval(() => {}, 1000)',
    ],
  ]);
  const ended = runTask(array, 0, { galen, signal: controller.signal });
  // Its stdout is a file of the folder.
  const isUp = (): boolean =>
    existsSync(join(array, "parts")) &&
    readdirSync(join(array, "parts")).some((name) => readFileSync(join(array, "parts", name), "utf8") === "up\n");
  while (!isUp()) await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  expect(await ended).toBe(1);
  expect((await arrayState(array)).failed[0]!.words).toBe("in order");
});

test("a number that no task has is refused", async () => {
  await expect(runTask(await arrayOf([["0"]]), 7, { galen })).rejects.toThrow(/expected a task from 0 to 0, got 7/);
});
