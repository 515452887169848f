/** Hits of a search as a file, which appears whole and which no other run writes meanwhile. */
import { writeFileAtomically } from "../io/files.ts";
import { lockBeside } from "../io/lock.ts";
import { formatted, type SearchFormat } from "./formats.ts";
import type { SearchIndex, SearchResult } from "./types.ts";

/** Writes the hits of a search of this index. @throws ConfigError where another run writes there, DataError where none can. */
export async function writeHits(
  path: string,
  index: Pick<SearchIndex, "documents">,
  result: SearchResult,
  format: SearchFormat,
): Promise<void> {
  await using _ = await lockBeside(path);
  const documents = await index.documents(result.hits.map(({ id }) => id));
  await writeFileAtomically(path, formatted(format, result, documents));
}
