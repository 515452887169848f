/**
 * GGUF files, llama.cpp's: metadata and tensors. What names and settings mean is a model family's to say, what the
 * vocabulary in the metadata means a tokenizer's (`tokenizers/gguf.ts`).
 */
import { resolve } from "node:path";
import { CheckpointError } from "../../errors.ts";
import { byteSize, type DType, sizeOf } from "../../tensor/tensor.ts";
import { inFile } from "../disk.ts";
import { type GroupedEntry, readTensor, type TensorEntry } from "../entries.ts";
import { type BlockType, blockTypes } from "./blocks.ts";
import { type GgufHeader, type GgufTensor, type GgufValue, readGgufHeader } from "./header.ts";

export interface GgufFile {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly entries: Map<string, TensorEntry>;
}

/** Types of whole numbers and floats, by ggml's numbers. */
export const plainTypes: ReadonlyMap<number, DType> = new Map([
  [0, "float32"],
  [1, "float16"],
  [24, "int8"],
  [26, "int32"],
  [27, "int64"],
  [28, "float64"],
  [30, "bfloat16"],
]);

/** Names of what is not read, for messages. */
const otherTypes: Readonly<Record<number, string>> = {
  10: "Q2_K",
  11: "Q3_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
};

/** Reads the header; no tensor is read. @throws CheckpointError for a damaged or hostile file, or a type that is not known. */
export async function openGguf(path: string): Promise<GgufFile> {
  const header = await readGgufHeader(path);
  const parts = header.metadata.get("split.count");
  if (typeof parts === "number" && parts > 1) {
    throw new CheckpointError(`${path}: expected a whole model, got one of ${parts} parts`, {
      hint: "join them with llama.cpp's llama-gguf-split --merge, and name the result",
    });
  }
  const entries = new Map(header.tensors.map((tensor) => [tensor.name, entryOf(path, header, tensor)]));
  let end = header.dataStart;
  for (const { name, offset, byteLength } of [...entries.values()].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw misplaced(path, name, "a place of its own", "one within another tensor");
    end = offset + byteLength;
  }
  return { metadata: header.metadata, entries };
}

function misplaced(path: string, name: string, expected: string, got: string): CheckpointError {
  const what = `tensor ${JSON.stringify(name.slice(0, 100))}`;
  return new CheckpointError(`${path}: ${what}: expected ${expected}, got ${got}`, {
    hint: "the file is truncated or damaged; download it again",
  });
}

function entryOf(path: string, header: GgufHeader, { name, dims, type, offset }: GgufTensor): TensorEntry {
  const [plain, blocks] = [plainTypes.get(type), blockTypes.get(type)];
  if (plain === undefined && blocks === undefined) {
    const known = [...[...plainTypes.values()].slice(0, 2), ...[...blockTypes.values()].map((one) => one.name)];
    throw new CheckpointError(
      `${path}: tensor ${JSON.stringify(name.slice(0, 100))}: expected a type of ${known.join(", ")}, got ${otherTypes[type] ?? type}`,
      { hint: "take another file of the model: Q4_K_M, Q8_0 and F16 are read" },
    );
  }
  const width = dims.at(-1) ?? 1;
  if (blocks !== undefined && width % blocks.values !== 0) {
    throw misplaced(path, name, `rows of a multiple of ${blocks.values} numbers for ${blocks.name}`, String(width));
  }
  const count = sizeOf(dims);
  const byteLength = blocks === undefined ? count * byteSize[plain!] : (count / blocks.values) * blocks.bytes;
  const start = header.dataStart + offset;
  if (offset % header.alignment !== 0) {
    throw misplaced(path, name, `an offset that is a multiple of ${header.alignment}`, String(offset));
  }
  if (start + byteLength > header.size) {
    throw misplaced(path, name, `${byteLength} bytes at ${start}`, `a file of ${header.size} bytes`);
  }
  const place = { name, file: resolve(path), open: inFile(path), dims, offset: start, byteLength };
  if (blocks === undefined) return { ...place, dtype: plain! };
  const entry: TensorEntry = { ...place, dtype: "float32", blocks };
  return blocks.groups === undefined || dims.length !== 2
    ? entry
    : { ...entry, grouped: groupedOf(entry, blocks.groups) };
}

/** A matrix in the bits that the file has. */
function groupedOf(entry: TensorEntry, { bits, shifted, of }: NonNullable<BlockType["groups"]>): GroupedEntry {
  const { name, file, open, offset, byteLength, dims } = entry;
  const [outputs, width] = dims as [number, number];
  return {
    bits,
    group: 32,
    shifted,
    async read() {
      const bytes = await readTensor({ name, file, open, dtype: "uint8", dims: [byteLength], offset, byteLength });
      return of(bytes.data as Uint8Array, { outputs, width });
    },
  };
}
