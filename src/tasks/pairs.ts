/** Pairs of texts from a file of lists, or from PubMedQA's folder. */
import { statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonEntries, streamJsonLines } from "../io/json.ts";

const list = z.object({ query: z.string(), documents: z.array(z.string()).min(1) });
const article = z.object({ QUESTION: z.string(), LONG_ANSWER: z.string() });

/**
 * A query with its right document each, as they are read, the first `limit`; PubMedQA's file is held as a whole.
 * @throws DataError where there is neither.
 */
export async function* streamPairs(
  path: string,
  limit: number = Infinity,
): AsyncGenerator<[query: string, document: string]> {
  for await (const [query, document] of streamRows(path, limit)) yield [query, document];
}

/** The same with the other documents of each query behind the right one. @throws DataError as `streamPairs`. */
export async function* streamRows(
  path: string,
  limit: number = Infinity,
): AsyncGenerator<[query: string, document: string, ...others: string[]]> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const entries = await readJsonEntries(join(path, "ori_pqal.json"), article);
    for (const [, { QUESTION, LONG_ANSWER }] of entries.slice(0, limit)) yield [QUESTION, LONG_ANSWER];
    return;
  }
  let count = 0;
  for await (const { query, documents } of streamJsonLines(path, list)) {
    const [right, ...others] = documents;
    yield [query, right!, ...others];
    count += 1;
    if (count === limit) return;
  }
  if (count === 0) throw new DataError(`${path}: expected lists {"query", "documents"}, got none`);
}
