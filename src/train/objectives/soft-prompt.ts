/**
 * Tuning a decoder on a task with a soft prompt (Luo et al. 2022, arXiv:2210.10341, §3): rows of prompt between source and
 * target, every token of the sequence a label. The loss of an update is the mean over its labels, whatever its batches.
 */
// B rows, T tokens, N labels
import * as z from "zod";
import { ConfigError, DataError } from "../../errors.ts";
import { labelLoss } from "../../models/graphs.ts";
import { configText, type ModelConfig } from "../../models/index.ts";
import { int64 } from "../../runtime/batch.ts";
import { openModelFolder } from "../../runtime/folder.ts";
import { fitTruncation, type Truncation } from "../../soft-prompts/formats.ts";
import { createLayout, type LaidOut, layoutExample } from "../../soft-prompts/layout.ts";
import { type NamedTask, namedTask, taskFileName, taskFileOf } from "../../soft-prompts/metadata.ts";
import { growVocabulary } from "../../soft-prompts/prompt-rows.ts";
import type { Example } from "../../tasks/benchmark.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import { saveModel } from "../checkpoint.ts";
import { normalRows } from "./new-rows.ts";
import {
  type Batch,
  type Context,
  type ExampleSet,
  type Inputs,
  type Objective,
  onePath,
  pick,
  startFolder,
} from "./objective.ts";
import { int64List } from "./texts.ts";

const count = z.int().positive();

export const softPromptSettings = z.strictObject({
  kind: z.literal("soft-prompt"),
  task: z.string().describe("A published task's name, or what the user's own is called"),
  schema: z.looseObject({}).nullable().describe("Contents of the user's JSON file; null for a published task"),
  promptLength: z.int().min(0).max(1024).describe("Rows added to the vocabulary and put between source and target"),
  truncation: z.strictObject({
    maxPositions: count
      .nullable()
      .describe("Most tokens of an example; null: the task's own, or fewer where the model has fewer"),
    maxSourceTokens: count.nullable().describe("Most tokens of its text; null: the task's own"),
    marker: z.string().describe("What a text that is cut ends in"),
  }),
  dropout: z.number().min(0).lt(1).describe("Share of activations that are left out while training"),
});

type Settings = z.infer<typeof softPromptSettings>;

/** @throws ConfigError where model, prompt and settings do not fit; DataError without training examples. */
export async function openSoftPrompt(settings: Settings, inputs: Inputs, context: Context): Promise<Objective> {
  const { promptLength, dropout } = settings;
  const named = namedTask(settings);
  const { task } = named;
  const folder = await openModelFolder(startFolder(inputs), { as: "language" });
  const { family, entries } = folder;
  if (!family.causal) {
    throw new ConfigError(`${folder.folder}: expected a decoder to tune with a soft prompt, got ${family.modelType}`);
  }
  const truncation = truncationFor(named, settings, folder.config.max_position_embeddings);
  const grown = growVocabulary(await loadTokenizer(folder.folder), folder.config.vocab_size, promptLength);
  const { tokenizer, promptIds } = grown;
  const config: ModelConfig = { ...folder.config, vocab_size: grown.vocabSize };
  const layout = createLayout(task, tokenizer, { promptIds, truncation });
  const lay = (examples: readonly Example[]): LaidOut[] =>
    examples.map((one) => layoutExample(layout, task.source(one), task.target(one)));

  const data = onePath(inputs);
  const train = lay((await task.read(data, "train")).slice(0, inputs.limit));
  if (train.length === 0) throw new DataError(`${data}: expected training examples, got none`);
  const cut = train.filter(({ cutSource, cutTarget }) => cutSource || cutTarget).length;
  if (cut > 0) context.note(`${cut} of ${train.length} examples are cut to the model's length`);
  const valid = await validation(named, inputs, context);

  const setOf = (examples: readonly LaidOut[]): ExampleSet => ({
    count: examples.length,
    sizes: examples.map(({ size }) => size),
    batch: (numbers) =>
      sequenceBatch(
        pick(examples, numbers).map(({ ids }) => ids),
        config.pad_token_id ?? 0,
      ),
  });
  const files = new Map(tokenizer.files());
  files.set("config.json", configText({ architectures: [family.architecture], ...config }));
  files.set(taskFileName, taskFileOf(named, { promptIds: [...promptIds], truncation }, context.provenance));
  const dropping = family.withDropout(config, dropout);
  return {
    start: {
      folder: folder.folder,
      family,
      config,
      entries,
      rows: { start: promptIds[0] ?? 0, count: promptIds.length },
      // fairseq's of an embedding.
      fillRows: normalRows((width) => width ** -0.5),
    },
    train: setOf(train),
    valid: valid && setOf(lay(valid)),
    order: "length",
    sizesAreTokens: true,
    reduction: "sum",
    unit: "tokens",
    loss: (g) => labelLoss(g, family, dropping, { gathered: true }),
    save: (path, weights) => saveModel(path, weights, files),
    async [Symbol.asyncDispose]() {},
  };
}

/** The settings where they say something, else the task's. @throws ConfigError where the model has fewer positions. */
function truncationFor({ format }: NamedTask, { truncation }: Settings, positions: number): Truncation {
  const { maxPositions, maxSourceTokens, marker } = truncation;
  if (maxPositions !== null && maxPositions > positions) {
    throw new ConfigError(`truncation.maxPositions: expected at most the model's ${positions}, got ${maxPositions}`);
  }
  const fitted = fitTruncation(format.truncation, maxPositions ?? positions);
  return { ...fitted, marker, ...(maxSourceTokens === null ? {} : { maxSourceTokens }) };
}

/** The validation split of `valid`, or that of the data; some benchmarks have none. */
async function validation(
  { task }: NamedTask,
  inputs: Inputs,
  context: Context,
): Promise<readonly Example[] | undefined> {
  if (inputs.valid !== undefined) return task.read(inputs.valid, "valid");
  try {
    return await task.read(onePath(inputs), "valid");
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    context.note(`no validation: ${error.message}`);
    return undefined;
  }
}

/** Every token but the first is a label of the one before it; padding, on the right, has none and no token sees it. */
export function sequenceBatch(sequences: readonly (readonly number[])[], padId: number): Batch {
  const width = Math.max(...sequences.map((ids) => ids.length)) - 1;
  const at: number[] = [];
  const labels: number[] = [];
  const rows = sequences.map((ids, row) => {
    for (let t = 1; t < ids.length; t++) {
      at.push(row * width + t - 1);
      labels.push(ids[t]!);
    }
    return [...ids.slice(0, -1), ...Array<number>(width + 1 - ids.length).fill(padId)];
  });
  const feeds = { ids: int64(rows, width), at: int64List(at), labels: int64List(labels) };
  return { feeds, count: labels.length, work: labels.length };
}
