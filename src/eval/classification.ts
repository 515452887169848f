/** A classifier on labelled texts: accuracy, F1 and loss, or the F1 and exactness of label sets. */
import { DataError } from "../errors.ts";
import type { Classifier } from "../labellers.ts";
import { accuracy, macroF1, majority } from "../metrics/classification.ts";
import { mean } from "../metrics/counts.ts";
import { multiLabelFigures } from "../metrics/labels.ts";
import { detail, type Figure, figure, type Report } from "../metrics/report.ts";
import { checkLabels, type Labelled } from "../tasks/labelled.ts";
import { textsHasher } from "./protocol.ts";
import { runEvaluation } from "./run.ts";
import type { Inputs, WindowOptions } from "./windows.ts";

const resampling = { bootstrap: { seed: 1, resamples: 400 } } as const;

/** What is kept of a text: its own labels and those found; of one label, also the probability of its own. */
interface Row {
  readonly gold: readonly string[];
  readonly found: readonly string[];
  readonly share: number;
  /** Absent where the whole text was read. */
  readonly cut?: true;
}

function singleFigures(rows: readonly Row[]): Figure[] {
  const labels = (some: readonly Row[], of: "gold" | "found"): string[] => some.map((row) => row[of][0]!);
  const commonest = majority(labels(rows, "gold"))!;
  const over = (about: Omit<Parameters<typeof figure>[0], "kind">, statistic: (some: readonly Row[]) => number) =>
    figure({ kind: "sound", ...about }, rows, statistic, resampling);
  return [
    over({ name: "accuracy", label: "accuracy, which is micro-F1 too" }, (some) =>
      accuracy(labels(some, "gold"), labels(some, "found")),
    ),
    over({ name: "macro_f1", label: "macro-F1 over every label in gold or prediction" }, (some) =>
      macroF1(labels(some, "gold"), labels(some, "found")),
    ),
    over({ name: "loss", label: "cross-entropy of a text, in nats", unit: "number" }, (some) =>
      mean(some.map(({ share }) => -Math.log(Math.max(1e-30, share)))),
    ),
    figure(
      { name: "majority", label: `accuracy of always answering "${commonest}"`, kind: "baseline" },
      rows,
      (some) => mean(some.map(({ gold }) => Number(gold[0] === commonest))),
      resampling,
    ),
  ];
}

export interface ClassificationOptions extends WindowOptions {
  /** Texts are cut to this; default: the model's length. */
  readonly maxTokens?: number | undefined;
  /** Name of the data, for errors. */
  readonly where?: string;
}

/**
 * Figures of a classifier on texts with one label each or, where the model has learned so, any number. Examples are read
 * twice, once for the protocol's fingerprint, and held window by window.
 * @throws DataError for labels that the model does not know.
 */
export async function evaluateClassification(
  classifier: Classifier,
  examples: Inputs<Labelled>,
  { maxTokens, where = "classification", ...options }: ClassificationOptions = {},
): Promise<Report> {
  const { multiLabel, labels: classes } = classifier;
  const { add, digest } = textsHasher();
  let total = 0;
  for await (const example of examples) {
    total += 1;
    checkLabels(example, classes, `${where}: text ${total}`);
    add(example.text, ...example.labels);
  }
  if (total === 0) throw new DataError(`${where}: expected texts with labels, got none`);
  const task = multiLabel ? "multi-label classification" : "classification";
  const protocol = { task, version: 1, maxTokens: maxTokens ?? null, data: digest() };
  return runEvaluation(protocol, classifier, ["classes"], options, async (windows) => {
    const parts = windows.run({
      name: "classes",
      inputs: examples,
      total,
      compute: async (some) => {
        const texts = some.map(({ text }) => text);
        const answers = await classifier.classify(texts, { maxTokens });
        return some.map(({ labels: gold }, i): Row => {
          const { labels: found, probabilities, cut } = answers[i]!;
          return { gold, found, share: multiLabel ? 0 : (probabilities[gold[0]!] ?? 0), ...(cut && { cut }) };
        });
      },
    });
    const rows: Row[] = [];
    for await (const part of parts) rows.push(...part);
    const unread = rows.filter(({ cut }) => cut).length;
    const cut = unread === 0 ? [] : [detail("cut_texts", "texts longer than what was read of them", unread, "count")];
    if (!multiLabel) return { examples: total, primary: "accuracy", figures: [...singleFigures(rows), ...cut] };
    const [gold, found] = [rows.map((row) => row.gold), rows.map((row) => row.found)];
    const figures = multiLabelFigures(gold, found, { classes, ...resampling });
    return { examples: total, primary: "micro_f1", figures: [...figures, ...cut] };
  });
}
