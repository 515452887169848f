/**
 * The words of a segment's documents beside it, so that opening an index cuts no text: a `.words` file of numbers, unsigned, 32
 * bits, little-endian (version, documents, words in all, bytes of the list; the words of each document; their numbers in the
 * list), then the list in UTF-8, a word a line. Words have no line's end.
 */
import { DataError } from "../errors.ts";
import type { Change } from "./exact.ts";
import type { CutWords } from "./exact-memory.ts";
import { damaged, type SegmentChange } from "./segments.ts";

/** To be raised with every change to how texts are cut (words.ts, stem.ts): files of other versions are not read. */
const version = 1;
const header = 4;

/** The file of a segment with these changes; undefined where documents come without their words. */
export function wordsFile(changes: readonly Change[]): Uint8Array | undefined {
  const cut = changes.flatMap((change) => (change.kind === "put" ? [change.words] : []));
  if (cut.length === 0 || !cut.every((one) => one !== undefined)) return undefined;
  const total = cut.reduce((sum, { numbers }) => sum + numbers.length, 0);
  const own = new Map<string, number>();
  const numbers = new Uint32Array(header + cut.length + total);
  let next = header + cut.length;
  cut.forEach((one, i) => {
    numbers[header + i] = one.numbers.length;
    for (const number of one.numbers) {
      const word = one.list[number]!;
      if (number !== 0 && !own.has(word)) own.set(word, own.size + 1);
      numbers[next++] = number === 0 ? 0 : own.get(word)!;
    }
  });
  const list = new TextEncoder().encode([...own.keys()].join("\n"));
  numbers.set([version, cut.length, total, list.length]);
  const file = new Uint8Array(numbers.byteLength + list.length);
  file.set(new Uint8Array(numbers.buffer));
  file.set(list, numbers.byteLength);
  return file;
}

/**
 * What `wordsFile` wrote, a document after another; undefined for a file of another version.
 * @throws DataError where it is damaged, or of more or fewer documents.
 */
export function readWords(bytes: Uint8Array, documents: number, path: string): readonly CutWords[] | undefined {
  const wrong = (): DataError =>
    new DataError(`${path}: expected the words of ${documents} documents, got something else`, { hint: damaged });
  const whole = Math.floor(bytes.byteLength / Uint32Array.BYTES_PER_ELEMENT);
  if (whole < header) throw wrong();
  const numbers = new Uint32Array(new Uint8Array(bytes.subarray(0, whole * Uint32Array.BYTES_PER_ELEMENT)).buffer);
  const [found, count, total, size] = numbers;
  if (found !== version) return undefined;
  const end = (header + documents + total!) * Uint32Array.BYTES_PER_ELEMENT;
  if (count !== documents || end + size! !== bytes.byteLength) throw wrong();
  const list = ["", ...(size === 0 ? [] : new TextDecoder().decode(bytes.subarray(end)).split("\n"))];
  let next = header + documents;
  const words = Array.from({ length: documents }, (_, i): CutWords => {
    const start = next;
    next += numbers[header + i]!;
    return { list, numbers: numbers.subarray(start, next) };
  });
  if (next !== header + documents + total!) throw wrong();
  for (let i = header + documents; i < next; i++) if (numbers[i]! >= list.length) throw wrong();
  return words;
}

/** Changes with their words. @param bytes the file of their words; undefined where the index is older than such files. */
export function withWords(
  changes: readonly SegmentChange[],
  bytes: Uint8Array | undefined,
  path: string,
): readonly Change[] {
  if (bytes === undefined) return changes;
  const words = readWords(bytes, changes.filter(({ kind }) => kind === "put").length, path);
  let next = 0;
  return changes.map((change) => (change.kind === "put" ? { ...change, words: words?.[next++] } : change));
}
