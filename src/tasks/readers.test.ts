/** Readers of benchmark formats, on small texts and on the real files; baselines that need no model. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { valueOf } from "../metrics/report.ts";
import { commonest, copyRelations } from "./baselines.ts";
import { bc5cdr } from "./bc5cdr.ts";
import { ddi } from "./ddi.ts";
import { readMedicalAbstracts } from "./medical-abstracts.ts";
import { parseIob, readNer, readTagged } from "./ner.ts";
import { formatPubTator, parsePubTator } from "./pubtator.ts";
import { answerOf, joinTitle, relationTemplate } from "./relations.ts";
import { readRetrievalSet } from "./retrieval-sets.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-readers-"));
afterAll(() => rmSync(folder, { recursive: true }));
const benchmarks = (path: string): string => shared(`data/benchmarks/${path}`);

describe("answers", () => {
  it("are what follows the last prompt token, without the final full stop", () => {
    expect(answerOf("we have that x learned1 learned2 a is b.")).toBe("a is b");
    expect(answerOf("text we can conclude that a is b. ")).toBe("a is b");
    expect(answerOf("a is b")).toBe("a is b");
    expect(answerOf("")).toBe("");
  });

  it("give each name as much as they can", () => {
    const template = relationTemplate("the interaction between {head} and {tail} is {relation}");
    expect(template.parse("the interaction between a and b and c is is d; the interaction between x is y")).toEqual([
      { head: "a and b", tail: "c is", relation: "d" },
    ]);
  });

  it("get a full stop between title and abstract where the title lacks one", () => {
    expect(joinTitle("A title", "B.")).toBe("A title. B.");
    expect(joinTitle("A title?", "B.")).toBe("A title? B.");
    expect(joinTitle("Über α", "B.")).toBe("Über α. B.");
  });
});

describe("formats", () => {
  it("reads sentences and documents of IOB files", () => {
    const text = "-DOCSTART- 7\n\na\tO\nb\tB-DNA\n\n\nc\tI-DNA\n";
    expect(parseIob(text)).toEqual([
      { id: "1", document: "7", tokens: ["a", "b"], tags: ["O", "B-DNA"] },
      { id: "2", document: "7", tokens: ["c"], tags: ["I-DNA"] },
    ]);
    expect(() => parseIob("a O\n", "x.tsv")).toThrow(/x.tsv:1/);
  });

  it("reads sentences with tags as IOB2 or JSON lines, whatever the file's name is", async () => {
    const path = join(folder, "tagged");
    const sentences = [
      { tokens: ["{", "a"], tags: ["O", "B-DNA"] },
      { tokens: ["c"], tags: ["O"] },
    ];
    const read = (text: string): Promise<object[]> => (writeFileSync(path, text), readTagged(path));
    expect(await read("\n{\tO\na\tB-DNA\n\nc\tO\n")).toMatchObject(sentences);
    expect(await read(`\n${sentences.map((one) => JSON.stringify(one)).join("\n")}`)).toEqual(sentences);
    expect(await read("\n")).toEqual([]);
    await expect(read("a O\n")).rejects.toThrow(`${path}:1: expected token, tab, O, B or I, got "a O"`);
    await expect(read('{"tokens":["a"],"tags":[]}')).rejects.toThrow(/tagged:1: .*expected one a token/);
    await expect(read('{"tokens":["a"],"tags":["DNA"]}')).rejects.toThrow(/tagged:1: .*tags/s);
  });

  it("writes PubTator as it read it, and names the line that is none", () => {
    const text = "1|t|A | B\n1|a|C|D\n1\t0\t1\tA\tChemical\tD1\t0.5\n1\tCID\tD1\t-1\t1.0\n\n2|t|E\n2|a|\n\n";
    expect(formatPubTator(parsePubTator(text))).toBe(text);
    expect(parsePubTator(text)[0]).toMatchObject({ title: "A | B", abstract: "C|D" });
    expect(() => parsePubTator("1|t|A\n1\tx\n", "f")).toThrow(/f:2/);
  });
});

describe.skipIf(!hasShared("data/benchmarks/ner"))("named-entity files", () => {
  it.each([
    ["NCBI-disease", 24_497, 960],
    ["BC5CDR-chem", 124_750, 5385],
    ["BC5CDR-disease", 124_750, 4424],
    ["BC2GM", 0, 6325],
    ["JNLPBA", 0, 8662],
  ])("%s: reads its three splits", async (name, tokens, entities) => {
    const test = await readNer(benchmarks(`ner/${name}`), "test");
    for (const one of test) expect(one.tokens).toHaveLength(one.tags.length);
    const tags = test.flatMap((one) => one.tags);
    expect(tags.filter((tag) => tag.startsWith("B")).length).toBe(entities);
    if (tokens > 0) expect(tags).toHaveLength(tokens);
    expect((await readNer(benchmarks(`ner/${name}`), "valid")).length).toBeGreaterThan(100);
    expect((await readNer(benchmarks(`ner/${name}`), "train")).length).toBeGreaterThan(1000);
  });
});

describe.skipIf(!hasShared("data/benchmarks/medical-abstracts"))("Medical Abstracts", () => {
  it("has 2,888 test abstracts in five classes", async () => {
    const test = await readMedicalAbstracts(benchmarks("medical-abstracts"), "test");
    expect(test).toHaveLength(2888);
    expect(new Set(test.map((one) => one.gold)).size).toBe(5);
    expect(await readMedicalAbstracts(benchmarks("medical-abstracts"), "train")).toHaveLength(8615);
  });
});

describe.skipIf(!hasShared("data/benchmarks/nfcorpus"))("NFCorpus", () => {
  it("judges queries and documents that are there", async () => {
    const set = await readRetrievalSet(benchmarks("nfcorpus"), "dev");
    const ids = new Set<string>();
    for await (const { id } of set.documents) ids.add(id);
    expect([ids.size, set.judgements.size, set.queries.size]).toEqual([3395, 324, 324]);
    for (const judged of set.judgements.values()) for (const id of judged.keys()) expect(ids.has(id)).toBe(true);
  });
});

describe("retrieval sets", () => {
  it("say which judged queries have no text", async () => {
    const set = mkdtempSync(join(folder, "beir-"));
    mkdirSync(join(set, "qrels"));
    writeFileSync(join(set, "corpus.jsonl"), '{"_id":"d","text":"D"}\n');
    writeFileSync(join(set, "queries.jsonl"), '{"_id":"a","text":"A"}\n');
    writeFileSync(join(set, "qrels", "test.tsv"), "query\tdocument\tscore\na\td\t1\nb\td\t1\n");
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    expect((await readRetrievalSet(set, "test")).queries.size).toBe(1);
    expect(warned.mock.calls[0]?.[0]).toMatch(/the 2 queries that .*test\.tsv judges, got 1; the first .* is "b"$/);
    warned.mockRestore();
    writeFileSync(join(set, "queries.jsonl"), '{"_id":"c","text":"C"}\n');
    await expect(readRetrievalSet(set, "test")).rejects.toThrow(
      /judges, got 0\nHint: the first that is missing is "a"/,
    );
  });
});

describe("baselines", () => {
  it("answer what training answers most, and pair known names", () => {
    const known = { head: "Aspirin", tail: "heparin", relation: "effect" };
    const train = [{ id: "1", text: "", gold: [known, { head: "x", tail: "y", relation: "int" }, known] }];
    const unseen = [{ id: "2", text: "Heparin, not aspirin-like x. Xylazine", gold: [] }];
    expect(copyRelations(train, unseen)).toEqual([[known, { head: "x", tail: "heparin", relation: "effect" }]]);
    const labels = ["no", "yes", "yes"].map((gold, i) => ({ id: `${i}`, text: "", gold }));
    expect(commonest.answers(labels, labels)).toEqual(["yes", "yes", "yes"]);
  });

  it.skipIf(!hasShared("data/benchmarks/ddi"))("copying finds few interactions and invents many", async () => {
    const folder = benchmarks("ddi");
    const [train, test] = [await ddi.read(folder, "train"), await ddi.read(folder, "test")];
    const report = ddi.evaluate(test, ddi.baseline!.answers(train, test));
    expect(valueOf(report, "exact_micro_recall")).toBeGreaterThan(0.08);
    expect(valueOf(report, "mean_document_f1")).toBeLessThan(0.1);
  });

  it.skipIf(!hasShared("data/benchmarks/bc5cdr"))("copying finds half of the diseases that drugs cause", async () => {
    const folder = benchmarks("bc5cdr");
    const [train, test] = [await bc5cdr.read(folder, "train"), await bc5cdr.read(folder, "test")];
    const report = bc5cdr.evaluate(test, bc5cdr.baseline!.answers(train, test));
    expect(valueOf(report, "recall")).toBeCloseTo(0.496, 3);
    expect(valueOf(report, "precision")).toBeCloseTo(0.094, 3);
  });
});
