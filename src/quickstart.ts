/**
 * The main job from end to end: documents → vocabulary → token files → a small BioGPT → perplexity and texts. A few
 * minutes on two cores; everything that it makes can be used by the other commands.
 */
import { join } from "node:path";
import * as z from "zod";
import { type Document, readDocuments } from "./corpus/documents.ts";
import type { ReadFailure } from "./corpus/pubmed/record.ts";
import { ConfigError, DataError } from "./errors.ts";
import { writeFileAtomically } from "./io/files.ts";
import { inputFingerprints } from "./io/fingerprint.ts";
import { flat } from "./io/journal.ts";
import { readSettings } from "./io/json.ts";
import { openOutput } from "./io/outputs.ts";
import { loadModel } from "./model.ts";
import type { BioGptConfig } from "./models/index.ts";
import { recipeOf } from "./recipes/index.ts";
import { trainBioGptTokenizer } from "./tokenizers/biogpt/train.ts";
import { loadTokenizer, saveTokenizer } from "./tokenizers/files.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";
import type { Config } from "./train/config.ts";
import { required } from "./schema.ts";
import type { RunResult, TrainEvent } from "./train/loop.ts";
import { readMetrics } from "./train/metrics-log.ts";
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
  /** All was there already, made by an earlier call. */
  readonly found: boolean;
}

/** What a quickstart makes in its folder. */
const stateName = "quickstart.json";
const names = [stateName, "tokenizer", "tokens", "run"];
type Folders = Readonly<Record<"tokenizer" | "tokens" | "run", string>>;

const count = z.int().min(0);
/** JSON has neither NaN nor infinity. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);
const preparedSchema = z.object({ documents: count, failures: count, vocabSize: count, tokens: count });
const madeSchema = z.object({
  documents: count,
  failures: count,
  parameters: count,
  perplexity: z.object({ before: figure, after: figure }),
  texts: z.array(z.object({ prompt: z.string(), beam: z.string(), sampled: z.string() })),
});
/** How far it has come: what it depends on, then what it prepared, then what it made. */
const stateSchema = z.object({
  settings: z.object({ data: z.array(z.string()), steps: count.nullable(), seed: count }),
  prepared: preparedSchema.optional(),
  made: madeSchema.optional(),
});

/** One in twenty documents is held out. */
const heldOut = 0.05;

/**
 * Makes it all, or goes on where an earlier call on the same inputs was ended; where that came to its end, gives what it
 * made.
 * @throws DataError when the inputs hold too little text; ConfigError when the output folder is not usable, or holds a
 * quickstart on other inputs.
 */
export async function quickstart(options: QuickstartOptions): Promise<QuickstartResult> {
  required("quickstart: options", options, "object");
  const { output, seed = 1 } = options;
  required("quickstart: inputs", options.inputs, "list of texts");
  required("quickstart: output", output, "text");
  required("quickstart: prompts", options.prompts, "list of texts");
  if (options.inputs.length === 0)
    throw new ConfigError("quickstart: expected at least one file of documents, got none");
  const folders: Folders = {
    tokenizer: join(output, "tokenizer"),
    tokens: join(output, "tokens"),
    run: join(output, "run"),
  };
  const { inputs, overwrite = false } = options;
  const path = join(output, stateName);
  const settings = { data: Object.values(await inputFingerprints(inputs)), steps: options.steps ?? null, seed };
  const before = overwrite ? undefined : await readSettings(path, stateSchema);
  if (before !== undefined) checkSame(output, before.settings, settings);
  const resume = before !== undefined;
  await using claimed = await openOutput(output, { kind: "a quickstart", names, inputs, overwrite, resume });
  if (before?.made !== undefined) return again(before.made, folders, options);
  if (before === undefined) await claimed.clear();
  await writeState(path, { settings });

  const made = (await madeBefore(folders, before)) ?? (await prepare(folders, options));
  await writeState(path, { settings, prepared: made.prepared });
  const trained = await run(folders, made, options);
  const { model, parameters, stopped } = trained;
  // Of the whole run, also of what an earlier call of it did.
  const { heldOut } = await readMetrics(folders.run);
  const [first, last] = [heldOut[0], heldOut.at(-1)].map((point) => Math.exp(point?.value ?? NaN));
  const perplexity = { before: first!, after: last! };
  const texts = stopped ? [] : await write(model, options, seed);
  const { documents, failures } = made.prepared;
  const result = { documents, failures, parameters, perplexity, texts };
  if (!stopped) await writeState(path, { settings, prepared: made.prepared, made: result });
  return { ...result, tokenizer: folders.tokenizer, model, stopped, found: false };
}

