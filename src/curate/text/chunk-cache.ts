/**
 * What was made of a stretch of text, found again by its UTF-16 units without a string being made of it first: most of a text's
 * chunks were met before, and a Map would hash a new string for each. Bounded: when it is full it begins anew.
 */

export interface ChunkCache<T> {
  /** What was added for text[start, end), whose hash this is; undefined where nothing was. */
  find(text: string, start: number, end: number, hash: number): T | undefined;
  add(text: string, start: number, end: number, hash: number, value: T): void;
}

export const firstHash = 0x811c9dc5 | 0;
/** FNV-1a over UTF-16 units, one at a time, from `firstHash`. */
export const nextHash = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

/**
 * @param bits 2^bits entries at most.
 * @param unitsOfEntry of each on average, for which there is room.
 */
export function createChunkCache<T>(bits: number, unitsOfEntry: number = 12): ChunkCache<T> {
  const most = 2 ** bits;
  const slots = new Int32Array(most * 2);
  const shift = 31 - bits;
  const last = slots.length - 1;
  const [hashes, ends] = [new Int32Array(most + 1), new Uint32Array(most + 1)];
  const units = new Uint16Array(most * unitsOfEntry);
  let values: T[] = [];
  const slotOf = (hash: number): number => Math.imul(hash, 0x9e3779b1 | 0) >>> shift;

  const isAt = (entry: number, text: string, start: number, length: number): boolean => {
    const from = ends[entry - 1]!;
    if (ends[entry]! - from !== length) return false;
    for (let k = 0; k < length; k++) if (units[from + k] !== text.charCodeAt(start + k)) return false;
    return true;
  };

  return {
    find(text, start, end, hash) {
      for (let slot = slotOf(hash); ; slot = (slot + 1) & last) {
        const entry = slots[slot]!;
        if (entry === 0) return undefined;
        if (hashes[entry] === hash && isAt(entry, text, start, end - start)) return values[entry - 1];
      }
    },
    add(text, start, end, hash, value) {
      const length = end - start;
      if (length > units.length) return;
      if (values.length === most || ends[values.length]! + length > units.length) {
        slots.fill(0);
        values = [];
      }
      const entry = values.push(value);
      const from = ends[entry - 1]!;
      for (let k = 0; k < length; k++) units[from + k] = text.charCodeAt(start + k);
      ends[entry] = from + length;
      hashes[entry] = hash;
      let slot = slotOf(hash);
      while (slots[slot] !== 0) slot = (slot + 1) & last;
      slots[slot] = entry;
    },
  };
}
