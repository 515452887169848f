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
/** Places that a sample is taken from, at most: of more, what is lost at the end of each compressed part would be felt. */
const spread = 8;

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
  const shares = sharesOf(files, wanted, part);
  const chosen = [...shares].map(([place, share]): [number, number] => {
    const file = files[place]!;
    const own = worthOf(file);
    // Nearly all of a file is all of it.
    const isWhole = isWholeOnly.test(file.name) || own < 1.5 * share;
    return [place, isWhole ? file.bytes : Math.ceil((share * file.bytes) / own)];
  });
  const paths: string[] = [];
  let [bytes, cut] = [0, 0];
  for (const [place, size] of chosen.sort(([a], [b]) => a - b)) {
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

/**
 * How much of which file: places all over the bytes of all files, each of which takes as much of the file that it falls in, so
 * that a file's share is as large as the file. Low-discrepancy steps of the golden ratio lie far from each other.
 */
function sharesOf(files: readonly ListedFile[], wanted: number, part: number): Map<number, number> {
  const ends: number[] = [];
  for (const file of files) ends.push((ends.at(-1) ?? 0) + worthOf(file));
  const total = ends.at(-1) ?? 0;
  const hits = Math.min(spread, Math.ceil(wanted / leastBytes));
  const golden = (Math.sqrt(5) - 1) / 2;
  const shares = new Map<number, number>();
  let taken = 0;
  // What falls in a small file that is taken whole is looked for elsewhere, for a while.
  for (let i = 0; i < 8 * hits && taken < Math.min(wanted, total); i++) {
    const at = total * ((part + i * golden) % 1);
    const place = firstAbove(ends, at);
    const before = shares.get(place) ?? 0;
    const share = Math.min(worthOf(files[place]!), before + wanted / hits);
    shares.set(place, share);
    taken += share - before;
  }
  return shares;
}

/** Index of the first number above `value`, of numbers that do not fall. */
function firstAbove(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function copyHead({ path, name }: ListedFile, size: number, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const to = join(folder, basename(name));
  await using file = await open(to, "wx", 0o600);
  for await (const chunk of createReadStream(path, { end: size - 1 })) await file.write(chunk as Uint8Array);
  return to;
}
