/** Any bytes as a checkpoint: tensors that lie within the file, or a CheckpointError of a readable length. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { fuzzRuns } from "../../test/support/fuzz.ts";
import { hostileValue, mutatedBytes, mutatedJson } from "../../test/support/mutations.ts";
import { CheckpointError } from "../errors.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { readTensor, type TensorEntry } from "./entries.ts";
import { operations } from "./pickle-operations.ts";
import { readPickle } from "./pickle.ts";
import { openSafetensors } from "./safetensors.ts";
import { torchRules } from "./torch-globals.ts";
import { openTorchFile } from "./torch-file.ts";

const goldens = join(import.meta.dirname, "../../test/goldens/checkpoints");
const folder = mkdtempSync(join(tmpdir(), "galen-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What reading gives: values, or the one error that is allowed. */
async function survive(read: () => unknown): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.message.length).toBeLessThan(3000);
    return false;
  }
}

async function readAll(entries: ReadonlyMap<string, TensorEntry>, size: number): Promise<void> {
  for (const entry of entries.values()) {
    expect(entry.byteLength).toBeLessThanOrEqual(size);
    const { data } = await readTensor(entry);
    expect(data.byteLength).toBeLessThanOrEqual(size);
  }
}

function safetensors(header: string | Uint8Array, data: number): Buffer {
  const bytes = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes, Buffer.alloc(data)]);
}

describe("safetensors", () => {
  const path = join(folder, "fuzz.safetensors");
  const open = async (bytes: Uint8Array): Promise<boolean> => {
    writeFileSync(path, bytes);
    return survive(async () => readAll((await openSafetensors(path)).entries, bytes.length));
  };

  test("headers with other values in their places", async () => {
    const header = {
      __metadata__: { format: "pt" },
      a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
      b: { dtype: "I64", shape: [], data_offsets: [8, 16] },
      c: { dtype: "BF16", shape: [0, 3], data_offsets: [16, 16] },
    };
    expect(await open(safetensors(JSON.stringify(header), 16))).toBe(true);
    let read = 0;
    await fc.assert(
      fc.asyncProperty(mutatedJson(header), fc.constantFrom(16, 16, 16, 0, 17), async (changed, data) => {
        if (await open(safetensors(JSON.stringify(changed), data))) read += 1;
      }),
      fuzzRuns(1000),
    );
    expect(read).toBeGreaterThan(0);
  });

  test("files with other bytes", async () => {
    const original = readFileSync(join(goldens, "sharded-safetensors/model-00001-of-00003.safetensors"));
    await fc.assert(
      fc.asyncProperty(mutatedBytes(original), async (bytes) => void (await open(bytes))),
      fuzzRuns(1000),
    );
  });

  test("any JSON as an index of shards", async () => {
    const directory = join(folder, "index");
    mkdirSync(directory);
    writeFileSync(join(directory, "model-1.safetensors"), safetensors("{}", 0));
    const index = { metadata: { total_size: 0 }, weight_map: { a: "model-1.safetensors", b: "model-1.safetensors" } };
    const changed = fc.oneof(
      mutatedJson(index),
      hostileValue,
      hostileValue.map((value) => ({ weight_map: { a: value } })),
    );
    await fc.assert(
      fc.asyncProperty(changed, async (json) => {
        writeFileSync(join(directory, "model.safetensors.index.json"), JSON.stringify(json) ?? "");
        await survive(() => openCheckpoint(directory));
      }),
      fuzzRuns(1000),
    );
  });
});

describe("files of torch.save", () => {
  test.each(["views.pt", "views-legacy.pt"])("%s with other bytes", async (name) => {
    const path = join(folder, name);
    await fc.assert(
      fc.asyncProperty(mutatedBytes(readFileSync(join(goldens, name)), 1500), async (bytes) => {
        writeFileSync(path, bytes);
        await survive(async () => readAll((await openTorchFile(path, { strict: false })).tensors, bytes.length));
      }),
      fuzzRuns(1000),
    );
  });

  test("zip archives with other directories", async () => {
    const original = readFileSync(join(goldens, "views.pt"));
    const start = original.readUInt32LE(original.length - 6);
    const path = join(folder, "directory.pt");
    await fc.assert(
      fc.asyncProperty(mutatedBytes(original.subarray(start)), async (directory) => {
        const bytes = Buffer.concat([original.subarray(0, start), directory]);
        writeFileSync(path, bytes);
        await survive(async () => readAll((await openTorchFile(path)).tensors, bytes.length));
      }),
      fuzzRuns(1000),
    );
  });

  test("pickles of any opcodes, with any arguments", async () => {
    const opcode = fc.constantFrom(...operations.keys(), 0x2e);
    const global = fc.constantFrom(
      "ctorch._utils\n_rebuild_tensor_v2\n",
      "ccollections\nOrderedDict\n",
      "ctorch\nFloatStorage\n",
    );
    const part = fc.oneof(
      { weight: 4, arbitrary: opcode.map((byte) => Buffer.of(byte)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) },
      { weight: 1, arbitrary: global.map((text) => Buffer.from(text)) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom("K\u0004", "X\u0001\0\0\0a", "(", "N", ")", "]", "}")
          .map((text) => Buffer.from(text)),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 60 }), fc.boolean(), async (parts, strict) => {
        const bytes = Buffer.concat([...parts, Buffer.from(".")]);
        await survive(() =>
          readPickle(
            bytes,
            "fuzz",
            torchRules(strict, () => {}),
          ),
        );
      }),
      fuzzRuns(5000),
    );
  });
});
