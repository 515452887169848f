/**
 * Hard-match scoring of (head, tail, relation) triples, as BioGPT's evaluation of KD-DTI and DDI (microsoft/BioGPT
 * 648f7d6, examples/RE-DTI) computes every figure it prints, with its quirks: what it prints as "tp micro f1", the
 * number in the paper, is the mean of per-document F1, and each metric takes the better of two views of every string
 * (before and inside a final parenthesis). True micro-F1 is computed beside them. Lo characters that are numerals
 * (Han digits) are not taken for digits, as Python's isnumeric would.
 */
import { countSets, harmonic, mean, microF1, scores, sumCounts, type Counts } from "./counts.ts";
import { detail, type EvaluateOptions, type Figure, figure } from "./report.ts";

export interface Relation {
  readonly head: string;
  readonly tail: string;
  readonly relation: string;
}

export interface RelationDocument {
  readonly gold: readonly Relation[];
  readonly predicted: readonly Relation[];
}

/** Triples as arrays of strings; single names as arrays of length one. */
type Item = readonly string[];

const roman: Readonly<Record<string, string>> = {
  1: "I",
  2: "II",
  3: "III",
  4: "IV",
  5: "V",
  6: "VI",
  7: "VII",
  8: "VIII",
  9: "IX",
};

/** A last single digit becomes a Roman numeral, "-type" goes, then everything but ASCII letters and digits. */
export function normalizeName(name: string): string {
  const characters = [...name.trim()];
  const last = characters.at(-1) ?? "";
  if (characters.length > 2 && roman[last] !== undefined && !/\p{N}/u.test(characters.at(-2) ?? "")) {
    characters.splice(-1, 1, roman[last]);
  }
  return characters
    .join("")
    .replaceAll("-type", "")
    .replace(/[^a-zA-Z0-9]+/g, "");
}

const hasAbbreviation = (name: string): boolean => name.includes("(") && name.endsWith(")");

/** "janus kinase 3 (jak-3)" → "januskinaseIII". */
export function bodyOf(name: string): string {
  const text = name.trim();
  return normalizeName(hasAbbreviation(text) ? text.slice(0, text.lastIndexOf("(")) : text);
}

/** "janus kinase 3 (jak-3)" → "jakIII". */
export function abbreviationOf(name: string): string {
  const text = name.trim();
  return normalizeName(hasAbbreviation(text) ? text.slice(text.lastIndexOf("(") + 1, -1) : text);
}

const views = [abbreviationOf, bodyOf];
const keys = (items: readonly Item[], view: (name: string) => string): string[] =>
  items.map((item) => item.map(view).join("\n"));

type Metric = (counts: Counts) => number;
// An empty side scores 1 only against another empty side.
const precision: Metric = ({ tp, fp, fn }) => (tp + fp === 0 ? Number(fn === 0) : tp / (tp + fp));
const recall: Metric = ({ tp, fp, fn }) => (tp + fn === 0 ? Number(fp === 0) : tp / (tp + fn));
const overlap: Metric = ({ tp, fp, fn }) => (tp + fn === 0 ? Number(fp === 0) : tp / (tp + fp + fn));

const best = (metric: Metric, predicted: readonly Item[], gold: readonly Item[]): number =>
  Math.max(...views.map((view) => metric(countSets(keys(predicted, view), keys(gold, view)))));

/** Distinct triples, stripped, lower-cased and without spaces. */
function triplesOf(relations: readonly Relation[]): Item[] {
  const clean = (text: string): string => text.trim().toLowerCase().replaceAll(" ", "");
  const items = relations.map(({ head, tail, relation }) => [clean(head), clean(tail), clean(relation)]);
  return [...new Map(items.map((item) => [item.join("\n"), item])).values()];
}

const column = (items: readonly Item[], index: number): Item[] => items.map((item) => [item[index] ?? ""]);

interface Scored {
  readonly gold: Item[];
  readonly predicted: Item[];
  /** Overlap of heads, tails, relations. */
  readonly parts: number[];
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly exact: Counts;
  /** Counts in each of the two views. */
  readonly viewed: Counts[];
}

