/**
 * Folders that were named at the command line, as a table from names to paths. What a request names is looked up in the
 * table, and never becomes part of a path.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { DataError } from "../../errors.ts";

/** Folders that hold a file of these names, by their names: the one given, or else those that lie in it. */
export async function folderTable(
  given: string | undefined,
  ...marks: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const table = new Map<string, string>();
  const add = (folder: string): void => void table.set(basename(resolve(folder)), folder);
  if (given === undefined) return table;
  const isOne = (folder: string): boolean => marks.some((mark) => existsSync(join(folder, mark)));
  if (isOne(given)) add(given);
  else {
    const entries = await readdir(given, { withFileTypes: true }).catch((cause: unknown) => {
      throw new DataError(`${given}: expected a folder that can be read, got ${(cause as Error).message}`, { cause });
    });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    for (const name of names.sort()) if (isOne(join(given, name))) add(join(given, name));
  }
  return table;
}
