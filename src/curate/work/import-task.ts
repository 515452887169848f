/** Some files of a source as shards of documents: all that can be read, with what cannot counted and listed. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { charactersOf } from "../../corpus/document-shards.ts";
import { describeFailure } from "../../corpus/failures.ts";
import { temporaryFor, writing } from "../../io/files.ts";
import type { ReadFailure } from "../../corpus/pubmed/record.ts";
import { type ListedFile, readSourceFile } from "../../corpus/sources/open.ts";
import { wordsOf } from "./count-words.ts";
import { type Amount, type ImportMarker, noAmount, plus, type Shard } from "./marker.ts";
import type { SourceEntry } from "../pipeline.ts";
import { createProfile } from "./profile.ts";
import { type NewShard, newShard } from "./shard-file.ts";

/** Characters of a shard, about: what one task of a later stage goes through. */
export const shardCharacters: number = 64 << 20;
/** Failures that a marker shows. */
const shownFailures = 5;

export interface ImportArguments {
  readonly name: string;
  readonly source: string;
  readonly files: readonly ListedFile[];
}

/** The document with what the pipeline says of its source. */
function completed(document: CorpusDocument, { licence, language, deidentified }: SourceEntry): CorpusDocument {
  const isNote = document.kind === "clinical-notes" && deidentified !== undefined;
  return {
    ...document,
    licence: document.licence ?? licence ?? null,
    language: document.language ?? language ?? null,
    metadata: isNote ? { ...document.metadata, deidentified } : document.metadata,
  };
}

interface FailureLog extends AsyncDisposable {
  add(failure: ReadFailure): Promise<void>;
  /** Gives it its name. */
  finish(): Promise<void>;
}

async function failureLog(path: string): Promise<FailureLog> {
  const temporary = temporaryFor(path);
  const log = await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    return open(temporary, "w");
  });
  return {
    add: (failure) => writing(path, () => log.appendFile(`${JSON.stringify(failure)}\n`)),
    finish: () =>
      writing(path, async () => {
        await log.sync();
        await rename(temporary, path);
      }),
    async [Symbol.asyncDispose]() {
      await log.close();
      await rm(temporary, { force: true });
    },
  };
}

/** Reads the files into shards of about `most` characters. */
export async function importFiles(
  { name, source, files }: ImportArguments,
  entry: SourceEntry,
  { output, createdBy }: { readonly output: string; readonly createdBy: string },
  most: number = shardCharacters,
): Promise<ImportMarker> {
  const shards: Shard[] = [];
  const counts = files.map((file) => ({ name: file.name, bytes: file.bytes, documents: 0, failures: 0 }));
  const firstFailures: string[] = [];
  const leftOut: Record<string, number> = Object.create(null);
  const { kind, columns, subArticles } = entry;
  const counted = createProfile();
  const path = join(output, "stages", "import", `${name}.failures.jsonl`);
  await using log = await failureLog(path);
  let shard: NewShard | undefined;
  let [amount, kinds, deletions]: [Amount, Set<string>, Shard["deletions"]] = [noAmount, new Set(), []];
  const begin = async (): Promise<NewShard> =>
    (shard ??= await newShard(
      output,
      `stages/import/${name}-${String(shards.length).padStart(3, "0")}.parquet`,
      createdBy,
    ));
  const end = async (): Promise<void> => {
    if (shard === undefined) return;
    const file = await shard.finish();
    const shardName = file.path.replace(/^.*\/|\.parquet$/g, "");
    shards.push({ name: shardName, source, kinds: [...kinds].sort(), amount, file, deletions });
    [shard, amount, kinds, deletions] = [undefined, noAmount, new Set(), []];
  };
  const fail = async (count: (typeof counts)[number], failure: ReadFailure): Promise<void> => {
    count.failures += 1;
    if (firstFailures.length < shownFailures) firstFailures.push(describeFailure(failure));
    await log.add(failure);
  };
  try {
    for (const [i, file] of files.entries()) {
      const count = counts[i]!;
      for await (const event of readSourceFile(file, { source, kind, columns, subArticles })) {
        if (event.kind === "failure") await fail(count, event.failure);
        else if (event.kind === "left-out") leftOut[event.type] = (leftOut[event.type] ?? 0) + 1;
        else if (event.kind === "deletion") {
          await begin();
          deletions.push({ id: event.id, before: amount.documents });
        } else {
          const document = completed(event.document, entry);
          await (await begin()).add([document]);
          count.documents += 1;
          kinds.add(document.kind);
          counted.add(document);
          amount = plus(amount, { documents: 1, words: wordsOf(document), characters: charactersOf(document) });
          if (amount.characters >= most) await end();
        }
      }
    }
    await end();
    await log.finish();
  } catch (error) {
    await shard?.abandon();
    throw error;
  }
  const failures = counts.reduce((sum, count) => sum + count.failures, 0);
  return { source, shards, failures, firstFailures, leftOut, files: counts, profile: counted.done() };
}
