/**
 * MinHash signatures of texts (Broder 1997) as datatrove computes them for FineWeb (arXiv 2406.17557, datatrove 0.10
 * `dedup/minhash.py`): hashes of five words in a row of the simplified text, for each of 14 * 8 functions the least value.
 * Signatures are datatrove's bit for bit, so that an index made by either serves both. Texts of fewer words have none.
 */
import * as z from "zod";
import { checked } from "../../schema.ts";
import { mersenneTwister } from "./mersenne-twister.ts";
import { minHashKernels } from "./minhash-kernels.ts";
import { simplifyText } from "./simplify.ts";
import { splitWords } from "./words.ts";

export const minHashSettings = z.strictObject({
  /** Words of a shingle. */
  words: z.int().min(1).max(64).default(5),
  buckets: z.int().min(1).max(512).default(14),
  /** Hashes that must all agree for two texts to fall into one bucket. */
  hashesPerBucket: z.int().min(1).max(64).default(8),
  /** datatrove's default is xxHash64, FineWeb's SHA-1. */
  hash: z.enum(["xxhash", "sha1"]).default("xxhash"),
  seed: z.int().min(0).max(0xffffffff).default(1),
});
export type MinHashSettings = z.input<typeof minHashSettings>;

/** The signature of a text, buckets one after the other; undefined where the text has too few words. */
export type MinHash = (text: string) => BigUint64Array | undefined;

const mersennePrime = (1n << 61n) - 1n;

/** The little that is used here: Node's types have none of it. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** What assembly/minhash.ts exports; all but counts and flags are addresses. */
interface Kernels {
  findWords(text: number, length: number, starts: number): number;
  hashRuns(starts: number, size: number, count: number, hashes: number, isSha1: boolean): void;
  keepLeast(factors: number, terms: number, leasts: number, functions: number, hashes: number, count: number): void;
}

/** Shingles at a time: their hashes stay in the processor's nearest cache. */
const shinglesAtOnce = 2048;
const pageBytes = 1 << 16;
let compiled: object | undefined;

/** @throws ConfigError for settings that do not fit. */
export function createMinHash(settings: MinHashSettings = {}): MinHash {
  const { words: size, buckets, hashesPerBucket, hash, seed } = checked(minHashSettings, settings, "MinHash");
  const count = buckets * hashesPerBucket;
  const functions = Math.ceil(count / 4) * 4;
  // The kernels use what is below 512 themselves.
  const factors = 512;
  const terms = factors + functions * 8;
  const leasts = terms + functions * 8;
  const hashes = leasts + functions * 8;
  const text = hashes + shinglesAtOnce * 8;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(text / pageBytes) + 1 });
  compiled ??= new WebAssembly.Module(Buffer.from(minHashKernels, "base64"));
  const kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Kernels;
  const draw = mersenneTwister(seed);
  for (const [address, low] of [[factors, 1n] as const, [terms, 0n] as const]) {
    const parameters = new BigUint64Array(memory.buffer, address, count);
    for (let i = 0; i < count; i++) parameters[i] = draw.between(low, mersennePrime);
  }

  return (given) => {
    const words = splitWords(simplifyText(given));
    const shingles = words.length - size + 1;
    if (shingles < 1) return undefined;
    const joined = words.join(" ");
    const most = joined.length * 3 + 4;
    const needed = text + most + (words.length + 1) * 4;
    if (needed > memory.buffer.byteLength) memory.grow(Math.ceil((needed - memory.buffer.byteLength) / pageBytes));
    const bytes = Buffer.from(memory.buffer).write(joined, text, "utf8");
    const starts = text + Math.ceil(bytes / 4) * 4;
    kernels.findWords(text, bytes, starts);
    new BigUint64Array(memory.buffer, leasts, functions).fill(0xffffffffffffffffn);
    for (let first = 0; first < shingles; first += shinglesAtOnce) {
      const some = Math.min(shinglesAtOnce, shingles - first);
      kernels.hashRuns(starts + first * 4, size, some, hashes, hash === "sha1");
      kernels.keepLeast(factors, terms, leasts, functions, hashes, some);
    }
    return new BigUint64Array(memory.buffer, leasts, count).slice();
  };
}
