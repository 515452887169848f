import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { readTexts } from "../../corpus/texts.ts";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { qualityClassifierStage, qualityScore, trainQuality, trainQualityFiles } from "./quality-classifier.ts";

const good = Array.from(
  { length: 40 },
  (_, i) => `We measured the pressure of ${i} patients and found that it fell after treatment.`,
);
const bad = Array.from({ length: 60 }, (_, i) => `Click here to buy ${i} cheap pills now!!! Best price, free offer.`);

const documentOf = (text: string): CorpusDocument => ({
  id: "test:1",
  source: "test",
  kind: "html",
  title: "",
  sections: [{ title: "", kind: "text", text }],
  date: null,
  language: null,
  licence: null,
  metadata: {},
});
const scorer = (model: string): ReturnType<typeof qualityScore> =>
  qualityScore(JSON.parse(model) as Parameters<typeof qualityScore>[0]);

/** Part of the pairs of a good and a bad text in which the good one is better. */
function pairsInOrder(score: (text: string) => number, good: readonly string[], bad: readonly string[]): number {
  const [up, down] = [good.map(score), bad.map(score)];
  const right = up.map((a) => down.filter((b) => a > b).length).reduce((sum, count) => sum + count, 0);
  return right / (up.length * down.length);
}

async function some(path: string, count: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of readTexts(path)) if (texts.push(text.slice(0, 3000)) === count) break;
  return texts;
}

describe("the classifier of quality", () => {
  test("finds good what is like the good examples", () => {
    const score = scorer(trainQuality(good, bad, { seed: 1 }));
    expect(score("The pressure of these patients fell when treatment began.")).toBeGreaterThan(0.6);
    expect(score("Buy pills here now, best offer!")).toBeLessThan(0.4);
  });

  test("is the same file for the same seed, and another for another", () => {
    const model = trainQuality(good, bad, { seed: 1, bits: 10 });
    expect(trainQuality(good, bad, { seed: 1, bits: 10 })).toBe(model);
    expect(trainQuality(good, bad, { seed: 2, bits: 10 })).not.toBe(model);
  });

  test("is trained on files, and drops documents in a stage", async () => {
    const folder = await mkdtemp(join(tmpdir(), "galen-quality-"));
    try {
      await writeFile(join(folder, "good.txt"), good.join("\n"));
      await writeFile(join(folder, "bad.jsonl"), bad.map((text) => JSON.stringify({ text })).join("\n"));
      const paths = ["good.txt", "bad.jsonl", "model.json"].map((name) => join(folder, name));
      await trainQualityFiles([paths[0]!], [paths[1]!], paths[2]!, { seed: 3 });
      const stage = await qualityClassifierStage.open({ model: "model.json", least: 0.5 }, { folder });
      expect(await stage.run([good[0]!, bad[0]!].map(documentOf))).toEqual([
        { keep: true },
        { keep: false, rule: "quality-classifier", detail: expect.stringMatching(/^0\.\d{3}, at least 0\.5$/) },
      ]);
      await writeFile(paths[2]!, '{"format":"galen-quality-1","bits":10,"bias":0,"scale":1,"weights":"AAAA"}');
      await expect(qualityClassifierStage.open({ model: "model.json", least: 0.5 }, { folder })).rejects.toThrow(
        "expected 1024 weights, got 3",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("refuses to learn from one sort alone", () => {
    expect(() => trainQuality(good, [], { seed: 1 })).toThrow("expected good and bad examples, got 40 and 0");
  });

  test.skipIf(!hasShared("data/corpus"))("tells papers from dialogues that it has not seen", async () => {
    const papers = await some(shared("data/corpus/pmc-randomized-trials.jsonl.zst"), 400);
    const dialogues = await some(shared("data/corpus/clinical-dialogues.jsonl.zst"), 800);
    const model = trainQuality(papers.slice(0, 300), dialogues.slice(0, 600), { seed: 1 });
    expect(model.length).toBeLessThan(200_000);
    expect(pairsInOrder(scorer(model), papers.slice(300), dialogues.slice(600))).toBeGreaterThan(0.99);
  });
});
