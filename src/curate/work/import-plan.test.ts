import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { filesFolder, planImports } from "./import-plan.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-plan-"));
afterAll(() => rmSync(folder, { recursive: true }));

const sources = {
  small: { paths: ["small.jsonl"], repeat: 1 },
  large: { paths: ["large.jsonl"], repeat: 1 },
};
const line = `${JSON.stringify({ id: "1", text: "Aspirin lowers risk." })}\n`;
const large = line.repeat(40_000);
writeFileSync(join(folder, "small.jsonl"), line);
writeFileSync(join(folder, "large.jsonl"), large);

test("jobs are named by contents, alike by every rank; large files are read again only where they were written to", async () => {
  const output = join(folder, "out");
  const plan = async (rank = 0, world = 1): Promise<string[]> =>
    (await planImports({ sources, folder }, { output, rank, world })).map(({ name }) => name);
  const remembered = (): string[] => readdirSync(join(output, filesFolder));
  const first = await plan();
  expect(first).toEqual([expect.stringMatching(/^small-/), expect.stringMatching(/^large-/)]);
  expect(remembered()).toHaveLength(1);
  expect(await plan(1, 2)).toEqual(first);

  // What has size and time of before is not read.
  const path = join(folder, "large.jsonl");
  const { atime, mtime } = statSync(path);
  utimesSync(path, atime, mtime);
  await plan();
  const before = remembered().length;
  writeFileSync(path, large.replace("Aspirin", "Heparin"));
  utimesSync(path, atime, mtime);
  const [small, again] = await plan();
  expect([small, again]).toEqual(first);
  expect(remembered()).toHaveLength(before);

  // A new time alone changes no name, other contents do.
  utimesSync(path, atime, new Date(mtime.getTime() + 5000));
  const [, changed] = await plan();
  expect(changed).not.toBe(first[1]);
  writeFileSync(path, large);
  expect(await plan()).toEqual(first);
});
