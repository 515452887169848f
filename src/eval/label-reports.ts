/** Reports of classifiers and taggers on labelled data: figures with bootstrap intervals, and the protocol's hash. */
import { DataError } from "../errors.ts";
import { checkLabels, type Labelled } from "../tasks/labelled.ts";
import type { Classifier, Tagger } from "../labellers.ts";
import { bootstrap, type Interval } from "../metrics/bootstrap.ts";
import { accuracy, macroF1, majority } from "../metrics/classification.ts";
import { mean } from "../metrics/counts.ts";
import { entityScores, typesOf } from "../metrics/entities.ts";
import { multiLabelFigures } from "../metrics/labels.ts";
import { protocolHash, textsHasher } from "./protocol.ts";
import { type Inputs, openWindows, type WindowOptions } from "./windows.ts";

export interface LabelReport {
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly examples: number;
  readonly figures: Readonly<Record<string, { readonly value: number; readonly interval?: Interval }>>;
}

const resampling = { seed: 1, resamples: 400 } as const;

/** What is scored of a text: its own labels and those found; of one label, also the probability of its own. */
interface LabelRow {
  readonly gold: readonly string[];
  readonly found: readonly string[];
  readonly share: number;
}

/** Accuracy, which is single-label micro F1 too, macro F1, cross-entropy, and the largest class's share. */
function singleFigures(rows: readonly LabelRow[]): LabelReport["figures"] {
  const over =
    (measure: (gold: readonly string[], found: readonly string[]) => number) =>
    (some: readonly LabelRow[]): number =>
      measure(
        some.map(({ gold }) => gold[0]!),
        some.map(({ found }) => found[0]!),
      );
  const commonest = majority(rows.map(({ gold }) => gold[0]!))!;
  const figures = {
    accuracy: over(accuracy),
    macro_f1: over(macroF1),
    loss: (some: readonly LabelRow[]): number => mean(some.map(({ share }) => -Math.log(Math.max(1e-30, share)))),
    majority: (some: readonly LabelRow[]): number => mean(some.map(({ gold }) => Number(gold[0] === commonest))),
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, statistic]) => [
      name,
      { value: statistic(rows), interval: bootstrap(rows, statistic, resampling) },
    ]),
  );
}

/** Micro and macro F1 over the model's labels, and how many label sets are right. */
function severalFigures(rows: readonly LabelRow[], classes: readonly string[]): LabelReport["figures"] {
  const figures = multiLabelFigures(
    rows.map(({ gold }) => gold),
    rows.map(({ found }) => found),
    { classes, bootstrap: resampling },
  );
  return Object.fromEntries(
    figures.map(({ name, value, interval }) => [name, { value, ...(interval && { interval }) }]),
  );
}

/**
 * Figures of a classifier on texts with one label each or, where the model has learned so, with several. Examples are
 * read twice, once for the protocol's fingerprint, and held window by window.
 * @throws DataError for labels that the model does not know.
 */
export async function evaluateClassification(
  classifier: Classifier,
  examples: Inputs<Labelled>,
  {
    maxTokens,
    where = "classification",
    ...options
  }: WindowOptions & { readonly maxTokens?: number | undefined; readonly where?: string } = {},
): Promise<LabelReport> {
  const { several } = classifier;
  const { add, digest } = textsHasher();
  let total = 0;
  for await (const example of examples) {
    total += 1;
    checkLabels(example, classifier.labels, `${where}: text ${total}`);
    add(example.text, ...example.labels);
  }
  if (total === 0) throw new DataError(`${where}: expected texts with labels, got none`);
  const task = several ? "multi-label classification" : "classification";
  const protocol = { task, version: 1, maxTokens: maxTokens ?? null, data: digest() };
  const hash = protocolHash(protocol);
  await using windows = await openWindows({ ...protocol, hash }, ["classes"], options);
  const parts = windows.run({
    name: "classes",
    inputs: examples,
    total,
    compute: async (some) => {
      const texts = some.map(({ text }) => text);
      const answers = await classifier.classify(texts, { maxTokens });
      return some.map(({ labels: gold }, i): LabelRow => {
        const { label, labels, probabilities } = answers[i]!;
        return several
          ? { gold, found: labels, share: 0 }
          : { gold, found: [label], share: probabilities[gold[0]!] ?? 0 };
      });
    },
  });
  const rows: LabelRow[] = [];
  for await (const part of parts) rows.push(...part);
  const figures = several ? severalFigures(rows, classifier.labels) : singleFigures(rows);
  return { protocol, hash, examples: rows.length, figures };
}

/** @throws DataError for types of entities that the model does not know. */
function checkTypes(found: ReadonlySet<string>, known: ReadonlySet<string>): void {
  const unknown = [...found].filter((type) => !known.has(type));
  if (unknown.length === 0) return;
  const list = (types: Iterable<string>): string => [...types].map((type) => `"${type}"`).join(", ");
  throw new DataError(`ner: expected entities of the model's types ${list(known)}; got ${list(unknown)}`, {
    hint: 'tags are "B-TYPE"; a bare B has the type "_"',
  });
}

/**
 * Strict entity precision, recall and F1 over IOB2 tags, as seqeval counts. Read as `evaluateClassification` does.
 * @throws DataError for no sentences, or types of entities that the model does not know.
 */
export async function evaluateNer(
  tagger: Tagger,
  sentences: Inputs<{ readonly tokens: readonly string[]; readonly tags: readonly string[] }>,
  options: WindowOptions = {},
): Promise<LabelReport> {
  const { add, digest } = textsHasher();
  const gold: (readonly string[])[] = [];
  for await (const { tokens, tags } of sentences) {
    add(...tokens, ...tags);
    gold.push(tags);
  }
  if (gold.length === 0) throw new DataError("ner: expected sentences, got none");
  checkTypes(new Set(typesOf(gold.flat())), new Set(typesOf(tagger.labels)));
  const protocol = { task: "ner", version: 1, scheme: "IOB2, strict, as seqeval", data: digest() };
  const hash = protocolHash(protocol);
  await using windows = await openWindows({ ...protocol, hash }, ["tags"], options);
  const parts = windows.run({
    name: "tags",
    inputs: sentences,
    total: gold.length,
    compute: (some) => tagger.tag(some.map(({ tokens }) => tokens)),
  });
  const found: (readonly string[])[] = [];
  for await (const part of parts) found.push(...part);
  const { micro, macro, sentences: counts } = entityScores(gold, found);
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
  return {
    protocol,
    hash,
    examples: gold.length,
    figures: {
      precision: { value: micro.precision },
      recall: { value: micro.recall },
      f1: { value: micro.f1, interval },
      macro_f1: { value: macro.f1 },
    },
  };
}
