/** What objectives over texts have in common: examples from files, padded rows as inputs of a graph, lists as labels. */
// B queries or texts, n documents of a query, T tokens, K width of a vector
import * as z from "zod";
import { DataError } from "../../errors.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { cast } from "../../graph/ops/index.ts";
import type { Dim } from "../../graph/shape.ts";
import { embedding, leavesOutPrompts } from "../../models/embedding.ts";
import type { ModelConfig } from "../../models/index.ts";
import { type TextRole, type TextRow, textRows, withoutPrompts } from "../../retrieval/text-rows.ts";
import { makeBatch, type TokenRows } from "../../runtime/batch.ts";
import type { Tensors } from "../../runtime/session.ts";
import { readOrigin } from "../../io/origin.ts";
import { type ListRequirements, readLists, type ScoredList } from "../../tasks/lists.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import {
  type Batch,
  type Context,
  type ExampleSet,
  type Inputs,
  type LearnedText,
  onePath,
  pick,
} from "./objective.ts";
import type { EmbeddingSource } from "./source.ts";

const count = z.int().positive();
const positive = z.number().positive();

/** Settings of objectives over lists of documents. */
export const listSettings = {
  documents: count.describe("Documents of a query that are trained on; the first is right where there are no scores"),
  queryTokens: count.describe("Most tokens of a query"),
  documentTokens: count.describe("Most tokens of a document"),
} as const;

/** Of scores that are compared as distributions. */
export const temperatures = {
  student: positive.describe("What the student's scores are divided by"),
  teacher: positive.describe("What the teacher's scores are divided by"),
} as const;

/** Training and held-out examples. */
export interface Splits<T> {
  readonly train: readonly T[];
  readonly valid: readonly T[] | undefined;
}

/** Reads both files in one way. @throws DataError where one has no examples. */
export async function readSplits<T>(
  inputs: Pick<Inputs, "data" | "valid" | "limit">,
  read: (path: string) => Promise<readonly T[]>,
): Promise<Splits<T>> {
  const some = async (path: string): Promise<readonly T[]> => {
    const examples = await read(path);
    if (examples.length === 0) throw new DataError(`${path}: expected examples, got none`);
    return examples;
  };
  const train = (await some(onePath(inputs))).slice(0, inputs.limit);
  return { train, valid: inputs.valid === undefined ? undefined : await some(inputs.valid) };
}

/** @throws DataError for lists that are too short, or without scores where these are needed, or with those of two models. */
export async function readListSplits(inputs: Inputs, requirements: ListRequirements): Promise<Splits<ScoredList>> {
  if (requirements.scored === true && inputs.valid !== undefined) {
    const data = (await readOrigin(onePath(inputs)))?.model;
    const valid = (await readOrigin(inputs.valid))?.model;
    if (data !== undefined && valid !== undefined && data.fingerprint !== valid.fingerprint) {
      const [theirs, ours] = [valid, data].map(({ path, fingerprint = "" }) => `${path} (${fingerprint})`);
      throw new DataError(`${inputs.valid}: expected scores of the model of --data, ${ours}, got those of ${theirs}`, {
        hint: "score both with one model: galen rerank --model RERANKER LISTS --output scored.jsonl",
      });
    }
  }
  return readSplits(inputs, (path) => readLists(path, requirements));
}

/** Both as an objective has them; `size` is an example's length, in any unit. */
export function exampleSets<T, B extends Batch>(
  { train, valid }: Splits<T>,
  size: (example: T) => number,
  batch: (examples: readonly T[]) => B,
  texts?: (example: T) => readonly LearnedText[],
): { train: ExampleSet<B>; valid: ExampleSet<B> | undefined } {
  const setOf = (examples: readonly T[]): ExampleSet<B> => ({
    count: examples.length,
    sizes: examples.map(size),
    batch: (numbers) => batch(pick(examples, numbers)),
    outside: texts && { textsOf: (number) => texts(examples[number]!) },
  });
  return { train: setOf(train), valid: valid && setOf(valid) };
}

/** Padded rows under `PREFIX/ids`, `PREFIX/mask` and `PREFIX/types`. */
export function rowFeeds(prefix: string, rows: TokenRows, { config }: { readonly config: ModelConfig }): Tensors {
  const { tensors } = makeBatch(rows, config);
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`${prefix}/${name}`, value]));
}

/** Says where the model's own length is less than what was asked for. */
export function sayCut({ reading }: EmbeddingSource, maxTokens: number, { note }: Pick<Context, "note">): void {
  if (reading.maxTokens < maxTokens) {
    note(`texts are cut to the model's own length, ${reading.maxTokens} tokens (max_seq_length)`);
  }
}

/** What `tower` takes of them. */
export function textFeeds(prefix: string, rows: readonly TextRow[], source: EmbeddingSource): Tensors {
  const feeds = rowFeeds(prefix, { ids: rows.map(({ ids }) => ids) }, source);
  if (!leavesOutPrompts(source.stages)) return feeds;
  return { ...feeds, [`${prefix}/pooled`]: withoutPrompts(feeds[`${prefix}/mask`] as Tensor<"int64">, rows) };
}

/** int64 [length]. */
export function int64List(values: readonly number[]): Tensor<"int64"> {
  return tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
}

export function float32(values: readonly number[], dims: readonly number[]): Tensor<"float32"> {
  return tensor("float32", dims, Float32Array.from(values));
}

/** Vectors of the rows fed under `name`, in float32 whatever the network computes in: losses are no place to save. */
export function tower(
  g: Graph,
  source: Pick<EmbeddingSource, "family" | "config" | "stages">,
  name: string,
  [batch, tokens]: readonly [Dim, Dim],
): Value {
  const ids_BT = g.input(`${name}/ids`, "int64", [batch, tokens]);
  const mask_BT = g.input(`${name}/mask`, "int64", [batch, tokens]);
  const pooled_BT = leavesOutPrompts(source.stages) ? g.input(`${name}/pooled`, "int64", [batch, tokens]) : undefined;
  return cast(embedding(g, source, source.stages, { ids_BT, mask_BT, pooled_BT }), "float32");
}

/** Texts as the model that is written will read them, cut to `maxTokens` besides. */
export function rowsOf(
  { tokenizer, reading }: EmbeddingSource,
  texts: readonly string[],
  maxTokens: number,
  role?: TextRole,
): TextRow[] {
  return textRows(tokenizer, reading, texts, { role, maxTokens });
}

/** What lists are trained on: the column of each right document, and the teacher's scores (0 where there are none). */
export function listLabels(lists: readonly ScoredList[], n: number): Tensors {
  return {
    positives: int64List(lists.map((_, i) => i * n)),
    teacher: float32(
      lists.flatMap(({ scores, documents }) => (scores ?? documents.map(() => 0)).slice(0, n)),
      [lists.length, n],
    ),
  };
}

/** The first n documents of every list, one after another. */
export function documentsOf(lists: readonly ScoredList[], n: number): string[] {
  return lists.flatMap(({ documents }) => documents.slice(0, n));
}

/** The longest document of a list, in characters. */
export function listSize({ documents }: ScoredList): number {
  return Math.max(...documents.map(({ length }) => length));
}
