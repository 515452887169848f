/** 128 bits of a text's SHA-1, for finding the same text elsewhere; nothing here depends on nobody making two alike. */
import { createHash } from "node:crypto";

export function hash128(text: string): Uint32Array {
  const digest = createHash("sha1").update(text).digest();
  return Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32BE(4 * i));
}
