import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeAtomically, writeFileAtomically } from "./files.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what a killed process left of a file goes when it is written again; that of a living one, and other files, stay", async () => {
  const { pid: dead } = spawnSync(process.execPath, ["-e", ""]);
  const left = [`a.bin.${dead}.1a2b3c4d.tmp`, `a.bin.${process.ppid}.1a2b3c4d.tmp`, `b.bin.${dead}.1a2b3c4d.tmp`];
  for (const name of [...left, "a.bin.tmp"]) writeFileSync(join(folder, name), "half");
  await writeFileAtomically(join(folder, "a.bin"), "whole");
  expect(readFileSync(join(folder, "a.bin"), "utf8")).toBe("whole");
  expect(readdirSync(folder).toSorted()).toEqual(["a.bin", "a.bin.tmp", left[1]!, left[2]!].toSorted());
});

test("a write that fails leaves what was there, and nothing else", async () => {
  const path = join(folder, "c.bin");
  writeFileSync(path, "before");
  const write = writeAtomically(path, async (temporary) => {
    writeFileSync(temporary, "half");
    throw new Error("enough");
  });
  await expect(write).rejects.toThrow("enough");
  expect(readFileSync(path, "utf8")).toBe("before");
  expect(readdirSync(folder).filter((name) => name.startsWith("c.bin"))).toEqual(["c.bin"]);
});
