/**
 * The directory of a zip archive, so that stored members can be read in place (PKWARE APPNOTE 6.3.10, ZIP64 included).
 * Compressed or encrypted members and archives in several parts are refused: torch writes none, and so nothing expands.
 */
import type { FileHandle } from "node:fs/promises";
import { CheckpointError } from "../errors.ts";
import { readFully } from "./entries.ts";

export interface ZipMember {
  readonly name: string;
  readonly size: number;
  /** Of the member's local header; its bytes follow that header. */
  readonly headerOffset: number;
}

const directoryLimit = 1 << 26; // bytes; about a hundred for each member
const endSignature = 0x06054b50;
const locatorSignature = 0x07064b50;
const end64Signature = 0x06064b50;
const memberSignature = 0x02014b50;
const localSignature = 0x04034b50;

function broken(path: string, found: string): CheckpointError {
  return new CheckpointError(`${path}: expected a zip archive as torch.save writes it, got ${found}`, {
    hint: "the file is truncated, damaged or repacked; download it again or save it again with torch.save",
  });
}

async function readAt(handle: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await readFully(handle, buffer, position, path);
  return buffer;
}

/** Where the central directory lies, from the end record or, where that says so, the ZIP64 end record. */
async function findDirectory(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<{ start: number; length: number; count: number }> {
  const tailLength = Math.min(size, 22 + 0xffff);
  const tailStart = size - tailLength;
  const tail = await readAt(handle, path, tailStart, tailLength);
  let at = tail.length - 22;
  while (at >= 0 && (tail.readUInt32LE(at) !== endSignature || at + 22 + tail.readUInt16LE(at + 20) > tail.length))
    at--;
  if (at < 0) throw broken(path, "no end of central directory");
  let [count, length, start] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  let limit = tailStart + at;
  if (at >= 20 && tail.readUInt32LE(at - 20) === locatorSignature) {
    const end64 = Number(tail.readBigUInt64LE(at - 12));
    if (end64 > limit - 20 - 56) throw broken(path, `a ZIP64 record at ${end64}, outside the file`);
    const record = await readAt(handle, path, end64, 56);
    if (record.readUInt32LE(0) !== end64Signature) throw broken(path, `no ZIP64 record at ${end64}`);
    [count, length, start] = [32, 40, 48].map((field) => Number(record.readBigUInt64LE(field))) as [
      number,
      number,
      number,
    ];
    limit = end64;
  }
  if (start + length > limit || length > directoryLimit || count * 46 > length)
    throw broken(path, `a directory of ${count} members and ${length} bytes at ${start}`);
  return { start, length, count };
}

/** Reads the archive's directory. @throws CheckpointError for anything but stored, unencrypted, distinct members. */
export async function readZipDirectory(
  handle: FileHandle,
  path: string,
  fileSize: number,
): Promise<Map<string, ZipMember>> {
  const { start, length, count } = await findDirectory(handle, path, fileSize);
  const directory = await readAt(handle, path, start, length);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== memberSignature)
      throw broken(path, `no directory entry at ${start + at}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(at + field),
    ) as [number, number, number];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > length) throw broken(path, `a directory entry at ${start + at} that ends outside the directory`);
    const name = directory.toString("utf8", at + 46, at + 46 + nameLength);
    const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const sizes = memberSizes(directory.subarray(at, at + 46), extra);
    const shown = JSON.stringify(name.slice(0, 80));
    if (
      directory.readUInt16LE(at + 10) !== 0 ||
      sizes.packed !== sizes.size ||
      (directory.readUInt16LE(at + 8) & 1) !== 0
    )
      throw broken(path, `the compressed or encrypted member ${shown}`);
    if (members.has(name)) throw broken(path, `the member ${shown} twice`);
    if (sizes.headerOffset + 30 + sizes.size > start) throw broken(path, `the member ${shown} outside the file`);
    members.set(name, { name, size: sizes.size, headerOffset: sizes.headerOffset });
    at = next;
  }
  return members;
}

/** Sizes and offset of a directory entry; those of all ones stand in its ZIP64 extra field, in this order. */
function memberSizes(entry: Buffer, extra: Buffer): { size: number; packed: number; headerOffset: number } {
  let [size, packed, headerOffset] = [entry.readUInt32LE(24), entry.readUInt32LE(20), entry.readUInt32LE(42)];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    const next = (narrow: number): number => {
      if (narrow !== 0xffffffff || field + 8 > extra.length) return narrow;
      field += 8;
      return Number(extra.readBigUInt64LE(field - 8));
    };
    size = next(size);
    packed = next(packed);
    headerOffset = next(headerOffset);
    break;
  }
  return { size, packed, headerOffset };
}

/** Absolute offset of a member's bytes. */
export async function locateMember(
  handle: FileHandle,
  path: string,
  fileSize: number,
  member: ZipMember,
): Promise<number> {
  const header = await readAt(handle, path, member.headerOffset, 30);
  const offset = member.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (header.readUInt32LE(0) !== localSignature || header.readUInt16LE(8) !== 0 || offset + member.size > fileSize)
    throw broken(path, `a directory that does not fit the member ${JSON.stringify(member.name.slice(0, 80))}`);
  return offset;
}
