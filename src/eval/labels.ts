/** Classifiers of texts and taggers of tokens: classes with probabilities and a loss, tags with entity scores. */
// C classes
import { ConfigError, DataError } from "../errors.ts";
import { toOnnx } from "../graph/lower.ts";
import { headOf, type ModelConfig } from "../models/index.ts";
import { scoringGraph } from "../models/programs.ts";
import { byTokens, sliceRows } from "../retrieval/batching.ts";
import { loadBertTokenizer } from "../retrieval/tokenizer.ts";
import { makeBatch } from "../runtime/batch.ts";
import { type ModelFolder, openModelFolder } from "../runtime/folder.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/ort.ts";
import { parameterSources } from "../runtime/parameters.ts";
import type { BertTokenizer } from "../tokenizers/bert.ts";
import { firstPieces } from "../tokenizers/words.ts";
import { bootstrap, type Interval } from "./metrics/bootstrap.ts";
import { accuracy, macroF1, majority } from "./metrics/classification.ts";
import { entityScores } from "./metrics/entities.ts";
import { mean } from "./metrics/counts.ts";
import { protocolHash, textsHash } from "./protocol.ts";

interface Labeller {
  readonly model: ModelFolder;
  readonly tokenizer: BertTokenizer;
  readonly labels: readonly string[];
  readonly session: Session;
}

/** Opens a classification directory. @throws ConfigError where its head is of another kind. */
async function openLabeller(folder: string, of: "rows" | "tokens", options: SessionOptions): Promise<Labeller> {
  const model = await openModelFolder(folder);
  const { family, config, entries } = model;
  const head = headOf(family, config)?.labels(config);
  const plain = config as ModelConfig & { id2label?: Record<string, string>; num_labels?: number };
  if (head?.of !== of || plain.architectures?.[0]?.endsWith("Classification") !== true) {
    const wanted = of === "rows" ? "ForSequenceClassification" : "ForTokenClassification";
    throw new ConfigError(`${folder}: expected a model ${wanted}, got ${plain.architectures?.[0]}`, {
      hint: `"galen train ${of === "rows" ? "classifier" : "tagger"}" makes one`,
    });
  }
  const labels = Array.from({ length: head.count }, (_, i) => plain.id2label?.[String(i)] ?? `LABEL_${i}`);
  const parameters = await parameterSources(scoringGraph(family, config), entries, folder);
  const session = await createSession(toOnnx(scoringGraph(family, config), { parameters }), {
    ...options,
    externalFolder: folder,
  });
  return { model, tokenizer: await loadBertTokenizer(folder), labels, session };
}

