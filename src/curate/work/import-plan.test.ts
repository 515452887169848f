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

test("a pattern is what it matches, in order of names; a file that is called so is that file", async () => {
  const place = mkdtempSync(join(folder, "patterns-"));
  for (const name of ["b-2.jsonl", "b-1.jsonl", "a.txt", "[b].jsonl"]) writeFileSync(join(place, name), line);
  const namesOf = async (...paths: string[]): Promise<string[]> => {
    const jobs = await planImports(
      { sources: { one: { paths } }, folder: place },
      { output: join(folder, "out"), rank: 0, world: 1 },
    );
    return jobs.flatMap(({ files }) => files.map(({ name }) => name));
  };
  expect(await namesOf("b-*.jsonl", "a.txt")).toEqual(["b-1.jsonl", "b-2.jsonl", "a.txt"]);
  expect(await namesOf("[b].jsonl")).toEqual(["[b].jsonl"]);
  expect(await namesOf("{a,b-1}.*")).toEqual(["a.txt", "b-1.jsonl"]);
  await expect(namesOf("c-*.jsonl")).rejects.toThrow(/c-\*\.jsonl: expected files that the pattern matches, got none/);
});

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
