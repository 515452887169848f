/**
 * Reads the tokenizer.json of Hugging Face tokenizers (version 1.0) for the BERT pipeline: BertNormalizer,
 * BertPreTokenizer, WordPiece, TemplateProcessing or BertProcessing, WordPiece decoder. Anything else in it is an
 * error, never skipped: a tokenizer that is nearly right gives wrong ids without a word.
 */
import { DataError } from "../errors.ts";
import type { AddedToken } from "./bert-added.ts";
import type { Template, TemplatePart } from "./bert-layout.ts";
import type { BertNormalizer } from "./bert-normalizer.ts";
import type { WordPieceModel } from "./wordpiece.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface WordPieceDecoder {
  readonly prefix: string;
  readonly cleanup: boolean;
}

/** What tokenizer.json says. */
export interface TokenizerJson {
  readonly model: WordPieceModel;
  readonly normalizer: BertNormalizer;
  readonly addedTokens: readonly AddedToken[];
  /** undefined: nothing is added. */
  readonly template: Template | undefined;
  /** undefined: pieces are joined with spaces. */
  readonly decoder: WordPieceDecoder | undefined;
  /** How a caller once truncated and padded; kept for writing, applied by nobody here. */
  readonly truncation: JsonObject | null;
  readonly padding: JsonObject | null;
}

const again = "the file may be damaged, or of another tokenizer: get it again from where the model came from";

