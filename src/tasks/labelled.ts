/** Texts with classes as JSON lines: `{"text", "label"}`, or `{"text", "labels": [...]}` where a text may have several. */
import { z } from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines } from "./files.ts";

export interface Labelled {
  readonly text: string;
  /** Exactly one where the texts have one each. */
  readonly labels: readonly string[];
}

export interface LabelledTexts {
  /** A text may have any number of labels. */
  readonly several: boolean;
  readonly examples: readonly Labelled[];
}

const line = z
  .object({ text: z.string(), label: z.string().optional(), labels: z.array(z.string()).optional() })
  .refine(({ label, labels }) => (label === undefined) !== (labels === undefined), 'expected "label" or "labels"');

/** @throws DataError for no lines, lines that do not fit, or some with "label" and some with "labels". */
export async function readLabelled(path: string): Promise<LabelledTexts> {
  const lines = await readJsonLines(path, line);
  const [first] = lines;
  if (first === undefined) throw new DataError(`${path}: expected texts with labels, got none`);
  const several = first.labels !== undefined;
  const other = lines.findIndex(({ labels }) => (labels !== undefined) !== several);
  if (other >= 0) {
    const [wanted, got] = several ? ['"labels"', '"label"'] : ['"label"', '"labels"'];
    throw new DataError(`${path}: text ${other + 1}: expected ${wanted} as the first text has, got ${got}`);
  }
  return { several, examples: lines.map(({ text, label, labels }) => ({ text, labels: labels ?? [label!] })) };
}

/** @throws DataError for a label that is not among those known. */
export function checkLabels(examples: readonly Labelled[], known: readonly string[], where: string): void {
  examples.forEach(({ labels }, i) => {
    const unknown = labels.find((label) => !known.includes(label));
    if (unknown === undefined) return;
    throw new DataError(`${where}: text ${i + 1}: expected labels among ${known.join(", ")}; got "${unknown}"`, {
      hint: "the model learns the labels of its training data, and no others",
    });
  });
}
