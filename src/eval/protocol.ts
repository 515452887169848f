/** A protocol's fingerprint: two reports with the same were made in the same way of the same data. */
import { createHash } from "node:crypto";
import { digest } from "../io/fingerprint.ts";
import type { TokenStream } from "./perplexity-text.ts";

/** The first sixteen hexadecimal digits of SHA-256 of the protocol as JSON. */
export function protocolHash(protocol: Readonly<Record<string, unknown>>): string {
  return digest(createHash("sha256").update(JSON.stringify(protocol)));
}

/** A fingerprint of texts that come one by one, for a protocol. */
export function textsHasher(): { add(...texts: readonly string[]): void; digest(): string } {
  const hash = createHash("sha256");
  return {
    add(...texts) {
      for (const text of texts) hash.update(text).update("\0");
    },
    digest: () => digest(hash),
  };
}

/** A fingerprint of token ids. */
export function tokensHash(stream: TokenStream, signal?: AbortSignal): string {
  const hash = createHash("sha256");
  for (let start = 0; start < stream.tokens; start += 65_536) {
    signal?.throwIfAborted();
    hash.update(Int32Array.from(stream.read(start, Math.min(65_536, stream.tokens - start))));
  }
  return digest(hash);
}
