/** Reports of classifiers and taggers on labelled data: figures with bootstrap intervals, and the protocol's hash. */
import { DataError } from "../errors.ts";
import { checkLabels, type Labelled, type LabelledTexts } from "../tasks/labelled.ts";
import type { Classified, Classifier, Tagger } from "./labels.ts";
import { bootstrap, type Interval } from "./metrics/bootstrap.ts";
import { accuracy, macroF1, majority } from "./metrics/classification.ts";
import { mean } from "./metrics/counts.ts";
import { entityScores, typesOf } from "./metrics/entities.ts";
import { multiLabelFigures } from "./metrics/labels.ts";
import { protocolHash, textsHash } from "./protocol.ts";

export interface LabelReport {
  readonly protocol: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly examples: number;
  readonly figures: Readonly<Record<string, { readonly value: number; readonly interval?: Interval }>>;
}

const resampling = { seed: 1, resamples: 400 } as const;

/** Accuracy, which is single-label micro F1 too, macro F1, cross-entropy, and the largest class's share. */
function singleFigures(examples: readonly Labelled[], answers: readonly Classified[]): LabelReport["figures"] {
  const rows = examples.map(({ labels }, i) => ({ gold: labels[0]!, found: answers[i]! }));
  type Rows = readonly (typeof rows)[number][];
  const gold = (some: Rows): string[] => some.map((row) => row.gold);
  const found = (some: Rows): string[] => some.map((row) => row.found.label);
  const loss = (some: Rows): number =>
    mean(some.map((row) => -Math.log(Math.max(1e-30, row.found.probabilities[row.gold]!))));
  const commonest = majority(gold(rows))!;
  const figures = {
    accuracy: (some: Rows): number => accuracy(gold(some), found(some)),
    macro_f1: (some: Rows): number => macroF1(gold(some), found(some)),
    loss,
    majority: (some: Rows): number => mean(some.map((row) => Number(row.gold === commonest))),
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, statistic]) => [
      name,
      { value: statistic(rows), interval: bootstrap(rows, statistic, resampling) },
    ]),
  );
}

/**
 * Of a classifier on texts with one label each: accuracy, macro F1, loss; with several: micro and macro F1 over the
 * model's labels, and how many label sets are right.
 * @throws DataError for labels that the model does not know, or of the other kind.
 */
export async function evaluateClassification(
  classifier: Classifier,
  { several, examples }: LabelledTexts,
  { maxTokens, where = "classification" }: { maxTokens?: number | undefined; where?: string } = {},
): Promise<LabelReport> {
  if (several !== classifier.several) {
    const kinds = classifier.several ? ['"labels"', '"label"'] : ['"label"', '"labels"'];
    throw new DataError(`${where}: expected texts with ${kinds[0]}, as the model was trained on, got ${kinds[1]}`);
  }
  checkLabels(examples, classifier.labels, where);
  const answers = await classifier.classify(
    examples.map(({ text }) => text),
    { maxTokens },
  );
  const protocol = {
    task: several ? "multi-label classification" : "classification",
    version: 1,
    maxTokens: maxTokens ?? null,
    data: textsHash(examples.flatMap(({ text, labels }) => [text, ...labels])),
  };
  const figures = several
    ? multiLabelFigures(
        examples.map(({ labels }) => labels),
        answers.map(({ labels }) => labels),
        { classes: classifier.labels, bootstrap: resampling },
      )
    : undefined;
  return {
    protocol,
    hash: protocolHash(protocol),
    examples: examples.length,
    figures:
      figures === undefined
        ? singleFigures(examples, answers)
        : Object.fromEntries(
            figures.map(({ name, value, interval }) => [name, { value, ...(interval && { interval }) }]),
          ),
  };
}

/**
 * Strict entity precision, recall and F1 over IOB2 tags, as seqeval counts.
 * @throws DataError for types of entities that the model does not know.
 */
export async function evaluateNer(
  tagger: Tagger,
  sentences: readonly { readonly tokens: readonly string[]; readonly tags: readonly string[] }[],
): Promise<LabelReport> {
  if (sentences.length === 0) throw new DataError("ner: expected sentences, got none");
  const known = typesOf(tagger.labels);
  const unknown = [...typesOf(sentences.flatMap(({ tags }) => tags))].filter((type) => !known.has(type));
  if (unknown.length > 0) {
    const list = (types: Iterable<string>): string => [...types].map((type) => `"${type}"`).join(", ");
    throw new DataError(`ner: expected entities of the model's types ${list(known)}; got ${list(unknown)}`, {
      hint: 'tags are "B-TYPE"; a bare B has the type "_"',
    });
  }
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
