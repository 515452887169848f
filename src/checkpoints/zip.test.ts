import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTensor } from "./entries.ts";
import { openTorchFile } from "./torch-file.ts";

const golden = join(import.meta.dirname, "../../test/goldens/checkpoints/views.pt");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-zip-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Parts {
  body: Buffer;
  /** Fixed part, name. */
  entries: [fixed: Buffer, name: Buffer][];
}

async function split(): Promise<Parts> {
  const bytes = await readFile(golden);
  const end = bytes.lastIndexOf(Buffer.from("PK\u0005\u0006"));
  let at = bytes.readUInt32LE(end + 16);
  const body = bytes.subarray(0, at);
  const entries: Parts["entries"] = [];
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const fixed = Buffer.from(bytes.subarray(at, at + 46));
    fixed.writeUInt32LE(0, 30);
    entries.push([fixed, bytes.subarray(at + 46, at + 46 + name)]);
    at += 46 + name + extra + comment;
  }
  return { body, entries };
}

function endRecord(count: number, length: number, start: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(start, 16);
  return end;
}

function join32({ body, entries }: Parts): Buffer {
  const directory = Buffer.concat(entries.flat());
  return Buffer.concat([body, directory, endRecord(entries.length, directory.length, body.length)]);
}

/** The archive with every size and offset in ZIP64 fields. */
function join64({ body, entries }: Parts, end64At?: bigint): Buffer {
  const directory = Buffer.concat(
    entries.flatMap(([fixed, name]) => {
      const extra = Buffer.alloc(28);
      extra.writeUInt16LE(1);
      extra.writeUInt16LE(24, 2);
      for (const [index, field] of [24, 20, 42].entries()) {
        extra.writeBigUInt64LE(BigInt(fixed.readUInt32LE(field)), 4 + 8 * index);
        fixed.writeUInt32LE(0xffffffff, field);
      }
      fixed.writeUInt16LE(28, 30);
      return [fixed, name, extra];
    }),
  );
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50);
  end64.writeBigUInt64LE(44n, 4);
  for (const [index, value] of [entries.length, entries.length, directory.length, body.length].entries())
    end64.writeBigUInt64LE(BigInt(value), 24 + 8 * index);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.writeBigUInt64LE(end64At ?? BigInt(body.length + directory.length), 8);
  return Buffer.concat([body, directory, end64, locator, endRecord(0xffff, 0xffffffff, 0xffffffff)]);
}

async function open(bytes: Buffer): ReturnType<typeof openTorchFile> {
  const path = join(folder, "archive.pt");
  await writeFile(path, bytes);
  return openTorchFile(path);
}

describe("zip archives", () => {
  it("with ZIP64 records are read like others", async () => {
    const { tensors } = await open(join64(await split()));
    const reference = (await openTorchFile(golden)).tensors;
    expect(tensors.size).toBe(reference.size);
    for (const [name, entry] of reference) {
      expect(tensors.get(name)!.offset).toBe(entry.offset);
      expect(await readTensor(tensors.get(name)!)).toEqual(await readTensor(entry));
    }
  });

  it("with a comment after the directory are read", async () => {
    const bytes = join32(await split());
    const comment = Buffer.from("PK\u0005\u0006 a comment that looks like an end record");
    bytes.writeUInt16LE(comment.length, bytes.length - 2);
    expect((await open(Buffer.concat([bytes, comment]))).tensors.size).toBe(17);
  });

  const change = (edit: (parts: Parts) => void) => async (): Promise<Buffer> => {
    const parts = await split();
    edit(parts);
    return join32(parts);
  };
  const first = (parts: Parts): Buffer => parts.entries[0]![0];
  it.each<[what: string, make: () => Promise<Buffer>, message: RegExp]>([
    [
      "a compressed member",
      change((parts) => first(parts).writeUInt16LE(8, 10)),
      /compressed or encrypted member "views/,
    ],
    ["an encrypted member", change((parts) => first(parts).writeUInt16LE(1, 8)), /compressed or encrypted member/],
    ["a member that expands", change((parts) => first(parts).writeUInt32LE(1e9, 24)), /compressed or encrypted member/],
    ["a member outside the file", change((parts) => first(parts).writeUInt32LE(1e6, 42)), /outside the file/],
    ["a member twice", change((parts) => parts.entries.push(parts.entries[0]!)), /the member "views\/data.pkl" twice/],
    ["no data.pkl", change((parts) => parts.entries.shift()), /one data.pkl in the archive, got 0/],
    ["a storage missing", change((parts) => parts.entries.splice(5, 1)), /storage "\d+": expected \d+ bytes, got none/],
    ["a directory of another place", change((parts) => first(parts).writeUInt32LE(64, 42)), /does not fit the member/],
    ["a ZIP64 record outside the file", async () => join64(await split(), 2n ** 63n), /ZIP64 record at/],
    ["a ZIP64 record elsewhere", async () => join64(await split(), 0n), /no ZIP64 record at 0/],
    ["no directory", async () => (await split()).body, /no end of central directory/],
  ])("with %s are refused", async (_, make, message) => {
    await expect(open(await make())).rejects.toThrow(message);
  });
});
