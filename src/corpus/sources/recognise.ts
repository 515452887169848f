/** Of which kind a file is, without reading more than its beginning. */
import { readBytes } from "../../io/bytes.ts";
import type { SourceFile } from "../source-files.ts";
import { archiveForm } from "./archives.ts";
import { kindOf } from "./list.ts";
import { listSourceFiles } from "./open.ts";

const headBytes = 1 << 16;

/** Name of the kind that a file looks like; undefined for an archive, and for what no kind knows or nobody can read. */
export async function recogniseFile({ path, name }: SourceFile): Promise<string | undefined> {
  if (archiveForm(path) !== undefined) return undefined;
  const parts: Uint8Array[] = [];
  let held = 0;
  try {
    for await (const chunk of readBytes(path)) {
      parts.push(chunk);
      held += chunk.length;
      if (held >= headBytes) break;
    }
  } catch {
    if (held === 0) return undefined;
  }
  const kind = kindOf(Buffer.concat(parts).subarray(0, headBytes).toString("utf8"), name);
  return typeof kind === "string" ? undefined : kind.name;
}

/** Whether inputs hold PubMed's records and nothing else. @throws DataError where one does not exist. */
export async function isAllPubMed(inputs: readonly string[]): Promise<boolean> {
  for (const file of await listSourceFiles(inputs)) if ((await recogniseFile(file)) !== "pubmed") return false;
  return true;
}
