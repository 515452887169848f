/**
 * Lists of documents for queries as JSON lines: `{query, documents, scores?, transform?}`, the right document first where
 * there are no scores.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines, writeJsonLines } from "../io/json.ts";
import { changedSources, type Sources, withOrigin } from "../io/origin.ts";
import type { Items } from "../io/streams.ts";

const text = z.string();
const list = z
  .object({
    query: text,
    documents: z.array(text).min(1),
    /** One a document: a teacher's scores, or grades. */
    scores: z.array(z.number()).optional(),
    /** What the scores have been put through: "none" for logits. */
    transform: z.string().optional(),
  })
  .refine(({ documents, scores }) => scores === undefined || scores.length === documents.length, {
    path: ["scores"],
    error: "expected one a document",
  });
export type ScoredList = z.infer<typeof list>;

export interface ListRequirements {
  /** Fewest documents of a query. Default 1. */
  readonly documents?: number;
  /** Every list has a teacher's scores. */
  readonly scored?: boolean;
  /** Scores are shares in [0, 1]. */
  readonly shares?: boolean;
}

/**
 * All lists of a file; a warning where what they were made of has changed since.
 * @throws DataError that names the line, or says what to run first where scores are missing or were transformed differently.
 */
export async function readLists(
  path: string,
  { documents = 1, scored = false, shares = false }: ListRequirements = {},
): Promise<ScoredList[]> {
  const lists = await readJsonLines(path, list);
  for (const source of await changedSources(path)) {
    process.emitWarning(`${path}: made of ${source}, which has changed since: make the lists again`, "GalenWarning");
  }
  checkLists(path, lists, documents, scored);
  if (shares) checkShares(path, lists);
  return lists;
}

/** Labels of binary cross-entropy are shares: scores such as logits would be learned as nonsense. */
function checkShares(path: string, lists: readonly ScoredList[]): void {
  const isShare = (score: number): boolean => score >= 0 && score <= 1;
  const bad = lists.findIndex(({ scores = [] }) => !scores.every(isShare));
  if (bad < 0) return;
  const got = lists[bad]!.scores!.find((score) => !isShare(score));
  throw new DataError(`${path}:${bad + 1}: expected scores in [0, 1] as labels, got ${got}`, {
    hint: 'leave "scores" out where the first document is right and the others wrong, or set objective.loss=regression',
  });
}

function checkLists(path: string, lists: readonly ScoredList[], documents: number, scored: boolean): void {
  const short = lists.findIndex((one) => one.documents.length < documents);
  if (short >= 0) {
    throw new DataError(
      `${path}:${short + 1}: expected ${documents} documents a query, got ${lists[short]!.documents.length}`,
      { hint: "lower documents=" },
    );
  }
  const bare = scored ? lists.findIndex((one) => one.scores === undefined) : -1;
  if (bare >= 0) {
    throw new DataError(`${path}:${bare + 1}: expected a teacher's scores, got none`, {
      hint: `score the lists first: galen rerank --model RERANKER ${path} --output scored.jsonl`,
    });
  }
  const transforms = new Set(lists.map((one) => one.transform ?? "unknown"));
  if (transforms.size > 1) {
    throw new DataError(`${path}: expected scores transformed alike, got ${[...transforms].join(" and ")}`);
  }
}

/**
 * Writes lists as JSON lines, and beside them, in PATH.json, the fingerprints of the model and of the texts that they
 * were made of.
 * @returns how many there were.
 * @throws the signal's reason once it is aborted.
 */
export function writeLists(
  path: string,
  lists: Items<
    Readonly<Omit<ScoredList, "documents" | "scores">> & {
      readonly documents: readonly string[];
      readonly scores?: readonly number[] | undefined;
    }
  >,
  { signal, ...sources }: Sources & { readonly signal?: AbortSignal | undefined },
): Promise<number> {
  return withOrigin(path, sources, () => writeJsonLines(path, lists, { signal }));
}
