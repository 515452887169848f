/**
 * Numbers that numpy.random.RandomState(seed).randint gives for 64 bits: MT19937 seeded by one word (Matsumoto & Nishimura
 * 1998), two words a number, the higher first, those out of range drawn again. It is how datatrove chooses MinHash's functions.
 */
const size = 624;

export interface MersenneTwister {
  /** From `low`, below `high`. */
  between(low: bigint, high: bigint): bigint;
}

/** @param seed a whole number from 0, below 2^32. */
export function mersenneTwister(seed: number): MersenneTwister {
  const state = new Uint32Array(size);
  state[0] = seed;
  for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
  let at = size;

  const twist = (): void => {
    for (let i = 0; i < size; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + 397) % size]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  const word = (): bigint => {
    if (at === size) twist();
    let bits = state[at++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return BigInt((bits ^ (bits >>> 18)) >>> 0);
  };

  return {
    between(low, high) {
      const range = high - 1n - low;
      const mask = (1n << BigInt(range.toString(2).length)) - 1n;
      for (;;) {
        const higher = word() << 32n;
        const drawn = (higher | word()) & mask;
        if (drawn <= range) return low + drawn;
      }
    },
  };
}
