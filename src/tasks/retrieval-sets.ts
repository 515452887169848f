/**
 * Retrieval test sets in BEIR's layout (Thakur et al. 2021), such as NFCorpus: corpus.jsonl, queries.jsonl and
 * qrels/SPLIT.tsv with graded judgements.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readText } from "../io/files.ts";
import { readJsonLines, streamJsonLines } from "../io/json.ts";
import { reopened } from "../io/streams.ts";

interface RetrievalDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export interface RetrievalSet {
  /** Read from the file each time. */
  readonly documents: Iterable<RetrievalDocument> | AsyncIterable<RetrievalDocument>;
  /** Queries that the split judges: id → text. */
  readonly queries: ReadonlyMap<string, string>;
  /** Query → document → grade. */
  readonly judgements: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

const line = z
  .object({ _id: z.string(), title: z.string().default(""), text: z.string() })
  .transform(({ _id, title, text }) => ({ id: _id, title, text }));

function parseQrels(text: string, path: string): Map<string, Map<string, number>> {
  const judgements = new Map<string, Map<string, number>>();
  for (const [i, row] of text.split(/\r?\n/).entries()) {
    if (i === 0 || row.trim() === "") continue;
    const [query, document, score] = row.split("\t");
    if (query === undefined || document === undefined || !/^-?\d+$/.test(score ?? "")) {
      throw new DataError(`${path}:${i + 1}: expected query, document and grade, got "${row.slice(0, 60)}"`);
    }
    const judged = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, judged.set(document, Number(score)));
  }
  return judgements;
}

/**
 * One split: "train", "dev" or "test", whichever files there are. Judged queries without a text are warned of.
 * @throws DataError where a file does not fit, or no judged query has a text.
 */
export async function readRetrievalSet(folder: string, split: string): Promise<RetrievalSet> {
  const path = `${folder}/qrels/${split}.tsv`;
  const judgements = parseQrels(await readText(path), path);
  const documents = reopened(() => streamJsonLines(`${folder}/corpus.jsonl`, line));
  const queries = await readJsonLines(`${folder}/queries.jsonl`, line);
  const judged = new Map(queries.filter((one) => judgements.has(one.id)).map((one) => [one.id, one.text]));
  const missing = [...judgements.keys()].filter((id) => !judged.has(id));
  if (missing.length > 0) {
    const said = `${folder}/queries.jsonl: expected the ${judgements.size} queries that ${path} judges, got ${judged.size}`;
    const example = `the first that is missing is "${missing[0]}"`;
    if (judged.size === 0) throw new DataError(said, { hint: example });
    process.emitWarning(`${said}; ${example}`, "GalenWarning");
  }
  return { documents, queries: judged, judgements };
}
