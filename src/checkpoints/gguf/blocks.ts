/**
 * ggml's blocks of few bits (ggml-quants.c, gguf-py's quants.py): so many numbers share a scale, or a scale and an
 * offset. Widened to float32 with the bits that ggml gives; Q8_0 and Q4_0 are made as well, with its reference's bytes.
 * Left out: two and three bits, ternary numbers and the types that need a codebook.
 */
import type { Bits, GroupedWeight } from "../../tensor/grouped.ts";
import type { BlockFormat } from "../entries.ts";
import { fromFloat32, toFloat32 } from "../floats.ts";

export interface BlockType extends BlockFormat {
  /** The same numbers as a weight in groups, where they are such; a shift is rounded to float32 once. */
  readonly groups?: {
    readonly bits: Bits;
    readonly shifted: boolean;
    of(blocks: Uint8Array, shape: Shape): GroupedWeight;
  };
  /** Blocks of these numbers, whole ones. */
  narrow?(numbers: Float32Array): Uint8Array;
}

type Shape = Pick<GroupedWeight, "outputs" | "width">;

const half = new Uint16Array(1);
const wide = new Float32Array(1);

/** The binary16 number at a byte. */
function halfAt(bytes: Uint8Array, at: number): number {
  half[0] = bytes[at]! | (bytes[at + 1]! << 8);
  return toFloat32("float16", half, wide)[0]!;
}

function setHalf(bytes: Uint8Array, at: number, value: number): void {
  wide[0] = value;
  const [bits] = fromFloat32("float16", wide) as unknown as [number];
  bytes[at] = bits & 255;
  bytes[at + 1] = bits >>> 8;
}

/** A type whose blocks are widened one by one: the block's first byte, and where its first number goes. */
function blockType(
  name: string,
  values: number,
  bytes: number,
  widenOne: (blocks: Uint8Array, at: number, into: Float32Array, to: number) => void,
  narrow?: (numbers: Float32Array) => Uint8Array,
): BlockType {
  return {
    name,
    values,
    bytes,
    widen(blocks, into) {
      for (let to = 0, at = 0; to < into.length; to += values, at += bytes) widenOne(blocks, at, into, to);
    },
    ...(narrow === undefined ? {} : { narrow }),
  };
}

/** 32 numbers: (q - zero) · scale + offset, the lower nibbles first, with a fifth bit where `high` says where. */
function simple(name: string, bits: 4 | 5, hasOffset: boolean, narrow?: BlockType["narrow"]): BlockType {
  const high = hasOffset ? 4 : 2;
  const low = high + (bits === 5 ? 4 : 0);
  const zero = hasOffset ? 0 : 1 << (bits - 1);
  const widenOne = (blocks: Uint8Array, at: number, into: Float32Array, to: number): void => {
    const scale = halfAt(blocks, at);
    const offset = hasOffset ? halfAt(blocks, at + 2) : 0;
    for (let i = 0; i < 32; i++) {
      let q = (blocks[at + low + (i & 15)]! >> (i < 16 ? 0 : 4)) & 15;
      if (bits === 5) q |= ((blocks[at + high + (i >> 3)]! >> (i & 7)) & 1) << 4;
      into[to + i] = hasOffset ? scale * q + offset : scale * (q - zero);
    }
  };
  return blockType(name, 32, low + 16, widenOne, narrow);
}

/** 256 numbers in eights of 32, each with a scale and an offset of six bits, which have a scale each of their own. */
function superBlock(name: string, bits: 4 | 5): BlockType {
  const low = 16 + (bits === 5 ? 32 : 0);
  return blockType(name, 256, low + 128, (blocks, at, into, to) => {
    const [scale, offsetScale] = [halfAt(blocks, at), halfAt(blocks, at + 2)];
    for (let part = 0; part < 8; part++) {
      const [s, o] = sixBits(blocks, at + 4, part);
      const [factor, offset] = [scale * s, offsetScale * o];
      for (let i = 0; i < 32; i++) {
        let q = (blocks[at + low + (part >> 1) * 32 + i]! >> ((part & 1) * 4)) & 15;
        if (bits === 5) q |= ((blocks[at + 16 + i]! >> part) & 1) << 4;
        into[to + part * 32 + i] = factor * q - offset;
      }
    }
  });
}

/** Scale and offset of one of eight parts, of the twelve bytes at `at`: the last four's upper bits lie in the first's. */
function sixBits(bytes: Uint8Array, at: number, part: number): [scale: number, offset: number] {
  if (part < 4) return [bytes[at + part]! & 63, bytes[at + 4 + part]! & 63];
  const both = bytes[at + 4 + part]!;
  return [(both & 15) | ((bytes[at + part - 4]! >> 6) << 4), (both >> 4) | ((bytes[at + part]! >> 6) << 4)];
}