function scoreDocument(document: RelationDocument): Scored {
  const gold = triplesOf(document.gold);
  const predicted = triplesOf(document.predicted[0]?.head === "failed" ? [] : document.predicted);
  const [p, r] = [best(precision, predicted, gold), best(recall, predicted, gold)];
  return {
    gold,
    predicted,
    parts: [0, 1, 2].map((index) => best(overlap, column(predicted, index), column(gold, index))),
    precision: p,
    recall: r,
    f1: harmonic(p, r),
    exact: countSets(keys(predicted, String), keys(gold, String)),
    viewed: views.map((view) => countSets(keys(predicted, view), keys(gold, view))),
  };
}

/** Of each document the published F1, and the counts of triples that are equal but for case and spaces. */
export function hardMatchScores(
  documents: readonly RelationDocument[],
): { readonly f1: number; readonly exact: Counts }[] {
  return documents.map(scoreDocument).map(({ f1, exact }) => ({ f1, exact }));
}

/** Every figure of the published evaluation, then micro-F1 proper, with intervals where `options` ask for them. */
export function hardMatch(documents: readonly RelationDocument[], options: EvaluateOptions = {}): Figure[] {
  const units = documents.map(scoreDocument);
  const meanOf = (name: string, label: string, kind: Figure["kind"], field: (one: Scored) => number): Figure =>
    figure({ name, label, kind }, units, (sample) => mean(sample.map(field)), options);
  const micro = (sample: readonly Scored[]): number =>
    Math.max(...views.map((_, view) => microF1(sample.map((one) => one.viewed[view] as Counts))));
  const exact = sumCounts(units.map((one) => one.exact));
  const macroOf = (sample: readonly Scored[]): number =>
    harmonic(mean(sample.map((one) => one.precision)), mean(sample.map((one) => one.recall)));
  return [
    meanOf("mean_document_f1", 'mean of per-document F1 (published as "micro-F1")', "published", (one) => one.f1),
    meanOf("mean_precision", "mean of per-document precision", "published", (one) => one.precision),
    meanOf("mean_recall", "mean of per-document recall", "published", (one) => one.recall),
    figure(
      { name: "f1_of_means", label: 'F1 of mean precision and mean recall (printed as "macro f1")', kind: "published" },
      units,
      macroOf,
      options,
    ),
    ...["head", "tail", "relation"].map((part, i) =>
      meanOf(`${part}_accuracy`, `mean overlap of ${part} sets`, "published", (one) => one.parts[i] ?? 0),
    ),
    ...ontology(units),
    figure({ name: "micro_f1", label: "true micro-F1, published normalisation", kind: "sound" }, units, micro, options),
    figure(
      { name: "exact_micro_f1", label: "true micro-F1, names equal but for case and spaces", kind: "sound" },
      units,
      (sample) => microF1(sample.map((one) => one.exact)),
      options,
    ),
    detail("exact_micro_precision", "precision of exact_micro_f1", scores(exact).precision),
    detail("exact_micro_recall", "recall of exact_micro_f1", scores(exact).recall),
    detail("gold_triples", "distinct gold triples, document by document", exact.tp + exact.fn, "count"),
    detail("predicted_triples", "distinct predicted triples, document by document", exact.tp + exact.fp, "count"),
  ];
}

/** The same metrics on the corpus-wide sets of distinct triples and names. */
function ontology(units: readonly Scored[]): Figure[] {
  const gold = units.flatMap((one) => one.gold);
  const predicted = units.flatMap((one) => one.predicted);
  const published = (name: string, label: string, value: number): Figure => ({
    name: `ontology_${name}`,
    label: `${label}, corpus-wide sets`,
    value,
    kind: "published",
  });
  const p = best(precision, predicted, gold);
  const r = best(recall, predicted, gold);
  return [
    ...["head", "tail", "relation"].map((part, index) => {
      const [guess, truth] = [column(predicted, index), column(gold, index)];
      const f1 = harmonic(best(precision, guess, truth), best(recall, guess, truth));
      return published(`${part}_f1`, `F1 of distinct ${part}s`, f1);
    }),
    published("precision", "precision of distinct triples", p),
    published("recall", "recall of distinct triples", r),
    published("f1", "F1 of distinct triples", harmonic(p, r)),
  ];
}
