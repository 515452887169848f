/** Rows that are drawn together: those of one document. */
import type { EvaluateOptions } from "./report.ts";

export interface DocumentOptions extends EvaluateOptions {
  /** Document of each example, where one document gave several: documents are then what the bootstrap draws. */
  readonly documents?: readonly string[] | undefined;
}

/** The rows of each document, documents as they come; without documents each row by itself. */
export function grouped<T>(rows: readonly T[], documents: readonly string[] | undefined): T[][] {
  if (documents === undefined) return rows.map((row) => [row]);
  const groups = new Map<string, T[]>();
  for (const [i, row] of rows.entries()) {
    const group = groups.get(documents[i]!);
    if (group === undefined) groups.set(documents[i]!, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
