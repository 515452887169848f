/**
 * The files of a BERT tokenizer directory ↔ one description: tokenizer.json where there is one, else vocab.txt, with
 * tokenizer_config.json, special_tokens_map.json and added_tokens.json, by the rules of transformers' BertTokenizer.
 */
import { DataError } from "../../errors.ts";
import {
  type AddedInFiles,
  addedTokenJson,
  addedTokensDecoder,
  readAddedFiles,
  type Role,
  withNamedTokens,
} from "../added-files.ts";
import { fieldError, type JsonObject } from "../json.ts";
import { allIds, pairTemplate, templateJson, withVocabulary } from "../tokenizer-json.ts";
import { readTokenizerJson, requireUnknown, type TokenizerJson } from "./tokenizer-json.ts";

/** BERT's own names. */
const roleNames = { unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]" } as const;
export type BertRole = keyof typeof roleNames & Role;
const roles = Object.keys(roleNames) as BertRole[];
type RoleNames = { readonly [role in BertRole]: string };

/** All that is known of a tokenizer. */
export interface BertDescription extends TokenizerJson {
  /** Token → id, added tokens too. */
  readonly ids: ReadonlyMap<string, number>;
  /** The token of each role that the vocabulary has. */
  readonly special: { readonly [role in BertRole]?: string };
  /** tokenizer_config.json as it was read; unknown fields are kept for writing. */
  readonly config: JsonObject;
}

const tokenizerName = "tokenizer.json";
const vocabularyName = "vocab.txt";
const configName = "tokenizer_config.json";
const specialName = "special_tokens_map.json";

/** @throws DataError for damaged, contradictory or unsupported files. */
export function readBertFiles(files: ReadonlyMap<string, string>): BertDescription {
  const inFiles = readAddedFiles(files);
  const { settings: config } = inFiles;
  const names = { ...roleNames, ...inFiles.roles };
  const json = files.get(tokenizerName);
  const vocabulary = files.get(vocabularyName);
  if (json === undefined && vocabulary === undefined) {
    throw new DataError(
      `tokenizer: expected tokenizer.json or vocab.txt, got ${[...files.keys()].join(", ") || "no file"}`,
      {
        hint: "get one of them from where the model came from",
      },
    );
  }
  const file = json === undefined ? vocabularyName : tokenizerName;
  const read =
    json === undefined
      ? fromVocabulary(readVocabulary(vocabulary!), inFiles, names)
      : withConfigured(readTokenizerJson(tokenizerName, json), inFiles);
  if (json !== undefined) checkAgreement(read, config);
  const ids = allIds(file, read.model.vocabulary, read.addedTokens);
  const special: { [role in BertRole]?: string } = {};
  for (const role of roles) if (ids.has(names[role])) special[role] = names[role];
  special.unk = read.model.unknownToken;
  return { ...read, ids, special, config };
}

/**
 * tokenizer.json with the tokens that only the configuration has. Of a token that both have, the flags are those of the
 * configuration, as in transformers.
 */
function withConfigured(read: TokenizerJson, inFiles: AddedInFiles): TokenizerJson {
  const tokens = new Map(read.addedTokens.map((token) => [token.content, token]));
  for (const token of inFiles.tokens) {
    const known = tokens.get(token.content);
    if (known !== undefined && known.id !== token.id) {
      const field = `id of ${JSON.stringify(token.content)}`;
      throw fieldError(configName, field, `${known.id}, as in ${tokenizerName}`, token.id);
    }
    tokens.set(token.content, token);
  }
  const all = { ...inFiles, tokens: [...tokens.values()] };
  return { ...read, addedTokens: withNamedTokens(all, inFiles.named, read.model.vocabulary) };
}

function readVocabulary(text: string): Map<string, number> {
  if (text.startsWith("\uFEFF"))
    throw fieldError(vocabularyName, "line 1", "a token", "a byte order mark", "save it as UTF-8 without one");
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const vocabulary = new Map<string, number>();
  for (const [i, token] of lines.entries()) {
    if (token === "") throw fieldError(vocabularyName, `line ${i + 1}`, "a token", "an empty line");
    const earlier = vocabulary.get(token);
    if (earlier !== undefined) {
      throw fieldError(vocabularyName, `line ${i + 1}`, `a token that is not on line ${earlier + 1} already`, token);
    }
    vocabulary.set(token, i);
  }
  return vocabulary;
}

function flag(config: JsonObject, field: string, absent: boolean): boolean {
  const value = config[field] ?? absent;
  if (typeof value !== "boolean") throw fieldError(configName, field, "true or false", value);
  return value;
}

