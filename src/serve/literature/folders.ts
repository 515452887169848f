/**
 * Folders that were named at the command line, as a table from names to paths. What a request names is looked up in the
 * table, and never becomes part of a path.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { DataError } from "../../errors.ts";

/** Folders that hold the file `mark`, by their names: the one given, or else those that lie in it. */
export async function folderTable(given: string | undefined, mark: string): Promise<ReadonlyMap<string, string>> {
  const table = new Map<string, string>();
  const add = (folder: string): void => void table.set(basename(resolve(folder)), folder);
  if (given === undefined) return table;
  if (existsSync(join(given, mark))) add(given);
  else {
    const entries = await readdir(given, { withFileTypes: true }).catch((cause: unknown) => {
      throw new DataError(`${given}: expected a folder that can be read, got ${(cause as Error).message}`, { cause });
    });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    for (const name of names.sort()) if (existsSync(join(given, name, mark))) add(join(given, name));
  }
  return table;
}
