/**
 * A cache of bounded size whose keys are parts of texts, looked up without cutting them out: an open-addressing table
 * over a pool of UTF-16 code units. When either is full it starts anew, which costs less than knowing what is old.
 */

export interface SliceCache<Value extends object> {
  /** The value of `text[start, end)` under this tag (a whole number below 65,536). */
  get(text: string, start: number, end: number, tag: number): Value | undefined;
  set(text: string, start: number, end: number, tag: number, value: Value): void;
}

const UNITS_PER_ENTRY = 12;
/** Longer keys are not kept: they hardly come again, and would crowd out those that do. */
const MAX_LENGTH = 48;

/** A cache of at most `limit` keys, of 12 code units on average. */
export function createSliceCache<Value extends object>(limit: number): SliceCache<Value> {
  const mask = 2 ** Math.ceil(Math.log2(2 * limit)) - 1;
  /** 1 + entry of the key, 0 in an empty slot. */
  const slots = new Int32Array(mask + 1);
  const hashes = new Int32Array(limit);
  const offsets = new Int32Array(limit + 1);
  const pool = new Uint16Array(UNITS_PER_ENTRY * limit + MAX_LENGTH + 1);
  let values: Value[] = [];

  const matches = (entry: number, text: string, start: number, end: number, tag: number): boolean => {
    let offset = offsets[entry]!;
    if (offsets[entry + 1]! - offset !== end - start + 1 || pool[offset] !== tag) return false;
    for (let index = start; index < end; index++) if (pool[++offset] !== text.charCodeAt(index)) return false;
    return true;
  };
  /** The key's slot, or the empty one where it belongs. */
  const find = (hash: number, text: string, start: number, end: number, tag: number): number => {
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (;;) {
      const entry = slots[slot]! - 1;
      if (entry < 0 || (hashes[entry] === hash && matches(entry, text, start, end, tag))) return slot;
      slot = (slot + 1) & mask;
    }
  };

  return {
    get(text, start, end, tag) {
      if (end - start > MAX_LENGTH) return undefined;
      const entry = slots[find(hashOf(text, start, end, tag), text, start, end, tag)]! - 1;
      return entry < 0 ? undefined : values[entry];
    },
    set(text, start, end, tag, value) {
      if (end - start > MAX_LENGTH) return;
      if (values.length === limit || offsets[values.length]! + end - start + 1 > pool.length) {
        slots.fill(0);
        values = [];
      }
      const hash = hashOf(text, start, end, tag);
      const slot = find(hash, text, start, end, tag);
      if (slots[slot] !== 0) return;
      const entry = values.push(value) - 1;
      slots[slot] = entry + 1;
      hashes[entry] = hash;
      let offset = offsets[entry]!;
      pool[offset++] = tag;
      for (let index = start; index < end; index++) pool[offset++] = text.charCodeAt(index);
      offsets[entry + 1] = offset;
    },
  };
}

function hashOf(text: string, start: number, end: number, tag: number): number {
  let hash = tag;
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
