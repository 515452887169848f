/** A protocol's fingerprint: two reports with the same were made in the same way of the same data. */
import { resolveModel } from "../hub/index.ts";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
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

/** A fingerprint of a model directory's weights, settings and vocabulary, those of its numbered modules included. */
export async function modelFingerprint(source: string): Promise<string> {
  const folder = await resolveModel(source);
  const wanted = /^(?:\d+_[^/]+\/)?[^/]+\.(?:safetensors|bin|pt|json|txt)$/;
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  const hash = createHash("sha256");
  for (const name of names.filter((one) => wanted.test(one)).sort()) {
    hash.update(name).update("\0");
    for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk as Uint8Array);
  }
  return digest(hash);
}
