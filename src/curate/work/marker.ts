/**
 * What a finished task leaves: a small JSON file that says what came in, what went out, by which rules, with examples. It holds no
 * times, so that a run that was killed and gone on with leaves the same bytes as one that was not.
 */
import * as z from "zod";
import { profile } from "./profile.ts";

const count = z.int().nonnegative();
const amount = z.object({ documents: count, words: count, characters: count });
export type Amount = z.output<typeof amount>;

const example = z.object({
  id: z.string(),
  title: z.string(),
  /** What was measured. */
  detail: z.string().optional(),
  text: z.string().optional(),
  /** Of a change: the same place afterwards. */
  after: z.string().optional(),
});
export type Example = z.output<typeof example>;

const drop = z.object({ documents: count, words: count, examples: z.array(example) });
const change = z.object({ times: count, documents: count, examples: z.array(example) });
const file = z.object({ path: z.string(), bytes: count, sha256: z.string() });

/** Of a stage on a shard. */
export const stageMarker = z.object({
  in: amount,
  out: amount,
  /** By rule. */
  drops: z.record(z.string(), drop),
  changes: z.record(z.string(), change),
  kept: z.array(example),
  /** Rows of the file before it that are no longer there, ascending; of a stage that writes documents: none. */
  dropped: z.array(count),
  /** Documents as they are now, where the stage changes any. */
  file: file.optional(),
});
export type StageMarker = z.output<typeof stageMarker>;

const shard = z.object({
  name: z.string(),
  source: z.string(),
  /** Kinds of its documents. */
  kinds: z.array(z.string()),
  amount,
  file,
  /** Documents that their publisher withdrew, and how many documents of the shard came before that. */
  deletions: z.array(z.object({ id: z.string(), before: count })),
});
export type Shard = z.output<typeof shard>;

/** Of some files of a source. */
export const importMarker = z.object({
  source: z.string(),
  shards: z.array(shard),
  failures: count,
  firstFailures: z.array(z.string()),
  /** Parts of documents that were not asked for, by type. */
  leftOut: z.record(z.string(), count).default({}),
  files: z.array(z.object({ name: z.string(), bytes: count, documents: count, failures: count })),
  profile,
});
export type ImportMarker = z.output<typeof importMarker>;

export const noAmount: Amount = { documents: 0, words: 0, characters: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return {
    documents: a.documents + b.documents,
    words: a.words + b.words,
    characters: a.characters + b.characters,
  };
}
