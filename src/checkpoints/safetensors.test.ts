import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../errors.ts";
import { allocate, byteSize, sizeOf, view, type DType } from "../tensor/tensor.ts";
import { openSafetensors, readFloat32, readTensor, writeSafetensors } from "./safetensors.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function craft(header: string | Uint8Array, data = 0, length?: bigint): Promise<string> {
  const path = join(folder, "crafted.safetensors");
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(Buffer.from(header).length));
  await writeFile(path, Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(data)]));
  return path;
}

const dtypes = Object.keys(byteSize) as DType[];
const anyTensor = fc
  .record({ dtype: fc.constantFrom(...dtypes), dims: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }) })
  .chain(({ dtype, dims }) => {
    const length = sizeOf(dims) * byteSize[dtype];
    const bytes = fc.uint8Array({ minLength: length, maxLength: length });
    return bytes.map((raw) => ({ dtype, dims, bytes: raw }));
  });

describe("safetensors", () => {
  it("reads back what it wrote, for any names, dtypes and shapes", async () => {
    const path = join(folder, "property.safetensors");
    const names = fc.string({ unit: "grapheme" }).filter((name) => !["__proto__", "__metadata__"].includes(name));
    const tensors = fc.uniqueArray(fc.tuple(names, anyTensor), { selector: ([name]) => name, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(tensors, async (list) => {
        await writeSafetensors(
          path,
          list.map(([name, { dtype, dims, bytes }]) => ({ name, dtype, dims, data: view(dtype, bytes.slice()) })),
        );
        const { entries, dataStart, metadata } = await openSafetensors(path);
        expect([...metadata]).toEqual([["format", "pt"]]);
        expect(dataStart % 8).toBe(0);
        expect(new Set(entries.keys())).toEqual(new Set(list.map(([name]) => name)));
        for (const [name, { dtype, dims, bytes }] of list) {
          const entry = entries.get(name)!;
          expect([entry.dtype, entry.dims]).toEqual([dtype, dims]);
          const { data } = await readTensor(entry);
          expect(Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(bytes)).toBe(true);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("describes each tensor by its place in the file, so that others can map it", async () => {
    const path = join(folder, "place.safetensors");
    const data = Float32Array.of(1, 2, 3);
    await writeSafetensors(path, [
      { name: "flag", dtype: "bool", dims: [1], data: Uint8Array.of(1) },
      { name: "x", dtype: "float32", dims: [3], data },
    ]);
    const { entries } = await openSafetensors(path);
    const { file, offset, byteLength } = entries.get("x")!;
    const bytes = (await readFile(file)).subarray(offset, offset + byteLength);
    expect(new Float32Array(new Uint8Array(bytes).buffer)).toEqual(data);
  });

  it("stores float32 as float16 or bfloat16 on request and leaves integers alone", async () => {
    const path = join(folder, "narrow.safetensors");
    const data = Float32Array.of(1, -2.5, 0.1);
    for (const dtype of ["float16", "bfloat16", "float64"] as const) {
      const ids = BigInt64Array.of(7n);
      await writeSafetensors(
        path,
        [
          { name: "x", dtype: "float32", dims: [3], data: () => data },
          { name: "ids", dtype: "int64", dims: [1], data: ids },
        ],
        { dtype, metadata: {} },
      );
      const { entries, metadata } = await openSafetensors(path);
      expect(metadata.size).toBe(0);
      expect(entries.get("x")!.dtype).toBe(dtype);
      expect((await readTensor(entries.get("ids")!)).data).toEqual(ids);
      const back = await readFloat32(entries.get("x")!);
      expect([...back.subarray(0, 2)]).toEqual([1, -2.5]);
      expect(back[2]).toBeCloseTo(0.1, dtype === "bfloat16" ? 3 : 4);
    }
  });

  it("reads tensors larger than one chunk, into a given array", async () => {
    const path = join(folder, "large.safetensors");
    const count = (1 << 23) + 5;
    const data = allocate("float32", count).map((_, i) => i % 2048);
    await writeSafetensors(path, [{ name: "x", dtype: "float32", dims: [count], data }], { dtype: "float16" });
    const into = new Float32Array(count);
    const entry = (await openSafetensors(path)).entries.get("x")!;
    expect(await readFloat32(entry, into)).toBe(into);
    expect(Buffer.compare(Buffer.from(into.buffer), Buffer.from(data.buffer))).toBe(0);
    await expect(readFloat32(entry, new Float32Array(3))).rejects.toThrow(/expected room for 8388613 numbers, got 3/);
  });

  it("refuses data that do not fit their shape and leaves no file behind", async () => {
    const path = join(folder, "none", "misfit.safetensors");
    const x = { name: "x", dtype: "float32", dims: [2], data: new Float32Array(3) } as const;
    await expect(writeSafetensors(path, [x])).rejects.toThrow(CheckpointError);
    await expect(writeSafetensors(path, [{ ...x, dims: [3] }, x])).rejects.toThrow(/distinct tensor names/);
    expect(await readdir(join(folder, "none"))).toEqual([]);
  });

  it("says which tensor a truncated file ends in", async () => {
    const path = join(folder, "cut.safetensors");
    await writeSafetensors(path, [{ name: "x", dtype: "float32", dims: [2], data: new Float32Array(2) }]);
    const entry = (await openSafetensors(path)).entries.get("x")!;
    await truncate(path, entry.offset + 3);
    await expect(readTensor(entry)).rejects.toThrow(/tensor "x": expected 8 bytes at \d+, got 3/);
    await expect(openSafetensors(path)).rejects.toThrow(CheckpointError);
  });
});

const tensor = (fields: object): string =>
  JSON.stringify({ x: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });
const hostile: [what: string, header: string | Uint8Array, data?: number, length?: bigint][] = [
  ["header longer than the file", "{}", 0, 1000n],
  ["header length beyond any file", "{}", 0, 2n ** 64n - 1n],
  ["empty header", "", 0],
  ["header that is not JSON", "{x}"],
  ["header that is not UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)],
  ["header that is a list", "[]"],
  ["nesting without end", "[".repeat(1_000_000)],
  ["millions of lists", `{"x":[${"[],".repeat(2_000_001)}[]]}`],
  ["valid deep nesting", `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["same tensor twice", `{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0078":0}`],
  ["same field twice", `{"x":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}`],
  ["__proto__ as a name", `{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`],
  ["metadata that are not strings", `{"__metadata__":{"a":1}}`],
  ["tensor that is null", `{"x":null}`],
  ["unknown dtype", tensor({ dtype: "F8_E4M3" }), 8],
  ["dtype that is a prototype's", tensor({ dtype: "constructor" }), 8],
  ["unknown field", tensor({ extra: 1 }), 8],
  ["negative dimension", tensor({ shape: [-2] }), 8],
  ["fractional dimension", tensor({ shape: [2.5] }), 8],
  ["dimensions that overflow", tensor({ shape: [2 ** 40, 2 ** 40, 0], data_offsets: [0, 0] })],
  ["shape that is a number", tensor({ shape: 2 }), 8],
  ["shape of 100,000 axes", tensor({ shape: Array.from({ length: 100_000 }, () => 1), data_offsets: [0, 4] }), 4],
  ["shape of millions of axes", tensor({ shape: Array.from({ length: 9_000_000 }, () => 1), data_offsets: [0, 4] }), 4],
  [
    "name of a megabyte",
    JSON.stringify({ ["x".repeat(1 << 20)]: { dtype: "F32", shape: [2], data_offsets: [0, 12] } }),
    12,
  ],
  ["key of a megabyte in the metadata", JSON.stringify({ __metadata__: { ["x".repeat(1 << 20)]: 1 } })],
  ["size that does not match", tensor({ data_offsets: [0, 12] }), 12],
  ["offsets beyond the file", tensor({}), 4],
  ["offsets backwards", tensor({ data_offsets: [8, 0] }), 8],
  ["three offsets", tensor({ data_offsets: [0, 4, 8] }), 8],
  ["offsets that are strings", tensor({ data_offsets: ["0", "8"] }), 8],
  ["hole before a tensor", tensor({ data_offsets: [4, 12] }), 12],
  ["bytes after the last tensor", tensor({}), 9],
  [
    "overlapping tensors",
    `{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"y":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`,
    6,
  ],
];

describe("openSafetensors refuses", () => {
  it.each(hostile)("%s", async (_, header, data, length) => {
    const path = await craft(header, data, length);
    const error: unknown = await openSafetensors(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain("crafted.safetensors");
    expect((error as Error).message.length).toBeLessThan(1000);
  });

  it("a folder, a missing file and an empty file", async () => {
    await writeFile(join(folder, "empty"), "");
    for (const path of [folder, join(folder, "missing"), join(folder, "empty")])
      await expect(openSafetensors(path)).rejects.toThrow(CheckpointError);
  });
});
