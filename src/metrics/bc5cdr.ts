/**
 * The official BioCreative V CDR relation score (Wei et al. 2016; evaluation kit 0.0.3, `Evaluate relation CID`):
 * micro precision, recall and F1 over the set of (document, chemical, disease). Identifiers without a namespace are
 * MeSH's; `-1` ("no identifier") still counts as a false positive; documents that gold lacks are dropped.
 */
import { countSets, sumCounts, type Counts } from "./counts.ts";

export interface IdentifiedRelation {
  readonly chemical: string;
  readonly disease: string;
}

/** Document id → its chemical-disease pairs. */
export type RelationsByDocument = ReadonlyMap<string, readonly IdentifiedRelation[]>;

const namespaced = (id: string): string => (id.includes(":") || id === "-1" ? id : `MESH:${id}`);
const key = ({ chemical, disease }: IdentifiedRelation): string => `${namespaced(chemical)} ${namespaced(disease)}`;

/** Counts of every gold document, in gold's order; the total is `sumCounts` of them. */
export function bc5cdrDocumentCounts(gold: RelationsByDocument, predicted: RelationsByDocument): Counts[] {
  return [...gold].map(([id, relations]) => countSets((predicted.get(id) ?? []).map(key), relations.map(key)));
}

/** TP, FP, FN of the official scorer. */
export function bc5cdrCounts(gold: RelationsByDocument, predicted: RelationsByDocument): Counts {
  return sumCounts(bc5cdrDocumentCounts(gold, predicted));
}
