/**
 * The main job from end to end: documents → vocabulary → token files → a small BioGPT → perplexity and texts. A few
 * minutes on two cores; everything that it makes can be used by the other commands.
 */
import { join } from "node:path";
import { type Document, readDocuments } from "./corpus/documents.ts";
import type { ReadFailure } from "./corpus/pubmed/record.ts";
import { ConfigError, DataError } from "./errors.ts";
import { openOutput } from "./io/outputs.ts";
import { loadModel } from "./model.ts";
import type { BioGptConfig } from "./models/index.ts";
import { recipeOf } from "./recipes/index.ts";
import { trainBioGptTokenizer } from "./tokenizers/biogpt/train.ts";
import { saveTokenizer } from "./tokenizers/files.ts";
import type { Config } from "./train/config.ts";
import { required } from "./schema.ts";
import type { TrainEvent } from "./train/loop.ts";
import { train } from "./train/train.ts";
import { titleAndText } from "./corpus/text.ts";
import { buildTokenFiles, type TokenManifest } from "./corpus/tokenize.ts";

export interface QuickstartOptions {
  /** PubMed XML, JSONL, dataset folders or text. */
  readonly inputs: readonly string[];
  /** Folder for tokenizer/, tokens/ and run/. */
  readonly output: string;
  /** Replace what an earlier quickstart left there. */
  readonly overwrite?: boolean | undefined;
  readonly prompts: readonly string[];
  /** Updates; by default eleven passes over the text, at most 600 updates: about two minutes on two cores. */
  readonly steps?: number | undefined;
  readonly seed?: number | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: QuickstartEvent) => void) | undefined;
}

export type QuickstartEvent =
  | { readonly type: "reading"; readonly documents: number; readonly characters: number }
  | {
      readonly type: "read";
      readonly documents: number;
      readonly characters: number;
      readonly failures: readonly ReadFailure[];
    }
  | { readonly type: "learning"; readonly vocabSize: number }
  | { readonly type: "learned"; readonly vocabSize: number; readonly folder: string }
  | { readonly type: "tokenized"; readonly tokens: TokenManifest; readonly folder: string }
  | Exclude<TrainEvent, { readonly type: "reading" }>
  | { readonly type: "generated"; readonly prompt: string; readonly beam: string; readonly sampled: string };

export interface QuickstartResult {
  readonly documents: number;
  readonly failures: number;
  readonly parameters: number;
  /** Perplexity of held-out tokens before and after training. */
  readonly perplexity: { readonly before: number; readonly after: number };
  readonly texts: readonly { readonly prompt: string; readonly beam: string; readonly sampled: string }[];
  readonly tokenizer: string;
  readonly model: string;
  readonly stopped: boolean;
}

/** One in twenty documents is held out. */
const heldOut = 0.05;

/**
 * @throws DataError when the inputs hold too little text; ConfigError when the output folder is not usable.
 */
export async function quickstart(options: QuickstartOptions): Promise<QuickstartResult> {
  required("quickstart: options", options, "object");
  const { output, seed = 1, onEvent, signal } = options;
  required("quickstart: inputs", options.inputs, "list of texts");
  required("quickstart: output", output, "text");
  required("quickstart: prompts", options.prompts, "list of texts");
  if (options.inputs.length === 0)
    throw new ConfigError("quickstart: expected at least one file of documents, got none");
  const folders = { tokenizer: join(output, "tokenizer"), tokens: join(output, "tokens"), run: join(output, "run") };
  const { inputs, overwrite } = options;
  const names = ["tokenizer", "tokens", "run"];
  await using claimed = await openOutput(output, { kind: "a quickstart", names, inputs, overwrite });
  await claimed.clear();

  const { documents, characters, failures } = await read(options);
  const vocabSize = vocabularyFor(characters);
  onEvent?.({ type: "learning", vocabSize });
  const tokenizer = await trainBioGptTokenizer(documents.map(titleAndText), { vocabSize });
  await saveTokenizer(tokenizer, folders.tokenizer);
  onEvent?.({ type: "learned", vocabSize, folder: folders.tokenizer });

  const tokens = await buildTokenFiles(documents, tokenizer, { output: folders.tokens, heldOut, seed, signal });
  onEvent?.({ type: "tokenized", tokens, folder: folders.tokens });
  const config = configuration(options, vocabSize, tokens.train.tokens);
  let parameters = 0;
  const trained = await train(config, {
    data: join(folders.tokens, "train"),
    valid: join(folders.tokens, "valid"),
    output: folders.run,
    tokenizer,
    signal,
    onEvent: (event) => {
      // Documents have been read: the training has token files.
      if (event.type === "reading") return;
      if (event.type === "started") parameters = event.parameters;
      onEvent?.(event);
    },
  });
  const { before = NaN, after = NaN, model, stopped } = trained;
  const perplexity = { before: Math.exp(before), after: Math.exp(after) };
  const texts = stopped ? [] : await write(model, options, seed);
  return {
    documents: documents.length,
    failures: failures.length,
    parameters,
    perplexity,
    texts,
    tokenizer: folders.tokenizer,
    model,
    stopped,
  };
}

