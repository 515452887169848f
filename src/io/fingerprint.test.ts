import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  filesFingerprint,
  fingerprintOf,
  inputFingerprints,
  modelFingerprint,
  pathFingerprint,
} from "./fingerprint.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-fingerprint-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "file");
const of = async (contents: string | Uint8Array): Promise<string> => {
  writeFileSync(path, contents);
  return pathFingerprint(path);
};

test("contents and size count, of small files each byte", async () => {
  expect(await of("abc")).toMatch(/^3 bytes, [0-9a-f]{16}$/);
  expect(await of("abc")).not.toBe(await of("abd"));
  expect(await of("")).not.toBe(await of("a"));
});

test("large files are sampled from beginning to end, and grown ones are different", async () => {
  const bytes = new Uint8Array(9 << 20);
  const whole = await of(bytes);
  for (const place of [0, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[place] = 1;
    expect(await of(changed), String(place)).not.toBe(whole);
  }
  const grown = new Uint8Array(bytes.length + 1);
  expect((await of(grown)).split(",")[0]).toBe(`${bytes.length + 1} bytes`);
  expect(await of(bytes)).toBe(whole);
});

test("a folder has the fingerprint of its files' names and contents, hidden ones left out", async () => {
  const place = join(folder, "folder");
  mkdirSync(join(place, "inner"), { recursive: true });
  writeFileSync(join(place, "inner/a"), "a");
  const before = await pathFingerprint(place);
  writeFileSync(join(place, ".galen.lock"), "1");
  expect(await pathFingerprint(place)).toBe(before);
  writeFileSync(join(place, "b"), "");
  expect(await pathFingerprint(place)).not.toBe(before);
});

test("parts do not run into each other, and files count in no order", () => {
  expect(fingerprintOf("ab", "c")).not.toBe(fingerprintOf("a", "bc"));
  const [one, other] = [
    ["a", "1"],
    ["b", "2"],
  ] as const;
  expect(filesFingerprint(new Map([one, other]))).toBe(filesFingerprint(new Map([other, one])));
});

test("a model has one of all its weights, so that a few rows among many count; a file of weights has one too", async () => {
  const place = join(folder, "model");
  mkdirSync(join(place, "1_Dense"), { recursive: true });
  const weights = new Uint8Array(9 << 20);
  writeFileSync(join(place, "model.safetensors"), weights);
  writeFileSync(join(place, "1_Dense/config.json"), "{}");
  const before = await modelFingerprint(place);
  const one = await modelFingerprint(join(place, "model.safetensors"));
  writeFileSync(join(place, "README.md"), "of no weight");
  expect(await modelFingerprint(place)).toBe(before);
  // Between two samples of `pathFingerprint`.
  weights[300_000] = 1;
  writeFileSync(join(place, "model.safetensors"), weights);
  expect(await modelFingerprint(place)).not.toBe(before);
  expect(await modelFingerprint(join(place, "model.safetensors"))).not.toBe(one);
  writeFileSync(join(place, "1_Dense/config.json"), "{ }");
  expect(await modelFingerprint(place)).not.toBe(before);
});

test("standard input has none, and what is missing is named", async () => {
  expect(await inputFingerprints(["-"])).toEqual({ "-": "standard input" });
  await expect(inputFingerprints([join(folder, "none")])).rejects.toThrow(
    /none: expected a file or folder, got ENOENT/,
  );
});
