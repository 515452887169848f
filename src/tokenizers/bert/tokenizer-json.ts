/**
 * Reads the tokenizer.json of Hugging Face tokenizers (version 1.0) for the BERT pipeline: BertNormalizer,
 * BertPreTokenizer, WordPiece, TemplateProcessing or BertProcessing, WordPiece decoder. Anything else in it is an
 * error, never skipped: a tokenizer that is nearly right gives wrong ids without a word.
 */
import type { AddedToken } from "../added-tokens.ts";
import {
  asObject,
  component,
  fieldError,
  fieldsOf,
  isCount,
  type Json,
  type JsonObject,
  parseJsonObject,
} from "../json.ts";
import type { Template } from "../layout.ts";
import { allIds, readAddedTokens, readTemplate } from "../tokenizer-json.ts";
import type { BertNormalizer } from "./normalizer.ts";
import type { WordPieceModel } from "./wordpiece.ts";

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
  // Files of before 2020 have no "type" here; WordPiece alone has the prefix.
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
