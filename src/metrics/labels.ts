/**
 * Figures of document classification. Hallmarks of Cancer as BioGPT scored it (examples/DC-HoC): micro-F1 over eleven
 * classes, of which one is "empty", and labels that are not a class are ignored; always answering "empty" scores 67.90
 * on its test file, so micro-F1 without that class stands beside it.
 */
import { accuracy, classCounts, majority, subsetAccuracy } from "./classification.ts";
import { mean, microF1, scores, sumCounts, type Counts } from "./counts.ts";
import { type DocumentOptions, grouped } from "./groups.ts";
import { figure, type Figure } from "./report.ts";

type LabelSets = readonly (readonly string[])[];

export interface MultiLabelOptions extends DocumentOptions {
  readonly classes: readonly string[];
  /** A class that stands for "no label": micro-F1 is also given without it. */
  readonly none?: string;
}

/** Counts of one document: over all classes, over those that are not "none", and of each of these that occurs. */
interface Unit {
  readonly all: Counts;
  readonly named: Counts;
  readonly perClass: readonly { readonly index: number; readonly counts: Counts }[];
}

function unitsOf(gold: LabelSets, predicted: LabelSets, options: MultiLabelOptions): Unit[] {
  const groups = grouped([...gold.keys()], options.documents);
  const pick = (sets: LabelSets, indices: number[]): LabelSets => indices.map((i) => sets[i] ?? []);
  return groups.map((group) => {
    const counted = classCounts(pick(gold, group), pick(predicted, group), options.classes);
    const all = sumCounts(counted.values());
    if (options.none !== undefined) counted.delete(options.none);
    const perClass = [...counted.values()]
      .map((counts, index) => ({ index, counts }))
      .filter(({ counts }) => counts.tp + counts.fp + counts.fn > 0);
    return { all, named: sumCounts(counted.values()), perClass };
  });
}

/** Mean over `size` classes of the F1 of each. */
function macroOf(units: readonly Unit[], size: number): number {
  const sums = Array.from({ length: size }, () => ({ tp: 0, fp: 0, fn: 0 }));
  for (const { perClass } of units) {
    for (const { index, counts } of perClass) {
      const sum = sums[index];
      if (sum === undefined) continue;
      sum.tp += counts.tp;
      sum.fp += counts.fp;
      sum.fn += counts.fn;
    }
  }
  return mean(sums.map((sum) => scores(sum).f1));
}

/** Counts of each example over all classes: what `micro_f1` is made of. */
export function labelCounts(gold: LabelSets, predicted: LabelSets, classes: readonly string[]): Counts[] {
  return gold.map((labels, i) => sumCounts(classCounts([labels], [predicted[i] ?? []], classes).values()));
}

/** Micro-F1 with and without the class for "none", macro-F1, exact label sets, and what a constant answer scores. */
export function multiLabelFigures(gold: LabelSets, predicted: LabelSets, options: MultiLabelOptions): Figure[] {
  const { classes, none } = options;
  const size = classes.filter((name) => name !== none).length;
  const units = unitsOf(gold, predicted, options);
  const microAll = (sample: readonly Unit[]): number => microF1(sample.map((unit) => unit.all));
  const microNamed = (sample: readonly Unit[]): number => microF1(sample.map((unit) => unit.named));
  const common = majority(gold.flat()) ?? "";
  const constant = gold.map(() => [common]);
  const over = `over ${size} classes${none === undefined ? "" : `, without "${none}"`}`;
  const interval = (
    name: string,
    label: string,
    kind: Figure["kind"],
    value: (sample: readonly Unit[]) => number,
  ): Figure => figure({ name, label, kind }, units, value, options);
  const plain = (name: string, label: string, kind: Figure["kind"], value: number): Figure => ({
    name,
    label,
    kind,
    value,
  });
  const figures = [
    interval("micro_f1", `micro-F1 over ${classes.length} classes`, "published", microAll),
    interval("macro_f1", `macro-F1 ${over}`, "sound", (sample) => macroOf(sample, size)),
    plain("subset_accuracy", "examples whose label set is exactly right", "sound", subsetAccuracy(gold, predicted)),
    plain(
      "majority_micro_f1",
      `micro-F1 of always answering "${common}"`,
      "baseline",
      microAll(unitsOf(gold, constant, options)),
    ),
  ];
  if (none === undefined) return figures;
  const total = scores(sumCounts(units.map((unit) => unit.named)));
  return [
    ...figures,
    interval("micro_f1_without_none", `micro-F1 ${over}`, "sound", microNamed),
    plain("precision_without_none", `precision ${over}`, "detail", total.precision),
    plain("recall_without_none", `recall ${over}`, "detail", total.recall),
  ];
}

/** Accuracy, macro-F1 over every label seen (sklearn's), and the accuracy of the commonest true label. */
export function singleLabelFigures(
  gold: readonly string[],
  predicted: readonly string[],
  { documents, ...options }: DocumentOptions = {},
): Figure[] {
  const classes = [...new Set([...gold, ...predicted])].sort();
  const rows = gold.map((label, i) => ({ label, guess: predicted[i] ?? "" }));
  const units = grouped(rows, documents);
  const common = majority(gold) ?? "";
  const macro = (sample: typeof rows): number => {
    const counts = new Map(classes.map((name) => [name, { tp: 0, fp: 0, fn: 0 }]));
    for (const { label, guess } of sample) {
      const [truth, found] = [counts.get(label), counts.get(guess)];
      if (label === guess && truth !== undefined) truth.tp++;
      else if (truth !== undefined && found !== undefined) [truth.fn, found.fp] = [truth.fn + 1, found.fp + 1];
    }
    return mean([...counts.values()].map((one) => scores(one).f1));
  };
  return [
    figure(
      { name: "accuracy", label: "accuracy, answers compared as strings", kind: "published" },
      units,
      (sample) => mean(sample.flat().map(({ label, guess }) => (label === guess ? 1 : 0))),
      options,
    ),
    figure(
      { name: "macro_f1", label: "macro-F1 over every label in gold or prediction", kind: "published" },
      units,
      (sample) => macro(sample.flat()),
      options,
    ),
    {
      name: "majority_accuracy",
      label: `accuracy of always answering "${common}"`,
      kind: "baseline",
      value: accuracy(
        gold,
        gold.map(() => common),
      ),
    },
  ];
}
