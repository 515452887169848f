/**
 * F1 of the classes that speak of something, where others ("none", "no") do not: right ones, false alarms and misses
 * summed over classes, as the shared tasks of relations and of inference count (sklearn's micro average over `labels`).
 */
import { mean, microF1, scores, sumCounts, type Counts } from "./counts.ts";
import { type DocumentOptions, grouped } from "./groups.ts";
import { checkAligned, detail, type Figure, figure } from "./report.ts";

/** What one example adds: a wrong class is a false alarm of the class answered and a miss of the right one. */
export function positiveCounts(gold: string, found: string, positives: readonly string[]): Counts {
  const [wanted, answered] = [positives.includes(gold), positives.includes(found)];
  const right = wanted && gold === found;
  return { tp: Number(right), fp: Number(answered && !right), fn: Number(wanted && !right) };
}

/** F1 over `positives` with precision and recall, accuracy over all classes, and each positive class's F1 where there are several. */
export function positiveFigures(
  gold: readonly string[],
  found: readonly string[],
  positives: readonly string[],
  { documents, ...options }: DocumentOptions = {},
): Figure[] {
  checkAligned(gold, found, "F1");
  const rows = gold.map((label, i) => ({ label, guess: found[i]! }));
  const countsOf = ({ label, guess }: (typeof rows)[number], of: readonly string[] = positives): Counts =>
    positiveCounts(label, guess, of);
  const units = grouped(rows, documents);
  const total = scores(sumCounts(rows.map((row) => countsOf(row))));
  const over = positives.length === 1 ? `of "${positives[0]}"` : `over ${positives.length} classes`;
  const f1 = (some: readonly (typeof rows)[]): number => microF1(some.flat().map((row) => countsOf(row)));
  const accuracy = (some: readonly (typeof rows)[]): number =>
    mean(some.flat().map(({ label, guess }) => Number(label === guess)));
  return [
    figure({ name: "f1", label: `F1 ${over}`, kind: "published" }, units, f1, options),
    { name: "precision", label: "precision of f1", kind: "published", value: total.precision },
    { name: "recall", label: "recall of f1", kind: "published", value: total.recall },
    figure({ name: "accuracy", label: "accuracy over all classes", kind: "sound" }, units, accuracy, options),
    ...(positives.length === 1
      ? []
      : positives.map((one) =>
          detail(`f1_${one}`, `F1 of "${one}"`, microF1(rows.map((row) => countsOf(row, [one])))),
        )),
  ];
}
