/** Names that a user's task lists, in the user's examples. */
import { DataError } from "../errors.ts";

/** @throws DataError for a name that is not among those known. */
export function checkNames(found: Iterable<string>, known: readonly string[], where: string): void {
  for (const one of found) {
    if (known.includes(one)) continue;
    throw new DataError(`${where}: expected one of ${known.join(", ")}, got "${one}"`, {
      hint: "add it to the task's JSON file, or correct the example",
    });
  }
}
