/** 128 bits of SHA-1, for finding the same thing elsewhere; nothing here depends on nobody making two alike. */
import { createHash } from "node:crypto";

/** Of a text or bytes, and of a number where there are several kinds. */
export function hash128(what: string | Uint8Array, kind: number = 0): Uint32Array {
  const hash = createHash("sha1").update(what);
  if (kind !== 0) hash.update(String(kind));
  const digest = hash.digest();
  return Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32BE(4 * i));
}