/** An error that names file, field, what was expected and what came. */
export function fieldError(
  file: string,
  field: string,
  expected: string,
  got: unknown,
  hint: string = again,
): DataError {
  return new DataError(`${file}: ${field}: expected ${expected}, got ${shown(got)}`, { hint });
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** @throws DataError where `text` is not a JSON object. */
export function parseJsonObject(file: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${file}: expected JSON, got ${(error as Error).message}`, { hint: again, cause: error });
  }
  return asObject(file, "the file", value);
}

/** @throws DataError where `value` is not an object. */
export function asObject(file: string, field: string, value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fieldError(file, field, "an object", value);
  }
  return value as JsonObject;
}

/** Fields of one object of a file, each read with its type; `close` refuses those that nobody asked for. */
interface Fields {
  string(name: string, absent?: string): string;
  boolean(name: string, absent?: boolean): boolean;
  /** A whole number from 0 to 2^31 - 1. */
  count(name: string, absent?: number): number;
  raw(name: string): Json | undefined;
  close(): void;
}

/** Reads the fields of `value`, which is at `path` of `file`. */
function fieldsOf(file: string, path: string, value: unknown): Fields {
  const object = asObject(file, path, value);
  const asked = new Set<string>();
  const raw = (name: string): Json | undefined => {
    asked.add(name);
    return Object.hasOwn(object, name) ? object[name] : undefined;
  };
  const at = (name: string): string => (path === "the file" ? name : `${path}.${name}`);
  return {
    raw,
    string(name, absent) {
      const field = raw(name) ?? absent;
      if (typeof field !== "string" || !field.isWellFormed()) throw fieldError(file, at(name), "a string", field);
      return field;
    },
    boolean(name, absent) {
      const field = raw(name) ?? absent;
      if (typeof field !== "boolean") throw fieldError(file, at(name), "true or false", field);
      return field;
    },
    count(name, absent) {
      const field = raw(name) ?? absent;
      if (!isCount(field)) throw fieldError(file, at(name), "a whole number from 0", field);
      return field;
    },
    close() {
      for (const name of Object.keys(object)) {
        if (asked.has(name)) continue;
        const hint = `this file uses something that this reader does not know; it knows ${[...asked].join(", ")} here`;
        throw fieldError(file, at(name), "no such field", object[name], hint);
      }
    },
  };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

/** The fields of a component that must be of one of `types`; its "type" is read already. */
function component(file: string, path: string, value: unknown, types: readonly string[]): [type: string, Fields] {
  const fields = fieldsOf(file, path, value);
  const type = fields.raw("type");
  if (typeof type !== "string" || !types.includes(type)) {
    const expected = types.map((name) => JSON.stringify(name)).join(" or ");
    throw fieldError(file, `${path}.type`, expected, type, "only BERT's WordPiece tokenizers are read here");
  }
  return [type, fields];
}

/** @throws DataError for what is damaged and for every component that is not BERT's. */
export function readTokenizerJson(file: string, text: string): TokenizerJson {
  const root = fieldsOf(file, "the file", parseJsonObject(file, text));
  const version = root.raw("version");
  if (version !== "1.0") throw fieldError(file, "version", '"1.0"', version);
  const model = readModel(file, root.raw("model"));
  const addedTokens = readAddedTokens(file, root.raw("added_tokens"), model.vocabulary);
  const normalizer = readNormalizer(file, root.raw("normalizer"));
  component(file, "pre_tokenizer", root.raw("pre_tokenizer"), ["BertPreTokenizer"])[1].close();
  const ids = allIds(file, model.vocabulary, addedTokens);
  const result: TokenizerJson = {
    model,
    normalizer,
    addedTokens,
    template: readTemplate(file, root.raw("post_processor") ?? null, ids),
    decoder: readDecoder(file, root.raw("decoder") ?? null),
    truncation: objectOrNull(file, "truncation", root.raw("truncation")),
    padding: objectOrNull(file, "padding", root.raw("padding")),
  };
  root.close();
  return result;
}

function objectOrNull(file: string, field: string, value: Json | undefined): JsonObject | null {
  return (value ?? null) === null ? null : asObject(file, field, value);
}

function readModel(file: string, value: unknown): WordPieceModel {
  // Files of before 2020 have no "type" here; the prefix tells WordPiece from the others.
  const untyped = fieldsOf(file, "model", value);
  const isOld = untyped.raw("type") === undefined && untyped.raw("continuing_subword_prefix") !== undefined;
  const fields = isOld ? untyped : component(file, "model", value, ["WordPiece"])[1];
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(asObject(file, "model.vocab", fields.raw("vocab")))) {
    const field = `model.vocab[${JSON.stringify(token)}]`;
    if (!isCount(id)) throw fieldError(file, field, "an id, a whole number from 0", id);
    if (token === "" || !token.isWellFormed()) throw fieldError(file, field, "a token that is text", token);
    vocabulary.set(token, id);
  }
  const unknownToken = fields.string("unk_token");
  requireUnknown(file, vocabulary, unknownToken);
  const model = {
    vocabulary,
    unknownToken,
    prefix: fields.string("continuing_subword_prefix"),
    maxInputChars: fields.count("max_input_chars_per_word"),
  };
  fields.close();
  return model;
}

/** @throws DataError where the token for unknown words is not in the vocabulary. */
export function requireUnknown(file: string, vocabulary: ReadonlyMap<string, number>, unknownToken: string): void {
  if (vocabulary.has(unknownToken)) return;
  throw fieldError(
    file,
    `token ${JSON.stringify(unknownToken)}`,
    "it in the vocabulary (for unknown words)",
    undefined,
  );
}

/** One added token; the names are those of tokenizer.json and tokenizer_config.json. */
export function readAddedToken(file: string, path: string, value: unknown, knownId?: number): AddedToken {
  const fields = fieldsOf(file, path, value);
  const special = fields.boolean("special", false);
  const token = {
    id: fields.count("id", knownId),
    content: fields.string("content"),
    special,
    normalized: fields.boolean("normalized", !special),
    lstrip: fields.boolean("lstrip", false),
    rstrip: fields.boolean("rstrip", false),
    singleWord: fields.boolean("single_word", false),
  };
  fields.raw("__type"); // transformers writes "AddedToken" there
  fields.close();
  if (token.content === "") throw fieldError(file, `${path}.content`, "a token that is text", token.content);
  return token;
}

function readAddedTokens(file: string, value: unknown, vocabulary: ReadonlyMap<string, number>): AddedToken[] {
  if (!Array.isArray(value)) throw fieldError(file, "added_tokens", "a list", value);
  const tokens = value.map((item, i) => readAddedToken(file, `added_tokens[${i}]`, item));
  checkAddedIds(file, tokens, vocabulary);
  return tokens;
}

/** @throws DataError where an added token has another id than the vocabulary gives it, or comes twice. */
export function checkAddedIds(
  file: string,
  tokens: readonly AddedToken[],
  vocabulary: ReadonlyMap<string, number>,
): void {
  const contents = new Set<string>();
  for (const { content, id } of tokens) {
    const field = `added token ${JSON.stringify(content)}`;
    const known = vocabulary.get(content);
    if (known !== undefined && known !== id) throw fieldError(file, field, `id ${known}, as in the vocabulary`, id);
    if (contents.has(content)) throw fieldError(file, field, "it once", "it twice");
    contents.add(content);
  }
}

/**
 * Token → id of vocabulary and added tokens together.
 *
 * @throws DataError where two tokens share an id, or the ids are not 0, 1, 2 …
 */
export function allIds(
  file: string,
  vocabulary: ReadonlyMap<string, number>,
  addedTokens: readonly AddedToken[],
): Map<string, number> {
  const ids = new Map(vocabulary);
  for (const { content, id } of addedTokens) ids.set(content, id);
  const tokens: (string | undefined)[] = Array.from({ length: ids.size });
  for (const [token, id] of ids) {
    const field = `id of ${JSON.stringify(token)}`;
    if (id >= ids.size) throw fieldError(file, field, `ids 0 to ${ids.size - 1} for ${ids.size} tokens`, id);
    const other = tokens[id];
    if (other !== undefined)
      throw fieldError(file, field, `an id of its own, not that of ${JSON.stringify(other)}`, id);
    tokens[id] = token;
  }
  return ids;
}

function readNormalizer(file: string, value: Json | undefined): BertNormalizer {
  if (value === null) return { cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false };
  const fields = component(file, "normalizer", value, ["BertNormalizer"])[1];
  const stripAccents = fields.raw("strip_accents") ?? null;
  const normalizer = {
    cleanText: fields.boolean("clean_text"),
    handleChineseChars: fields.boolean("handle_chinese_chars"),
    stripAccents: stripAccents === null ? null : fields.boolean("strip_accents"),
    lowercase: fields.boolean("lowercase"),
  };
  fields.close();
  return normalizer;
}

function readDecoder(file: string, value: Json): WordPieceDecoder | undefined {
  if (value === null) return undefined;
  const fields = component(file, "decoder", value, ["WordPiece"])[1];
  const decoder = { prefix: fields.string("prefix"), cleanup: fields.boolean("cleanup") };
  fields.close();
  return decoder;
}

/** [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with type 1 from B on. */
export function bertTemplate(cls: TemplateToken, sep: TemplateToken): Template {
  const single: TemplatePart[] = [
    { ...cls, typeId: 0 },
    { sequence: 0, typeId: 0 },
    { ...sep, typeId: 0 },
  ];
  return { single, pair: [...single, { sequence: 1, typeId: 1 }, { ...sep, typeId: 1 }] };
}

interface TemplateToken {
  readonly special: string;
  readonly ids: readonly number[];
}

function readTemplate(file: string, value: Json, ids: ReadonlyMap<string, number>): Template | undefined {
  if (value === null) return undefined;
  const path = "post_processor";
  const [type, fields] = component(file, path, value, ["TemplateProcessing", "BertProcessing"]);
  if (type === "BertProcessing") {
    const token = (name: string): TemplateToken => {
      const pair = fields.raw(name);
      if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string" || ids.get(pair[0]) !== pair[1]) {
        throw fieldError(file, `${path}.${name}`, "[token, its id in the vocabulary]", pair);
      }
      return { special: pair[0], ids: [pair[1] as number] };
    };
    const template = bertTemplate(token("cls"), token("sep"));
    fields.close();
    return template;
  }
  const specials = readTemplateTokens(file, `${path}.special_tokens`, fields.raw("special_tokens"), ids);
  const template = {
    single: readParts(file, `${path}.single`, fields.raw("single"), specials, "A"),
    pair: readParts(file, `${path}.pair`, fields.raw("pair"), specials, "AB"),
  };
  fields.close();
  return template;
}

function readTemplateTokens(
  file: string,
  path: string,
  value: unknown,
  ids: ReadonlyMap<string, number>,
): Map<string, number[]> {
  const specials = new Map<string, number[]>();
  for (const [name, item] of Object.entries(asObject(file, path, value))) {
    const at = `${path}[${JSON.stringify(name)}]`;
    const fields = fieldsOf(file, at, item);
    if (fields.string("id") !== name) throw fieldError(file, `${at}.id`, JSON.stringify(name), fields.raw("id"));
    const tokenIds = fields.raw("ids");
    const tokens = fields.raw("tokens");
    if (!Array.isArray(tokenIds) || !Array.isArray(tokens) || tokens.length !== tokenIds.length) {
      throw fieldError(file, at, "ids and tokens, lists of one length", item);
    }
    for (const [i, token] of tokens.entries()) {
      const known = typeof token === "string" ? ids.get(token) : undefined;
      if (known === undefined || known !== tokenIds[i]) {
        throw fieldError(
          file,
          `${at}.ids[${i}]`,
          `the id of ${shown(token)} in the vocabulary (${shown(known)})`,
          tokenIds[i],
        );
      }
    }
    fields.close();
    specials.set(name, tokenIds as number[]);
  }
  return specials;
}

function readParts(
  file: string,
  path: string,
  value: unknown,
  specials: ReadonlyMap<string, number[]>,
  sequences: string,
): TemplatePart[] {
  if (!Array.isArray(value)) throw fieldError(file, path, "a list", value);
  let seen = "";
  const parts = value.map((item, i): TemplatePart => {
    const at = `${path}[${i}]`;
    const fields = fieldsOf(file, at, item);
    const isSpecial = fields.raw("SpecialToken") !== undefined;
    const inner = fieldsOf(file, at, fields.raw(isSpecial ? "SpecialToken" : "Sequence"));
    const name = inner.string("id");
    const typeId = inner.count("type_id");
    inner.close();
    fields.close();
    if (!isSpecial) {
      seen += name;
      return { sequence: name === "A" ? 0 : 1, typeId };
    }
    const ids = specials.get(name);
    if (ids === undefined) throw fieldError(file, at, "a token of special_tokens", name);
    return { special: name, ids, typeId };
  });
  if (seen !== sequences)
    throw fieldError(file, path, `the sequences ${[...sequences].join(", then ")}, once each`, seen);
  return parts;
}
