/** Entities of PubTator files: every mention of the corpora is in one sentence, at its place. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { valueOf } from "../metrics/report.ts";
import { pubTatorEntities } from "./pubtator-entities.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-pubtator-"));
afterAll(() => rmSync(folder, { recursive: true }));
const [bc5cdr, ncbi] = pubTatorEntities as [(typeof pubTatorEntities)[0], (typeof pubTatorEntities)[0]];

const title = "Déridol 𝛼 and gout. Two cases.";
const abstract = "Gout of Déridol. Swelling of joints.";
/** Places in code points, as Python writes them. */
function write(...mentions: readonly (readonly [name: string, type: string])[]): string {
  const all = `${title} ${abstract}`;
  const lines = mentions.map(([name, type]) => {
    const start = Array.from(all.slice(0, all.lastIndexOf(name))).length;
    return `1\t${start}\t${start + Array.from(name).length}\t${name}\t${type}\tD1`;
  });
  writeFileSync(join(folder, "CDR_TestSet.PubTator.txt"), [`1|t|${title}`, `1|a|${abstract}`, ...lines, ""].join("\n"));
  return folder;
}

test("examples are sentences with the entities in them; one that spans two joins these", async () => {
  const names = [
    ["Déridol", "Chemical"],
    ["gout", "Disease"],
    ["gout", "Disease"],
    ["joints", "Anatomy"],
  ] as const;
  const examples = await bc5cdr.read(write(...names), "test");
  expect(examples.map(({ id, document }) => [id, document])).toEqual(
    ["1-1", "1-2", "1-3", "1-4"].map((id) => [id, "1"]),
  );
  expect(examples.map(({ text, gold }) => gold.map((one) => [text.slice(one.start, one.end), one.type]))).toEqual([
    [["gout", "disease"]],
    [],
    [["Déridol", "chemical"]],
    [],
  ]);
  const spanning = await bc5cdr.read(write(["Déridol. Swelling", "Disease"]), "test");
  expect(spanning.map(({ gold }) => gold.length)).toEqual([0, 0, 1]);
  expect(spanning[2]!.text).toBe(abstract);
});

test("a mention that stands elsewhere is named, and so is a split that there is none of", async () => {
  write(["gout", "Disease"]);
  const path = join(folder, "CDR_TestSet.PubTator.txt");
  writeFileSync(path, `1|t|${title}\n1|a|${abstract}\n1\t3\t7\tgout\tDisease\tD1\n`);
  await expect(bc5cdr.read(folder, "test")).rejects.toThrow(/"1": expected "gout", got "idol" at 3 to 7/);
  writeFileSync(path, `1|t|${title}\n1|a|${abstract}\n1\t300\t304\tgout\tDisease\tD1\n`);
  await expect(bc5cdr.read(folder, "test")).rejects.toThrow(/got "" at 300 to 304/);
  await expect(ncbi.read(folder, "valid")).rejects.toThrow(/expected a split of ner-ncbi-disease-pubtator, got valid/);
});

const isHere = ["bc5cdr/CDR_TestSet.PubTator.txt", "ner/pubtator"].every((one) => hasShared(`data/benchmarks/${one}`));
describe.skipIf(!isHere)("of the corpora", () => {
  test.each([
    [bc5cdr, "train", 500, { chemical: 5203, disease: 4182 }],
    [bc5cdr, "valid", 500, { chemical: 5347, disease: 4244 }],
    [bc5cdr, "test", 500, { chemical: 5385, disease: 4424 }],
    [ncbi, "train", 692, { disease: 5921 }],
    [ncbi, "test", 100, { disease: 960 }],
  ] as const)(
    "%o: every mention of %s is kept, and right tags and names are nearly all",
    async (benchmark, split, documents, counts) => {
      const examples = await benchmark.read(shared(`data/benchmarks/${benchmark.data!.folder}`), split);
      expect(new Set(examples.map(({ document }) => document)).size).toBe(documents);
      const found: Record<string, number> = {};
      for (const { gold } of examples) for (const { type } of gold) found[type] = (found[type] ?? 0) + 1;
      expect(found).toEqual(counts);
      const tags = examples.map((one) => benchmark.tags!.answer(one, benchmark.tags!.of(one)));
      const names = examples.map((one) => benchmark.parse(benchmark.target(one), one));
      for (const answers of [tags, names]) {
        const report = benchmark.evaluate(examples, answers);
        expect(valueOf(report, "f1")).toBeGreaterThan(0.998);
        expect(report.failed).toBe(0);
      }
    },
  );
});
