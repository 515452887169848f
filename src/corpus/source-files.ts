/**
 * The files that inputs name: single ones, and folders of them. Symbolic links inside folders are not followed: what
 * they point to inside the folder is found by its own name, and what lies outside must be named as an input.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { DataError } from "../errors.ts";

export interface SourceFile {
  readonly path: string;
  /** Path inside the input folder with forward slashes, or the file's name: the same on every machine. */
  readonly name: string;
  /** Size on disk. */
  readonly bytes: number;
}

function order(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

async function walk(folder: string, root: string, accept: (name: string) => boolean): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted(order)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await walk(path, root, accept)));
    else if (entry.isFile() && accept(entry.name.toLowerCase())) {
      const name = relative(root, path).split(sep).join("/");
      files.push({ path, name, bytes: (await stat(path)).size });
    }
  }
  return files;
}

/**
 * The files that `inputs` name, in the order given, folders recursively in order of their names.
 * `accept` sees a file's name in lower case; files named directly are taken whatever their name.
 * @throws DataError where an input does not exist or a folder holds no such file.
 */
export async function listSources(
  inputs: readonly string[],
  accept: (name: string) => boolean,
  expected: string,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const input of inputs) {
    const found = await stat(input).catch((cause: unknown) => {
      throw new DataError(`${input}: expected a file or folder, got nothing that can be read`, { cause });
    });
    if (found.isDirectory()) {
      const inside = await walk(input, input, accept);
      if (inside.length === 0) throw new DataError(`${input}: expected ${expected} in the folder, got none`);
      files.push(...inside);
    } else files.push({ path: input, name: basename(input), bytes: found.size });
  }
  if (files.length === 0) throw new DataError(`inputs: expected ${expected}, got an empty list`);
  return files;
}
