/** A share with its interval. */
import { ConfigError } from "../errors.ts";

export interface Proportion {
  readonly count: number;
  readonly of: number;
  /** null: of none. */
  readonly share: number | null;
  /** Bounds of 95 %; 0 and 1 of none. */
  readonly low: number;
  readonly high: number;
}

/** 97.5 % of a standard normal lie below. */
const z = 1.959963984540054;

/**
 * `count` of `of` as a share, with the binomial interval of Wilson (1927), which holds where counts are small and shares
 * near 0 or 1 (Brown, Cai and DasGupta 2001).
 * @throws ConfigError where they are no such counts.
 */
export function proportion(count: number, of: number): Proportion {
  if (!Number.isInteger(count) || !Number.isInteger(of) || count < 0 || count > of) {
    throw new ConfigError(`proportion: expected a count of 0 to ${of}, got ${count}`);
  }
  if (of === 0) return { count, of, share: null, low: 0, high: 1 };
  const share = count / of;
  const spread = z * Math.sqrt((share * (1 - share)) / of + (z / (2 * of)) ** 2);
  const [middle, scale] = [share + z ** 2 / (2 * of), 1 + z ** 2 / of];
  return {
    count,
    of,
    share,
    low: Math.max(0, (middle - spread) / scale),
    high: Math.min(1, (middle + spread) / scale),
  };
}
