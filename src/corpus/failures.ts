/** What could not be read, in words. */
import { DataError } from "../errors.ts";
import type { ReadFailure } from "./pubmed/record.ts";

/** `a.jsonl:3: expected a JSON object, got "["`. */
export function describeFailure({ source, line, offset, message }: ReadFailure): string {
  const where = line !== null ? `:${line}` : offset !== null ? ` at byte ${offset}` : "";
  return `${source}${where}: ${message}`;
}

/** That nothing came of `inputs`, and why, as far as it is known. */
export function nothingRead(inputs: readonly string[], expected: string, first: ReadFailure | undefined): DataError {
  const named =
    inputs.length <= 3 ? inputs.join(", ") : `${inputs.slice(0, 3).join(", ")} and ${inputs.length - 3} more`;
  const got = first === undefined ? "none" : `none that can be read (${describeFailure(first)})`;
  return new DataError(`${named}: expected ${expected}, got ${got}`);
}
