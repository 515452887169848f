/**
 * Texts with classes as JSON lines: `{"text", "label"}`, or `{"text", "labels": [...]}` where a text may have any number;
 * or as a table with such columns, where labels are separated by bars.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import type { ColumnNames } from "../io/csv.ts";
import { streamJsonLines } from "../io/json.ts";

export interface Labelled {
  readonly text: string;
  /** Exactly one where the texts have one each. */
  readonly labels: readonly string[];
}

export interface LabelledTexts {
  /** A text may have any number of labels. */
  readonly multiLabel: boolean;
  readonly examples: readonly Labelled[];
}

const labelList = z.union([
  z.array(z.string()),
  // A cell of a table.
  z.string().transform((text) => (text.trim() === "" ? [] : text.split("|").map((label) => label.trim()))),
]);
const line = z
  .object({ text: z.string(), label: z.string().optional(), labels: labelList.optional() })
  .refine(({ label, labels }) => (label === undefined) !== (labels === undefined), 'expected "label" or "labels"');

const fieldOf = (multiLabel: boolean): string => (multiLabel ? '"labels"' : '"label"');

/** Texts with which of the two fields each has: all the same one, the first text's where none is asked for. */
async function* readLines(
  path: string,
  multiLabel: boolean | undefined,
  columns: ColumnNames | undefined,
): AsyncGenerator<Labelled & { readonly multiLabel: boolean }> {
  let number = 0;
  let wanted = multiLabel;
  for await (const { text, label, labels } of streamJsonLines(path, line, { columns })) {
    number += 1;
    const found = labels !== undefined;
    wanted ??= found;
    if (found !== wanted) {
      const as = multiLabel === undefined ? "as the first text has" : "as the model was trained on";
      throw new DataError(`${path}: text ${number}: expected ${fieldOf(wanted)} ${as}, got ${fieldOf(found)}`);
    }
    yield { text, labels: labels ?? [label!], multiLabel: found };
  }
}

/** Texts one by one, all with "labels" (`multiLabel`) or all with "label". @throws DataError for lines that do not fit. */
export function streamLabelled(path: string, multiLabel: boolean, columns?: ColumnNames): AsyncIterable<Labelled> {
  return readLines(path, multiLabel, columns);
}

/** All texts of a file. @throws DataError for no lines, lines that do not fit, or some with "label" and some not. */
export async function readLabelled(path: string, columns?: ColumnNames): Promise<LabelledTexts> {
  const examples: Labelled[] = [];
  let isMulti = false;
  for await (const { text, labels, multiLabel } of readLines(path, undefined, columns)) {
    examples.push({ text, labels });
    isMulti = multiLabel;
  }
  if (examples.length === 0) throw new DataError(`${path}: expected texts with labels, got none`);
  return { multiLabel: isMulti, examples };
}

/** @throws DataError for a label that is not among those known. */
export function checkLabels({ labels }: Labelled, known: readonly string[], where: string): void {
  const unknown = labels.find((label) => !known.includes(label));
  if (unknown === undefined) return;
  throw new DataError(`${where}: expected labels among ${known.join(", ")}; got "${unknown}"`, {
    hint: "the model learns the labels of its training data, and no others",
  });
}
