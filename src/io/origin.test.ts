import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pathFingerprint } from "./fingerprint.ts";
import { changedSources, readOrigin, withOrigin } from "./origin.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-origin-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

async function made(name: string): Promise<string> {
  const path = at(`${name}/out/vectors.npy`);
  mkdirSync(at(`${name}/out`), { recursive: true });
  mkdirSync(at(`${name}/model`));
  writeFileSync(at(`${name}/model/weights`), "weights");
  writeFileSync(at(`${name}/texts.jsonl`), "texts");
  const sources = { model: at(`${name}/model`), texts: at(`${name}/texts.jsonl`) };
  await withOrigin(path, sources, async () => writeFileSync(path, "vectors"));
  return path;
}

test("a file's sources are named by their paths from its folder, with fingerprints, and move with it", async () => {
  const path = await made("a");
  const origin = {
    file: await pathFingerprint(path),
    model: { path: "../model", fingerprint: await pathFingerprint(at("a/model")) },
    texts: { path: "../texts.jsonl", fingerprint: await pathFingerprint(at("a/texts.jsonl")) },
  };
  expect(await readOrigin(path)).toEqual(origin);
  expect(await changedSources(path)).toEqual([]);
  renameSync(at("a"), at("moved"));
  expect(await readOrigin(at("moved/out/vectors.npy"))).toEqual(origin);
  expect(await changedSources(at("moved/out/vectors.npy"))).toEqual([]);
});

test("sources that have changed since are named; those that are gone, and names that are no paths, cannot be", async () => {
  const path = await made("b");
  writeFileSync(at("b/texts.jsonl"), "others");
  expect(await changedSources(path)).toEqual([at("b/texts.jsonl")]);
  writeFileSync(at("b/model/weights"), "other weights");
  expect(await changedSources(path)).toEqual([at("b/model"), at("b/texts.jsonl")]);
  rmSync(at("b/model"), { recursive: true });
  expect(await changedSources(path)).toEqual([at("b/texts.jsonl")]);
  await withOrigin(path, { model: "bm25" }, async () => {});
  expect((await readOrigin(path))?.model).toEqual({ path: "bm25" });
});

test("what stands beside a file that was changed since is of another", async () => {
  const path = await made("c");
  writeFileSync(path, "mine");
  expect(await readOrigin(path)).toBeUndefined();
  expect(await changedSources(path)).toEqual([]);
});

test("a source that changes while it is read is seen to have", async () => {
  const path = await made("d");
  await withOrigin(path, { texts: at("d/texts.jsonl") }, async () => writeFileSync(at("d/texts.jsonl"), "grown"));
  expect(await changedSources(path)).toEqual([at("d/texts.jsonl")]);
});

test("another file of that name is left alone, and nothing is written beside it", async () => {
  for (const own of ["{}", "not JSON", '{"file": 1}']) {
    writeFileSync(at("mine.npy.json"), own);
    const write = withOrigin(at("mine.npy"), {}, async () => writeFileSync(at("mine.npy"), "vectors"));
    await expect(write).rejects.toThrow(/mine\.npy\.json: expected no file, or one that says what .* is made of/);
    expect(readFileSync(at("mine.npy.json"), "utf8")).toBe(own);
    expect(existsSync(at("mine.npy"))).toBe(false);
    expect(await readOrigin(at("mine.npy"))).toBeUndefined();
  }
});
