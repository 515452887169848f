/** A file of documents under construction, which appears under its name when all of it is written. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDocuments } from "../../corpus/document-shards.ts";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { temporaryFor, writing } from "../../io/files.ts";
import { fileSha256 } from "../../io/fingerprint.ts";

export interface NewShard {
  readonly documents: number;
  readonly bytes: number;
  add(documents: readonly CorpusDocument[]): Promise<void>;
  finish(): Promise<{ readonly path: string; readonly bytes: number; readonly sha256: string }>;
  abandon(): Promise<void>;
}

/**
 * `path` is relative to `output`. A task has one owner; but an engine that takes a machine for dead starts another while the first
 * goes on, and then both write the same under names of their own.
 */
export async function newShard(output: string, path: string, createdBy: string): Promise<NewShard> {
  const target = join(output, path);
  const temporary = temporaryFor(target);
  return writing(target, async () => {
    await mkdir(dirname(target), { recursive: true });
    const handle = await open(temporary, "w");
    const writer = await writeDocuments(handle, createdBy);
    return {
      get documents() {
        return writer.documents;
      },
      get bytes() {
        return writer.bytes;
      },
      add: (documents) => writing(target, () => writer.add(documents)),
      finish: () =>
        writing(target, async () => {
          await writer.finish();
          await handle.sync();
          await handle.close();
          const { sha256 } = await fileSha256(temporary);
          await rename(temporary, target);
          return { path, bytes: writer.bytes, sha256 };
        }),
      async abandon() {
        await handle.close().catch(() => undefined);
        await rm(temporary, { force: true });
      },
    };
  });
}