/** Enough for a quickstart; more documents than this are left for `galen train`. */
const characterLimit = 64e6;

async function read({ inputs, signal, onEvent }: QuickstartOptions): Promise<{
  documents: Document[];
  characters: number;
  failures: ReadFailure[];
}> {
  const documents: Document[] = [];
  const failures: ReadFailure[] = [];
  let characters = 0;
  for await (const document of readDocuments(inputs, { onFailure: (failure) => failures.push(failure), signal })) {
    characters += titleAndText(document).length;
    documents.push(document);
    onEvent?.({ type: "reading", documents: documents.length, characters });
    if (characters > characterLimit) break;
  }
  if (characters < 20_000) {
    throw new DataError(`quickstart: expected at least 20,000 characters of text, got ${characters}`, {
      hint: failures[0] === undefined ? "give more documents with --data" : `first failure: ${failures[0].message}`,
    });
  }
  onEvent?.({ type: "read", documents: documents.length, characters, failures });
  return { documents, characters, failures };
}

/** Pieces must be seen often enough to be learned: about one for every hundred characters, at most 8,192. */
function vocabularyFor(characters: number): number {
  const size = 2 ** Math.round(Math.log2(characters / 100));
  return Math.min(8192, Math.max(1024, size));
}

/** Tokens of a block, and blocks of an update. */
const shape = { tokens: 128, batch: 8 };
/** Held-out perplexity on the shipped sample: 141 after 7 passes, 138 after 11, 186 after 14 with weaker dropout. */
const passes = 11;

function configuration(options: QuickstartOptions, vocabSize: number, trainTokens: number): Config {
  const { seed = 1, threads = 0, prompts } = options;
  const all = Math.ceil((passes * trainTokens) / (shape.tokens * shape.batch));
  const { steps = Math.min(600, all) } = options;
  const nano = recipeOf("biogpt-nano")();
  const model: BioGptConfig = {
    ...(nano.model as unknown as BioGptConfig),
    vocab_size: vocabSize,
    hidden_size: 160,
    num_hidden_layers: 4,
    num_attention_heads: 5,
    intermediate_size: 640,
    max_position_embeddings: 256,
    // A small text is read many times over: without strong dropout it would be learned by heart.
    hidden_dropout_prob: 0.25,
    attention_probs_dropout_prob: 0.1,
  };
  const { optimiser } = nano;
  return {
    ...nano,
    recipe: "quickstart",
    optimiser: { ...optimiser, weightDecay: 0.1 },
    model: { ...model },
    objective: { kind: "causal", tokens: shape.tokens },
    batch: shape.batch,
    accumulate: 1,
    steps,
    schedule: { kind: "cosine", peak: 3e-3, warmup: Math.min(60, Math.ceil(steps / 10)), initial: 0, floor: 0.05 },
    evaluate: { every: Math.max(1, Math.ceil(steps / 4)), examples: 64 },
    sample: { every: 0, prompts: [...prompts], maxNewTokens: 40 },
    save: { every: Math.max(1, Math.ceil(steps / 4)), keep: 1 },
    seed,
    threads,
  };
}

async function write(
  folder: string,
  { prompts, threads, onEvent }: QuickstartOptions,
  seed: number,
): Promise<{ prompt: string; beam: string; sampled: string }[]> {
  await using model = await loadModel(folder, threads === undefined ? {} : { threads });
  const texts: { prompt: string; beam: string; sampled: string }[] = [];
  for (const prompt of prompts) {
    const limits = { prompts: [prompt], maxNewTokens: 40 };
    const beam = await model.generate({ ...limits, numBeams: 5, noRepeatNgramSize: 3, earlyStopping: true });
    const sampled = await model.generate({ ...limits, doSample: true, temperature: 0.8, topK: 40, seed });
    const text = { prompt, beam: beam.texts[0]!, sampled: sampled.texts[0]! };
    texts.push(text);
    onEvent?.({ type: "generated", ...text });
  }
  return texts;
}
