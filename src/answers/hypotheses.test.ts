import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { indexedDocument, memoryIndex } from "../../test/support/memory-index.ts";
import { UsageError } from "../errors.ts";
import { indexDocuments, openIndex, type SearchIndex } from "../search/index.ts";
import { chance, hypotheses, readRelations } from "./hypotheses.ts";
import { namesOf, readWanted } from "./names.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-hypotheses-"));
let index: SearchIndex;
beforeAll(async () => {
  const texts = [
    ...Array.from({ length: 6 }, (_, i) => `APOE binds LRP1 in sample ${i}.`),
    ...Array.from({ length: 3 }, (_, i) => `TP53 is often lost in tumour ${i}.`),
    "TP53 and APOE were measured.",
    ...Array.from({ length: 40 }, (_, i) => `Meadow ${i} was mown, and TP53 was not looked at.`),
  ];
  const file = join(folder, "texts.jsonl");
  writeFileSync(file, texts.map((text, i) => `${JSON.stringify({ id: `d${i}`, text })}\n`).join(""));
  await indexDocuments([file], { output: join(folder, "index") });
  index = await openIndex(join(folder, "index"));
});
afterAll(async () => {
  await index[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("names in words", () => {
  test("genes are symbols, not methods or measures", () => {
    expect(namesOf("gene", "APOE, LRP1 and IL-6 by PCR and MRI (95 % CI) of DNA")).toEqual(["APOE", "LRP1", "IL-6"]);
  });

  test("drugs and diseases are known by their endings", () => {
    expect(namesOf("drug", "Atorvastatin or rituximab, with aspirin and milk")).toEqual([
      "atorvastatin",
      "rituximab",
      "aspirin",
    ]);
    expect(namesOf("disease", "patients with severe heart failure and nephropathy")).toEqual([
      "heart failure",
      "nephropathy",
    ]);
  });

  test("a question names a kind and an anchor", () => {
    expect(readWanted("genes that interact with APOE include…")).toEqual({ kind: "gene", anchor: "APOE" });
    expect(readWanted("Which drugs treat narcolepsy?")).toEqual({ kind: "drug", anchor: "narcolepsy" });
    expect(readWanted("diseases associated with vitamin D")).toEqual({ kind: "disease", anchor: "vitamin D" });
    expect(() => readWanted("APOE")).toThrow(UsageError);
  });
});

describe("chance", () => {
  test("names that are independent have neither likelihood nor information", () => {
    const { expected, logLikelihood, mutualInformation } = chance(2, 20, 10, 100);
    expect(expected).toBe(2);
    expect(logLikelihood).toBeCloseTo(0);
    expect(mutualInformation).toBeCloseTo(0);
  });

  test("Dunning's ratio by hand, and its sign", () => {
    const cells = [10 * Math.log(2), 10 * Math.log(2)];
    expect(chance(10, 10, 10, 20).logLikelihood).toBeCloseTo(2 * (cells[0]! + cells[1]!));
    expect(chance(1, 50, 50, 100).logLikelihood).toBeLessThan(0);
    expect(chance(0, 5, 5, 100).mutualInformation).toBeNull();
  });
});

describe("hypotheses", () => {
  test("are grounded in counts and sentences; what chance explains is none", async () => {
    const { grounded, withAnchor, documents } = await hypotheses(index, "genes that interact with APOE");
    expect([withAnchor, documents]).toEqual([7, 50]);
    expect(grounded.map(({ name }) => name)).toEqual(["LRP1"]);
    const [first] = grounded;
    expect(first).toMatchObject({ together: 6, withName: 6, expected: (7 * 6) / 50, known: [], from: ["documents"] });
    expect(first!.examples.length).toBe(3);
    for (const { quote } of first!.examples) expect(quote).toMatch(/APOE.*LRP1/);
  });

  test("names that only share a document, are another form of the anchor, or stand in a list of abbreviations are none", async () => {
    const article =
      "APOE was cloned into QX77 cells. SORL5 was washed twice. More APOE was found in all. MORE was a trial. ADH2: a gene; APOE: apolipoprotein; LRP1: its receptor; all were seen.";
    const texts = Array.from({ length: 4 }, (_, i) => ({ id: `a${i}`, abstract: `${article} APOs were ${i}.` }));
    const others = Array.from({ length: 30 }, (_, i) => ({ id: `b${i}`, abstract: `Meadow ${i} was mown.` }));
    const own = await memoryIndex([...texts, ...others].map(indexedDocument));
    const { grounded } = await hypotheses(own, "genes that interact with APOE");
    expect(grounded.map(({ name }) => name)).toEqual(["QX77"]);
  });

  test("a model's name that no document has together is ungrounded, whatever it is", async () => {
    const continuations = [" LRP1, XYZ9 and BRCA1."];
    const { grounded, ungrounded } = await hypotheses(index, "genes that interact with APOE", { continuations });
    expect(ungrounded.map(({ name, together }) => [name, together])).toEqual([
      ["BRCA1", 0],
      ["XYZ9", 0],
    ]);
    expect(grounded[0]!.from).toEqual(["documents", "model"]);
  });

  test("what mined relations have is known", async () => {
    const file = join(folder, "triples.jsonl");
    const triple = {
      document: "d0",
      head: { name: "lrp1", at: null },
      tail: { name: "Apoe", at: null },
      relation: "binds",
    };
    writeFileSync(file, `${JSON.stringify(triple)}\n`);
    const relations = await readRelations(file);
    const { grounded } = await hypotheses(index, "genes that interact with APOE", { relations });
    expect(grounded[0]!.known).toEqual(["relation"]);
    writeFileSync(file, `{"head": 1}\n`);
    await expect(readRelations(file)).rejects.toThrow(/triples.jsonl:1: head/);
  });

  test("quotes and operators in an anchor are words", async () => {
    const { withAnchor, notes } = await hypotheses(index, 'genes that interact with "NO" OR (SUCH)"');
    expect(withAnchor).toBe(0);
    expect(notes.join()).toMatch(/no document names/);
  });
});
