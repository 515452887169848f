/** A run's triples deduplicated and counted over documents, as CSV and TSV. */
import { join } from "node:path";
import { type Cell, cellText, csvOf } from "../io/cells.ts";
import { writeFileAtomically } from "../io/files.ts";
import { streamOwnLines } from "../io/json.ts";
import type { Triple } from "./extract.ts";
import { required } from "../schema.ts";

/** One relation, whatever documents state it. */
export interface CountedRelation {
  readonly head: string;
  readonly relation: string;
  readonly tail: string;
  /** Distinct documents. */
  readonly documents: number;
  /** Of these, those where both names stand in the text. */
  readonly grounded: number;
  /** The best of its triples. */
  readonly score: number;
  /** The first few documents. */
  readonly examples: readonly string[];
}

const mostExamples = 5;

/** Most documents first; names that differ in case are one. */
export async function countRelations(triples: AsyncIterable<Triple> | Iterable<Triple>): Promise<CountedRelation[]> {
  const found = new Map<string, CountedRelation>();
  const lastDocument = new Map<string, string>();
  for await (const { head, tail, relation, document, score } of triples) {
    const key = JSON.stringify([head.name.toLowerCase(), relation.toLowerCase(), tail.name.toLowerCase()]);
    const known = found.get(key);
    const grounded = Number(head.at !== null && tail.at !== null);
    if (known === undefined) {
      const first = { head: head.name, relation, tail: tail.name, documents: 1, grounded, score };
      found.set(key, { ...first, examples: [document] });
      lastDocument.set(key, document);
      continue;
    }
    // A document's triples stand together and differ, but names in another case may repeat.
    const again = lastDocument.get(key) === document;
    lastDocument.set(key, document);
    found.set(key, {
      ...known,
      documents: known.documents + (again ? 0 : 1),
      grounded: known.grounded + (again ? 0 : grounded),
      score: Math.max(known.score, score),
      examples: again || known.examples.length === mostExamples ? known.examples : [...known.examples, document],
    });
  }
  return [...found.values()].sort((a, b) => b.documents - a.documents || b.grounded - a.grounded || b.score - a.score);
}

const columns = ["head", "relation", "tail", "documents", "grounded", "score", "examples"] as const;

const rowsOf = (relations: readonly CountedRelation[]): Cell[][] => [
  [...columns],
  ...relations.map((one) => columns.map((name) => (name === "examples" ? one.examples.join(" ") : one[name]))),
];

/** RFC 4180, without formulas. */
export const toCsv = (relations: readonly CountedRelation[]): string => csvOf(rowsOf(relations));

/** Tabs and line ends within cells become spaces; no formulas. */
export function toTsv(relations: readonly CountedRelation[]): string {
  const plain = (cell: Cell): string => cellText(cell).replace(/[\t\r\n]+/g, " ");
  return rowsOf(relations)
    .map((row) => `${row.map(plain).join("\t")}\n`)
    .join("");
}

/** Writes relations.csv and relations.tsv beside the run's triples.jsonl. */
export async function writeRelations(folder: string): Promise<CountedRelation[]> {
  required("writeRelations: folder", folder, "text");
  const relations = await countRelations(streamOwnLines<Triple>(join(folder, "triples.jsonl")));
  await writeFileAtomically(join(folder, "relations.csv"), toCsv(relations));
  await writeFileAtomically(join(folder, "relations.tsv"), toTsv(relations));
  return relations;
}
