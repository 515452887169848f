/** Files of a benchmark that are not what they should be are named, with what to do. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { checkDataFiles } from "./data-files.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-data-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

const text = '{"question": "Is it so?"}\n';
const sha256 = createHash("sha256").update(text).digest("hex");
const toy = {
  name: "toy",
  data: {
    folder: "toy",
    files: { test: [{ path: "in/test.jsonl", sha256 }] },
    from: "Get test.jsonl of https://example.org/toy.",
    licence: "MIT",
  },
};

beforeEach(() => {
  rmSync(join(folder, "in"), { recursive: true, force: true });
  mkdirSync(join(folder, "in"));
});

const write = (content: string): void => writeFileSync(join(folder, "in/test.jsonl"), content);

it("gives the digests of what it found", async () => {
  write(text);
  expect(await checkDataFiles(toy, folder, "test")).toEqual({ "in/test.jsonl": sha256 });
});

it("names a file that is missing, how to get it, and its licence", async () => {
  await expect(checkDataFiles(toy, folder, "test")).rejects.toThrow(
    /in\/test\.jsonl: expected a file of toy, test; got none\nHint: Get test\.jsonl of https:\/\/example\.org\/toy\. Licence: MIT\.$/,
  );
  // No flag makes a file of nothing.
  await expect(checkDataFiles(toy, folder, "test", { anyVersion: true })).rejects.toThrow(/got none/);
});

it.each([
  ["cut short", text.slice(0, 9)],
  ["of another version", text.replace("so", "not")],
])("names a file that is %s, with what was expected and found, unless any version will do", async (_, content) => {
  write(content);
  const found = createHash("sha256").update(content).digest("hex");
  const problem = await checkDataFiles(toy, folder, "test").catch(String);
  expect(problem).toContain(join(folder, "in/test.jsonl"));
  expect(problem).toContain(`SHA-256 ${sha256}; got ${content.length} bytes with SHA-256 ${found}`);
  expect(problem).toContain("Get test.jsonl of https://example.org/toy.");
  expect(problem).toContain("--any-version takes it as it is");
  expect(await checkDataFiles(toy, folder, "test", { anyVersion: true })).toEqual({ "in/test.jsonl": found });
});

it("names a missing file of which any version is taken, and says what it found", async () => {
  const any = { ...toy, data: { ...toy.data, files: { test: [{ path: "in/test.jsonl" }] } } };
  await expect(checkDataFiles(any, folder, "test")).rejects.toThrow(/expected a file of toy, test; got none/);
  write(text);
  expect(await checkDataFiles(any, folder, "test")).toEqual({ "in/test.jsonl": sha256 });
});

it("checks nothing where the files are the user's own, or not known of a split", async () => {
  expect(await checkDataFiles({ name: "own" }, folder, "test")).toEqual({});
  expect(await checkDataFiles(toy, folder, "train")).toEqual({});
});
