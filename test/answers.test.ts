/**
 * Answers of a real index, made of real questions where they are (BioASQ, PubMedQA), else of the samples: whatever is
 * asked, every sentence that is cited stands in the document that it cites.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBioasq, readPubMedQa } from "../bench/support/bioasq.ts";
import { answer, ask, review, reviewFormat, summarise } from "../src/answers/index.ts";
import { readDocuments } from "../src/corpus/documents.ts";
import { writeJsonLines } from "../src/io/json.ts";
import { indexDocuments, type IndexedDocument, openIndex, type SearchIndex } from "../src/search/index.ts";
import { stdoutOf } from "./support/command-line.ts";
import { hasShared, shared } from "./support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-answers-"));
const sample = new URL("../samples/pubmed-sample.xml", import.meta.url).pathname;
const samples = join(folder, "samples");
beforeAll(async () => {
  await indexDocuments([sample], { output: samples });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** 500 questions and an index of documents that may answer them. */
async function questions(): Promise<{ texts: string[]; index: SearchIndex }> {
  if (!hasShared("data/benchmarks/bioasq") || !hasShared("data/benchmarks/pubmedqa")) {
    const titles: string[] = [];
    for await (const { title = "" } of readDocuments([sample])) if (title !== "") titles.push(title);
    const forms = [
      (one: string) => `What is known of ${one}?`,
      (one: string) => `Does ${one} matter?`,
      (one: string) => one,
    ];
    return {
      texts: titles.flatMap((one) => forms.map((form) => form(one))).slice(0, 500),
      index: await openIndex(samples),
    };
  }
  const bioasq = await readBioasq(shared("data/benchmarks/bioasq"));
  const pubmedqa = await readPubMedQa(shared("data/benchmarks/pubmedqa"));
  const some = bioasq.questions.slice(0, 300);
  const wanted = new Set(some.flatMap(({ documents }) => [...documents]));
  const kept: IndexedDocument[] = [
    ...bioasq.documents.filter(({ id }) => wanted.has(id)),
    ...pubmedqa.slice(0, 400).map(({ whole }) => whole),
  ];
  const file = join(folder, "documents.jsonl");
  await writeJsonLines(
    file,
    kept.map(({ id, title, text }) => ({ id, title, text: text.slice(title === "" ? 0 : title.length + 2) })),
  );
  await indexDocuments([file], { output: join(folder, "real") });
  const texts = [...some.map(({ text }) => text), ...pubmedqa.slice(0, 200).map(({ question }) => question)];
  return { texts, index: await openIndex(join(folder, "real")) };
}

test("over 500 questions, every sentence stands in the document that it cites", { timeout: 240_000 }, async () => {
  const { texts, index } = await questions();
  await using _ = index;
  let [found, cited] = [0, 0];
  for (const text of texts) {
    const { sentences, found: isFound, nearest } = await answer(index, text, { sentences: 8 });
    expect(isFound).toBe(sentences.length > 0);
    if (isFound) found += 1;
    for (const { text: said, citations } of sentences) {
      expect(citations.length).toBeGreaterThan(0);
      expect(citations[0]!.quote).toBe(said);
      const documents = await index.documents(citations.map(({ id }) => id));
      citations.forEach(({ start, end, quote }, i) => expect(documents[i]!.text.slice(start, end)).toBe(quote));
      expect(new Set(citations.map(({ id }) => id)).size).toBe(citations.length);
      cited += citations.length;
    }
    const near = await index.documents(nearest.map(({ id }) => id));
    expect(near.every((one) => one !== undefined)).toBe(true);
  }
  expect(texts.length).toBe(500);
  expect(found).toBeGreaterThan(250);
  expect(cited).toBeGreaterThan(found);
});

