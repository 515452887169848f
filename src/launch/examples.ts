/**
 * The examples of a training as files that any engine can map: which ones each micro-batch has and, where they are texts,
 * their tokens and what is learned of them.
 */
import { createWriteStream } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ConfigError } from "../errors.ts";
import { writeAtomically } from "../io/files.ts";
import type { ExampleSet, LearnedText, OutsideBlocks, OutsideTexts } from "../train/objectives/objective.ts";
import { type Job, nobody } from "./job.ts";

type Split = Job["train"];

/** Micro-batches one after another, the same every time. */
type Batches = () => Iterable<readonly number[]>;

/** Most examples of a micro-batch, and how many micro-batches there are. */
interface Size {
  readonly width: number;
  readonly count: number;
}

/** Writes DIR/data/NAME.order.bin and, of texts, NAME.bin, NAME.starts.bin and NAME.learned.bin. */
export async function writeSplit(
  output: string,
  name: string,
  { outside, count }: Pick<ExampleSet, "outside" | "count">,
  batches: Batches,
  known?: Size,
): Promise<Split> {
  if (outside === undefined)
    throw new ConfigError("objective: expected one whose examples can be written, got another");
  if ("textsOf" in outside) {
    const order = await writeOrder(output, name, batches, (number) => number, known);
    return { ...(await writeTexts(output, name, count, outside)), order };
  }
  const order = await writeOrder(output, name, batches, outside.placeOf, known);
  return { files: outside.files.map((file) => tokensOf(output, file)), order };
}

function tokensOf(output: string, { prefix, type, blocks }: OutsideBlocks["files"][number]): Split["files"][number] {
  const path = resolve(`${prefix}.bin`);
  const inside = relative(resolve(output), path);
  const own = inside !== ".." && !inside.startsWith(`..${sep}`) && resolve(inside) !== inside;
  return { path: own ? inside : path, type, examples: blocks };
}

async function writeOrder(
  output: string,
  name: string,
  batches: Batches,
  placeOf: (number: number) => number,
  known?: Size,
): Promise<Split["order"]> {
  const { width, count } = known ?? sizeOf(batches());
  const path = `data/${name}.order.bin`;
  const rows = Math.max(1, Math.floor(chunkNumbers / width));
  const chunks = function* (): Iterable<Uint32Array> {
    let chunk = new Uint32Array(rows * width).fill(nobody);
    let filled = 0;
    for (const numbers of batches()) {
      for (let i = 0; i < numbers.length; i++) chunk[filled + i] = placeOf(numbers[i]!);
      filled += width;
      if (filled < chunk.length) continue;
      yield chunk;
      chunk = new Uint32Array(rows * width).fill(nobody);
      filled = 0;
    }
    yield chunk.subarray(0, filled);
  };
  await writeNumbers(join(output, path), chunks());
  return { path, width, batches: count };
}

function sizeOf(batches: Iterable<readonly number[]>): Size {
  let [width, count] = [1, 0];
  for (const { length } of batches) {
    width = Math.max(width, length);
    count += 1;
  }
  return { width, count };
}

async function writeTexts(
  output: string,
  name: string,
  count: number,
  { textsOf }: OutsideTexts,
): Promise<Omit<Split, "order">> {
  const texts = function* (): Iterable<LearnedText> {
    for (let number = 0; number < count; number++) yield* textsOf(number);
  };
  const starts = [0n];
  for (const { ids } of texts()) starts.push(starts.at(-1)! + BigInt(ids.length));
  const paths = { tokens: `data/${name}.bin`, starts: `data/${name}.starts.bin`, learned: `data/${name}.learned.bin` };
  const each = function* <T>(of: (text: LearnedText) => T): Iterable<T> {
    for (const text of texts()) yield of(text);
  };
  await writeNumbers(
    join(output, paths.tokens),
    each(({ ids }) => Int32Array.from(ids)),
  );
  await writeNumbers(
    join(output, paths.learned),
    each(({ learned }) => Uint8Array.from(learned, Number)),
  );
  await writeNumbers(join(output, paths.starts), [BigInt64Array.from(starts)]);
  return {
    files: [{ path: paths.tokens, type: "int32", examples: starts.length - 1 }],
    starts: paths.starts,
    learned: paths.learned,
  };
}

/** Numbers of an order that are made at once. */
const chunkNumbers = 1 << 20;

/** Bytes that are collected before they are written. */
const chunkBytes = 1 << 20;

/** Writes little-endian numbers, atomically, without all of them in memory. */
async function writeNumbers(path: string, parts: Iterable<ArrayBufferView>): Promise<void> {
  const chunks = function* (): Iterable<Buffer> {
    let [held, bytes]: [Buffer[], number] = [[], 0];
    for (const { buffer, byteOffset, byteLength } of parts) {
      held.push(Buffer.from(buffer, byteOffset, byteLength));
      bytes += byteLength;
      if (bytes < chunkBytes) continue;
      yield Buffer.concat(held);
      [held, bytes] = [[], 0];
    }
    yield Buffer.concat(held);
  };
  await writeAtomically(path, (temporary) =>
    pipeline(Readable.from(chunks(), { objectMode: false }), createWriteStream(temporary)),
  );
}
