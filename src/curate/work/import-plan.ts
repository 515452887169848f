/** Which files are read together: runs of a source's files, each of which is one task, named by what is in them. */
import { resolve } from "node:path";
import { type ListedFile, listSourceFiles } from "../../corpus/sources/open.ts";
import { fingerprintOf, pathFingerprint } from "../../io/fingerprint.ts";
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

/** @throws DataError where an input does not exist. */
export async function planImports({
  sources,
  folder,
}: Pick<CorpusPipeline, "sources" | "folder">): Promise<ImportJob[]> {
  const jobs: ImportJob[] = [];
  for (const [source, entry] of Object.entries(sources)) {
    let files: ListedFile[] = [];
    let bytes = 0;
    const cut = async (): Promise<void> => {
      if (files.length > 0) jobs.push({ name: await nameOf(source, entry, files), source, files, bytes });
      [files, bytes] = [[], 0];
    };
    for (const file of await listSourceFiles(entry.paths.map((path) => resolve(folder, path)))) {
      if (bytes > 0 && bytes + weight(file) > taskBytes) await cut();
      files.push(file);
      bytes += weight(file);
    }
    await cut();
  }
  return jobs;
}

async function nameOf(source: string, entry: SourceEntry, files: readonly ListedFile[]): Promise<string> {
  const { paths: _, repeat: __, ...settings } = entry;
  const contents: string[] = [];
  for (const { path, name } of files) contents.push(name, await pathFingerprint(path));
  return `${source}-${fingerprintOf(String(readersVersion), JSON.stringify(settings), ...contents).slice(0, 10)}`;
}
