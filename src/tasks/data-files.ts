/**
 * Whether a benchmark's files are those that its figures are of: each is hashed, and one that is missing, cut short or
 * of another version is named, with how to get the right one. What was found is for the protocol.
 */
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { fileSha256 } from "../io/fingerprint.ts";
import type { Benchmark, DataFiles, Split } from "./benchmark.ts";

export interface DataFilesOptions {
  /** Files of another version pass; what they are is returned all the same. Default false. */
  readonly anyVersion?: boolean | undefined;
}

/** The words that say how to get a benchmark's files, and under which licence they are. */
export const howToGet = ({ from, licence }: DataFiles): string => `${from} Licence: ${licence}.`;

/**
 * SHA-256 of each file of the benchmark's that its reader takes for a split, by path within `folder`; none where the
 * benchmark's files are the user's own, or not known for this split.
 * @throws DataError for a file that is missing or, without `anyVersion`, another than the benchmark's.
 */
export async function checkDataFiles(
  benchmark: Pick<Benchmark, "name" | "data">,
  folder: string,
  split: Split,
  { anyVersion = false }: DataFilesOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const { name, data } = benchmark;
  const digests: Record<string, string> = {};
  if (data === undefined) return digests;
  for (const file of data.files[split] ?? []) {
    const path = join(folder, file.path);
    const { sha256: digest, bytes } = await fileSha256(path).catch((cause: NodeJS.ErrnoException) => {
      const got = cause.code === "ENOENT" ? "none" : cause.message;
      throw new DataError(`${path}: expected a file of ${name}, ${split}; got ${got}`, { hint: howToGet(data), cause });
    });
    if (file.sha256 !== undefined && digest !== file.sha256 && !anyVersion) {
      throw new DataError(
        `${path}: expected the file of ${name}, ${split}, that figures are known of, SHA-256 ${file.sha256}; ` +
          `got ${bytes} bytes with SHA-256 ${digest}`,
        { hint: `it is cut short or of another version. ${howToGet(data)} --any-version takes it as it is` },
      );
    }
    digests[file.path] = digest;
  }
  return digests;
}