/** 256 numbers in sixteens, each with a scale of eight bits: 128 bytes of lower nibbles, 64 of two upper bits. */
const q6k = blockType("Q6_K", 256, 210, (blocks, at, into, to) => {
  const scale = halfAt(blocks, at + 208);
  for (let i = 0; i < 256; i++) {
    const [side, within] = [i >> 7, i & 127];
    const nibble = (blocks[at + side * 64 + (within & 63)]! >> (within < 64 ? 0 : 4)) & 15;
    const upper = (blocks[at + 128 + side * 32 + (within & 31)]! >> ((within >> 5) * 2)) & 3;
    const part = (blocks[at + 192 + (i >> 4)]! << 24) >> 24;
    into[to + i] = scale * part * ((nibble | (upper << 4)) - 32);
  }
});

/** 32 numbers: eight bits with a sign. */
const q8 = blockType(
  "Q8_0",
  32,
  34,
  (blocks, at, into, to) => {
    const scale = halfAt(blocks, at);
    for (let i = 0; i < 32; i++) into[to + i] = scale * ((blocks[at + 2 + i]! << 24) >> 24);
  },
  (numbers) =>
    narrowed(numbers, 34, (block, bytes, at) => {
      let most = 0;
      for (const value of block) most = Math.max(most, Math.abs(value));
      const scale = Math.fround(most / 127);
      const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
      setHalf(bytes, at, scale);
      for (const [i, value] of block.entries()) {
        // Halves are rounded away from zero.
        const scaled = Math.fround(value * inverse);
        bytes[at + 2 + i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
      }
    }),
);

const q4 = simple("Q4_0", 4, false, (numbers) =>
  narrowed(numbers, 18, (block, bytes, at) => {
    let most = block[0]!;
    for (const value of block) if (Math.abs(value) > Math.abs(most)) most = value;
    const scale = Math.fround(most / -8);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    setHalf(bytes, at, scale);
    for (const [i, value] of block.entries()) {
      const q = Math.min(15, Math.trunc(Math.fround(Math.fround(value * inverse) + 8.5)));
      bytes[at + 2 + (i & 15)]! |= i < 16 ? q : q << 4;
    }
  }),
);

function narrowed(
  numbers: Float32Array,
  size: number,
  narrowOne: (block: Float32Array, bytes: Uint8Array, at: number) => void,
): Uint8Array {
  const bytes = new Uint8Array((numbers.length / 32) * size);
  for (let from = 0, at = 0; from < numbers.length; from += 32, at += size) {
    narrowOne(numbers.subarray(from, from + 32), bytes, at);
  }
  return bytes;
}

/** Four bits: of a byte's two numbers the upper is sixteen behind the lower, where a group has it beside it. */
function fourBits(shifted: boolean): NonNullable<BlockType["groups"]> {
  const low = shifted ? 4 : 2;
  return {
    bits: 4,
    shifted,
    of(blocks, { outputs, width }) {
      const count = (outputs * width) / 32;
      const whole = new Uint8Array(count * 16);
      const scales = new Float32Array(count);
      const shifts = shifted ? new Float32Array(count) : undefined;
      for (let block = 0, at = 0; block < count; block++, at += low + 16) {
        scales[block] = halfAt(blocks, at);
        if (shifts !== undefined) shifts[block] = halfAt(blocks, at + 2) + 8 * scales[block]!;
        for (let i = 0; i < 8; i++) {
          const [first, second] = [blocks[at + low + 2 * i]!, blocks[at + low + 2 * i + 1]!];
          whole[block * 16 + i] = (first & 15) | ((second & 15) << 4);
          whole[block * 16 + 8 + i] = (first >> 4) | (second & 0xf0);
        }
      }
      return { bits: 4, group: 32, outputs, width, whole, scales, ...(shifts === undefined ? {} : { shifts }) };
    },
  };
}

/** Eight bits with a sign, where a group counts from 128. */
const eightBits: NonNullable<BlockType["groups"]> = {
  bits: 8,
  shifted: false,
  of(blocks, { outputs, width }) {
    const count = (outputs * width) / 32;
    const whole = new Uint8Array(count * 32);
    const scales = new Float32Array(count);
    for (let block = 0, at = 0; block < count; block++, at += 34) {
      scales[block] = halfAt(blocks, at);
      for (let i = 0; i < 32; i++) whole[block * 32 + i] = blocks[at + 2 + i]! ^ 128;
    }
    return { bits: 8, group: 32, outputs, width, whole, scales };
  },
};

/** By their numbers in files (ggml.h, `ggml_type`). */
export const blockTypes: ReadonlyMap<number, BlockType> = new Map([
  [2, { ...q4, groups: fourBits(false) }],
  [3, { ...simple("Q4_1", 4, true), groups: fourBits(true) }],
  [6, simple("Q5_0", 5, false)],
  [7, simple("Q5_1", 5, true)],
  [8, { ...q8, groups: eightBits }],
  [12, superBlock("Q4_K", 4)],
  [13, superBlock("Q5_K", 5)],
  [14, q6k],
]);
