/**
 * Any sources as a stream of documents: files, folders, compressed files, archives, each file of the kind that its contents
 * say. What cannot be read is a failure and the rest goes on. One file after another is read, so that a pipeline may give runs
 * of files to several workers; the documents of a file come in the file's order.
 */
import { createReadStream, readFileSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { DataError } from "../../errors.ts";
import { readBytes, stdin } from "../../io/bytes.ts";
import { pointerError } from "../../io/pointer.ts";
import { required } from "../../schema.ts";
import { listSources, type SourceFile } from "../source-files.ts";
import { type ArchiveForm, archiveForm, isHidden, readMembers } from "./archives.ts";
import { failureEvent } from "./events.ts";
import type { SourceEvent, SourceInput, SourceKind, SourceSettings } from "./kind.ts";
import { kindNamed, kindOf } from "./list.ts";
import { isParquetHead } from "./row-values.ts";

export interface ReadSourcesOptions {
  /** Name of the kind of all files; default: what each looks like. */
  readonly kind?: string | undefined;
  /** Name of the source, for documents and their identifiers; default: the input's name. */
  readonly source?: string | undefined;
  /** Which columns of rows and notes hold what: { text: "body" }. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
  /** Types of an article's sub-articles that are documents too ("translation", "decision-letter"), or "all". */
  readonly subArticles?: readonly string[] | undefined;
  /** Most bytes of an archive's member, decompressed. Default 4 GiB. */
  readonly memberBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Sees all bytes of each file as they are on disk, once and in order. */
  readonly onRaw?: ((chunk: Uint8Array) => void) | undefined;
}

/** A file of an input, by a name that no other file of the inputs has. */
export interface ListedFile extends SourceFile {
  /** Name of the input. */
  readonly source: string;
  /** Whether there is no other file. */
  readonly isWhole: boolean;
}

const headBytes = 1 << 16;

/**
 * All files of the inputs, in the order given, folders in order of their names; hidden ones are left out. "-" is stdin.
 * @throws DataError where an input does not exist or a folder holds no file.
 */
export async function listSourceFiles(inputs: readonly string[]): Promise<ListedFile[]> {
  required("listSourceFiles: inputs", inputs, "list of texts");
  const seen = new Map<string, number>();
  const files: ListedFile[] = [];
  for (const input of inputs) {
    const found =
      input === stdin ? [{ path: stdin, name: "stdin", bytes: 0 }] : await listSources([input], () => true, "files");
    const source = input === stdin ? "stdin" : basename(resolve(input));
    const isFile = found[0]!.path === input;
    const isWhole = isFile && inputs.length === 1;
    for (const file of found) {
      if (!isFile && isHidden(file.name)) continue;
      const times = (seen.get(file.name) ?? 0) + 1;
      seen.set(file.name, times);
      files.push({
        ...file, // Before the name, whose end tells what the file is.
        name: times === 1 ? file.name : `#${times}:${file.name}`,
        source,
        isWhole,
      });
    }
  }
  return files;
}

/** A stream's first bytes as text, and all of its bytes, those of the head first. */
async function peek(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<{ readonly head: string; readonly bytes: AsyncGenerator<Uint8Array> }> {
  const first: Uint8Array[] = [];
  let held = 0;
  let damage: { readonly error: unknown } | undefined;
  while (held < headBytes) {
    try {
      const next = await chunks.next();
      if (next.done === true) break;
      first.push(next.value);
      held += next.value.length;
    } catch (error) {
      damage = { error };
      break;
    }
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* first;
    if (damage !== undefined) throw damage.error;
    yield* chunks;
  }
  if (damage !== undefined && held === 0) throw damage.error;
  return { head: Buffer.concat(first, held).subarray(0, headBytes).toString("utf8"), bytes: all() };
}

/** What stopped a file, as a failure. @throws what is neither the file's nor the system's. */
function stopped(name: string, error: unknown): SourceEvent {
  const isSystem = typeof (error as NodeJS.ErrnoException).code === "string" && error instanceof Error;
  if (!(error instanceof DataError) && !isSystem) throw error;
  return failureEvent(name, `cannot be read on: ${error.message.split("\n")[0]!}`);
}

// oxlint-disable-next-line require-yield
async function* nothing(): AsyncGenerator<Uint8Array> {}

/** A file of these bytes, for formats that are read by ranges; removed with its folder. @throws DataError beyond `most` bytes. */
async function temporaryCopy(
  bytes: AsyncIterable<Uint8Array>,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal | undefined },
): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "galen-parquet-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, "copy.parquet");
  try {
    await using file = await open(path, "w");
    let total = 0;
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      total += chunk.length;
      if (total > most) throw new DataError(`expected Parquet of at most ${most} bytes, got more`);
      await file.writeFile(chunk);
    }
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Opened {
  readonly name: string;
  readonly scope: string;
  readonly path?: string | undefined;
  readonly settings: SourceSettings;
  readonly kind: SourceKind | undefined;
  /** Most bytes of what is read by ranges and lies in an archive, or is compressed. */
  readonly memberBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** The events of one stream, of the kind that it looks like. */
async function* readStream(
  chunks: AsyncGenerator<Uint8Array>,
  { name, scope, path, settings, kind, memberBytes, signal }: Opened,
): AsyncGenerator<SourceEvent> {
  try {
    const { head, bytes } = await peek(chunks);
    const found = head === "" ? kindOf(head, name) : (kind ?? kindOf(head, name));
    if (typeof found === "string") yield failureEvent(name, found);
    else if (path === undefined && isParquetHead(head)) {
      await using copy = await temporaryCopy(bytes, { most: memberBytes, signal });
      yield* found.read({ name, scope, head, bytes: nothing(), path: copy.path, signal }, settings);
    } else {
      const input: SourceInput = { name, scope, head, bytes, path, signal };
      yield* found.read(input, settings);
    }
  } catch (error) {
    signal?.throwIfAborted();
    yield stopped(name, error);
  } finally {
    await chunks.return(undefined);
  }
}

/** Gives `onRaw` the bytes of a file that is read by ranges. */
async function passRaw({ path }: SourceFile, { onRaw, signal }: ReadSourcesOptions): Promise<void> {
  if (onRaw === undefined) return;
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  for await (const chunk of file as AsyncIterable<Uint8Array>) {
    signal?.throwIfAborted();
    onRaw(chunk);
  }
}

async function* readArchive(
  file: SourceFile,
  form: ArchiveForm,
  opened: Opened,
  options: ReadSourcesOptions,
): AsyncGenerator<SourceEvent> {
  const { signal, onRaw } = options;
  const { memberBytes } = opened;
  try {
    if (form === "zip") await passRaw(file, options);
    const bytes = (): AsyncGenerator<Uint8Array> => readBytes(file.path, { signal, onRaw });
    for await (const member of readMembers(form, { path: file.path, size: file.bytes, bytes, memberBytes })) {
      signal?.throwIfAborted();
      const name = `${file.name}/${member.name}`;
      if ("problem" in member) yield failureEvent(name, member.problem);
      else
        yield* readStream(member.bytes(), {
          ...opened,
          name,
          scope: `${opened.scope}/${member.name}`,
          path: undefined,
        });
    }
  } catch (error) {
    signal?.throwIfAborted();
    yield stopped(file.name, error);
  }
}

/** Whether a file is read by ranges rather than in order. */
async function isParquetFile(path: string): Promise<boolean> {
  await using handle = await open(path, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  return bytesRead === 4 && isParquetHead(buffer.toString("latin1"));
}

/**
 * The documents, deletions and failures of one file, or of all members of an archive, in order.
 * @throws ConfigError where there is no such kind; the signal's reason. Whatever is wrong with the file is a failure.
 */
export async function* readSourceFile(file: ListedFile, options: ReadSourcesOptions = {}): AsyncGenerator<SourceEvent> {
  const { source = file.source, columns, subArticles, signal, onRaw } = options;
  const kind = options.kind === undefined ? undefined : kindNamed(options.kind);
  signal?.throwIfAborted();
  const settings = { source, columns, subArticles };
  const scope = file.isWhole || file.name === source ? source : `${source}/${file.name}`;
  const { memberBytes = 4 * 2 ** 30 } = options;
  const opened: Opened = { name: file.name, scope, settings, kind, memberBytes, signal };
  const form = archiveForm(file.path);
  if (form !== undefined) {
    yield* readArchive(file, form, opened, options);
    return;
  }
  const isPlain = file.path !== stdin && !/\.(?:gz|zst)$/i.test(file.path);
  const path = isPlain ? file.path : undefined;
  if (isPlain && file.bytes <= smallFile) {
    yield* readStream(smallFileBytes(file.path, onRaw), { ...opened, path });
    return;
  }
  let raw = onRaw;
  try {
    if (isPlain && (await isParquetFile(file.path))) {
      await passRaw(file, options);
      raw = undefined;
    }
  } catch (error) {
    signal?.throwIfAborted();
    yield stopped(file.name, error);
    return;
  }
  yield* readStream(readBytes(file.path, { signal, onRaw: raw }), { ...opened, path });
}

/** A file of this size is read at once, and waited for: of a folder of articles streams would cost as much as what is in them. */
const smallFile = 1 << 20;

/** @throws DataError for a pointer that stands for the file. */
async function* smallFileBytes(path: string, onRaw: ReadSourcesOptions["onRaw"]): AsyncGenerator<Uint8Array> {
  const bytes = readFileSync(path);
  onRaw?.(bytes);
  const pointer = pointerError(path, bytes);
  if (pointer !== undefined) throw pointer;
  if (bytes.length > 0) yield bytes;
}

/**
 * Everything in files, folders, compressed files and archives, in the order given.
 * @throws ConfigError where there is no such kind; DataError where an input does not exist; the signal's reason.
 */
export async function* readSources(
  inputs: readonly string[],
  options: ReadSourcesOptions = {},
): AsyncGenerator<SourceEvent> {
  if (options.kind !== undefined) kindNamed(options.kind);
  for (const file of await listSourceFiles(inputs)) yield* readSourceFile(file, options);
}
