/** Classifiers of texts, single- or multi-label, and taggers of words, of any family. */
// C classes
import type { TextRow } from "./corpus/text.ts";
import { mapTexts } from "./corpus/texts.ts";
import { ConfigError } from "./errors.ts";
import { resolveModel } from "./hub/index.ts";
import type { Items, StreamOptions } from "./io/streams.ts";
import { entitiesOf } from "./metrics/entities.ts";
import { headOf, type LabelConfig, labelNames, type ModelConfig, problemOf } from "./models/index.ts";
import { indexOfLargest, probabilitiesOf } from "./metrics/classification.ts";
import { scoringGraph } from "./models/graphs.ts";
import { byTokens, sliceRows } from "./runtime/batching.ts";
import { makeBatch } from "./runtime/batch.ts";
import { required } from "./schema.ts";
import { calibrationRows } from "./runtime/calibration.ts";
import { type ModelFolder, openModelFolder } from "./runtime/folder.ts";
import { identityOf, type NetworkOptions, openNetwork } from "./runtime/network.ts";
import type { Session } from "./runtime/session.ts";
import { tokenLimit } from "./runtime/token-limit.ts";
import { loadTokenizer } from "./tokenizers/files.ts";
import type { Tokenizer } from "./tokenizers/tokenizer.ts";
import { encodeCut, firstPieces, type WordPieces } from "./tokenizers/words.ts";

/** How Hugging Face's class names end by the kind of head, and what trains such a model. */
const kinds = {
  sequence: { suffix: "ForSequenceClassification", command: "galen train classifier" },
  token: { suffix: "ForTokenClassification", command: "galen train tagger" },
} as const;

interface Labeller {
  readonly model: ModelFolder;
  readonly tokenizer: Tokenizer;
  readonly labels: readonly string[];
  readonly session: Session;
}

/** Opens a classification directory. @throws ConfigError where its head is of another kind. */
async function openLabeller(folder: string, kind: keyof typeof kinds, options: NetworkOptions): Promise<Labeller> {
  const model = await openModelFolder(folder);
  const { family, config, entries } = model;
  const head = headOf(family, config);
  const plain = config as ModelConfig & LabelConfig;
  if (head?.kind !== kind) {
    const { suffix, command } = kinds[kind];
    const got = plain.architectures?.[0] ?? "one without a head";
    throw new ConfigError(`${folder}: expected a model ${suffix}, got ${got}`, { hint: `"${command}" makes one` });
  }
  const { count } = head.labels(config);
  if (kind === "sequence" && problemOf(plain) === "regression") {
    throw new ConfigError(`${folder}: expected a classifier, got a model of ${count} targets (regression)`, {
      hint: 'scores of pairs are what "galen rerank" is for; its scores come from "galen forward"',
    });
  }
  const labels = labelNames(plain, count);
  const tokenizer = await loadTokenizer(folder);
  const session = await openNetwork(
    scoringGraph(family, config),
    entries,
    folder,
    options,
    () => makeBatch({ ids: calibrationRows(config, tokenizer) }, config).tensors,
  );
  return { model, tokenizer, labels, session };
}

/** Logits of rows of ids, in their order; `read` is given a row's numbers [T·C] or [C]. */
async function forRows(
  { model, session }: Labeller,
  ids: readonly (readonly number[])[],
  batchSize: number,
  read: (row: number, logits: Float32Array) => void,
): Promise<void> {
  for (const places of byTokens(ids, batchSize)) {
    const { tensors } = makeBatch({ ids: sliceRows(ids, places) }, model.config);
    const data = (await session.run(tensors))["logits"]!.data as Float32Array;
    const size = data.length / places.length;
    places.forEach((place, i) => read(place, data.subarray(i * size, (i + 1) * size)));
  }
}

export interface Classified {
  /** The likeliest class. */
  readonly label: string;
  /** `label` alone; of a multi-label classifier those that are likelier than not, perhaps none. */
  readonly labels: readonly string[];
  /** By class. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Longer than the model takes: its end was not read. */
  readonly cut: boolean;
}

export interface Classifier extends AsyncDisposable {
  /** What classes depend on besides the directory: the format of the weights. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly labels: readonly string[];
  /** A text may have any number of labels, and not one exactly. */
  readonly multiLabel: boolean;
  /** Texts are cut to `maxTokens`, by default as the tokenizer's files say, at most the model's positions. */
  classify(texts: readonly string[], options?: { maxTokens?: number | undefined }): Promise<Classified[]>;
}

