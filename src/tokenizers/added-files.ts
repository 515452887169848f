/**
 * Which tokens the configuration files of a tokenizer's directory add to its vocabulary, as transformers 5 reads them:
 * added_tokens_decoder in tokenizer_config.json; where it has none, the older added_tokens.json, with
 * special_tokens_map.json before tokenizer_config.json. Then every token that they name for a role or list as special.
 */
import { ConfigError } from "../errors.ts";
import type { AddedToken } from "./added-tokens.ts";
import { asObject, fieldError, type JsonObject, parseJsonObject } from "./json.ts";
import type { NewToken } from "./pairs.ts";
import { checkAddedIds, readAddedToken } from "./tokenizer-json.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** Roles of special tokens, in the order in which transformers adds those that the vocabulary lacks. */
const roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;
export type Role = (typeof roles)[number];
const roleFields: ReadonlySet<string> = new Set(roles.map((role) => `${role}_token`));

/** A special token as a configuration names it. */
interface NamedToken {
  readonly content: string;
  /** Those of a token that is written as an object. */
  readonly flags: Partial<Pick<AddedToken, "normalized" | "lstrip" | "rstrip" | "singleWord">>;
}

export interface AddedInFiles {
  /** tokenizer_config.json, with what else special_tokens_map.json says where that counts; roles apart. */
  readonly settings: JsonObject;
  /** With the ids that the files give. */
  readonly tokens: AddedToken[];
  /** Where the tokens are from. */
  readonly file: string;
  /** Special tokens that the files name, each once, those of roles first. */
  readonly named: readonly NamedToken[];
  /** What the files call the token of a role. */
  readonly roles: { readonly [role in Role]?: string };
}

const configName = "tokenizer_config.json";
const specialName = "special_tokens_map.json";
const addedName = "added_tokens.json";
const decoderField = "added_tokens_decoder";
/** Special tokens without a role: the name of today, and that of before transformers 5. */
const listFields = ["extra_special_tokens", "additional_special_tokens"];

/**
 * Reads what `files` say of added and special tokens; `where` is put before their names in errors.
 * @throws DataError for damaged files, and for settings under which added tokens are no longer found in a text.
 */
export function readAddedFiles(files: TokenizerFiles, where = ""): AddedInFiles {
  const config = optionalObject(files, configName, where);
  const inConfig = config[decoderField] ?? undefined;
  const map = optionalObject(files, specialName, where);
  const all = inConfig === undefined ? { ...config, ...map } : config;
  const configFile = where + configName;
  const fileOf = (field: string): string => (Object.hasOwn(config, field) ? configFile : where + specialName);
  if (config["split_special_tokens"] === true) {
    const hint = "special tokens in a text would be split like words; no tokenizer here does that";
    throw fieldError(configFile, "split_special_tokens", "false", true, hint);
  }
  const found = new Map<string, NamedToken>();
  const note = (field: string, value: unknown): string => {
    const token = namedToken(fileOf(field), field, value);
    if (!found.has(token.content)) found.set(token.content, token);
    return token.content;
  };
  const names: { [role in Role]?: string } = {};
  for (const role of roles) {
    const field = `${role}_token`;
    const value = all[field] ?? null;
    if (value !== null) names[role] = note(field, value);
  }
  const others = Object.entries(all).filter(([field]) => !roleFields.has(field));
  for (const [field, value] of others) if (field.endsWith("_token") && isToken(value)) note(field, value);
  for (const field of listFields) {
    const value = all[field] ?? [];
    const list = Array.isArray(value) ? value : Object.values(asObject(fileOf(field), field, value));
    for (const item of list) note(field, item);
  }
  const tokens =
    inConfig === undefined ? olderTokens(files, where, new Set(found.keys())) : decoderTokens(configFile, inConfig);
  const settings = { ...config, ...Object.fromEntries(others) };
  const file = inConfig === undefined ? where + addedName : configFile;
  return { settings, tokens, file, named: [...found.values()], roles: names };
}

/** An added token as transformers makes it of a string: a special one is looked for in the text as it is. */
export function newAddedToken(content: string, id: number, options: Partial<AddedToken> = {}): AddedToken {
  const special = options.special ?? false;
  const { normalized = !special, lstrip = false, rstrip = false, singleWord = false } = options;
  return { id, content, special, normalized, lstrip, rstrip, singleWord };
}

