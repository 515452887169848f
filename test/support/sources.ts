/** Sources for tests: a text or bytes as a file that a reader opens. */
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CorpusDocument } from "../../src/corpus/corpus-document.ts";
import type { SourceEvent } from "../../src/corpus/sources/kind.ts";
import { readSources, type ReadSourcesOptions } from "../../src/corpus/sources/open.ts";

export interface Read {
  readonly documents: CorpusDocument[];
  readonly deletions: string[];
  /** Types of the parts that were left out. */
  readonly leftOut: string[];
  /** "name:line: message", with the line where there is one. */
  readonly failures: string[];
}

export async function collect(events: AsyncIterable<SourceEvent>): Promise<Read> {
  const read: Read = { documents: [], deletions: [], leftOut: [], failures: [] };
  for await (const event of events) {
    if (event.kind === "document") read.documents.push(event.document);
    else if (event.kind === "deletion") read.deletions.push(event.id);
    else if (event.kind === "left-out") read.leftOut.push(event.type);
    else {
      const { source, line, message } = event.failure;
      read.failures.push(`${source}${line === null ? "" : `:${line}`}: ${message}`);
    }
  }
  return read;
}

/** A path in a folder of its own. */
export function temporaryPath(name: string): string {
  return join(mkdtempSync(join(tmpdir(), "galen-sources-")), name);
}

/** What is read of a file of this name and these contents. */
export async function readAs(
  name: string,
  contents: string | Uint8Array,
  options: ReadSourcesOptions = {},
): Promise<Read> {
  const path = temporaryPath(name);
  try {
    writeFileSync(path, typeof contents === "string" ? Buffer.from(contents) : contents);
    return await collect(readSources([path], options));
  } finally {
    rmSync(dirname(path), { recursive: true });
  }
}

/** The sections as "[kind] title: text". */
export function outline({ sections }: CorpusDocument): string[] {
  return sections.map(({ kind, title, text }) => `[${kind}] ${title}: ${text}`);
}
