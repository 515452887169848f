/**
 * Seeded random numbers: sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32 so that neighbouring seeds
 * give unrelated streams. Plain 32-bit arithmetic: the same numbers on every platform.
 */

export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Fisher-Yates, in place; returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
}

/** A generator that is a pure function of the seeds given, in order: `random(seed, epoch)`. */
export function random(...seeds: number[]): Random {
  let mixed = 0x9e3779b9;
  const splitmix = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let t = mixed ^ (mixed >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return t ^ (t >>> 15);
  };
  for (const seed of seeds) {
    // Both halves of the seed count, so that seeds above 2^32 differ too.
    mixed ^= seed | 0;
    splitmix();
    mixed ^= Math.floor(seed / 4294967296) | 0;
    splitmix();
  }
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;

  const bits = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits();

  const next = (): number => bits() / 4294967296;
  const integer = (bound: number): number => Math.floor(next() * bound);
  let spare: number | undefined;
  return {
    next,
    integer,
    normal(): number {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      const angle = 2 * Math.PI * next();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
      for (let i = items.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const held = items[i];
        items[i] = items[j];
        items[j] = held;
      }
      return items;
    },
  };
}
