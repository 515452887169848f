import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTinyTask } from "../test/support/tiny-task.ts";
import { openFeatures } from "./features.ts";
import { loadModel } from "./model.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-features-"));
const tiny = await writeTinyTask(folder);
const extractor = await openFeatures(tiny.start, { threads: 1 });
afterAll(async () => {
  await extractor[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
const texts = ["Aspirin raises Warfarin levels in man.", "", "Insulin", "again and ".repeat(100)];

test("every token has the model's hidden state and the offsets that it came from, whatever stands beside it", async () => {
  const all = await extractor.features(texts, { pool: "none" });
  await using model = await loadModel(tiny.start, { threads: 1 });
  for (const [i, { ids, offsets, vectors }] of all.entries()) {
    expect(vectors).toHaveLength(ids.length);
    const { hidden } = await model.hidden({ ids: [[...ids]] });
    const flat = vectors.flatMap((vector) => [...vector]);
    hidden.data.forEach((value, at) => expect(Math.abs(value - flat[at]!)).toBeLessThan(1e-5));
    for (const [start, end] of offsets) expect(texts[i]!.slice(start, end)).toHaveLength(end - start);
  }
  expect(all.map(({ cut }) => cut)).toEqual([false, false, false, true]);
});

test("pooled vectors are the mean, first and last of the tokens'", async () => {
  const [tokens] = await extractor.features(texts, { pool: "none" });
  const [[first], [last], [mean]] = (await Promise.all(
    (["first", "last", "mean"] as const).map(async (pool) => (await extractor.features(texts, { pool }))[0]!.vectors),
  )) as [Float32Array[], Float32Array[], Float32Array[]];
  expect(first).toEqual(tokens!.vectors[0]);
  expect(last).toEqual(tokens!.vectors.at(-1));
  mean!.forEach((value, i) => {
    const expected = tokens!.vectors.reduce((sum, vector) => sum + vector[i]!, 0) / tokens!.vectors.length;
    expect(Math.abs(value - expected)).toBeLessThan(1e-5);
  });
  await expect(extractor.features(texts, { pool: "pooler" })).rejects.toThrow(/got pooler: biogpt has none/);
});
