/** Pairs of texts from a file of lists, or from PubMedQA's folder. */
import { statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonEntries, readJsonLines } from "../tasks/files.ts";

const list = z.object({ query: z.string(), documents: z.array(z.string()).min(1) });
const article = z.object({ QUESTION: z.string(), LONG_ANSWER: z.string() });

/** A query with its right document each. @throws DataError where there is neither. */
export async function readPairs(path: string): Promise<[string, string][]> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const entries = await readJsonEntries(join(path, "ori_pqal.json"), article);
    return entries.map(([, { QUESTION, LONG_ANSWER }]) => [QUESTION, LONG_ANSWER]);
  }
  const lists = await readJsonLines(path, list);
  if (lists.length === 0) throw new DataError(`${path}: expected lists {"query", "documents"}, got none`);
  return lists.map(({ query, documents }) => [query, documents[0]!]);
}
