import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkNewFile, checkSeparate, openOutput, type OutputRules } from "./outputs.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-outputs-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with these files. */
function made(name: string, ...files: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const file of files) writeFileSync(join(path, file), "x");
  return path;
}
const rules: OutputRules = { kind: "a run", names: ["run.json", "model"] };
const open = async (path: string, more: Partial<OutputRules> = {}): Promise<void> =>
  (await openOutput(path, { ...rules, ...more }))[Symbol.asyncDispose]();

test("an output that is an input, or holds one, is refused, by whatever way it is named", async () => {
  const data = made("data", "corpus.jsonl");
  const link = join(folder, "link");
  symlinkSync(data, link);
  const file = join(data, "corpus.jsonl");
  for (const [output, input] of [
    [data, data],
    [link, data],
    [data, join(link, "corpus.jsonl")],
    [file, join(folder, "other/../data/corpus.jsonl")],
    [`${data}/`, file],
  ] as const) {
    await expect(checkSeparate(output, [input]), output).rejects.toThrow(/expected another place than the input's/);
  }
  await checkSeparate(join(data, "made"), [data, undefined, "-", "no such file"]);
  await checkSeparate(`${data}-more`, [data]);
});

test("a folder of others is refused, whatever is asked for, and stays as it is", async () => {
  const path = made("others", "thesis.docx");
  for (const more of [{}, { overwrite: true }, { resume: true }]) {
    await expect(open(path, more)).rejects.toThrow(/others: expected an empty folder for a run, got one with thesis/);
  }
  expect(readdirSync(path)).toEqual(["thesis.docx"]);
  const mixed = made("mixed", "run.json", "notes.txt");
  await expect(open(mixed, { overwrite: true })).rejects.toThrow(/got one with notes\.txt/);
  await open(mixed, { resume: true });
});

test("what is there is refused unless it is gone on with or replaced", async () => {
  const path = made("mine", "run.json");
  await expect(open(path)).rejects.toThrow(
    /mine: expected a folder without a run, got one with run\.json.*--overwrite/s,
  );
  await open(path, { resume: true });
  await using output = await openOutput(path, { ...rules, overwrite: true });
  expect(existsSync(join(path, "run.json"))).toBe(true);
  await output.clear();
  expect(existsSync(join(path, "run.json"))).toBe(false);
});

test("what a killed run left half-written is swept", async () => {
  const path = made("killed", "run.json.1a2b3c4d.tmp", "train.bin.4711.tmp");
  await open(path);
  expect(readdirSync(path)).toEqual([]);
});

test("a file with something in it is replaced only where that was asked for", async () => {
  const file = join(made("files", "full"), "full");
  await expect(checkNewFile(file, false)).rejects.toThrow(
    /full: expected a file that does not exist, got one.*--overwrite/s,
  );
  await checkNewFile(file, true);
  writeFileSync(file, "");
  for (const path of [file, join(folder, "none"), "/dev/null", folder]) await checkNewFile(path, false);
});
