/**
 * Folders that were named at the command line, as a table from names to paths. What a request names is looked up in the
 * table, and never becomes part of a path.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { DataError } from "../../errors.ts";

/**
 * Folders that hold the file `mark`: those given, and of those without it the ones directly in them. A name that is
 * taken gets a number.
 */
export async function folderTable(given: readonly string[], mark: string): Promise<ReadonlyMap<string, string>> {
  const table = new Map<string, string>();
  const add = (folder: string): void => {
    const name = basename(resolve(folder));
    let free = name;
    for (let i = 2; table.has(free); i++) free = `${name} (${i})`;
    table.set(free, folder);
  };
  for (const folder of given) {
    if (existsSync(join(folder, mark))) {
      add(folder);
      continue;
    }
    const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      throw new DataError(`${folder}: expected a folder that can be read, got ${(cause as Error).message}`, { cause });
    });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    for (const name of names.sort()) if (existsSync(join(folder, name, mark))) add(join(folder, name));
  }
  return table;
}