/** What a quickstart made, with other prompts' texts where others are given. */
async function again(
  made: z.output<typeof madeSchema>,
  folders: Folders,
  options: QuickstartOptions,
): Promise<QuickstartResult> {
  const model = join(folders.run, "model");
  const isSame = made.texts.map(({ prompt }) => prompt).join("\n") === options.prompts.join("\n");
  const texts = isSame ? made.texts : await write(model, options, options.seed ?? 1);
  return { ...made, texts, tokenizer: folders.tokenizer, model, stopped: false, found: true };
}

/** @throws ConfigError that names the setting which differs from that of the quickstart in the folder. */
function checkSame(output: string, there: object, now: object): void {
  const [before, after] = [flat({ ...there }), flat({ ...now })];
  const name = [...after.keys()].find((key) => before.get(key) !== after.get(key));
  if (name === undefined) return;
  const got = `expected ${before.get(name)}, as the quickstart there has, got ${after.get(name)}`;
  throw new ConfigError(`${output}: ${name}: ${got}`, {
    hint: "replace it with --overwrite, or name another --output",
  });
}

const writeState = (path: string, state: z.output<typeof stateSchema>): Promise<void> =>
  writeFileAtomically(path, `${JSON.stringify(state, null, 2)}\n`);

interface Made {
  readonly tokenizer: Tokenizer;
  readonly prepared: z.output<typeof preparedSchema>;
}

/** Tokenizer and tokens of a run that was ended before its end, where both were whole. */
async function madeBefore(
  folders: Folders,
  before: z.output<typeof stateSchema> | undefined,
): Promise<Made | undefined> {
  if (before?.prepared === undefined) return undefined;
  return { tokenizer: await loadTokenizer(folders.tokenizer), prepared: before.prepared };
}

/** Reads documents, learns the vocabulary, writes token files. */
async function prepare(folders: Folders, options: QuickstartOptions): Promise<Made> {
  const { onEvent, seed = 1, signal } = options;
  const { documents, characters, failures } = await read(options);
  const vocabSize = vocabularyFor(characters);
  onEvent?.({ type: "learning", vocabSize });
  const tokenizer = await trainBioGptTokenizer(documents.map(titleAndText), { vocabSize });
  await saveTokenizer(tokenizer, folders.tokenizer);
  onEvent?.({ type: "learned", vocabSize, folder: folders.tokenizer });
  // Over what a run left that was ended while it wrote them.
  const to = { output: folders.tokens, heldOut, seed, signal, overwrite: true };
  const tokens = await buildTokenFiles(documents, tokenizer, to);
  onEvent?.({ type: "tokenized", tokens, folder: folders.tokens });
  const counts = { documents: documents.length, failures: failures.length };
  return { tokenizer, prepared: { ...counts, vocabSize, tokens: tokens.train.tokens } };
}

/** Trains, from the last checkpoint where there is one. */
async function run(
  folders: Folders,
  { tokenizer, prepared }: Made,
  options: QuickstartOptions,
): Promise<RunResult & { readonly parameters: number }> {
  let parameters = 0;
  const trained = await train(configuration(options, prepared.vocabSize, prepared.tokens), {
    data: join(folders.tokens, "train"),
    valid: join(folders.tokens, "valid"),
    output: folders.run,
    resume: true,
    tokenizer,
    signal: options.signal,
    onEvent: (event) => {
      // Documents have been read: the training has token files.
      if (event.type === "reading") return;
      if (event.type === "started") parameters = event.parameters;
      options.onEvent?.(event);
    },
  });
  return { ...trained, parameters };
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
    objective: { ...nano.objective, tokens: shape.tokens } as Config["objective"],
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
