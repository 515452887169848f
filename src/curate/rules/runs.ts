/**
 * Runs of words that repeat in a text. A run is a stretch of the text's words written together, hashed from prefix sums of a
 * polynomial over its UTF-16 units and compared unit by unit where hashes agree, so counts are exact, hostile texts included.
 */
import { codePoints } from "./judged.ts";

export interface Runs {
  /** Words. */
  readonly count: number;
  /** Characters (code points) of the run of `size` words that occurs most often, times how often, a space between words; of several the first. */
  most(size: number): number;
  /** Characters of runs of `size` words that were there before; each is gone past as a whole (datatrove's `find_all_duplicate`). */
  repeated(size: number): number;
}

const base = 0x01000193;

/** An odd number's inverse modulo 2^32, by Newton's method. */
function inverse(odd: number): number {
  let guess = odd;
  for (let i = 0; i < 5; i++) guess = Math.imul(guess, 2 - Math.imul(odd, guess));
  return guess;
}
const inverseBase = inverse(base);

interface Flat {
  readonly units: Uint16Array;
  /** By word, and one behind the last: where it begins, code points before it, the polynomial up to it, the power there undone. */
  readonly starts: Uint32Array;
  readonly points: Uint32Array;
  readonly sums: Int32Array;
  readonly undone: Int32Array;
}

function flatten(words: readonly string[]): Flat {
  const length = words.reduce((sum, word) => sum + word.length, 0);
  const units = new Uint16Array(length);
  const [starts, points] = [new Uint32Array(words.length + 1), new Uint32Array(words.length + 1)];
  const [sums, undone] = [new Int32Array(words.length + 1), new Int32Array(words.length + 1)];
  let [at, sum, power, undo] = [0, 0, 1, 1];
  undone[0] = 1;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    for (let k = 0; k < word.length; k++) {
      const unit = word.charCodeAt(k);
      units[at++] = unit;
      sum = (sum + Math.imul(unit + 1, power)) | 0;
      power = Math.imul(power, base);
      undo = Math.imul(undo, inverseBase);
    }
    starts[i + 1] = at;
    points[i + 1] = points[i]! + codePoints(word);
    sums[i + 1] = sum;
    undone[i + 1] = undo;
  }
  return { units, starts, points, sums, undone };
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return Math.imul(half ^ (half >>> 13), 0xc2b2ae35);
}

/** Room of one table after the other. */
let room = new Int32Array(1 << 12);

/** Runs that were met, by place: an open hash table of twice their number. It holds until the next is made. */
function createTable({ units, starts, sums, undone }: Flat, count: number): (word: number, size: number) => number {
  const bits = Math.max(4, Math.ceil(Math.log2(count * 2 + 1)));
  if (room.length < 2 ** bits) room = new Int32Array(2 ** bits);
  const slots = room.subarray(0, 2 ** bits).fill(-1);
  const last = slots.length - 1;
  const isSame = (a: number, b: number, size: number): boolean => {
    const [from, other] = [starts[a]!, starts[b]!];
    const length = starts[a + size]! - from;
    if (starts[b + size]! - other !== length) return false;
    for (let k = 0; k < length; k++) if (units[from + k] !== units[other + k]) return false;
    return true;
  };
  return (word, size) => {
    let slot = mixed(Math.imul(sums[word + size]! - sums[word]!, undone[word]!)) >>> (32 - bits);
    for (; ; slot = (slot + 1) & last) {
      const met = slots[slot]!;
      if (met < 0) {
        slots[slot] = word;
        return word;
      }
      if (isSame(met, word, size)) return met;
    }
  };
}

export function runsOf(words: readonly string[]): Runs {
  const flat = flatten(words);
  const { starts, points } = flat;
  const count = words.length;
  /** Runs that read the same but are cut into other words are others to `most`, where a space parts words. */
  const isCutAlike = (a: number, b: number, size: number): boolean => {
    for (let k = 1; k < size; k++) if (starts[a + k]! - starts[a]! !== starts[b + k]! - starts[b]!) return false;
    return true;
  };
  return {
    count,
    most(size) {
      const first = createTable(flat, count);
      const counts = new Uint32Array(count);
      const others = new Map<string, number>();
      let best = 0;
      for (let i = 0; i + size <= count; i++) {
        let same = first(i, size);
        if (!isCutAlike(same, i, size)) {
          const key = words.slice(i, i + size).join(" ");
          same = others.get(key) ?? i;
          others.set(key, same);
        }
        counts[same]! += 1;
        // The first of several has the lower place, since counts belong to where a run was met first.
        if (counts[same]! > counts[best]! || (counts[same] === counts[best] && same < best)) best = same;
      }
      return (points[best + size]! - points[best]! + size - 1) * counts[best]!;
    },
    repeated(size) {
      const first = createTable(flat, count);
      let characters = 0;
      for (let i = 0; i + size <= count;) {
        const isNew = first(i, size) === i;
        if (!isNew) characters += points[i + size]! - points[i]!;
        i += isNew ? 1 : size;
      }
      return characters;
    },
  };
}