/** Logits of rows of ids, in their order; `read` is given a row's numbers [T·C] or [C]. */
async function forRows(
  { model, session }: Labeller,
  ids: readonly (readonly number[])[],
  batchSize: number,
  read: (row: number, logits: Float32Array) => void,
): Promise<void> {
  const { vocab_size: vocabSize, pad_token_id: padId, max_position_embeddings: maxTokens } = model.config;
  for (const places of byTokens(ids, batchSize)) {
    const { tensors } = makeBatch({ ids: sliceRows(ids, places) }, { vocabSize, padId, maxTokens });
    const data = (await session.run(tensors))["logits"]!.data as Float32Array;
    const size = data.length / places.length;
    places.forEach((place, i) => read(place, data.subarray(i * size, (i + 1) * size)));
  }
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Of classes that exclude one another. */
function probabilities(logits: Float32Array): number[] {
  const top = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export interface Classified {
  readonly label: string;
  /** By class. */
  readonly probabilities: Readonly<Record<string, number>>;
}

export interface Classifier extends AsyncDisposable {
  readonly labels: readonly string[];
  /** Texts are cut to `maxTokens`, by default the model's positions. */
  classify(texts: readonly string[], options?: { maxTokens?: number | undefined }): Promise<Classified[]>;
}

/** @throws ConfigError where the directory holds no classifier of texts. */
export async function loadClassifier(folder: string, options: SessionOptions = {}): Promise<Classifier> {
  const labeller = await openLabeller(folder, "rows", options);
  const { labels, tokenizer, model, session } = labeller;
  return {
    labels,
    async classify(texts, { maxTokens = model.config.max_position_embeddings } = {}) {
      const { ids } = tokenizer.encodeBatch(texts, { maxLength: maxTokens, padding: "none" });
      const results: Classified[] = Array.from({ length: texts.length });
      await forRows(labeller, ids, 32, (row, logits) => {
        const shares = probabilities(logits);
        const byLabel = Object.fromEntries(labels.map((label, i) => [label, shares[i]!]));
        results[row] = { label: labels[largest(logits)]!, probabilities: byLabel };
      });
      return results;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}

export interface Tagger extends AsyncDisposable {
  readonly labels: readonly string[];
  /** A tag for every word; words beyond the model's length get "O". */
  tag(sentences: readonly (readonly string[])[]): Promise<string[][]>;
}

/** @throws ConfigError where the directory holds no tagger of tokens. */
export async function loadTagger(folder: string, options: SessionOptions = {}): Promise<Tagger> {
  const labeller = await openLabeller(folder, "tokens", options);
  const { labels, tokenizer, model, session } = labeller;
  return {
    labels,
    async tag(sentences) {
      const rows = sentences.map((words) => firstPieces(tokenizer, words, model.config.max_position_embeddings));
      const results = sentences.map((words) => words.map(() => "O"));
      const ids = rows.map((row) => row.ids);
      await forRows(labeller, ids, 32, (row, logits) => {
        rows[row]!.first.forEach((place, word) => {
          const own = logits.subarray(place * labels.length, (place + 1) * labels.length);
          results[row]![word] = labels[largest(own)]!;
        });
      });
      return results;
    },
    [Symbol.asyncDispose]: () => session.dispose(),
  };
}

export interface LabelReport {
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly examples: number;
  readonly figures: Readonly<Record<string, { readonly value: number; readonly interval?: Interval }>>;
}

/** Accuracy, which is single-label micro F1 too, macro F1, cross-entropy, and the largest class's share. */
export async function evaluateClassification(
  classifier: Classifier,
  examples: readonly { readonly text: string; readonly label: string }[],
  { maxTokens }: { maxTokens?: number | undefined } = {},
): Promise<LabelReport> {
  if (examples.length === 0) throw new DataError("classification: expected examples, got none");
  const answers = await classifier.classify(
    examples.map(({ text }) => text),
    { maxTokens },
  );
  const rows = examples.map(({ label }, i) => ({ gold: label, found: answers[i]! }));
  type Rows = readonly (typeof rows)[number][];
  const gold = (some: Rows): string[] => some.map((row) => row.gold);
  const found = (some: Rows): string[] => some.map((row) => row.found.label);
  const loss = (some: Rows): number =>
    mean(some.map((row) => -Math.log(Math.max(1e-30, row.found.probabilities[row.gold] ?? 0))));
  const commonest = majority(gold(rows))!;
  const figures = {
    accuracy: (some: Rows): number => accuracy(gold(some), found(some)),
    macro_f1: (some: Rows): number => macroF1(gold(some), found(some)),
    loss,
    majority: (some: Rows): number => mean(some.map((row) => Number(row.gold === commonest))),
  };
  const protocol = {
    task: "classification",
    version: 1,
    maxTokens: maxTokens ?? null,
    data: textsHash(examples.flatMap(({ text, label }) => [text, label])),
  };
  return {
    protocol,
    hash: protocolHash(protocol),
    examples: rows.length,
    figures: Object.fromEntries(
      Object.entries(figures).map(([name, statistic]) => [
        name,
        { value: statistic(rows), interval: bootstrap(rows, statistic, { seed: 1, resamples: 400 }) },
      ]),
    ),
  };
}

/** Strict entity precision, recall and F1 over IOB2 tags, as seqeval counts. */
export async function evaluateNer(
  tagger: Tagger,
  sentences: readonly { readonly tokens: readonly string[]; readonly tags: readonly string[] }[],
): Promise<LabelReport> {
  if (sentences.length === 0) throw new DataError("ner: expected sentences, got none");
  const found = await tagger.tag(sentences.map(({ tokens }) => tokens));
  const gold = sentences.map(({ tags }) => tags);
  const { micro, macro, sentences: counts } = entityScores(gold, found);
  const { f1 } = micro;
  const interval = bootstrap(
    counts,
    (some) => {
      let [tp, wrong] = [0, 0];
      for (const one of some) {
        tp += one.tp;
        wrong += one.fp + one.fn;
      }
      return tp === 0 ? 0 : (2 * tp) / (2 * tp + wrong);
    },
    { seed: 1 },
  );
  const protocol = {
    task: "ner",
    version: 1,
    scheme: "IOB2, strict, as seqeval",
    data: textsHash(sentences.flatMap(({ tokens, tags }) => [...tokens, ...tags])),
  };
  return {
    protocol,
    hash: protocolHash(protocol),
    examples: sentences.length,
    figures: {
      precision: { value: micro.precision },
      recall: { value: micro.recall },
      f1: { value: f1, interval },
      macro_f1: { value: macro.f1 },
    },
  };
}
