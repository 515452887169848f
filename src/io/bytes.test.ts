import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import * as zlib from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { readBytes } from "./bytes.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-bytes-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

/** What comes before the error, and the error. */
async function read(path: string): Promise<{ bytes: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of readBytes(path)) chunks.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
  return { bytes: Buffer.concat(chunks), error: undefined };
}

const text = Buffer.from(
  Array.from({ length: 60_000 }, (_, i) => `line ${i} of the file, ${(i * 7919) % 1009}\n`).join(""),
);

describe("readBytes", () => {
  test("gives all that was packed where only the checksum is wrong", async () => {
    const packed = zlib.gzipSync(text);
    packed[packed.length - 6]! ^= 1;
    const { bytes, error } = await read(file("checksum.gz", packed));
    expect(bytes.equals(text)).toBe(true);
    expect(error).toEqual(new DataError("the gzip file's checksum is not that of its contents"));
  });

  test("gives what stands before a changed byte, to the last", async () => {
    const packed = zlib.gzipSync(text);
    const place = Math.floor(packed.length * 0.6);
    packed.fill(0xff, place, place + 40);
    const { bytes, error } = await read(file("flipped.gz", packed));
    // As much as the bytes before the damage hold by themselves.
    const whole = zlib.gunzipSync(packed.subarray(0, place), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    expect(bytes.length).toBeGreaterThanOrEqual(whole.length);
    expect(bytes.subarray(0, whole.length).equals(text.subarray(0, whole.length))).toBe(true);
    expect((error as Error).message).toMatch(/^the gzip file/);
  });

  test("gives what a file holds that is cut short, and of several members those that are whole", async () => {
    const packed = zlib.gzipSync(text);
    const cut = await read(file("cut.gz", packed.subarray(0, packed.length - 20)));
    expect(cut.bytes.length).toBeGreaterThan(text.length * 0.99);
    expect(cut.error).toEqual(new DataError("the gzip file is cut short"));
    const members = await read(file("members.gz", Buffer.concat([packed, packed.subarray(0, 1000)])));
    expect(members.bytes.subarray(0, text.length).equals(text)).toBe(true);
    expect(members.error).toEqual(new DataError("the gzip file is cut short"));
  });

  test("says that a file is not gzip at all", async () => {
    const { bytes, error } = await read(file("plain.gz", text));
    expect(bytes).toHaveLength(0);
    expect(error).toEqual(new DataError("expected gzip data, got other bytes"));
  });

  test.skipIf(!("zstdCompressSync" in zlib))("keeps what stands before the damage in zstd too", async () => {
    const packed = zlib.zstdCompressSync(Buffer.concat([text, randomBytes(1 << 20)]));
    const { bytes, error } = await read(file("cut.zst", packed.subarray(0, packed.length - 1000)));
    expect(bytes.length).toBeGreaterThan(text.length);
    expect(error).toEqual(new DataError("the zstd file is cut short"));
  });

  test("shows all bytes on disk to `onRaw`, and none after it has ended, where the reader stops early", async () => {
    const contents = zlib.gzipSync(randomBytes(6 << 20), { level: 1 });
    for (const path of [file("random.gz", contents), file("random.bin", contents)]) {
      const hash = createHash("sha256");
      let ended = false;
      const onRaw = (chunk: Uint8Array): void => {
        expect(ended).toBe(false);
        hash.update(chunk);
      };
      for await (const chunk of readBytes(path, { onRaw })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      ended = true;
      expect(hash.digest("hex")).toBe(createHash("sha256").update(contents).digest("hex"));
      await setTimeout(20);
    }
  });

  test("ends in order where it is aborted", async () => {
    const controller = new AbortController();
    const reading = (async () => {
      for await (const chunk of readBytes(file("stop.gz", zlib.gzipSync(randomBytes(4 << 20))), controller)) {
        expect(chunk.length).toBeGreaterThan(0);
        controller.abort();
      }
    })();
    await expect(reading).rejects.toThrow(/abort/i);
  });
});
