/**
 * The files of a byte pair encoding's directory → one description: tokenizer.json (Hugging Face tokenizers, version 1.0)
 * with the tokens that the configuration files add, or vocab.json with merges.txt, which are GPT-2's layout. A component
 * or setting that is not understood is an error that names it, for a tokenizer that is nearly right gives wrong ids
 * without a word. Which tokens frame a text, tokenizer.json's post-processor says; `add_bos_token` and `add_eos_token` of
 * tokenizer_config.json count where there is no tokenizer.json, as in transformers 5.
 */
import { readAddedFiles, type Role, withNamedTokens } from "../added-files.ts";
import type { AddedToken } from "../added-tokens.ts";
import {
  asObject,
  component,
  fieldError,
  type Fields,
  fieldsOf,
  isCount,
  type JsonObject,
  parseJsonObject,
} from "../json.ts";
import { allIds, readAddedTokens } from "../tokenizer-json.ts";
import type { TokenizerFiles } from "../tokenizer.ts";
import type { BpeModel } from "./bpe.ts";
import { type Decoder, readDecoder } from "./decoders.ts";
import { gpt2Pipeline, rolesOfClass } from "./layouts.ts";
import { type Normalizer, readNormalizer } from "./normalizers.ts";
import { type PostProcessor, readPostProcessor } from "./post-processors.ts";
import { type PreTokenizer, readPreTokenizer } from "./pre-tokenizers.ts";

/** All that is known of a tokenizer. */
export interface Description {
  readonly model: BpeModel;
  readonly normalizer: Normalizer | undefined;
  readonly preTokenizer: PreTokenizer;
  readonly postProcessor: PostProcessor;
  readonly decoder: Decoder | undefined;
  readonly addedTokens: readonly AddedToken[];
  /** Token → id, added tokens too. */
  readonly ids: ReadonlyMap<string, number>;
  /** The token of each role. */
  readonly roles: { readonly [role in Role]?: string };
  /** tokenizer.json as it was read, or as it would be. */
  readonly root: JsonObject;
  /** The files that it was read from, and whether it has been changed since. */
  readonly files: TokenizerFiles;
  readonly isChanged: boolean;
}

/** Files that are kept as they are. */
const ownFiles = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "vocab.json",
  "merges.txt",
];

/** @throws DataError for damaged, contradictory or unsupported files. */
export function readDescription(files: TokenizerFiles, where: string): Description {
  const inFiles = readAddedFiles(files, where);
  const text = files.get("tokenizer.json");
  const { tokenizer_class: named } = inFiles.settings;
  const usual = rolesOfClass(typeof named === "string" ? named : text === undefined ? "GPT2Tokenizer" : "");
  const roles = { ...usual, ...inFiles.roles };
  const file = where + (text === undefined ? "vocab.json" : "tokenizer.json");
  const root = text === undefined ? gpt2Pipeline(files, where, inFiles.settings) : parseJsonObject(file, text);
  const fields = fieldsOf(file, "the file", root);
  if (fields.raw("version") !== "1.0") throw fieldError(file, "version", '"1.0"', fields.raw("version"));
  const model = readModel(file, fields.raw("model"));
  const listed = readAddedTokens(file, fields.raw("added_tokens") ?? [], model.vocabulary);
  const names = Object.values(usual).map((content) => ({ content, flags: {} }));
  const tokens = new Map(listed.map((token) => [token.content, token]));
  for (const token of inFiles.tokens) {
    const known = tokens.get(token.content);
    if (known !== undefined && known.id !== token.id) {
      throw fieldError(inFiles.file, `id of ${JSON.stringify(token.content)}`, `${known.id}, as in ${file}`, token.id);
    }
    tokens.set(token.content, token);
  }
  // What is usual for a class counts where no other token is named.
  const missing = [...inFiles.named, ...names.filter(({ content }) => Object.values(roles).includes(content))];
  const addedTokens = withNamedTokens({ tokens: [...tokens.values()], file: inFiles.file }, missing, model.vocabulary);
  const ids = allIds(file, model.vocabulary, addedTokens);
  for (const name of ["truncation", "padding"])
    if ((fields.raw(name) ?? null) !== null) asObject(file, name, root[name]);
  const postProcessor = readPostProcessor(file, fields.raw("post_processor") ?? null, ids);
  const description: Description = {
    model,
    normalizer: readNormalizer(file, fields.raw("normalizer") ?? null),
    preTokenizer: readPreTokenizer(file, fields.raw("pre_tokenizer") ?? null),
    postProcessor: text === undefined ? framed(inFiles.settings, where, roles, ids) : postProcessor,
    decoder: readDecoder(file, fields.raw("decoder") ?? null),
    addedTokens,
    ids,
    roles,
    root,
    files: new Map([...files].filter(([name]) => ownFiles.includes(name))),
    isChanged: false,
  };
  fields.close();
  return description;
}

