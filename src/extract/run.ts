/**
 * Extraction as a whole: documents of files in; triples, relations counted over documents, a page to review them and a
 * summary out.
 */
import { join } from "node:path";
import { readDocuments, type ReadDocumentsOptions } from "../corpus/documents.ts";
import { writeFileAtomically } from "../io/files.ts";
import type { TunedModel } from "../soft-prompts/predict.ts";
import { extractDocuments, type ExtractOptions, type ExtractResult } from "./extract.ts";
import { writeReview } from "./review.ts";
import { writeRelations } from "./summary.ts";
import { required } from "../schema.ts";

export interface ExtractRunOptions
  extends Omit<ExtractOptions, "inputs">, Pick<ReadDocumentsOptions, "limit" | "onFailure" | "columns"> {}

/** Contents of summary.json. */
export interface ExtractSummary extends ExtractResult {
  /** Documents that could not be read. */
  readonly failures: number;
  /** Distinct relations. */
  readonly relations: number;
}

/**
 * Mines the documents of files, folders and dataset folders ("-" is JSON lines on stdin) into the folder `output`:
 * triples.jsonl, documents.jsonl, relations.csv and .tsv, review.html, summary.json. Aborting ends the run in order, and
 * `resume` goes on there. What cannot be read is reported, counted and left out.
 * @throws ConfigError where the task is not one of relations, or `output` holds another run; DataError for an input that
 * does not exist.
 */
export async function extract(
  tuned: TunedModel,
  inputs: readonly string[],
  given: ExtractRunOptions,
): Promise<ExtractSummary> {
  required("extract: inputs", inputs, "list of texts");
  required("extract: options", given, "object");
  const { limit, onFailure, columns, ...options } = given;
  const { output, signal } = options;
  let failures = 0;
  const documents = readDocuments(inputs, {
    limit,
    columns,
    signal,
    onFailure(failure) {
      failures += 1;
      onFailure?.(failure);
    },
  });
  const result = await extractDocuments(tuned, documents, { ...options, inputs });
  const relations = await writeRelations(output);
  await writeReview(output, `${tuned.task.name} in ${inputs.join(", ")}`);
  const summary = { ...result, failures, relations: relations.length };
  await writeFileAtomically(join(output, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}
