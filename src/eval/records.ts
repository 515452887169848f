/**
 * What a model did with each example, a JSON line each: what it was asked, what is right, what it answered and what that
 * counts for. A person reads them to see what goes wrong; two models are compared by them (`compare.ts`).
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines, writeJsonLines } from "../io/json.ts";
import type { Score } from "../metrics/paired.ts";
import { required } from "../schema.ts";
import type { Benchmark, Example } from "../tasks/benchmark.ts";
import type { Overlap } from "./contamination.ts";
import type { Evaluation } from "./evaluate.ts";

export interface ExampleRecord {
  readonly id: string;
  /** Document of the example, where it is not one by itself. */
  readonly document?: string | undefined;
  /** The source, its middle left out where it is long. */
  readonly text: string;
  /** What the model should have written, shortened like the text. */
  readonly target: string;
  /** What is right and what the model said, as the benchmark has them. */
  readonly gold: unknown;
  readonly answer: unknown;
  /** What the answer was read from: what the model wrote (shortened), or the scores of the choices. */
  readonly reply?: unknown;
  /** What it counts for: the primary figure is the mean of the numbers, or the micro-F1 of the counts. */
  readonly score?: Score | undefined;
  /** What of the example the model may have seen in training, where that was looked for. */
  readonly seen?: Overlap | undefined;
}

/** Characters of a text in a record, and of a choice's or an answer's. */
const most = 600;

/** The beginning and the end of a text, an ellipsis between. */
function shortened(text: string): string {
  if (text.length <= most) return text;
  const half = most / 2;
  return `${text.slice(0, half).replace(/[\uD800-\uDBFF]$/, "")} … ${text.slice(-half).replace(/^[\uDC00-\uDFFF]/, "")}`;
}

/** Replies as they are, texts in them shortened. */
function shortReply(reply: unknown): unknown {
  if (typeof reply === "string") return shortened(reply);
  if (Array.isArray(reply)) return reply.map(shortReply);
  if (typeof reply !== "object" || reply === null) return reply;
  return Object.fromEntries(Object.entries(reply).map(([key, value]) => [key, shortReply(value)]));
}

/**
 * One record an example, in the evaluation's order.
 * @param overlaps what of each example was seen in training (`findOverlaps`), where that is known.
 */
export function recordsOf<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  { examples, answers, replies }: Evaluation<E, Answer>,
  overlaps?: readonly Overlap[],
): ExampleRecord[] {
  required("recordsOf: benchmark", benchmark, "object");
  const scores = benchmark.scores?.(examples, answers);
  return examples.map((one, i) => ({
    id: one.id,
    ...(one.document === undefined ? {} : { document: one.document }),
    text: shortened(benchmark.source(one)),
    target: shortened(benchmark.target(one)),
    gold: one.gold,
    answer: answers[i],
    reply: shortReply(replies[i]),
    ...(scores === undefined ? {} : { score: scores[i]! }),
    ...(overlaps === undefined ? {} : { seen: overlaps[i]! }),
  }));
}

/** Writes records as JSON lines. @returns how many there were. */
export function writeRecords(path: string, records: readonly ExampleRecord[]): Promise<number> {
  required("writeRecords: path", path, "text");
  return writeJsonLines(path, records);
}

const count = z.int().min(0);
const overlap = z.object({
  words: count,
  share: z.number().min(0).max(1),
  longest: count,
  verdict: z.enum(["clean", "contaminated", "short"]),
});
const recordSchema = z.object({
  id: z.string(),
  document: z.string().optional(),
  text: z.string(),
  target: z.string(),
  gold: z.unknown(),
  answer: z.unknown(),
  reply: z.unknown().optional(),
  score: z.union([z.number(), z.object({ tp: count, fp: count, fn: count })]).optional(),
  seen: overlap.optional(),
});

/**
 * Records of a file, in its order.
 * @throws DataError for lines that do not fit, and scores of two kinds.
 */
export async function readRecords(path: string): Promise<ExampleRecord[]> {
  required("readRecords: path", path, "text");
  const records = await readJsonLines(path, recordSchema);
  for (const [i, { score }] of records.entries()) {
    if (typeof score !== typeof records[0]!.score) {
      throw new DataError(`${path}:${i + 1}: expected a score of the kind of the first record, got another or none`, {
        hint: "scores are all numbers, all counts {tp, fp, fn}, or absent from all",
      });
    }
  }
  return records;
}
