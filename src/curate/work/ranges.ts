/** Equal parts of all numbers of 32 bits, such as the first words of hashes are. */

/** Bytes of records that one task sorts in memory: as many as `records.ts` sorts fast. */
export const rangeBytes: number = 48 << 20;

/** From where to where (exclusive) the part of that index goes. */
export function fullRange({ index, parts }: { readonly index: number; readonly parts: number }): [number, number] {
  return [Math.floor((index * 2 ** 32) / parts), Math.floor(((index + 1) * 2 ** 32) / parts)];
}

/** In how many parts so many bytes are gone through. */
export function partsFor(bytes: number, most: number = rangeBytes): number {
  return Math.max(1, Math.ceil(bytes / most));
}
