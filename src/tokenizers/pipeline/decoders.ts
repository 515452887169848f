/**
 * Decoders of tokenizer.json that byte pair encoding has: ByteLevel, Metaspace, ByteFallback, Fuse, Strip, Replace and
 * sequences of them, as Hugging Face tokenizers 0.22 runs them (decoders/).
 */
import { component, fieldError, type Fields, type Json } from "../json.ts";
import { bytesOf } from "./bytes.ts";
import { readPattern, readPrependScheme, readReplacement } from "./pre-tokenizers.ts";

/** Changes a sequence of tokens; what comes out is joined. */
export type Decoder = (tokens: readonly string[]) => readonly string[];

const types = ["Sequence", "ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Strip", "Replace"];

/** Undefined where there is none. @throws DataError that names a component which is not understood. */
export function readDecoder(file: string, value: Json, path = "decoder"): Decoder | undefined {
  if (value === null) return undefined;
  const [type, fields] = component(file, path, value, types);
  const decoder = readers[type]!(file, path, fields);
  fields.close();
  return decoder;
}

const readers: Readonly<Record<string, (file: string, path: string, fields: Fields) => Decoder>> = {
  Sequence(file, path, fields) {
    const list = fields.raw("decoders");
    if (!Array.isArray(list) || list.length > 20) throw fieldError(file, `${path}.decoders`, "a list", list);
    const all = list.map((item, i) => readDecoder(file, item, `${path}.decoders[${i}]`));
    return (tokens) => all.reduce((done, one) => one?.(done) ?? done, tokens);
  },
  ByteLevel(_file, _path, fields) {
    for (const name of ["add_prefix_space", "trim_offsets", "use_regex"]) fields.boolean(name, true);
    return fromByteCharacters;
  },
  Metaspace(file, path, fields) {
    const mark = readReplacement(file, path, fields);
    const isPrepended = readPrependScheme(file, path, fields) !== "never";
    fields.boolean("split", true);
    fields.raw("str_rep");
    return (tokens) => tokens.map((token, i) => token.replaceAll(mark, i === 0 && isPrepended ? "" : " "));
  },
  ByteFallback: () => fromByteTokens,
  Fuse: () => (tokens) => [tokens.join("")],
  Strip(file, path, fields) {
    const content = fields.string("content");
    if (Array.from(content).length !== 1) throw fieldError(file, `${path}.content`, "one character", content);
    const start = fields.count("start");
    const stop = fields.count("stop");
    return (tokens) => tokens.map((token) => stripped(token, content, start, stop));
  },
  Replace(file, path, fields) {
    const [kind, old] = readPattern(file, `${path}.pattern`, fields.raw("pattern"));
    if (kind === "Regex") throw fieldError(file, `${path}.pattern`, "a String", fields.raw("pattern"));
    const content = fields.string("content");
    return (tokens) => tokens.map((token) => token.replaceAll(old, () => content));
  },
};

const utf8 = new TextEncoder();
// Damaged sequences become U+FFFD, one for each longest part that could begin a character.
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** A token in GPT-2's alphabet is its bytes, any other its own UTF-8. */
function fromByteCharacters(tokens: readonly string[]): string[] {
  const bytes: number[] = [];
  for (const token of tokens) for (const byte of bytesOf(token) ?? utf8.encode(token)) bytes.push(byte);
  return [lossy.decode(Uint8Array.from(bytes))];
}

/** A run of `<0x..>` is the text that these bytes are, or U+FFFD for each of them where they are none. */
function fromByteTokens(tokens: readonly string[]): string[] {
  const result: string[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length === 0) return;
    try {
      result.push(strict.decode(Uint8Array.from(run)));
    } catch {
      for (let i = 0; i < run.length; i++) result.push("\uFFFD");
    }
    run = [];
  };
  for (const token of tokens) {
    const [, digits] = /^<0x([0-9A-Fa-f]{2})>$/.exec(token) ?? [];
    if (digits === undefined) {
      flush();
      result.push(token);
    } else {
      run.push(Number.parseInt(digits, 16));
    }
  }
  flush();
  return result;
}

function stripped(token: string, content: string, start: number, stop: number): string {
  let from = 0;
  for (let i = 0; i < start && token.startsWith(content, from); i++) from += content.length;
  let to = token.length;
  for (let i = 0; i < stop && to - content.length >= from && token.endsWith(content, to); i++) to -= content.length;
  return token.slice(from, to);
}
