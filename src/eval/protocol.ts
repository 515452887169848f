/** A protocol's fingerprint: two reports with the same were made in the same way of the same data. */
import { createHash } from "node:crypto";

/** The first sixteen hexadecimal digits of SHA-256 of the protocol as JSON. */
export function protocolHash(protocol: Readonly<Record<string, unknown>>): string {
  return createHash("sha256").update(JSON.stringify(protocol)).digest("hex").slice(0, 16);
}

/** A fingerprint of texts, for a protocol. */
export function textsHash(texts: Iterable<string>): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 16);
}
