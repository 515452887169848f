/**
 * Answers of a tuned model: source and prompt laid out as in training, decoded greedily or by beam search as
 * task.json says, batches sorted by length, read back by the task's parser.
 */
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { endsInCircle, lengthGuard } from "../generate/guards.ts";
import { mean } from "../metrics/counts.ts";
import type { GenerateOptions, Processor } from "../generate/index.ts";
import { loadModel, type LoadOptions, type Model } from "../model.ts";
import type { Benchmark, Example } from "../tasks/benchmark.ts";
import { identityOf } from "../runtime/network.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { allowOnly } from "./copy-only.ts";
import { type Decoding, fitTruncation } from "./formats.ts";
import { createLayout, type Layout, layoutSource } from "./layout.ts";
import { openTask, readTaskFile, taskFileName, taskOf } from "./metadata.ts";
import { findPromptIds } from "./prompt-rows.ts";
import { required } from "../schema.ts";

/** A model with the task that it was tuned for. */
export interface TunedModel extends AsyncDisposable {
  readonly model: Model;
  readonly task: Benchmark;
  readonly layout: Layout;
  /** How its answers are decoded unless options say otherwise. */
  readonly decoding: Decoding;
  /** What answers depend on besides the directory's files: the format of the weights. */
  readonly identity: Readonly<Record<string, unknown>>;
}

/**
 * Opens a model directory with task.json, or one without whose vocabulary has the prompt rows of `task`.
 * @throws ConfigError where the directory names no task and none is given, or another than is given.
 */
export async function openTuned(
  source: string,
  options: LoadOptions & { readonly task?: string | undefined } = {},
): Promise<TunedModel> {
  required("openTuned: folder", source, "text");
  const folder = await resolveModel(source);
  const { task: wanted, ...load } = options;
  const [file, named] = [await readTaskFile(folder), wanted === undefined ? undefined : await openTask(wanted)];
  const where = `${folder}/${taskFileName}`;
  if (file === undefined && named === undefined) {
    throw new ConfigError(`${where}: expected a tuned model, got a directory without this file`, {
      hint: 'tune it with "galen train", or name the task whose prompt it has',
    });
  }
  if (file !== undefined && named !== undefined && named.task.name !== file.task) {
    throw new ConfigError(`${where}: expected a model tuned for ${named.task.name}, got one for ${file.task}`);
  }
  const { task, format } = named ?? taskOf(file!, where);
  const model = await loadModel(folder, load);
  const tokenizer = await loadTokenizer(folder);
  const { vocab_size: rows, max_position_embeddings: positions } = model.config;
  const promptIds = file?.promptIds ?? findPromptIds(tokenizer, rows, format.promptLength);
  if (promptIds === undefined || promptIds.some((id) => id >= rows)) {
    throw new ConfigError(
      `${folder}: expected a vocabulary with the ${format.promptLength} prompt rows of ${task.name}, got none`,
      {
        hint: `tune the model first: galen train ${task.name} --model ${folder} --data DIR --output DIR`,
      },
    );
  }
  const truncation = file?.truncation ?? fitTruncation(format.truncation, positions);
  const layout = createLayout(task, tokenizer, { promptIds, truncation });
  const decoding = file?.decoding ?? format.decoding;
  const identity = identityOf(load);
  return { model, task, layout, decoding, identity, [Symbol.asyncDispose]: () => model.dispose() };
}

