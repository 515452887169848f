import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { streamPairs } from "./pairs.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-pairs-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function pairsOf(path: string, limit?: number): Promise<(readonly [string, string])[]> {
  const pairs: (readonly [string, string])[] = [];
  for await (const pair of streamPairs(path, limit)) pairs.push(pair);
  return pairs;
}

test("lists give each query with its first document, PubMedQA's folder each question with its long answer", async () => {
  const lists = join(folder, "lists.jsonl");
  writeFileSync(lists, '{"query": "q", "documents": ["a", "b"]}\n{"query": "r", "documents": ["c"]}\n');
  expect(await pairsOf(lists)).toEqual([
    ["q", "a"],
    ["r", "c"],
  ]);
  expect(await pairsOf(lists, 1)).toEqual([["q", "a"]]);
  const pubmedqa = join(folder, "pubmedqa");
  mkdirSync(pubmedqa);
  const article = (n: number): object => ({ QUESTION: `q${n}`, LONG_ANSWER: `a${n}` });
  writeFileSync(join(pubmedqa, "ori_pqal.json"), JSON.stringify({ 20: article(1), 3: article(2) }));
  expect(await pairsOf(pubmedqa)).toHaveLength(2);
  expect(await pairsOf(pubmedqa, 1)).toHaveLength(1);
});

test("a file without lists, or with another line, is refused", async () => {
  const path = join(folder, "bad.jsonl");
  writeFileSync(path, "\n");
  await expect(pairsOf(path)).rejects.toThrow(/bad\.jsonl: expected lists \{"query", "documents"\}, got none/);
  writeFileSync(path, '{"query": "q", "documents": []}');
  await expect(pairsOf(path)).rejects.toThrow(/bad\.jsonl:1: documents: expected array to have >=1 items, got \[\]/);
});
