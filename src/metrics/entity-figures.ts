/** Figures of named entities as they are answered: one counts when its type and both ends are right; documents are resampled. */
import { type Counts, countSets, mean, microF1, scores, sumCounts } from "./counts.ts";
import { grouped } from "./groups.ts";
import { detail, type EvaluateOptions, type Figure, figure } from "./report.ts";

export interface KeyedEntity {
  readonly type: string;
  /** Equal for entities at the same place. */
  readonly key: string;
}

/** Part of a document, such as a sentence. */
export interface EntityPart {
  readonly document: string;
  readonly gold: readonly KeyedEntity[];
  readonly answered: readonly KeyedEntity[];
}

/** Counts of a part over the types that are wanted. */
export function entityCounts({ gold, answered }: EntityPart, wanted: (type: string) => boolean = () => true): Counts {
  const keys = (all: readonly KeyedEntity[]): string[] =>
    all.filter(({ type }) => wanted(type)).map(({ type, key }) => `${key} ${type}`);
  return countSets(keys(answered), keys(gold));
}

/** Micro F1 with precision and recall; where there are several `types`, the mean of theirs, and each. */
export function entityFigures(
  parts: readonly EntityPart[],
  types: readonly string[],
  options: EvaluateOptions = {},
): Figure[] {
  const counts = parts.map((part) => entityCounts(part));
  const documents = parts.map(({ document }) => document);
  const units = grouped(counts, documents).map(sumCounts);
  const total = scores(sumCounts(units));
  const sound = (name: string, label: string, value: number): Figure => ({ name, label, value, kind: "sound" });
  const figures = [
    figure({ name: "f1", label: "entity F1, type and both ends right", kind: "sound" }, units, microF1, options),
    sound("precision", "precision of f1", total.precision),
    sound("recall", "recall of f1", total.recall),
  ];
  if (types.length < 2) return figures;
  const ofTypes = types.map((type) => microF1(parts.map((part) => entityCounts(part, (one) => one === type))));
  return [
    ...figures,
    sound("macro_f1", `mean F1 of ${types.length} types`, mean(ofTypes)),
    ...types.map((type, i) => detail(`f1_${type}`, `F1 of ${type}`, ofTypes[i]!)),
  ];
}
