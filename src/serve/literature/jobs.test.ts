/** A job's folder as it is listed: states, ranks that stand out, and files that nobody meant well with. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { jobEntry } from "./jobs.ts";
import type { JobEntry } from "./replies.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-jobs-"));
afterAll(() => rmSync(folder, { recursive: true }));
let next = 0;
const now = 1_800_000_000;

/** Files by their names; values that are no text become JSON. */
function jobOf(files: Readonly<Record<string, unknown>>): string {
  const inside = join(folder, String(next++));
  mkdirSync(join(inside, "ranks"), { recursive: true });
  for (const [name, value] of Object.entries({ "job.json": { recipe: "biogpt-nano", steps: 100 }, ...files })) {
    writeFileSync(join(inside, name), typeof value === "string" ? value : JSON.stringify(value));
  }
  return inside;
}

const rank = (number: number, more: object = {}): Record<string, unknown> => ({
  [`ranks/${String(number).padStart(5, "0")}.json`]: {
    rank: number,
    host: `h${number >> 3}`,
    pid: 7,
    step: 40,
    time: now - 1,
    device: "a device",
    probe: 10,
    waiting: 0.01,
    memory: 1e9,
    ...more,
  },
});
const entry = async (files: Readonly<Record<string, unknown>>): Promise<JobEntry> =>
  (await jobEntry(jobOf(files), now))!.job;

test("a folder without job.json is none", async () => {
  expect(await jobEntry(folder, now)).toBeUndefined();
});

test.each<[JobEntry["state"], Record<string, unknown>]>([
  ["waiting", {}],
  ["running", { ...rank(0), ...rank(1) }],
  ["stopping", { ...rank(0), stop: "" }],
  ["silent", rank(0, { time: now - 500 })],
  ["stopped", { ...rank(0), "done.json": { step: 40, stopped: true, files: {} } }],
  [
    "done",
    {
      ...rank(0),
      "done.json": { step: 100, stopped: false, files: { "model.safetensors": { bytes: 7, sha256: "0" } } },
    },
  ],
  ["failed", { ...rank(0), "ranks/00001.error.json": { rank: 1, time: now - 2, step: 40, message: "out of memory" } }],
])("is %s", async (state, files) => {
  expect((await entry(files)).state).toBe(state);
});

test("the first rank that failed is named, whichever wrote last", async () => {
  const failed = (number: number, time: number): Record<string, unknown> => ({
    [`ranks/0000${number}.error.json`]: {
      rank: number,
      time,
      step: 41,
      message: `m${number}`,
      traceback: "line 1\nline 2",
    },
  });
  const { error, errors } = await entry({
    ...rank(0),
    ...failed(1, now - 2),
    ...failed(3, now - 9),
    ...failed(2, now - 3),
  });
  expect(errors).toBe(3);
  expect(error).toEqual({ rank: 3, step: 41, message: "m3", traceback: "line 1\nline 2" });
});

test("an error of before the run was taken up again is past", async () => {
  const old = { rank: 1, time: now - 4000, step: 2, message: "preempted" };
  expect(await entry({ ...rank(0), ...rank(1), "ranks/00001.error.json": old })).toMatchObject({
    state: "running",
    error: null,
  });
});

test("slow devices and ranks that are silent beside the others stand out, the worst five of them", async () => {
  const files = Object.assign({}, ...Array.from({ length: 64 }, (_, i) => rank(i, { probe: i < 7 ? 20 + i : 10 })));
  const { slow, slowCount, dead, deadCount, ranks, hosts } = await entry({
    ...files,
    ...rank(60, { time: now - 200, step: 35 }),
  });
  expect({ ranks, hosts, slowCount, deadCount }).toEqual({ ranks: 64, hosts: 8, slowCount: 7, deadCount: 1 });
  expect(slow.map((one) => one.rank)).toEqual([6, 5, 4, 3, 2]);
  expect(slow[0]!.times).toBeCloseTo(2.6, 9);
  expect(dead).toMatchObject([{ rank: 60, step: 35, silent: 199 }]);
});

test("what is no heartbeat is counted and the rest goes on; links and large files are not read", async () => {
  const secret = join(folder, "secret.json");
  writeFileSync(secret, JSON.stringify({ rank: 5, step: 1, time: now, host: "secret" }));
  const inside = jobOf({
    ...rank(0),
    "ranks/00001.json": "{",
    "ranks/00002.json": { rank: -1, step: 1, time: now },
    "ranks/00003.json": `{"rank": 3, "step": 1, "time": ${now}, "host": "${"x".repeat(1 << 19)}"}`,
    "ranks/notes.txt": "nothing",
  });
  symlinkSync(secret, join(inside, "ranks/00005.json"));
  const { job } = (await jobEntry(inside, now))!;
  expect(job).toMatchObject({ ranks: 1, unread: 3, state: "running" });
  expect(JSON.stringify(job)).not.toContain("secret");
});

test("texts are cut, and marks that turn or colour text are taken out", async () => {
  const { error, devices } = await entry({
    ...rank(0, { device: "\u202egpj.exe \u001b[31mred" }),
    "ranks/00000.error.json": { rank: 0, time: now, message: "a".repeat(5000), traceback: `${"b".repeat(9000)}end` },
  });
  expect(devices).toEqual(["\ufffdgpj.exe \ufffd[31mred"]);
  expect(error!.message.length).toBeLessThan(400);
  expect(error!.traceback.length).toBeLessThan(6100);
  expect(error!.traceback.endsWith("end")).toBe(true);
});

test("a job.json that does not fit is a job all the same, of which nothing is said", async () => {
  expect(await jobEntry(jobOf({ "job.json": "[1, 2" }), now)).toMatchObject({
    recipe: null,
    steps: null,
    job: { state: "waiting" },
  });
});

test("whatever a rank wrote, there is an entry that JSON holds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.json(), fc.json(), async (beat, words, end) => {
      const found = await entry({ "ranks/00000.json": beat, "ranks/00001.error.json": words, "done.json": end });
      expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    }),
    { numRuns: 60 },
  );
});
