/**
 * Python's `random.Random(seed)`: the Mersenne Twister (Matsumoto & Nishimura 1998, MT19937, seeded by an array) and what
 * CPython 3.11 draws with it (Lib/random.py), so that others' splits and lm-evaluation-harness's examples can be drawn in
 * their own order. For draws of our own there is `random.ts`.
 */
import { ConfigError } from "../errors.ts";

const size = 624;
const offset = 397;

export interface PythonRandom {
  /** Place of one of `count`: `choice`. */
  choice(count: number): number;
  /** In place; returns its argument. */
  shuffle<T>(items: T[]): T[];
  /** `k` different numbers below `count`, in the order in which they are drawn. @throws ConfigError for more than there are. */
  sample(count: number, k: number): number[];
}

/** The state after seeding with one word, then with a list of words. */
function seeded(words: readonly number[]): Uint32Array {
  const state = new Uint32Array(size);
  state[0] = 19650218;
  const mixed = (i: number, factor: number): number => {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    return Math.imul(before, factor);
  };
  for (let i = 1; i < size; i++) state[i] = mixed(i, 1812433253) + i;
  let [i, word] = [1, 0];
  const advance = (): void => {
    i += 1;
    if (i < size) return;
    state[0] = state[size - 1]!;
    i = 1;
  };
  for (let left = Math.max(size, words.length); left > 0; left--) {
    state[i] = (state[i]! ^ mixed(i, 1664525)) + words[word]! + word;
    advance();
    word = (word + 1) % words.length;
  }
  for (let left = size - 1; left > 0; left--) {
    state[i] = (state[i]! ^ mixed(i, 1566083941)) - i;
    advance();
  }
  state[0] = 0x80000000;
  return state;
}

/** @param seed a whole number from 0. */
export function pythonRandom(seed: number): PythonRandom {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ConfigError(`seed: expected a whole number from 0, got ${seed}`);
  const high = Math.floor(seed / 2 ** 32);
  const state = seeded(high === 0 ? [seed >>> 0] : [seed >>> 0, high]);
  let at = size;

  const twist = (): void => {
    for (let i = 0; i < size; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + offset) % size]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  const bits = (): number => {
    if (at === size) twist();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  const below = (bound: number): number => {
    const shift = Math.clz32(bound);
    for (;;) {
      const drawn = bits() >>> shift;
      if (drawn < bound) return drawn;
    }
  };
  return {
    choice: below,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const other = below(i + 1);
        [items[i], items[other]] = [items[other]!, items[i]!];
      }
      return items;
    },
    sample(count, k) {
      if (k > count) throw new ConfigError(`sample: expected at most ${count} of ${count}, got ${k}`);
      // CPython keeps a list where that is smaller than a set of those drawn.
      const setSize = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(3 * k) / Math.log(4)) : 0);
      if (count <= setSize) {
        const pool = Array.from({ length: count }, (_, i) => i);
        return Array.from({ length: k }, (_, i) => {
          const place = below(count - i);
          const drawn = pool[place]!;
          pool[place] = pool[count - i - 1]!;
          return drawn;
        });
      }
      const drawn = new Set<number>();
      while (drawn.size < k) drawn.add(below(count));
      return [...drawn];
    },
  };
}