function fromVocabulary(vocabulary: Map<string, number>, inFiles: AddedInFiles, names: RoleNames): TokenizerJson {
  const { settings: config } = inFiles;
  requireUnknown(vocabularyName, vocabulary, names.unk);
  const lowercase = flag(config, "do_lower_case", true);
  const stripAccents = (config["strip_accents"] ?? null) === null ? null : flag(config, "strip_accents", lowercase);
  // BERT's own names count where nothing else is named, and the vocabulary has them.
  const own = roles.map((role) => names[role]).filter((content) => vocabulary.has(content));
  const named = [...inFiles.named, ...own.map((content) => ({ content, flags: {} }))];
  const addedTokens = withNamedTokens(inFiles, named, vocabulary);
  addedTokens.sort((a, b) => a.id - b.id);
  const idOf = (content: string): number => {
    const id = vocabulary.get(content) ?? addedTokens.find((token) => token.content === content)?.id;
    if (id === undefined)
      throw fieldError(vocabularyName, `token ${JSON.stringify(content)}`, "it in the vocabulary", undefined);
    return id;
  };
  return {
    model: { vocabulary, unknownToken: names.unk, prefix: "##", maxInputChars: 100 },
    normalizer: {
      cleanText: true,
      handleChineseChars: flag(config, "tokenize_chinese_chars", true),
      stripAccents,
      lowercase,
    },
    addedTokens,
    template: pairTemplate(
      { special: names.cls, ids: [idOf(names.cls)] },
      { special: names.sep, ids: [idOf(names.sep)] },
    ),
    decoder: { prefix: "##", cleanup: true },
    truncation: null,
    padding: null,
  };
}

/** tokenizer_config.json may repeat what tokenizer.json says, not contradict it. */
function checkAgreement(read: TokenizerJson, config: JsonObject): void {
  const { lowercase, stripAccents, handleChineseChars } = read.normalizer;
  const pairs: [string, boolean | null, boolean | null][] = [
    ["do_lower_case", lowercase, null],
    ["tokenize_chinese_chars", handleChineseChars, null],
    ["strip_accents", stripAccents ?? lowercase, null],
  ];
  for (const [field, expected] of pairs) {
    const value = config[field] ?? null;
    if (value === null || value === expected) continue;
    throw fieldError(
      configName,
      field,
      `${String(expected)}, as in tokenizer.json`,
      value,
      "correct the file that is wrong",
    );
  }
}

/** The files from which `readBertFiles` makes the same description again. */
export function writeBertFiles(description: BertDescription): Map<string, string> {
  const { special, config, normalizer } = description;
  const map: JsonObject = {};
  for (const role of roles) if (special[role] !== undefined) map[`${role}_token`] = special[role];
  const written: JsonObject = {
    model_max_length: 1e30, // transformers' "no limit"
    tokenizer_class: "BertTokenizer",
    ...config,
    ...map,
    added_tokens_decoder: addedTokensDecoder(description.addedTokens),
    do_lower_case: normalizer.lowercase,
    strip_accents: normalizer.stripAccents,
    tokenize_chinese_chars: normalizer.handleChineseChars,
  };
  const vocabulary = [...description.model.vocabulary].sort((a, b) => a[1] - b[1]);
  const files = new Map([
    [tokenizerName, tokenizerJsonText(description, vocabulary)],
    [configName, `${JSON.stringify(written, null, 2)}\n`],
    [specialName, `${JSON.stringify(map, null, 2)}\n`],
  ]);
  const fitsLines = vocabulary.every(([token, id], line) => id === line && !/[\r\n]/.test(token));
  if (fitsLines) files.set(vocabularyName, vocabulary.map(([token]) => `${token}\n`).join(""));
  return files;
}

function tokenizerJsonText(description: BertDescription, vocabulary: readonly [string, number][]): string {
  const { normalizer, decoder, model } = description;
  const head: JsonObject = {
    version: "1.0",
    truncation: description.truncation,
    padding: description.padding,
    added_tokens: description.addedTokens.map(addedTokenJson),
    normalizer: {
      type: "BertNormalizer",
      clean_text: normalizer.cleanText,
      handle_chinese_chars: normalizer.handleChineseChars,
      strip_accents: normalizer.stripAccents,
      lowercase: normalizer.lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: templateJson(description.template, description.ids),
    decoder: decoder === undefined ? null : { type: "WordPiece", prefix: decoder.prefix, cleanup: decoder.cleanup },
  };
  const wordPiece = {
    type: "WordPiece",
    unk_token: model.unknownToken,
    continuing_subword_prefix: model.prefix,
    max_input_chars_per_word: model.maxInputChars,
  };
  return withVocabulary(head, wordPiece, vocabulary);
}
