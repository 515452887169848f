import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { trainBioGptTokenizer } from "../tokenizers/index.ts";
import { describeFailure, type Document } from "./documents.ts";
import { titleAndText } from "./text.ts";
import { openTokens } from "./token-files.ts";
import { buildTokenFiles, tokenizeDocuments } from "./tokenize.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-tokenize-"));
afterAll(() => rmSync(folder, { recursive: true }));

const documents: Document[] = Array.from({ length: 30 }, (_, i) => ({
  id: `d${i}`,
  title: i % 2 === 0 ? `Title ${i}` : "",
  text: `aspirin lowers the risk of stroke ${i}`,
  source: "documents.jsonl",
}));
const tokenizer = await trainBioGptTokenizer(documents.map(titleAndText), { vocabSize: 60 });

test("documents of files become the token files of their texts; what cannot be read is reported and counted", async () => {
  const path = join(folder, "documents.jsonl");
  const lines = documents.map(({ id, title, text }) => JSON.stringify({ id, title, text }));
  writeFileSync(path, [...lines.slice(0, 10), "{", ...lines.slice(10), ""].join("\n"));
  const settings = { heldOut: 0.3, seed: 1 };
  const failures: string[] = [];
  const { failures: count, ...manifest } = await tokenizeDocuments([path], tokenizer, {
    ...settings,
    output: join(folder, "files"),
    onFailure: (failure) => failures.push(describeFailure(failure)),
  });
  expect(failures).toEqual(['documents.jsonl:11: expected a JSON object, got "{"']);
  expect(count).toBe(1);
  expect(manifest).toEqual(await buildTokenFiles(documents, tokenizer, { ...settings, output: join(folder, "own") }));
  expect(manifest.train.documents + manifest.valid.documents).toBe(30);
  expect(manifest.valid.documents).toBeGreaterThan(0);
  for (const name of readdirSync(join(folder, "own"))) {
    expect(readFileSync(join(folder, "files", name)).equals(readFileSync(join(folder, "own", name))), name).toBe(true);
  }
  using train = openTokens(join(folder, "files", "train"));
  expect(train.tokens).toBe(manifest.train.tokens);
});

test("an aborted run leaves nothing under the files' names", async () => {
  const controller = new AbortController();
  const output = join(folder, "aborted");
  const run = buildTokenFiles(documents, tokenizer, {
    output,
    heldOut: 0,
    seed: 1,
    signal: controller.signal,
    onProgress: ({ documents: done }) => {
      if (done === 5) controller.abort(new Error("enough"));
    },
  });
  await expect(run).rejects.toThrow("enough");
  expect(readdirSync(output)).toEqual([]);
});
