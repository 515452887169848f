/**
 * A sample of what will be worked on: files from all over each input, so that one year or journal does not stand for all, and of
 * large ones the beginning. What is cut ends in a record that cannot be read, which is counted as one. Parquet, zip and PDF
 * are known by their ends and are taken whole.
 */
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type ListedFile, listSourceFiles } from "../../corpus/sources/open.ts";
import { ConfigError } from "../../errors.ts";
import { stdin } from "../../io/bytes.ts";

/** What a byte of a compressed file is worth, about: as imports are cut into tasks. */
const compressed = 5;
const isCompressed = /\.(?:gz|tgz|zst|zip)$/i;
const isWholeOnly = /\.(?:zip|parquet|pdf)$/i;
/** Of each input at least, in bytes as they are worth. */
const leastBytes = 1 << 18;
/** Files that a sample is spread over, at least, where there are as many. */
const spread = 4;

export interface Listing {
  readonly files: readonly ListedFile[];
  /** On disk. */
  readonly bytes: number;
  /** As they are worth. */
  readonly worth: number;
}

export const worthOf = ({ name, bytes }: Pick<ListedFile, "name" | "bytes">): number =>
  isCompressed.test(name) ? compressed * bytes : bytes;

/** All files of inputs, and how large they are. @throws DataError where one does not exist; ConfigError for stdin. */
export async function listingOf(paths: readonly string[]): Promise<Listing> {
  if (paths.includes(stdin)) {
    throw new ConfigError("inputs: expected files or folders, of which a sample is measured, got standard input");
  }
  const files = await listSourceFiles(paths);
  return {
    files,
    bytes: files.reduce((sum, one) => sum + one.bytes, 0),
    worth: files.reduce((sum, one) => sum + worthOf(one), 0),
  };
}

export interface Sample {
  /** In the order of the listing; parts of files are copies. */
  readonly paths: readonly string[];
  /** On disk. */
  readonly bytes: number;
  /** Files of which only the beginning is there. */
  readonly cut: number;
}

/**
 * About `worth` bytes of the files, from other places for another `part` (0 to below 1). Copies go to `folder`.
 * @throws DataError where a file cannot be read.
 */
export async function takeSample(
  { files }: Pick<Listing, "files">,
  worth: number,
  part: number,
  folder: string,
): Promise<Sample> {
  const wanted = Math.max(leastBytes, worth);
  const each = Math.max(leastBytes, wanted / spread);
  const chosen = new Map<number, number>();
  let taken = 0;
  for (const place of placesOf(files.length, part)) {
    if (taken >= wanted) break;
    const file = files[place]!;
    const own = worthOf(file);
    if (own === 0) continue;
    const share = Math.min(own, each, Math.max(leastBytes, wanted - taken));
    // Nearly all of a file is all of it.
    const isWhole = isWholeOnly.test(file.name) || own < 1.5 * share;
    chosen.set(place, isWhole ? file.bytes : Math.ceil((share * file.bytes) / own));
    taken += isWhole ? own : share;
  }
  const paths: string[] = [];
  let [bytes, cut] = [0, 0];
  for (const [place, size] of [...chosen].sort(([a], [b]) => a - b)) {
    const file = files[place]!;
    bytes += size;
    if (size >= file.bytes) paths.push(resolve(file.path));
    else {
      cut += 1;
      paths.push(await copyHead(file, size, join(folder, String(place))));
    }
  }
  return { paths, bytes, cut };
}

/** All places below `count` in an order in which the first few lie far from each other. */
function placesOf(count: number, part: number): Set<number> {
  const golden = (Math.sqrt(5) - 1) / 2;
  const places = new Set<number>();
  for (let i = 0; i < 2 * count; i++) places.add(Math.floor(count * ((part + i * golden) % 1)));
  for (let i = 0; i < count; i++) places.add(i);
  return places;
}

async function copyHead({ path, name }: ListedFile, size: number, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const to = join(folder, basename(name));
  await using file = await open(to, "wx", 0o600);
  for await (const chunk of createReadStream(path, { end: size - 1 })) await file.write(chunk as Uint8Array);
  return to;
}
