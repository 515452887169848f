/**
 * Members of archives as streams, in their order: zip (yauzl, by its directory) and tar (modern-tar). Nothing is extracted:
 * names are only ever names, links are passed over. What a member expands to is counted, and beyond a limit it is a failure.
 * Left out: encrypted members, archives in several parts, methods of compression other than deflate.
 */
import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import type { Entry as ZipEntry, ZipFile } from "yauzl";
import { DataError } from "../../errors.ts";

export interface Member {
  readonly name: string;
  /** Its bytes, once; they throw a DataError where it is damaged or too large. */
  bytes(): AsyncGenerator<Uint8Array>;
}

/** What is wrong with a member that cannot be read at all. */
export interface BadMember {
  readonly name: string;
  readonly problem: string;
}

export type ArchiveForm = "zip" | "tar";

/** By a file's name; undefined where it is no archive. */
export function archiveForm(name: string): ArchiveForm | undefined {
  if (/\.zip$/i.test(name)) return "zip";
  return /\.(?:tar(?:\.gz|\.zst)?|tgz)$/i.test(name) ? "tar" : undefined;
}

/** As messages and identifiers show it: without what would break lines or hide the rest. */
// oxlint-disable-next-line no-control-regex
const shownName = (name: string): string => name.replace(/[\0-\x1f\x7f]/g, "?").replaceAll("\\", "/");

/** What systems leave in archives and folders beside what was put there. */
export function isHidden(name: string): boolean {
  return name.startsWith("__MACOSX/") || /(?:^|\/)\.[^/]*$/.test(name);
}

/** @throws DataError once there are more than `limit` bytes. */
async function* limited(bytes: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of bytes) {
    total += chunk.length;
    if (total > limit) throw new DataError(`expected a member of at most ${limit} bytes, got more`);
    yield chunk;
  }
}

/** Chunks whose checksum is to be `expected`. */
async function* summed(bytes: AsyncIterable<Uint8Array>, expected: number): AsyncGenerator<Uint8Array> {
  let sum = 0;
  for await (const chunk of bytes) {
    sum = zlib.crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== expected) throw new DataError("the member's checksum is not that of its contents");
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message.split("\n")[0]! : String(error));

/** Whatever a library or the system says of a damaged archive. */
async function* asDataError<T>(what: string, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (cause) {
    throw cause instanceof DataError ? cause : new DataError(`${what}: ${messageOf(cause)}`, { cause });
  }
}

/** Decompresses a member that is itself compressed. */
async function* decompressed(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const isGzip = /\.gz$/i.test(name);
  if (!isGzip && !("createZstdDecompress" in zlib))
    throw new DataError(`.zst expected Node 22.15 or later, got ${process.versions.node}`);
  const decoder = isGzip ? zlib.createGunzip() : zlib.createZstdDecompress();
  const source = Readable.from(bytes);
  source.on("error", (error) => decoder.destroy(error)).pipe(decoder);
  try {
    yield* asDataError("a compressed member is damaged", decoder as AsyncIterable<Uint8Array>);
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

/** A member with its limits, decompressed; or why it is not read. */
function memberOf(
  name: string,
  open: () => AsyncIterable<Uint8Array>,
  declared: number | undefined,
  limit: number,
): Member | BadMember {
  if (archiveForm(name) !== undefined)
    return { name, problem: "expected no archive in an archive, got one: unpack it" };
  if (declared !== undefined && declared > limit) {
    return { name, problem: `expected a member of at most ${limit} bytes, got ${declared}` };
  }
  const plain = (): AsyncIterable<Uint8Array> => asDataError("the member is damaged", open());
  if (!/\.(?:gz|zst)$/i.test(name)) return { name, bytes: () => limited(plain(), limit) };
  return { name, bytes: () => limited(decompressed(name, limited(plain(), limit)), limit) };
}

async function* readZip(path: string, size: number, limit: number): AsyncGenerator<Member | BadMember> {
  const yauzl = await import("yauzl");
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    // Names are checked by nobody, as nothing is written under them; decoding them would refuse the whole archive.
    yauzl.open(path, { lazyEntries: true, autoClose: false, decodeStrings: false }, (error, opened) =>
      error === null ? resolve(opened) : reject(error),
    );
  });
  const open = (entry: ZipEntry): Promise<Readable> =>
    new Promise((resolve, reject) => {
      zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(error)));
    });
  let answer: { resolve(entry: ZipEntry | undefined): void; reject(error: Error): void } | undefined;
  zip.on("entry", (entry: ZipEntry) => answer?.resolve(entry));
  zip.on("end", () => answer?.resolve(undefined));
  zip.on("error", (error: Error) => answer?.reject(error));
  const nextEntry = (): Promise<ZipEntry | undefined> =>
    new Promise((resolve, reject) => {
      answer = { resolve, reject };
      zip.readEntry();
    });
  let packed = 0;
  try {
    for (let entry = await nextEntry(); entry !== undefined; entry = await nextEntry()) {
      const current = entry;
      const isUtf8 = (entry.generalPurposeBitFlag & 0x800) !== 0;
      const raw = entry.fileName as unknown as Buffer;
      const name = shownName(new TextDecoder(isUtf8 ? "utf-8" : "latin1").decode(raw));
      packed += entry.compressedSize;
      if (packed > size)
        throw new DataError("expected members that do not overlap, got more bytes of them than the file has");
      if (name.endsWith("/") || isHidden(name)) continue;
      if (entry.isEncrypted()) {
        yield { name, problem: "expected a member that can be read, got an encrypted one" };
        continue;
      }
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        yield* summed((await open(current)) as AsyncIterable<Uint8Array>, current.crc32);
      };
      yield memberOf(name, stream, entry.uncompressedSize, limit);
    }
  } finally {
    zip.close();
  }
}

async function* readTar(bytes: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Member | BadMember> {
  const { createTarDecoder } = await import("modern-tar");
  const entries = ReadableStream.from(bytes).pipeThrough(
    createTarDecoder({ strict: true }) as unknown as ReadableWritablePair<TarEntry, Uint8Array>,
  );
  for await (const { header, body } of entries) {
    const name = shownName(header.name).replace(/^(?:\.\/)+/, "");
    let isTaken = false;
    const isFile = header.type === undefined || header.type === "file";
    if (isFile && !name.endsWith("/") && !isHidden(name)) {
      const open = (): AsyncIterable<Uint8Array> => {
        isTaken = true;
        return body as AsyncIterable<Uint8Array>;
      };
      yield memberOf(name, open, header.size, limit);
    }
    if (!isTaken) await body.cancel();
  }
}

interface TarEntry {
  readonly header: { readonly name: string; readonly size: number; readonly type?: string };
  readonly body: ReadableStream<Uint8Array>;
}
type ReadableWritablePair<R, W> = { readonly readable: ReadableStream<R>; readonly writable: WritableStream<W> };

export interface ArchiveSource {
  readonly path: string;
  /** On disk. */
  readonly size: number;
  /** Its decompressed bytes, of a tar archive. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Most bytes of a member, decompressed. */
  readonly memberBytes: number;
}

/**
 * The members of an archive, each to be read before the next one is asked for.
 * @throws DataError where the archive is damaged, when what was before the damage has come.
 */
export function readMembers(
  form: ArchiveForm,
  { path, size, bytes, memberBytes }: ArchiveSource,
): AsyncGenerator<Member | BadMember> {
  return asDataError(
    `expected a ${form} archive that can be read on`,
    form === "zip" ? readZip(path, size, memberBytes) : readTar(bytes(), memberBytes),
  );
}