/** @throws ConfigError where the directory holds no classifier of texts, DataError where it holds no tokenizer. */
export async function loadClassifier(source: string, options: NetworkOptions = {}): Promise<Classifier> {
  const folder = await resolveModel(source);
  const labeller = await openLabeller(folder, "sequence", options);
  const { labels, tokenizer, model, session } = labeller;
  const multiLabel = problemOf(model.config as LabelConfig) === "multi_label_classification";
  const most = await tokenLimit(folder, model.config);
  return {
    labels,
    multiLabel,
    identity: identityOf(options),
    async classify(texts, { maxTokens = most } = {}) {
      required("classify: texts", texts, "list of texts");
      const encoded = texts.map((text) => encodeCut(tokenizer, text, maxTokens));
      const results: Classified[] = Array.from({ length: texts.length });
      const ids = encoded.map((one) => one.ids);
      await forRows(labeller, ids, 32, (row, logits) => {
        const shares = multiLabel ? Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit))) : probabilitiesOf(logits);
        const label = labels[indexOfLargest(logits)]!;
        results[row] = {
          label,
          labels: multiLabel ? labels.filter((_, i) => shares[i]! > 0.5) : [label],
          probabilities: Object.fromEntries(labels.map((name, i) => [name, shares[i]!])),
          cut: encoded[row]!.cut,
        };
      });
      return results;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}

export interface Tagger extends AsyncDisposable {
  /** What tags depend on besides the directory: the format of the weights. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly labels: readonly string[];
  /** How many of a sentence's words the model reads; those beyond its length get "O". Default: all. */
  reads?(words: readonly string[]): number;
  /** A tag for every word. */
  tag(sentences: readonly (readonly string[])[]): Promise<string[][]>;
}

/** @throws ConfigError where the directory holds no tagger of tokens, DataError where it holds no tokenizer. */
export async function loadTagger(source: string, options: NetworkOptions = {}): Promise<Tagger> {
  const labeller = await openLabeller(await resolveModel(source), "token", options);
  const { labels, tokenizer, model, session } = labeller;
  const piecesOf = (words: readonly string[]): WordPieces =>
    firstPieces(tokenizer, words, model.config.max_position_embeddings);
  return {
    labels,
    identity: identityOf(options),
    reads: (words) => piecesOf(words).first.length,
    async tag(sentences) {
      required("tag: sentences", sentences, "list");
      sentences.forEach((words, i) => required(`tag: sentences[${i}]`, words, "list of texts"));
      const rows = sentences.map(piecesOf);
      const results = sentences.map((words) => words.map(() => "O"));
      const ids = rows.map((row) => row.ids);
      await forRows(labeller, ids, 32, (row, logits) => {
        rows[row]!.first.forEach((place, word) => {
          const own = logits.subarray(place * labels.length, (place + 1) * labels.length);
          results[row]![word] = labels[indexOfLargest(own)]!;
        });
      });
      return results;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}

/** How many words at the end of a sentence the model does not read. */
export function unreadWords(tagger: Pick<Tagger, "reads">, words: readonly string[]): number {
  return words.length - (tagger.reads?.(words) ?? words.length);
}

export interface ClassifiedText extends Classified {
  readonly id: string;
  /** Title and text, as classified. */
  readonly text: string;
}

/** Classes of a stream of texts, in their order, `window` (default 256) at a time. */
export function classifyTexts(
  classifier: Classifier,
  texts: Items<TextRow>,
  { window = 256, maxTokens, ...options }: StreamOptions & { readonly maxTokens?: number | undefined } = {},
): AsyncGenerator<ClassifiedText> {
  return mapTexts(texts, (some) => classifier.classify(some, { maxTokens }), { window, ...options });
}

export interface TaggedText {
  readonly id: string;
  /** Title and text, as tagged. */
  readonly text: string;
  readonly words: readonly string[];
  /** One a word. */
  readonly tags: readonly string[];
  /** Words at the end that the model did not read, its length being less. */
  readonly unread: number;
  /** Where they stand in the text, in UTF-16 code units. */
  readonly entities: readonly {
    readonly type: string;
    readonly start: number;
    readonly end: number;
    readonly text: string;
  }[];
}

/** Runs of letters and digits, and single marks. */
const wordPattern = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu;

/** Words, tags and entities of a stream of texts, in their order, `window` (default 256) at a time. */
export function tagTexts(
  tagger: Tagger,
  texts: Items<TextRow>,
  { window = 256, ...options }: StreamOptions = {},
): AsyncGenerator<TaggedText> {
  const compute = async (some: readonly string[]) => {
    const matches = some.map((text) => [...text.matchAll(wordPattern)]);
    const words = matches.map((found) => found.map(([word]) => word));
    const tags = await tagger.tag(words);
    return some.map((text, i) => ({
      words: words[i]!,
      tags: tags[i]!,
      unread: unreadWords(tagger, words[i]!),
      entities: entitiesIn(text, matches[i]!, tags[i]!),
    }));
  };
  return mapTexts(texts, compute, { window, ...options });
}

function entitiesIn(text: string, words: readonly RegExpExecArray[], tags: readonly string[]): TaggedText["entities"] {
  return entitiesOf(tags).map(({ type, start, end }) => {
    const [from, last] = [words[start]!.index, words[end]!];
    const to = last.index + last[0].length;
    return { type, start: from, end: to, text: text.slice(from, to) };
  });
}
