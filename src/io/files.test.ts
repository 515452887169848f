import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { finalName, temporaryFor, writeAtomically, writeFileAtomically } from "./files.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what a killed process left of a file goes when it is written again; that of a living one, of another machine, and other files stay", async () => {
  const { pid: dead } = spawnSync(process.execPath, ["-e", ""]);
  const own = temporaryFor("a.bin");
  expect(finalName(own)).toBe("a.bin");
  const of = (pid: number | undefined): string => own.replace(`-${process.pid}.`, `-${pid}.`);
  // On another machine a process of that number may be at work.
  const elsewhere = of(dead).replace(/[0-9a-f]{8}-/, "01234567-");
  const left = [of(dead), of(process.ppid), of(dead).replace("a.bin", "b.bin"), elsewhere];
  for (const name of [...left, "a.bin.tmp"]) writeFileSync(join(folder, name), "half");
  await writeFileAtomically(join(folder, "a.bin"), "whole");
  expect(readFileSync(join(folder, "a.bin"), "utf8")).toBe("whole");
  expect(readdirSync(folder).toSorted()).toEqual(["a.bin", "a.bin.tmp", ...left.slice(1)].toSorted());
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
