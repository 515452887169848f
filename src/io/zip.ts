/**
 * Members of a zip archive as texts (PKWARE APPNOTE 6.3.10): stored or deflated, by Node's own zlib. For small archives
 * that data sets are handed round in: the file is read whole, and what it expands to is bounded. Left out: ZIP64, encryption,
 * archives in several parts. (PyTorch's archives, whose members are mapped and never expanded, have `checkpoints/zip.ts`.)
 */
import { readFile } from "node:fs/promises";
import { crc32, inflateRawSync } from "node:zlib";
import { DataError } from "../errors.ts";

const endSignature = 0x06054b50;
const memberSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endLength = 22;
const mostBytes = 256 << 20; // of all wanted members together

/**
 * Texts of the members whose names are `wanted`, by name. @throws DataError where the file cannot be read, or is no such
 * archive, cut short, damaged, or too large.
 */
export async function readZipTexts(
  path: string,
  wanted: (name: string) => boolean,
  hint?: string,
): Promise<Map<string, string>> {
  const fail = (got: string, cause?: unknown): DataError =>
    new DataError(`${path}: expected a zip archive, got ${got}`, { hint, cause });
  const bytes = await readFile(path).catch((cause: Error) => Promise.reject(fail(cause.message, cause)));
  let end = bytes.length - endLength;
  const least = Math.max(0, end - 0xffff);
  while (end >= least && bytes.readUInt32LE(end) !== endSignature) end--;
  if (end < least) throw fail("one without its directory: the file is cut short, or no archive");
  const texts = new Map<string, string>();
  let total = 0;
  let at = bytes.readUInt32LE(end + 16);
  const count = bytes.readUInt16LE(end + 10);
  try {
    for (let i = 0; i < count; i++) {
      if (bytes.readUInt32LE(at) !== memberSignature) throw fail(`no member at byte ${at}`);
      const [method, crc, packed, size] = [
        bytes.readUInt16LE(at + 10),
        bytes.readUInt32LE(at + 16),
        bytes.readUInt32LE(at + 20),
        bytes.readUInt32LE(at + 24),
      ];
      const [nameLength, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
        number,
        number,
        number,
      ];
      const local = bytes.readUInt32LE(at + 42);
      const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
      at += 46 + nameLength + extra + comment;
      if (!wanted(name)) continue;
      total += size;
      if (total > mostBytes) throw fail(`more than ${mostBytes} bytes of text`);
      if (bytes.readUInt32LE(local) !== localSignature) throw fail(`no member "${name}" at byte ${local}`);
      const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const body = bytes.subarray(start, start + packed);
      if (method !== 0 && method !== 8) throw fail(`"${name}" compressed by method ${method}`);
      const text = method === 0 ? body : inflateRawSync(body, { maxOutputLength: Math.max(1, size) });
      if (text.length !== size || crc32(text) !== crc) throw fail(`"${name}" damaged`);
      texts.set(name, new TextDecoder("utf-8", { fatal: true }).decode(text));
    }
  } catch (cause) {
    throw cause instanceof DataError ? cause : fail(`a damaged one: ${(cause as Error).message}`, cause);
  }
  return texts;
}
