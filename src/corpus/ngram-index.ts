/**
 * Which words of a few texts stand, in a row, in many others: every run of eight words of the texts is hashed once, and
 * documents are then streamed past. Words are runs of letters and digits in lower case, after NFKC. A hash has 64 bits
 * and is taken for the words: one of 10^10 words would meet one of 10^6 runs by chance once in 2,000 such streams.
 */
import { required } from "../schema.ts";

/** Words in a row that a text and a document must share at least. */
export const leastWords = 8;

/** Words of an indexed text that stand in a document in the same order, as many as there are. */
export interface SharedRun {
  /** Which of the indexed texts. */
  readonly text: number;
  /** Its first word, and how many: at least `leastWords`. */
  readonly start: number;
  readonly words: number;
}

export interface NgramIndex {
  /** Words of each text. */
  readonly words: Uint32Array;
  /** What a document shares with the texts. */
  find(document: string): SharedRun[];
}

/** Lower-case code unit of each one that belongs to a word; 0 of others. Filled when it is first used. */
const units = new Uint16Array(65_536);

function fillUnits(): void {
  if (units[97] !== 0) return;
  for (let code = 48; code < units.length; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue; // half a character: what is left of these after NFKC is rare
    const character = String.fromCharCode(code);
    if (!/[\p{L}\p{N}\p{M}]/u.test(character)) continue;
    const lower = character.toLowerCase();
    units[code] = lower.length === 1 ? lower.charCodeAt(0) : code;
  }
}

/** Two hashes of 32 bits for each word. */
class WordHashes {
  first = new Uint32Array(1024);
  second = new Uint32Array(1024);
  length = 0;

  /** Adds the words of a text; returns how many. */
  add(text: string): number {
    const before = this.length;
    const normal = /[^\0-\x7f]/.test(text) ? text.normalize("NFKC") : text;
    const end = normal.length;
    let [a, b, isWord] = [firstSeed, secondSeed, false];
    for (let i = 0; i <= end; i++) {
      const unit = i < end ? units[normal.charCodeAt(i)]! : 0;
      if (unit !== 0) {
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ unit, 0x85ebca6b);
        b ^= b >>> 13;
        isWord = true;
      } else if (isWord) {
        this.push(mixed(a), mixed(b ^ 0x9e3779b9));
        [a, b, isWord] = [firstSeed, secondSeed, false];
      }
    }
    return this.length - before;
  }

  private push(a: number, b: number): void {
    if (this.length === this.first.length) {
      this.first = grown(this.first);
      this.second = grown(this.second);
    }
    this.first[this.length] = a;
    this.second[this.length] = b;
    this.length += 1;
  }
}

// FNV-1a's, and another.
const firstSeed = 0x811c9dc5 | 0;
const secondSeed = 0x2545f491;

/** Spreads what the last letters did over all bits (MurmurHash3's end). */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}

/** Factors of the polynomial of words, odd, and their powers for the word that leaves. */
const factors = [0x9e3779b1 | 0, 0x85ebca77 | 0] as const;
const leaving = factors.map((factor) => {
  let power = 1;
  for (let i = 1; i < leastWords; i++) power = Math.imul(power, factor);
  return power;
});

/** Calls `take` with the place and the hash of every run of `leastWords` words from `from` to `end`. */
function eachRun(
  { first, second }: WordHashes,
  from: number,
  end: number,
  take: (at: number, a: number, b: number) => void,
): void {
  let [a, b] = [0, 0];
  for (let i = from; i < end; i++) {
    const out = i - leastWords;
    if (out >= from) {
      a = (a - Math.imul(first[out]!, leaving[0]!)) | 0;
      b = (b - Math.imul(second[out]!, leaving[1]!)) | 0;
    }
    a = (Math.imul(a, factors[0]) + first[i]!) | 0;
    b = (Math.imul(b, factors[1]) + second[i]!) | 0;
    if (i - from >= leastWords - 1) take(i - leastWords + 1, a >>> 0, b >>> 0);
  }
}

/** About 20 bytes a word; a document's words are held while it is looked at. */
export function indexNgrams(texts: Iterable<string>): NgramIndex {
  required("indexNgrams: texts", texts, "stream");
  fillUnits();
  const hashes = new WordHashes();
  const starts: number[] = [0];
  for (const text of texts) {
    required("indexNgrams: text", text, "text");
    hashes.add(text);
    starts.push(hashes.length);
  }
  const places = createPlaces(hashes.length);
  for (let text = 0; text + 1 < starts.length; text++) eachRun(hashes, starts[text]!, starts[text + 1]!, places.add);
  const words = Uint32Array.from({ length: starts.length - 1 }, (_, text) => starts[text + 1]! - starts[text]!);
  const textAt = (place: number): number => {
    let [low, high] = [0, starts.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= place) low = middle;
      else high = middle;
    }
    return low;
  };
  const seen = new WordHashes();
  return {
    words,
    find(document) {
      seen.length = 0;
      const count = seen.add(document);
      const found: SharedRun[] = [];
      // Runs that go on, by the place of their last eight words: how many places they have come.
      let [open, at] = [new Map<number, number>(), -1];
      const close = (runs: ReadonlyMap<number, number>): void => {
        for (const [last, places] of runs) {
          const first = last - places + 1;
          const text = textAt(first);
          found.push({ text, start: first - starts[text]!, words: places + leastWords - 1 });
        }
      };
      eachRun(seen, 0, count, (i, a, b) => {
        const first = places.find(a, b);
        if (first < 0) return;
        if (i !== at + 1) {
          close(open);
          open = new Map();
        }
        const next = new Map<number, number>();
        for (let place = first; place >= 0; place = places.after(place)) {
          next.set(place, (open.get(place - 1) ?? 0) + 1);
          open.delete(place - 1);
        }
        close(open);
        [open, at] = [next, i];
      });
      close(open);
      return found;
    },
  };
}

/** Places by hash, in an open table; places of the same hash are a chain. */
function createPlaces(most: number): {
  add(place: number, a: number, b: number): void;
  /** The first place of a hash, or -1. */
  find(a: number, b: number): number;
  after(place: number): number;
} {
  let size = 1024;
  while (size < 2 * most) size *= 2;
  const slots = new Int32Array(size).fill(-1);
  const [firsts, seconds] = [new Uint32Array(most), new Uint32Array(most)];
  const chain = new Int32Array(most).fill(-1);
  // Most words of most documents are nowhere: a bit of each hash says so from memory that is near.
  const bits = new Uint32Array(size >>> 2);
  const slotOf = (a: number, b: number): number => {
    let slot = a & (size - 1);
    while (slots[slot]! >= 0 && (firsts[slots[slot]!] !== a || seconds[slots[slot]!] !== b))
      slot = (slot + 1) & (size - 1);
    return slot;
  };
  const isAbsent = (b: number): boolean => ((bits[(b >>> 5) & (bits.length - 1)]! >>> (b & 31)) & 1) === 0;
  return {
    add(place, a, b) {
      const slot = slotOf(a, b);
      firsts[place] = a;
      seconds[place] = b;
      chain[place] = slots[slot]!;
      slots[slot] = place;
      bits[(b >>> 5) & (bits.length - 1)]! |= 1 << (b & 31);
    },
    find: (a, b) => (isAbsent(b) ? -1 : slots[slotOf(a, b)]!),
    after: (place) => chain[place]!,
  };
}
