/**
 * MinHash's loops in AssemblyScript: 64-bit hashes of runs of words (xxHash64 of seed 0, Collet; the first eight bytes of SHA-1,
 * FIPS 180-4), and for each of many functions (a * h + b mod 2^64) mod (2^61 - 1) the least over all of them, as datatrove
 * computes it. Text is UTF-8 whose words are parted by single spaces. Addresses are in bytes, whole numbers little-endian.
 * `scripts/build-wasm.js` compiles this file into `../minhash-kernels.ts`.
 */

const prime1: u64 = 0x9e3779b185ebca87;
const prime2: u64 = 0xc2b2ae3d27d4eb4f;
const prime3: u64 = 0x165667b19e3779f9;
const prime4: u64 = 0x85ebca77c2b2ae63;
const prime5: u64 = 0x27d4eb2f165667c5;
const mersenne: u64 = (1 << 61) - 1;

/** Of SHA-1: 80 words, then a block of 64 bytes. The memory's first 384 bytes are free for it. */
const schedule: usize = 0;
const block: usize = 320;

function round(sum: u64, lane: u64): u64 {
  return rotl(sum + lane * prime2, 31) * prime1;
}

function merge(hash: u64, sum: u64): u64 {
  return (hash ^ round(0, sum)) * prime1 + prime4;
}

function xxhash64(start: usize, end: usize): u64 {
  const length = (end - start) as u64;
  let at = start;
  let hash = prime5;
  if (length >= 32) {
    let a: u64 = prime1 + prime2;
    let b: u64 = prime2;
    let c: u64 = 0;
    let d: u64 = 0 - prime1;
    for (; at + 32 <= end; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += length;
  for (; at + 8 <= end; at += 8) hash = rotl(hash ^ round(0, load<u64>(at)), 27) * prime1 + prime4;
  if (at + 4 <= end) {
    hash = rotl(hash ^ ((load<u32>(at) as u64) * prime1), 23) * prime2 + prime3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl(hash ^ ((load<u8>(at) as u64) * prime5), 11) * prime1;
  hash = (hash ^ (hash >> 33)) * prime2;
  hash = (hash ^ (hash >> 29)) * prime3;
  return hash ^ (hash >> 32);
}

let h0: u32 = 0;
let h1: u32 = 0;
let h2: u32 = 0;
let h3: u32 = 0;
let h4: u32 = 0;

function compress(at: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(schedule + i, bswap<u32>(load<u32>(at + i)));
  for (let i: usize = 64; i < 320; i += 4) {
    const word = load<u32>(schedule + i - 12) ^ load<u32>(schedule + i - 32);
    store<u32>(schedule + i, rotl<u32>(word ^ load<u32>(schedule + i - 56) ^ load<u32>(schedule + i - 64), 1));
  }
  let a = h0;
  let b = h1;
  let c = h2;
  let d = h3;
  let e = h4;
  for (let i: usize = 0; i < 320; i += 4) {
    let mixed: u32;
    if (i < 80) mixed = (d ^ (b & (c ^ d))) + 0x5a827999;
    else if (i < 160) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 240) mixed = ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = rotl<u32>(a, 5) + mixed + e + load<u32>(schedule + i);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  h0 += a;
  h1 += b;
  h2 += c;
  h3 += d;
  h4 += e;
}

function sha1(start: usize, end: usize): u64 {
  h0 = 0x67452301;
  h1 = 0xefcdab89;
  h2 = 0x98badcfe;
  h3 = 0x10325476;
  h4 = 0xc3d2e1f0;
  let at = start;
  for (; at + 64 <= end; at += 64) compress(at);
  const left = end - at;
  memory.fill(block, 0, 64);
  memory.copy(block, at, left);
  store<u8>(block + left, 0x80);
  if (left >= 56) {
    compress(block);
    memory.fill(block, 0, 64);
  }
  store<u64>(block, bswap<u64>(((end - start) as u64) << 3), 56);
  compress(block);
  return (bswap<u32>(h0) as u64) | ((bswap<u32>(h1) as u64) << 32);
}

/** Writes where each word begins, then where one behind the last would; gives their number. */
export function findWords(text: usize, length: usize, starts: usize): u32 {
  let count: u32 = 0;
  let start: usize = text;
  for (let at = text; at < text + length; at++) {
    if (load<u8>(at) !== 0x20) continue;
    store<u32>(starts + ((count as usize) << 2), start as u32);
    start = at + 1;
    count += 1;
  }
  store<u32>(starts + ((count as usize) << 2), start as u32);
  store<u32>(starts + ((count as usize) << 2), (text + length + 1) as u32, 4);
  return count + 1;
}

/** Hashes of `count` runs of `size` words, the first at `starts`. */
export function hashRuns(starts: usize, size: usize, count: usize, hashes: usize, isSha1: bool): void {
  for (let i: usize = 0; i < count; i++) {
    const start = load<u32>(starts + (i << 2)) as usize;
    const end = (load<u32>(starts + ((i + size) << 2)) as usize) - 1;
    store<u64>(hashes + (i << 3), isSha1 ? sha1(start, end) : xxhash64(start, end));
  }
}

function least(least: u64, value: u64): u64 {
  const folded = (value & mersenne) + (value >> 61);
  const rest = min<u64>(folded, folded - mersenne);
  return min<u64>(least, rest);
}

/** Keeps the least of each function's values over `count` hashes; `functions` is a multiple of four. */
export function keepLeast(
  factors: usize,
  terms: usize,
  leasts: usize,
  functions: usize,
  hashes: usize,
  count: usize,
): void {
  const end = hashes + (count << 3);
  for (let i: usize = 0; i < functions << 3; i += 32) {
    const a0 = load<u64>(factors + i);
    const a1 = load<u64>(factors + i, 8);
    const a2 = load<u64>(factors + i, 16);
    const a3 = load<u64>(factors + i, 24);
    const b0 = load<u64>(terms + i);
    const b1 = load<u64>(terms + i, 8);
    const b2 = load<u64>(terms + i, 16);
    const b3 = load<u64>(terms + i, 24);
    let m0 = load<u64>(leasts + i);
    let m1 = load<u64>(leasts + i, 8);
    let m2 = load<u64>(leasts + i, 16);
    let m3 = load<u64>(leasts + i, 24);
    for (let at = hashes; at < end; at += 8) {
      const hash = load<u64>(at);
      m0 = least(m0, hash * a0 + b0);
      m1 = least(m1, hash * a1 + b1);
      m2 = least(m2, hash * a2 + b2);
      m3 = least(m3, hash * a3 + b3);
    }
    store<u64>(leasts + i, m0);
    store<u64>(leasts + i, m1, 8);
    store<u64>(leasts + i, m2, 16);
    store<u64>(leasts + i, m3, 24);
  }
}