describe("an index of the samples", () => {
  test("a document that was taken out is cited no more", async () => {
    const output = join(folder, "changing");
    await indexDocuments([sample], { output });
    const question = "Which drug is a biguanide for the treatment of type 2 diabetes mellitus?";
    const idsOf = async (): Promise<string[]> => {
      await using index = await openIndex(output);
      const { sentences } = await answer(index, question);
      return sentences.flatMap(({ citations }) => citations.map(({ id }) => id));
    };
    const before = await idsOf();
    expect(before).toContain("900000005");
    await indexDocuments([], { output, delete: ["900000005"] });
    expect(await idsOf()).not.toContain("900000005");
  });

  test("the command gives the contract's object, with its references", async () => {
    const printed = await stdoutOf("ask", "--index", samples, "Does aspirin inhibit cyclooxygenase?", "--json");
    const { found, sentences, withheld, nearest, verdict } = JSON.parse(printed);
    expect(found).toBe(true);
    expect(withheld).toEqual([]);
    expect(nearest.length).toBeGreaterThan(0);
    expect(verdict.answer).toBe("yes");
    await using index = await openIndex(samples);
    for (const { text, citations } of sentences) {
      for (const { id, start, end, quote } of citations) {
        expect((await index.documents([id]))[0]!.text.slice(start, end)).toBe(quote);
        expect(quote).toBe(text);
      }
    }
  });

  test("for people, sentences have numbers, and sources have places", async () => {
    const printed = await stdoutOf("ask", "--index", samples, "What do statins inhibit?", "--sentences", "2");
    expect(printed).toMatch(/\[1\]\n/);
    expect(printed).toMatch(/Sources\n\[1\] 9\d+ · \d{4} · .* · characters \d+ to \d+/);
    const none = await stdoutOf("ask", "--index", samples, "What is the role of SDE2 in zebrafish?");
    expect(none).toMatch(/^Not found in these 202 documents\./);
  });

  test("a summary quotes, and no sentence says what another does", async () => {
    await using index = await openIndex(samples);
    const { sentences, documents } = await summarise(index, "hypertension", { sentences: 6 });
    expect(documents).toBeGreaterThan(10);
    expect(new Set(sentences.map(({ text }) => text)).size).toBe(6);
    for (const { citations } of sentences) {
      const [{ id, start, end, quote }] = citations as [(typeof citations)[number]];
      expect((await index.documents([id]))[0]!.text.slice(start, end)).toBe(quote);
    }
  });

  test("a review quotes what it says, and is written in three forms", async () => {
    await using index = await openIndex(samples);
    const made = await review(index, "Does aspirin prevent stroke?", { documents: 5 });
    expect(made.questions.length).toBe(6);
    expect(made.rows.length).toBeGreaterThan(5);
    for (const row of made.rows) {
      const text = (await index.documents([row.id]))[0]!.text;
      for (const one of [row.result, row.population, row.intervention, row.sizeFrom, row.typeFrom]) {
        if (one !== null) expect(text.slice(one.start, one.end)).toBe(one.quote);
      }
    }
    const csv = reviewFormat("x.csv")(made);
    expect(csv.split("\r\n")[0]).toMatch(/^question,id,title,year/);
    expect(JSON.parse(reviewFormat("x.json")(made)).rows.length).toBe(made.rows.length);
    expect(reviewFormat("x.md")(made)).toMatch(/\| --- \|/);
    expect(() => reviewFormat("x.docx")).toThrow(/ends in .csv, .md or .json/);
  });

  test("a review of one's own questions has these alone, and is written where it is told", async () => {
    const file = join(folder, "review.csv");
    const given = ["review", "--index", samples, "aspirin", "--sub", "What does aspirin inhibit?", "--output", file];
    const { questions: asked } = JSON.parse(await stdoutOf(...given, "--json"));
    expect(asked.map(({ text }: { text: string }) => text)).toEqual(["What does aspirin inhibit?"]);
    expect(readFileSync(file, "utf8")).toMatch(/What does aspirin inhibit\?/);
  });

  test("names that go with a name are counted, and a model's own are ungrounded", async () => {
    const printed = await stdoutOf("hypotheses", "--index", samples, "genes that interact with APOE", "--json");
    const { grounded, withAnchor } = JSON.parse(printed);
    expect(withAnchor).toBe(2);
    expect(grounded.map(({ name }: { name: string }) => name)).toContain("PSEN1");
  });

  test("an answer that nobody waits for ends", async () => {
    await using index = await openIndex(samples);
    const events = ask(index, "What do statins inhibit?");
    await events.next();
    await events.return(undefined);
    expect((await events.next()).done).toBe(true);
  });
});
