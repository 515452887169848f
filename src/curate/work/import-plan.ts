/** Which files are read together: runs of a source's files, each of which is one task, named by what is in them. */
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { type ListedFile, listSourceFiles } from "../../corpus/sources/open.ts";
import { DataError } from "../../errors.ts";
import { writeFileAtomically } from "../../io/files.ts";
import { fingerprintOf, pathFingerprint } from "../../io/fingerprint.ts";
import { readJson } from "../../io/json.ts";
import type { ImportArguments } from "./import-task.ts";
import type { CorpusPipeline, SourceEntry } from "../pipeline.ts";

/** Increased when readers give other documents for the same files. */
const readersVersion = 1;

/** Bytes on disk that one task reads, about; a larger file is one task. */
const taskBytes = 64 << 20;

export interface ImportJob extends ImportArguments {
  readonly bytes: number;
}

/** What a compressed file's bytes are worth. */
function weight({ path, bytes }: ListedFile): number {
  return /\.(?:gz|tgz|zst|zip)$/i.test(path) ? 5 * bytes : bytes;
}

/** What a pattern has and a path does not, where no file is called so. */
const patterned = /[*?[{]/;

/**
 * The paths that a source names, absolute; patterns become what they match, in order of names.
 * @throws DataError where a pattern matches nothing, or this Node has none.
 */
async function pathsOf(given: readonly string[], folder: string): Promise<string[]> {
  const all: string[] = [];
  for (const one of given) {
    const path = resolve(folder, one);
    if (!patterned.test(one) || existsSync(path)) {
      all.push(path);
      continue;
    }
    if (!("glob" in fs)) {
      throw new DataError(`${one}: expected Node 22 or later for a pattern, got ${process.versions.node}`, {
        hint: "name the files or their folder",
      });
    }
    const found: string[] = [];
    for await (const match of fs.glob(one, { cwd: folder })) found.push(resolve(folder, match));
    if (found.length === 0)
      throw new DataError(`${one}: expected files that the pattern matches, got none in ${folder}`);
    all.push(...found.sort());
  }
  return all;
}

interface Share {
  readonly output: string;
  readonly rank: number;
  readonly world: number;
}

/** @throws DataError where an input does not exist. */
export async function planImports(
  { sources, folder }: Pick<CorpusPipeline, "sources" | "folder">,
  share: Share,
): Promise<ImportJob[]> {
  const jobs: Omit<ImportJob, "name">[] = [];
  for (const [source, entry] of Object.entries(sources)) {
    let run: ListedFile[] = [];
    let bytes = 0;
    const cut = (): void => {
      if (run.length > 0) jobs.push({ source, files: run, bytes });
      [run, bytes] = [[], 0];
    };
    for (const file of await listSourceFiles(await pathsOf(entry.paths, folder))) {
      if (bytes > 0 && bytes + weight(file) > taskBytes) cut();
      run.push(file);
      bytes += weight(file);
    }
    cut();
  }
  // Ranks that start together begin at different places, and find what others have read by then.
  const first = Math.floor((share.rank * jobs.length) / share.world);
  const contents: string[][] = [];
  for (let i = 0; i < jobs.length; i++) {
    const at = (first + i) % jobs.length;
    contents[at] = await contentsOf(jobs[at]!.files, share.output);
  }
  return jobs.map((job, i) => ({ ...job, name: nameOf(job, sources[job.source]!, contents[i]!) }));
}

function nameOf(
  { source, files }: Pick<ImportJob, "source" | "files">,
  entry: SourceEntry,
  contents: readonly string[],
): string {
  const { paths: _, repeat: __, ...settings } = entry;
  const named = files.flatMap(({ name }, i) => [name, contents[i]!]);
  return `${source}-${fingerprintOf(String(readersVersion), JSON.stringify(settings), ...named).slice(0, 10)}`;
}

/** Where what was found of source files is remembered, as long as size and time of change are the same. */
export const filesFolder = "stages/files";
/** Less is read as soon as what is remembered of it. */
const rememberedBytes = 1 << 20;
const remembered = z.array(z.string());

/** Fingerprints of files' contents; of large ones each rank, and each call of a rank, would otherwise read megabytes. */
async function contentsOf(files: readonly ListedFile[], output: string): Promise<string[]> {
  const find = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const { path } of files) found.push(await pathFingerprint(path));
    return found;
  };
  if (files.reduce((sum, { bytes }) => sum + bytes, 0) < rememberedBytes) return find();
  const states: string[] = [];
  for (const { path, name } of files) {
    const { size, mtimeMs } = await fs.stat(path);
    states.push(`${name} ${size} ${mtimeMs}`);
  }
  const path = join(output, filesFolder, `${fingerprintOf(...states)}.json`);
  const before = existsSync(path) ? await readJson(path, remembered, "remove the file") : [];
  if (before.length === files.length) return before;
  const found = await find();
  await writeFileAtomically(path, `${JSON.stringify(found)}\n`, { sweeps: false });
  return found;
}
