/**
 * Files of records of a few 32-bit words each (little-endian), sorted word by word: written once, and read by ranges of their
 * first word, so that many shards' files can be gone through together a part at a time.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { DataError } from "../../errors.ts";
import { writeFileAtomically } from "../../io/files.ts";

/** Records one behind another, as many as there are. */
export class Records {
  readonly width: number;
  words: Uint32Array<ArrayBuffer>;
  length = 0;

  constructor(width: number, capacity: number = 1024) {
    this.width = width;
    this.words = new Uint32Array(width * capacity);
  }

  /** Room for one more; returns where it begins. */
  grow(): number {
    const at = this.width * this.length++;
    if (at + this.width > this.words.length) {
      const larger = new Uint32Array(2 * this.words.length);
      larger.set(this.words);
      this.words = larger;
    }
    return at;
  }

  push(...record: readonly number[]): void {
    const at = this.grow();
    this.words.set(record, at);
  }

  /** All records of others of the same width. */
  append(others: Records): void {
    const needed = this.width * (this.length + others.length);
    if (needed > this.words.length) {
      const larger = new Uint32Array(Math.max(needed, 2 * this.words.length));
      larger.set(this.words);
      this.words = larger;
    }
    this.words.set(others.words.subarray(0, this.width * others.length), this.width * this.length);
    this.length += others.length;
  }

  word(record: number, i: number): number {
    return this.words[this.width * record + i]!;
  }

  /** In order of their words, without records that are equal. */
  sorted(): Records {
    const { width, words, length } = this;
    const order = orderOf(this);
    const result = new Records(width, Math.max(1, length));
    for (const i of order) {
      const from = width * i;
      const last = width * (result.length - 1);
      if (result.length > 0 && compare(words, from, result.words, last, width) === 0) continue;
      const to = result.grow();
      for (let word = 0; word < width; word++) result.words[to + word] = words[from + word]!;
    }
    return result;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, 4 * this.width * this.length);
  }
}

/** Records that can be ordered by numbers which hold first word and place. */
const mostInNumbers = 2 ** 21;

/** Places of records in order of their words. Nearly always the first word decides, and numbers sort without being compared by us. */
function orderOf({ words, width, length }: Records): Uint32Array {
  const byAll = (a: number, b: number): number => compare(words, width * a, words, width * b, width);
  if (length > mostInNumbers) return Uint32Array.from({ length }, (_, i) => i).sort(byAll);
  const numbers = Float64Array.from({ length }, (_, i) => words[width * i]! * mostInNumbers + i).sort();
  const order = Uint32Array.from(numbers, (number) => number % mostInNumbers);
  for (let start = 0, end = 1; start < length; start = end, end = start + 1) {
    const first = words[width * order[start]!];
    while (end < length && words[width * order[end]!] === first) end += 1;
    if (end - start > 1) order.subarray(start, end).sort(byAll);
  }
  return order;
}

function compare(a: Uint32Array, from: number, b: Uint32Array, to: number, words: number): number {
  for (let i = 0; i < words; i++) {
    const difference = a[from + i]! - b[to + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the first `words` words of two records are equal. */
export function agree(records: Records, a: number, b: number, words: number): boolean {
  return compare(records.words, records.width * a, records.words, records.width * b, words) === 0;
}

export async function writeRecords(path: string, records: Records): Promise<void> {
  await writeFileAtomically(path, records.bytes(), { sweeps: false });
}

/** All records of a file. @throws DataError where its size is not one of whole records. */
export async function readRecords(path: string, width: number): Promise<Records> {
  return recordsOf(await readFile(path), width, path);
}

function recordsOf(bytes: Uint8Array, width: number, path: string): Records {
  const length = bytes.length / (4 * width);
  if (!Number.isInteger(length)) {
    throw new DataError(`${path}: expected whole records of ${4 * width} bytes, got ${bytes.length} bytes`, {
      hint: "the file was damaged: remove it and its marker, and run the pipeline again",
    });
  }
  const records = new Records(width, Math.max(1, length));
  new Uint8Array(records.words.buffer).set(bytes);
  records.length = length;
  return records;
}

/** Records of a sorted file whose first word is in [from, to); only they are read. */
export async function readRange(path: string, width: number, from: number, to: number): Promise<Records> {
  await using handle = await open(path, "r");
  const size = (await handle.stat()).size;
  const count = size / (4 * width);
  const first = await firstAtLeast(handle, width, count, from);
  const end = await firstAtLeast(handle, width, count, to);
  const bytes = new Uint8Array(4 * width * Math.max(0, end - first));
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, 4 * width * first + done);
    if (bytesRead === 0)
      throw new DataError(`${path}: expected ${size} bytes, got fewer: the file changed as it was read`);
    done += bytesRead;
  }
  return recordsOf(bytes, width, path);
}

/** The first record whose first word is at least `word`; `word` may be 2^32, which none is. */
async function firstAtLeast(handle: FileHandle, width: number, count: number, word: number): Promise<number> {
  let [low, high] = [0, count];
  const found = new Uint32Array(1);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    await handle.read(new Uint8Array(found.buffer), 0, 4, 4 * width * middle);
    if (found[0]! < word) low = middle + 1;
    else high = middle;
  }
  return low;
}
