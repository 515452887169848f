/**
 * Answers of a tuned model: source and prompt laid out as in training, decoded greedily or by beam search as
 * task.json says, those of like length together, read back by the task's parser.
 */
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { endsInCircle, lengthGuard } from "../generate/guards.ts";
import { mean } from "../metrics/counts.ts";
import type { Processor } from "../generate/index.ts";
import { loadModel, type LoadOptions, type Model } from "../model.ts";
import type { Benchmark, Example } from "../tasks/benchmark.ts";
import { identityOf } from "../runtime/network.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { type CopyOnly, copyOnly } from "./copy-only.ts";
import { type Decoding, fitTruncation } from "./formats.ts";
import { createLayout, type Layout, layoutSource, type Source } from "./layout.ts";
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
  /** Names are runs of whole words of the source; all else is the task's own words. */
  readonly copyOnly?: boolean | undefined;
  /** Several tokens in one pass where answers quote their text: the same answers sooner (`GenerateOptions`). Default true. */
  readonly lookup?: boolean | undefined;
  /** Bytes of key-value cache: texts beyond wait until others are answered. Default 1 GiB. */
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
  const { layout, model } = tuned;
  const positions = model.config.max_position_embeddings;
  const decoding = { ...decodingOf(tuned, options), maxNewTokens: options.maxNewTokens ?? positions };
  const laid = sources.map((source) => layoutSource(layout, source));
  if (laid.length === 0) return [];
  // Longest first, so that what does not fit shows at once; rows that are decoded together are alike.
  const order = laid.map((_, i) => i).sort((a, b) => laid[b]!.ids.length - laid[a]!.ids.length);
  const prompts = order.map((index) => laid[index]!.ids);
  const copying = order.map((index) =>
    decoding.copyOnly ? copyFrom(tuned, sources[index]!, laid[index]!) : undefined,
  );
  const eos = layout.tokenizer.special.eos!;
  let done = 0;
  const { sequences, scores, logProbabilities } = await model.generate({
    ids: prompts,
    // One more for the end that the length guard puts.
    maxLength: prompts.map(({ length }) => Math.min(decoding.maxLength, length + decoding.maxNewTokens + 1)),
    minNewTokens: decoding.minLength,
    eosTokenId: eos,
    noRepeatNgramSize: decoding.noRepeatNgramSize,
    repeatGuard: decoding.repeatGuard,
    ...(decoding.beams > 1
      ? { numBeams: decoding.beams, lengthPenalty: decoding.lengthPenalty, earlyStopping: true }
      : {}),
    processors: (prompt, row) => processorsOf(prompt, eos, decoding, copying[row]),
    lookup: options.lookup,
    cacheBytes: options.cacheBytes ?? 2 ** 30,
    signal: options.signal,
    onEnd: () => options.onProgress?.((done += 1), sources.length),
  });
  const predictions = Array<Prediction>(sources.length);
  order.forEach((index, row) => {
    const ids = sequences[row]!;
    const found = answerFrom(tuned, decoding, prompts[row]!.length, ids, logProbabilities[row]!);
    // The last name of an answer that was broken off may be half a name.
    const isWhole = copying[row]?.isWhole(ids) ?? true;
    const answer = tuned.task.parse(isWhole ? found.text : wholeSentences(found.text));
    predictions[index] = { ...found, answer, score: scores[row]!, cut: laid[index]!.cut };
  });
  return predictions;
}

type Settings = ReturnType<typeof decodingOf> & { readonly maxNewTokens: number };

/** What a sequence says after its first `start` tokens. */
function answerFrom(
  { layout }: TunedModel,
  { maxNewTokens, repeatGuard }: Settings,
  start: number,
  ids: readonly number[],
  logProbabilities: readonly number[],
): Omit<Prediction, "answer" | "cut" | "score"> {
  const added = ids.slice(start);
  const ended = added.at(-1) === layout.tokenizer.special.eos!;
  const text = layout.tokenizer.decode(added, { skipSpecialTokens: true });
  const written = ended ? ids.slice(0, -1) : ids;
  const stopped = written.length - start >= maxNewTokens || (repeatGuard && endsInCircle(written, start));
  const parts = partsOf(layout.tokenizer, written.slice(start), logProbabilities);
  return { text, parts, tokens: added.length, complete: ended && !stopped };
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
  prompt: readonly number[],
  eos: number,
  decoding: Settings,
  copying: CopyOnly | undefined,
): Processor[] {
  const guarded = prompt.length + decoding.maxNewTokens < decoding.maxLength;
  return [
    ...(copying === undefined ? [] : [copying.process]),
    ...(guarded ? [lengthGuard(prompt.length, decoding.maxNewTokens, eos)] : []),
  ];
}

/** What copies names from this source. @throws ConfigError where the task's answers name nothing. */
function copyFrom({ task, layout }: TunedModel, source: string, { ids, cut }: Source): CopyOnly {
  if (task.answerForm === undefined) {
    throw new ConfigError(`${task.name}: copy-constrained decoding expected a task whose answers copy from the text`, {
      hint: "it works with tasks of relations and entities",
    });
  }
  const { tokenizer, promptIds } = layout;
  // A cut source ends with a mark that is none of its tokens.
  const kept = ids.length - promptIds.length - tokenizer.frame.before.length - (cut ? 1 : 0);
  return copyOnly(task.answerForm, tokenizer, { source, kept, prompt: ids.length });
}

/** An answer's sentences without the last, which was broken off. */
export function wholeSentences(text: string): string {
  return text.slice(0, Math.max(0, text.lastIndexOf(";")));
}