function readModel(file: string, value: unknown): BpeModel {
  const isOld = typeof value === "object" && value !== null && !("type" in value);
  const fields = isOld ? fieldsOf(file, "model", value) : component(file, "model", value, ["BPE"])[1];
  const vocabulary = readVocabulary(file, "model.vocab", fields.raw("vocab"));
  for (const name of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"]) {
    const setting = fields.raw(name) ?? null;
    if (setting !== null && setting !== "" && setting !== 0) {
      throw fieldError(file, `model.${name}`, "null", setting, "this tokenizer has a setting that is not understood");
    }
  }
  const unknown = fields.raw("unk_token") ?? null;
  if (unknown !== null && (typeof unknown !== "string" || !vocabulary.has(unknown))) {
    throw fieldError(file, "model.unk_token", "a token of the vocabulary", unknown);
  }
  const model: BpeModel = {
    vocabulary,
    merges: readMerges(file, fields, vocabulary),
    unknownToken: unknown ?? undefined,
    fuseUnknown: fields.boolean("fuse_unk", false),
    byteFallback: fields.boolean("byte_fallback", false),
    ignoreMerges: fields.boolean("ignore_merges", false),
  };
  fields.close();
  return model;
}

/** An object of tokens and their ids. */
export function readVocabulary(file: string, path: string, value: unknown): Map<string, number> {
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(asObject(file, path, value))) {
    const field = path === "" ? JSON.stringify(token) : `${path}[${JSON.stringify(token)}]`;
    if (!isCount(id)) throw fieldError(file, field, "an id, a whole number from 0", id);
    if (!token.isWellFormed()) throw fieldError(file, field, "a token that is text", token);
    vocabulary.set(token, id);
  }
  return vocabulary;
}

function readMerges(file: string, fields: Fields, vocabulary: ReadonlyMap<string, number>): BpeModel["merges"] {
  const list = fields.raw("merges");
  if (!Array.isArray(list)) throw fieldError(file, "model.merges", "a list", list);
  return list.map((item, rank) => {
    const path = `model.merges[${rank}]`;
    const pair = Array.isArray(item) ? item : typeof item === "string" ? halves(item, vocabulary) : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== "string" || typeof right !== "string") {
      throw fieldError(file, path, '"left right" or ["left", "right"]', item);
    }
    const idOf = (token: string): number => {
      const id = vocabulary.get(token);
      if (id === undefined) throw fieldError(file, path, "tokens of the vocabulary", token);
      return id;
    };
    return [idOf(left), idOf(right), idOf(left + right)] as const;
  });
}

/** The two tokens that a merge names; where these hold spaces themselves, the halves that are tokens. */
function halves(merge: string, vocabulary: ReadonlyMap<string, number>): readonly string[] {
  const parts = merge.split(" ");
  if (parts.length < 3 || merge.length > 200) return parts;
  const cuts = parts.slice(1).map((_, i) => [parts.slice(0, i + 1).join(" "), parts.slice(i + 1).join(" ")] as const);
  const known = cuts.filter(([left, right]) => [left, right, left + right].every((token) => vocabulary.has(token)));
  return known.length === 1 ? known[0]! : parts;
}

/** The template that add_bos_token and add_eos_token ask for. */
function framed(
  settings: JsonObject,
  where: string,
  roles: Description["roles"],
  ids: ReadonlyMap<string, number>,
): PostProcessor {
  const part = (role: "bos" | "eos", typeId: number): { special: string; ids: number[]; typeId: number }[] => {
    const field = `add_${role}_token`;
    const asked = settings[field] ?? false;
    if (typeof asked !== "boolean") throw fieldError(`${where}tokenizer_config.json`, field, "true or false", asked);
    const content = roles[role];
    return asked && content !== undefined ? [{ special: content, ids: [ids.get(content)!], typeId }] : [];
  };
  const text = (sequence: 0 | 1): PostProcessor["template"] & object => {
    const parts = [...part("bos", sequence), { sequence, typeId: sequence }, ...part("eos", sequence)];
    return { single: parts, pair: parts };
  };
  const [first, second] = [text(0).single, text(1).single];
  return { template: { single: first, pair: [...first, ...second] }, trim: undefined };
}
