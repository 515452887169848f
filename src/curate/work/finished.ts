/**
 * What is finished, as thousands of ranks ask it of one folder, which may lie on another machine: by listing folders, not by a
 * question for each marker; and a few files open at a time. A network's disk may list a name before it opens it (NFS
 * remembers for some seconds that a name was not there), so that what was listed is waited for.
 */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readJson } from "../../io/json.ts";
import * as z from "zod";

/** Places in `markers`, paths relative to `output`, of those that are not there. */
export async function missingOf(output: string, markers: readonly string[]): Promise<number[]> {
  const listed = new Map<string, ReadonlySet<string>>();
  for (const folder of new Set(markers.map((path) => dirname(path)))) {
    listed.set(folder, new Set(await namesIn(join(output, folder))));
  }
  return markers.flatMap((path, i) => (listed.get(dirname(path))!.has(basename(path)) ? [] : [i]));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Files open at a time: far below what any system allows. */
const lanes = 32;
/** The longest that NFS remembers by default (acdirmax), and some more. */
const mostSeconds = 75;

/**
 * Markers that are there, in order; `isShared`: by what others say, so that they are waited for.
 * @throws DataError where one is not what it should be.
 */
export async function readMarkers<Marker>(
  output: string,
  markers: readonly string[],
  schema: z.ZodType<Marker>,
  isShared: boolean,
): Promise<Marker[]> {
  const found: Marker[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < markers.length) {
      const i = next++;
      found[i] = await readMarker(join(output, markers[i]!), schema, isShared ? mostSeconds : 0);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return found;
}

async function readMarker<Marker>(path: string, schema: z.ZodType<Marker>, patience: number): Promise<Marker> {
  for (let seconds = 0; ; seconds++) {
    try {
      return await readJson(path, schema, "remove the file to have its task done again");
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if ((code !== "ENOENT" && code !== "ESTALE") || seconds >= patience) throw error;
      await wait(1000);
    }
  }
}
