/**
 * Sources as a dataset folder, without any curation but updates and withdrawals: a pipeline without stages, whose work is
 * gone in the end. A run that was stopped is gone on with by the same call.
 */
import { existsSync } from "node:fs";
import { appendFile, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type DocumentsManifest, readDocumentsManifest } from "../corpus/document-dataset.ts";
import { ConfigError } from "../errors.ts";
import { checkSeparate } from "../io/outputs.ts";
import { required } from "../schema.ts";
import { datasetFolder } from "./work/dataset-folder.ts";
import { runPipeline, type RunPipelineOptions } from "./run.ts";
import type { CorpusSummary } from "./summary.ts";

export interface ImportDocumentsOptions extends Pick<RunPipelineOptions, "workers" | "onProgress" | "signal"> {
  /** Files, folders and archives, oldest first: of documents with the same id the last one stays. */
  readonly inputs: readonly string[];
  /** The dataset folder to make. */
  readonly output: string;
  /** A reader's name; by default each file's is found by its contents. */
  readonly kind?: string | undefined;
  /** Names of columns or fields, where they do not say what they hold: { text: "body" }. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
  /** Of documents that do not say. */
  readonly licence?: string | undefined;
  readonly language?: string | undefined;
  /** Replaces a dataset that is there. */
  readonly overwrite?: boolean | undefined;
}

export interface ImportedDocuments extends DocumentsManifest {
  readonly sources: CorpusSummary["sources"];
}

/** A source's name of an input's. */
function sourceNames(inputs: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return inputs.map((input) => {
    const plain = basename(resolve(input))
      .toLowerCase()
      .replace(/\.[a-z0-9.]*$/, "")
      .replace(/[^a-z0-9]+/g, "-");
    const name = plain.replace(/^-+|-+$/g, "") || "source";
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}-${times}`;
  });
}

/**
 * Imports sources into a dataset folder. Bad records are counted, and listed in `failures.jsonl`.
 * @throws ConfigError where the output exists; DataError where an input does not, or nothing can be read.
 */
export async function importDocuments(options: ImportDocumentsOptions): Promise<ImportedDocuments> {
  required("importDocuments: inputs", options.inputs, "list of texts");
  const { inputs, kind, columns, licence, language, overwrite = false, ...running } = options;
  const output = resolve(options.output);
  await checkSeparate(output, inputs);
  const there = await readdir(output).catch(() => [] as string[]);
  if (there.length > 0) {
    if (!overwrite) {
      throw new ConfigError(`output ${output} expected a folder that does not exist yet, got one with files`, {
        hint: "choose another folder, or set overwrite to replace a dataset",
      });
    }
    await readDocumentsManifest(output);
  }
  const entry = { kind, columns, licence, language, deidentified: undefined };
  const names = sourceNames(inputs);
  const sources = Object.fromEntries(inputs.map((path, i) => [names[i]!, { ...entry, paths: [resolve(path)] }]));
  const work = `${output}.work`;
  const value = { sources };
  const run = { ...running, file: "import", value, folder: ".", output: work, isImport: true };
  const summary = await runPipeline(run).catch(async (error: unknown) => {
    // What was not begun is not gone on with.
    if (!existsSync(join(work, "stages"))) await rm(work, { recursive: true, force: true });
    throw error;
  });
  await gatherFailures(work);
  const made = join(work, datasetFolder);
  // What it replaces goes with the work, once its successor is there.
  if (existsSync(output)) await rename(output, join(work, "stages", "replaced"));
  await rename(made, output);
  await rm(work, { recursive: true, force: true });
  return { ...(await readDocumentsManifest(output)), sources: summary.sources };
}

/** All that could not be read, in one file of the dataset. */
async function gatherFailures(work: string): Promise<void> {
  const folder = join(work, "stages", "import");
  const target = join(work, datasetFolder, "failures.jsonl");
  await rm(target, { force: true });
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith(".failures.jsonl")) await appendFile(target, await readFile(join(folder, name)));
  }
}
