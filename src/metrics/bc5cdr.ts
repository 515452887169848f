/**
 * Scores of chemical-induced diseases. The official BioCreative V CDR relation score (Wei et al. 2016; evaluation kit
 * 0.0.3, `Evaluate relation CID`): micro precision, recall and F1 over the set of (document, chemical, disease).
 * Identifiers without a namespace are MeSH's; `-1` ("no identifier") still counts as a false positive; documents that
 * gold lacks are dropped. BioGPT generates names: they are mapped back through a lexicon pooled from the gold annotation
 * of every scored document, so that names come with their identifiers for free, and an ambiguous one keeps the last.
 */
import { type Counts, countSets, mean, microF1, scores, sumCounts } from "./counts.ts";
import type { Relation } from "./hard-match.ts";
import { detail, type EvaluateOptions, type Figure, figure } from "./report.ts";

export interface IdentifiedRelation {
  readonly chemical: string;
  readonly disease: string;
}

/** Document id → its chemical-disease pairs. */
export type RelationsByDocument = ReadonlyMap<string, readonly IdentifiedRelation[]>;

const namespaced = (id: string): string => (id.includes(":") || id === "-1" ? id : `MESH:${id}`);
const key = ({ chemical, disease }: IdentifiedRelation): string => `${namespaced(chemical)} ${namespaced(disease)}`;

/** Counts of every gold document, in gold's order; the total is `sumCounts` of them. */
function documentCounts(gold: RelationsByDocument, predicted: RelationsByDocument): Counts[] {
  return [...gold].map(([id, relations]) => countSets((predicted.get(id) ?? []).map(key), relations.map(key)));
}

/** TP, FP, FN of the official scorer. */
export function bc5cdrCounts(gold: RelationsByDocument, predicted: RelationsByDocument): Counts {
  return sumCounts(documentCounts(gold, predicted));
}

/** Lower-cased surface form → MeSH identifier. */
type Names = Readonly<Record<string, string>>;

export interface Lexicon {
  readonly chemicals: Names;
  readonly diseases: Names;
}

/** Union of the documents' names; a name with two identifiers keeps the last. */
export function pooledLexicon(lexicons: readonly Lexicon[]): Lexicon {
  const pool = (names: (one: Lexicon) => Names): Names =>
    Object.fromEntries(lexicons.flatMap((one) => Object.entries(names(one))));
  return { chemicals: pool((one) => one.chemicals), diseases: pool((one) => one.diseases) };
}

/** Identifiers of generated names; "-1" for a name that the lexicon lacks. */
export function linkNames(relations: readonly Relation[], lexicon: Lexicon): IdentifiedRelation[] {
  const look = (names: Names, name: string): string => (Object.hasOwn(names, name) ? (names[name] ?? "-1") : "-1");
  return relations.map(({ head, tail }) => ({
    chemical: look(lexicon.chemicals, head),
    disease: look(lexicon.diseases, tail),
  }));
}

/** A document with its annotation and the relations that were answered, by name. */
export interface NamedDocument {
  readonly id: string;
  readonly gold: Lexicon & { readonly relations: readonly IdentifiedRelation[] };
  readonly predicted: readonly Relation[];
}

/** Counts of every document, names linked by the lexicon that is pooled from all of them. */
export function chemicalDiseaseCounts(
  documents: readonly NamedDocument[],
  lexiconOf: (one: NamedDocument) => Lexicon = pooledFrom(documents),
): Counts[] {
  const gold = new Map(documents.map((one) => [one.id, one.gold.relations]));
  return documentCounts(gold, new Map(documents.map((one) => [one.id, linkNames(one.predicted, lexiconOf(one))])));
}

function pooledFrom(documents: readonly NamedDocument[]): () => Lexicon {
  const pooled = pooledLexicon(documents.map((one) => one.gold));
  return () => pooled;
}

/** The official score as BioGPT computes it; beside it, with names linked by the same document's annotation alone. */
export function chemicalDiseaseFigures(documents: readonly NamedDocument[], options: EvaluateOptions = {}): Figure[] {
  const counts = chemicalDiseaseCounts(documents);
  const own = chemicalDiseaseCounts(documents, (one) => one.gold);
  const total = sumCounts(counts);
  const published = "micro-F1 (official scorer), names linked by a lexicon pooled from gold";
  const linkedByOwn = "micro-F1, names linked only by the same document's annotation";
  return [
    figure({ name: "micro_f1", label: published, kind: "published" }, counts, microF1, options),
    detail("precision", "precision of micro_f1", scores(total).precision),
    detail("recall", "recall of micro_f1", scores(total).recall),
    detail("true_positives", "predicted relations that are true", total.tp, "count"),
    detail("false_positives", "predicted relations that are not", total.fp, "count"),
    detail("false_negatives", "true relations that were not predicted", total.fn, "count"),
    figure({ name: "own_lexicon_micro_f1", label: linkedByOwn, kind: "sound" }, own, microF1, options),
    figure(
      { name: "mean_document_f1", label: "mean of per-document F1", kind: "sound" },
      counts,
      (sample) => mean(sample.map((one) => scores(one).f1)),
      options,
    ),
  ];
}
