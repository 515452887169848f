import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createMinHash, minHashSettings } from "./minhash.ts";
import { mersenneTwister } from "./mersenne-twister.ts";
import { simplifyText } from "./simplify.ts";
import { splitWords } from "./words.ts";

const prime = (1n << 61n) - 1n;

/** The paper's rule in whole numbers without bound, with Node's SHA-1. */
function signedSlowly(text: string, words: number, count: number, seed: number): bigint[] {
  const draw = mersenneTwister(seed);
  const [factors, terms] = [1n, 0n].map((low) => Array.from({ length: count }, () => draw.between(low, prime)));
  const all = splitWords(simplifyText(text));
  const hashes = Array.from({ length: all.length - words + 1 }, (_, i) => {
    const run = all.slice(i, i + words).join(" ");
    return createHash("sha1").update(run).digest().readBigUInt64LE(0);
  });
  return factors!.map((factor, i) => {
    const values = hashes.map((hash) => BigInt.asUintN(64, factor * hash + terms![i]!) % prime);
    return values.reduce((least, value) => (value < least ? value : least));
  });
}

const text = `Élan vital and other words, ${"long".repeat(40)}, ${Array.from({ length: 90 }, (_, i) => `word${i * i}x`).join(" ")}`;

test.each([
  { words: 1, buckets: 3, hashesPerBucket: 1, seed: 1 },
  { words: 5, buckets: 14, hashesPerBucket: 8, seed: 7 },
  { words: 13, buckets: 5, hashesPerBucket: 2, seed: 4_294_967_295 },
])("signatures are the least values whatever their number: %j", (settings) => {
  const signature = createMinHash({ ...settings, hash: "sha1" })(text);
  const count = settings.buckets * settings.hashesPerBucket;
  expect([...signature!]).toEqual(signedSlowly(text, settings.words, count, settings.seed));
});

test("a text of fewer words than a shingle has no signature", () => {
  const signature = createMinHash();
  expect(signature("one, two, three, four!")).toBeUndefined();
  expect(signature("one two three four five")).toHaveLength(112);
});

test("a signature stays as it is when the next is made", () => {
  const signature = createMinHash();
  const first = signature(text)!;
  const copy = [...first];
  signature(`another ${text} altogether, ${"and more of it ".repeat(5000)}`);
  expect([...first]).toEqual(copy);
});

test("settings out of range are refused", () => {
  expect(() => createMinHash({ words: 0 })).toThrow("MinHash: words: expected");
  expect(minHashSettings.safeParse({ seed: -1 }).success).toBe(false);
});