export interface PredictOptions {
  /** In place of the model's own; `maxLength` counts source and prompt. */
  readonly decoding?: Partial<Decoding> | undefined;
  /** Most new tokens; the decoding's maxLength holds as well. */
  readonly maxNewTokens?: number | undefined;
  /** Ends answers that go in circles. Default: with beam search. */
  readonly repeatGuard?: boolean | undefined;
  /** Tokens of the source, of the task's own words and the end only. */
  readonly copyOnly?: boolean | undefined;
  /** Bytes of key-value cache that a batch may take. Default 1 GiB. */
  readonly cacheBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

export interface Prediction<Answer = unknown> {
  readonly answer: Answer;
  /** Generated text, after the prompt. */
  readonly text: string;
  /** Sum of the new tokens' log-probabilities, with beam search divided by length^penalty. */
  readonly score: number;
  /** What stands between semicolons, each with the mean log-probability of its tokens. */
  readonly parts: readonly { readonly text: string; readonly score: number }[];
  /** New tokens, the end included. */
  readonly tokens: number;
  /** False where the length ended the answer, or the repeat guard. */
  readonly complete: boolean;
  /** True where the source was longer than the model takes. */
  readonly cut: boolean;
}

/** How answers are decoded: the model's settings with what the options change. */
export function decodingOf(
  tuned: Pick<TunedModel, "model" | "decoding">,
  options: Pick<PredictOptions, "decoding" | "repeatGuard" | "copyOnly">,
): Decoding & { readonly repeatGuard: boolean; readonly copyOnly: boolean } {
  const decoding = { ...tuned.decoding, ...options.decoding };
  return {
    ...decoding,
    maxLength: Math.min(decoding.maxLength, tuned.model.config.max_position_embeddings),
    repeatGuard: options.repeatGuard ?? decoding.beams > 1,
    copyOnly: options.copyOnly ?? false,
  };
}

/** One prediction an example, in the same order. @throws ConfigError where options contradict one another. */
export async function predict(
  tuned: TunedModel,
  examples: readonly Example[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  required("predict: tuned", tuned, "object");
  required("predict: examples", examples, "list");
  return predictSources(
    tuned,
    examples.map((one) => tuned.task.source(one)),
    options,
  );
}

/** The same from sources, lower-cased where the task does so. */
export async function predictSources(
  tuned: TunedModel,
  sources: readonly string[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  const { layout } = tuned;
  const positions = tuned.model.config.max_position_embeddings;
  const decoding = decodingOf(tuned, options);
  const laid = sources.map((source) => layoutSource(layout, source));
  const most = (length: number): number =>
    Math.min(decoding.maxLength, length + 1 + (options.maxNewTokens ?? positions));
  const predictions = Array<Prediction>(sources.length);
  let done = 0;
  for (const batch of batchesOf(
    laid.map(({ ids }) => ids.length),
    most,
    rowsOf(tuned, decoding.beams, options.cacheBytes),
  )) {
    options.signal?.throwIfAborted();
    const prompts = batch.map((i) => laid[i]!.ids);
    const answers = await decodeBatch(tuned, prompts, { ...decoding, maxNewTokens: options.maxNewTokens ?? positions });
    batch.forEach((index, row) => (predictions[index] = { ...answers[row]!, cut: laid[index]!.cut }));
    options.onProgress?.((done += batch.length), sources.length);
  }
  return predictions;
}

type Settings = ReturnType<typeof decodingOf> & { readonly maxNewTokens: number };

async function decodeBatch(
  { model, task, layout }: TunedModel,
  prompts: readonly number[][],
  decoding: Settings,
): Promise<Omit<Prediction, "cut">[]> {
  const end = layout.tokenizer.special.eos!;
  const options: GenerateOptions = {
    ids: prompts,
    // One more for the end that the length guard puts.
    maxLength: Math.min(decoding.maxLength, Math.max(...prompts.map((ids) => ids.length)) + decoding.maxNewTokens + 1),
    minNewTokens: decoding.minLength,
    eosTokenId: end,
    noRepeatNgramSize: decoding.noRepeatNgramSize,
    repeatGuard: decoding.repeatGuard,
    ...(decoding.beams > 1
      ? { numBeams: decoding.beams, lengthPenalty: decoding.lengthPenalty, earlyStopping: true }
      : {}),
    processors: (prompt) => processorsOf(task, layout, prompt, decoding),
  };
  const { sequences, scores, logProbabilities } = await model.generate(options);
  return sequences.map((ids, row) => {
    const start = prompts[row]!.length;
    const added = ids.slice(start);
    const ended = added.at(-1) === end;
    const text = layout.tokenizer.decode(added, { skipSpecialTokens: true });
    const written = ended ? ids.slice(0, -1) : ids;
    const stopped =
      written.length - start >= decoding.maxNewTokens || (decoding.repeatGuard && endsInCircle(written, start));
    const complete = ended && !stopped;
    const parts = partsOf(layout.tokenizer, written.slice(start), logProbabilities[row]!);
    return { answer: task.parse(text), text, score: scores[row]!, parts, tokens: added.length, complete };
  });
}

function partsOf(
  tokenizer: Tokenizer,
  ids: readonly number[],
  logProbabilities: readonly number[],
): { text: string; score: number }[] {
  const semicolon = tokenizer.encodeIds(";").at(-1)!;
  const parts: { text: string; score: number }[] = [];
  for (let start = 0; start < ids.length;) {
    const found = ids.indexOf(semicolon, start);
    const end = found === -1 ? ids.length : found;
    const text = tokenizer.decode(ids.slice(start, end), { skipSpecialTokens: true });
    if (end > start) parts.push({ text, score: mean(logProbabilities.slice(start, end)) });
    start = end + 1;
  }
  return parts;
}

function processorsOf(
  task: Benchmark,
  { tokenizer, promptIds }: Layout,
  prompt: readonly number[],
  decoding: Settings,
): Processor[] {
  const end = tokenizer.special.eos!;
  const processors: Processor[] = [];
  if (decoding.copyOnly) {
    if (task.answerWords === undefined) {
      throw new ConfigError(
        `${task.name}: copy-constrained decoding expected a task whose answers copy from the text`,
        {
          hint: "it works with tasks of relations and entities",
        },
      );
    }
    const words = task.answerWords.flatMap((word) => tokenizer.encodeIds(word).slice(1));
    const learned = new Set(promptIds);
    processors.push(allowOnly(new Set([...prompt.filter((id) => !learned.has(id)), ...words, end])));
  }
  if (prompt.length + decoding.maxNewTokens < decoding.maxLength) {
    processors.push(lengthGuard(prompt.length, decoding.maxNewTokens, end));
  }
  return processors;
}

/** Rows of `tokens` each that fit into the cache's bytes. */
function rowsOf({ model }: TunedModel, beams: number, cacheBytes = 2 ** 30): (tokens: number) => number {
  const cache = model.family.cache?.(model.config);
  const perToken =
    cache === undefined ? 1 : 2 * cache.layers * cache.keyHeads * cache.headWidth * Float32Array.BYTES_PER_ELEMENT;
  return (tokens) => Math.max(1, Math.min(64, Math.floor(cacheBytes / (perToken * tokens * beams))));
}

/** Indices sorted by length, longest first, so that what does not fit shows at once; rows of a batch are alike. */
function batchesOf(
  lengths: readonly number[],
  most: (length: number) => number,
  rows: (tokens: number) => number,
): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]!);
  const batches: number[][] = [];
  for (let first = 0; first < order.length;) {
    const count = rows(most(lengths[order[first]!]!));
    batches.push(order.slice(first, first + count));
    first += count;
  }
  return batches;
}
