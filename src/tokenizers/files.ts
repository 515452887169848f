/**
 * Tokenizers from and to directories as Hugging Face and fairseq lay them out. The only file of this folder that uses
 * `node:*`; reads no file larger than a tokenizer can be.
 */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readGgufHeader } from "../checkpoints/gguf/header.ts";
import { adapterBase, adapterFile } from "../checkpoints/peft.ts";
import { resolveModel } from "../hub/index.ts";
import { writeFileAtomically } from "../io/files.ts";
import { pointerError } from "../io/pointer.ts";
import { DataError } from "../errors.ts";
import { required } from "../schema.ts";
import { tokenizerFilesOf } from "./gguf.ts";
import { filesOfSentencePiece, withPieces } from "./pipeline/sentencepiece.ts";
import { isComplete, noTokenizer, readTokenizer, tokenizerFileNames, tokenizerKinds } from "./registry.ts";
import type { Extended, Tokenizer } from "./tokenizer.ts";

/** SentencePiece's model, which counts where there is no other file of a tokenizer. */
const sentencePieceName = "tokenizer.model";
const MAX_BYTES = 256 * 2 ** 20;

/**
 * The tokenizer of a directory, of a GGUF file, or of a name of Hugging Face's hub, of any kind that is known.
 * @throws DataError when the directory holds none, or a file is not what it should be; as `resolveModel`; CheckpointError for
 * a damaged GGUF file.
 */
export async function loadTokenizer(source: string): Promise<Tokenizer> {
  required("loadTokenizer: directory", source, "text");
  const directory = await resolveModel(source, { part: "tokenizer" });
  if (/\.gguf$/i.test(directory)) {
    const { metadata } = await readGgufHeader(directory);
    return readTokenizer(tokenizerFilesOf(metadata, directory), `${directory}: `);
  }
  const present = await readdir(directory).catch((cause: unknown) => {
    throw new DataError(`${directory}: expected a directory with a tokenizer, got ${(cause as Error).message}`, {
      cause,
    });
  });
  const hasModel = present.includes(sentencePieceName) && !isComplete(present);
  if (!hasModel && !isComplete(present)) {
    const base = present.includes(adapterFile) ? await adapterBase(directory) : undefined;
    if (base !== undefined) return loadTokenizer(base);
    throw noTokenizer(directory, present);
  }
  const names = tokenizerFileNames.filter((name) => present.includes(name));
  const files = await readFiles(directory, names);
  if (!hasModel) return readTokenizer(files, `${directory}/`);
  const model = await readBounded(join(directory, sentencePieceName));
  return readTokenizer(filesOfSentencePiece(model, files, `${directory}/`), `${directory}/`);
}

/** Writes the tokenizer's files into a directory, each at once; `loadTokenizer` makes the same tokenizer of them. */
export async function saveTokenizer(tokenizer: Tokenizer, directory: string): Promise<void> {
  required("saveTokenizer: tokenizer", tokenizer, "object");
  required("saveTokenizer: directory", directory, "text");
  for (const [name, contents] of tokenizer.files()) await writeFileAtomically(join(directory, name), contents);
}

/**
 * Writes an extended tokenizer as `saveTokenizer` does, and in the other files that the one it is made of has: those that
 * its folder `base` holds of SentencePiece and of other libraries. Gives the names of all that it wrote.
 */
export async function saveExtended({ tokenizer, added }: Extended, base: string, directory: string): Promise<string[]> {
  const folder = await resolveModel(base, { part: "tokenizer" });
  const present = await readdir(folder).catch((): string[] => []);
  await saveTokenizer(tokenizer, directory);
  const written = [...tokenizer.files().keys()];
  const put = async (name: string, contents: string | Uint8Array): Promise<void> => {
    await writeFileAtomically(join(directory, name), contents);
    written.push(name);
  };
  const { layouts = [] } = tokenizerKinds.find(({ name }) => name === tokenizer.family) ?? {};
  const isThere = (layout: readonly string[]): boolean => layout.every((name) => present.includes(name));
  if (layouts.some((layout) => isThere(layout) && !layout.every((name) => written.includes(name)))) {
    for (const make of Object.values(tokenizer.foreign ?? {})) for (const file of make()) await put(...file);
  }
  if (present.includes(sentencePieceName)) {
    const path = join(folder, sentencePieceName);
    const tokens = added.map(({ token }) => token);
    await put(sentencePieceName, withPieces(await readBounded(path), tokens, path));
  }
  return written;
}

async function readFiles(directory: string, names: readonly string[]): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of names) {
    const path = join(directory, name);
    const bytes = await readBounded(path);
    try {
      files.set(name, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new DataError(`${path}: expected UTF-8 text, got other bytes`, {
        cause,
        hint: "the file may be truncated or of another format; compare it with its source",
      });
    }
  }
  return files;
}

async function readBounded(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > MAX_BYTES) {
    throw new DataError(`${path}: expected a tokenizer file of at most ${MAX_BYTES} bytes, got ${size}`);
  }
  const bytes = await readFile(path);
  const pointer = pointerError(path, bytes);
  if (pointer !== undefined) throw pointer;
  return bytes;
}