/**
 * Ids and added tokens with `added` behind them; one that is there keeps its id.
 * @throws ConfigError for a token without text.
 */
export function withNewTokens(
  known: { readonly ids: ReadonlyMap<string, number>; readonly addedTokens: readonly AddedToken[] },
  added: readonly NewToken[],
): { ids: Map<string, number>; addedTokens: AddedToken[] } {
  const ids = new Map(known.ids);
  const addedTokens = new Map(known.addedTokens.map((token) => [token.content, token]));
  for (const token of added) {
    const options = typeof token === "string" ? { content: token } : token;
    const { content } = options;
    if (content === "") throw new ConfigError("addTokens: expected a token that is text, got an empty one");
    const id = ids.get(content) ?? ids.size;
    ids.set(content, id);
    addedTokens.set(content, newAddedToken(content, id, options));
  }
  return { ids, addedTokens: [...addedTokens.values()] };
}

/**
 * The files' tokens and after them the `named` ones that are not among them: under their id in the vocabulary, else
 * behind it.
 * @throws DataError where a token has another id than the vocabulary gives it.
 */
export function withNamedTokens(
  { tokens, file }: Pick<AddedInFiles, "tokens" | "file">,
  named: readonly NamedToken[],
  vocabulary: ReadonlyMap<string, number>,
): AddedToken[] {
  checkAddedIds(file, tokens, vocabulary);
  const all = [...tokens];
  const ids = new Map([...vocabulary, ...tokens.map(({ content, id }) => [content, id] as const)]);
  const known = new Set(tokens.map(({ content }) => content));
  for (const { content, flags } of named) {
    if (known.has(content)) continue;
    known.add(content);
    const id = ids.get(content) ?? ids.size;
    ids.set(content, id);
    all.push(newAddedToken(content, id, { ...flags, special: true }));
  }
  return all;
}

/** `tokens` as tokenizer_config.json lists them. */
export function addedTokensDecoder(tokens: readonly AddedToken[]): JsonObject {
  const decoder: JsonObject = {};
  for (const token of tokens) {
    const { id: _, ...fields } = addedTokenJson(token);
    decoder[String(token.id)] = fields;
  }
  return decoder;
}

/** A token as tokenizer.json lists it. */
export function addedTokenJson(token: AddedToken): JsonObject {
  const { id, content, singleWord, lstrip, rstrip, normalized, special } = token;
  return { id, content, single_word: singleWord, lstrip, rstrip, normalized, special };
}

function optionalObject(files: TokenizerFiles, name: string, where: string): JsonObject {
  const text = files.get(name);
  const object = text === undefined ? {} : parseJsonObject(where + name, text);
  if (Object.hasOwn(object, "__proto__")) {
    throw fieldError(where + name, "__proto__", "no such field", object["__proto__"]);
  }
  return object;
}

function isToken(value: unknown): boolean {
  const isObject = typeof value === "object" && value !== null && "content" in value;
  return (typeof value === "string" && value !== "") || isObject;
}

function namedToken(file: string, field: string, value: unknown): NamedToken {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    if (typeof value !== "string" || value === "" || !value.isWellFormed()) {
      throw fieldError(file, field, "a token", value);
    }
    return { content: value, flags: {} };
  }
  const { content, normalized, lstrip, rstrip, singleWord } = readAddedToken(
    file,
    field,
    { ...value, special: true },
    0,
  );
  return { content, flags: { normalized, lstrip, rstrip, singleWord } };
}

function decoderTokens(file: string, value: unknown): AddedToken[] {
  return Object.entries(asObject(file, decoderField, value)).map(([key, token]) =>
    readAddedToken(file, `${decoderField}[${key}]`, token, Number(key)),
  );
}

function olderTokens(files: TokenizerFiles, where: string, special: ReadonlySet<string>): AddedToken[] {
  return Object.entries(optionalObject(files, addedName, where)).map(([content, id]) =>
    readAddedToken(where + addedName, content, { content, id, special: special.has(content) }),
  );
}
