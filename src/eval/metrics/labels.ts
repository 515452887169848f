/**
 * Figures of document classification. Hallmarks of Cancer as BioGPT scored it (examples/DC-HoC): micro-F1 over eleven
 * classes, of which one is "empty", and labels that are not a class are ignored; always answering "empty" scores 67.90
 * on its test file, so micro-F1 without that class stands beside it.
 */
import { accuracy, classCounts, majority, subsetAccuracy } from "./classification.ts";
import { mean, microF1, scores, sumCounts, type Counts } from "./counts.ts";
import { figure, type EvaluateOptions, type Figure } from "./report.ts";

type LabelSets = readonly (readonly string[])[];

export interface MultiLabelOptions extends EvaluateOptions {
  readonly classes: readonly string[];
  /** A class that stands for "no label": micro-F1 is also given without it. */
  readonly none?: string;
  /** Document of each example, where one document gave several: documents are then what the bootstrap draws. */
  readonly documents?: readonly string[];
}

/** Counts of each example over `classes`, those of one document as one unit. */
function unitsOf(gold: LabelSets, predicted: LabelSets, options: MultiLabelOptions): Map<string, Counts>[] {
  const groups = new Map<string, number[]>();
  for (const i of gold.keys()) {
    const document = options.documents?.[i] ?? `${i}`;
    const group = groups.get(document);
    if (group === undefined) groups.set(document, [i]);
    else group.push(i);
  }
  const pick = (sets: LabelSets, indices: number[]): LabelSets => indices.map((i) => sets[i] ?? []);
  return [...groups.values()].map((group) => classCounts(pick(gold, group), pick(predicted, group), options.classes));
}

/** Micro-F1 with and without the class for "none", macro-F1, exact label sets, and what a constant answer scores. */
export function multiLabelFigures(gold: LabelSets, predicted: LabelSets, options: MultiLabelOptions): Figure[] {
  const { classes, none } = options;
  const named = classes.filter((name) => name !== none);
  const units = unitsOf(gold, predicted, options);
  const micro = (over: readonly string[], sample: readonly Map<string, Counts>[]): number =>
    microF1(sample.flatMap((unit) => over.map((name) => unit.get(name) as Counts)));
  const macro = (over: readonly string[], sample: readonly Map<string, Counts>[]): number =>
    mean(over.map((name) => microF1(sample.map((unit) => unit.get(name) as Counts))));
  const common = majority(gold.flat()) ?? "";
  const constant = unitsOf(
    gold,
    gold.map(() => [common]),
    options,
  );
  const without = none === undefined ? "" : `, without "${none}"`;
  const total = scores(sumCounts(units.flatMap((unit) => named.map((name) => unit.get(name) as Counts))));
  const figures: Figure[] = [
    figure(
      { name: "micro_f1", label: `micro-F1 over ${classes.length} classes`, kind: "published" },
      units,
      (sample) => micro(classes, sample),
      options,
    ),
    figure(
      { name: "macro_f1", label: `macro-F1 over ${named.length} classes${without}`, kind: "sound" },
      units,
      (sample) => macro(named, sample),
      options,
    ),
    {
      name: "subset_accuracy",
      label: "examples whose label set is exactly right",
      kind: "sound",
      value: subsetAccuracy(gold, predicted),
    },
    {
      name: "majority_micro_f1",
      label: `micro-F1 of always answering "${common}"`,
      kind: "baseline",
      value: micro(classes, constant),
    },
  ];
  if (none === undefined) return figures;
  const label = `micro-F1 over ${named.length} classes${without}`;
  const detail = (name: string, value: number): Figure => ({
    name,
    label: `${name} of: ${label}`,
    kind: "detail",
    value,
  });
  return [
    ...figures,
    figure({ name: "micro_f1_without_none", label, kind: "sound" }, units, (sample) => micro(named, sample), options),
    detail("precision_without_none", total.precision),
    detail("recall_without_none", total.recall),
  ];
}

/** Accuracy, macro-F1 over every label seen (sklearn's), and the accuracy of the commonest true label. */
export function singleLabelFigures(
  gold: readonly string[],
  predicted: readonly string[],
  options: EvaluateOptions = {},
): Figure[] {
  const classes = [...new Set([...gold, ...predicted])].sort();
  const units = gold.map((label, i) => ({ label, guess: predicted[i] ?? "" }));
  const common = majority(gold) ?? "";
  const macro = (sample: typeof units): number => {
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
      (sample) => mean(sample.map(({ label, guess }) => (label === guess ? 1 : 0))),
      options,
    ),
    figure(
      { name: "macro_f1", label: "macro-F1 over every label in gold or prediction", kind: "published" },
      units,
      (sample) => macro([...sample]),
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
