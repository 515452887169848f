/**
 * What the tokenizer.json of Hugging Face tokenizers (version 1.0) says whatever its model: which pipeline it describes,
 * added tokens, ids, and the template of special tokens (TemplateProcessing, BertProcessing). Models, normalizers,
 * pre-tokenizers and decoders are read by the kind of tokenizer that has them.
 */
import { shown } from "../schema.ts";
import type { AddedToken } from "./added-tokens.ts";
import { asObject, component, fieldError, fieldsOf, type Json, type JsonObject, parseJsonObject } from "./json.ts";
import type { Template, TemplatePart } from "./layout.ts";
import type { Pipeline } from "./tokenizer.ts";

/** What kind of tokenizer a tokenizer.json describes. @throws DataError where it is not a JSON object. */
export function pipelineOf(file: string, text: string): Pipeline {
  const root = parseJsonObject(file, text);
  const model = fieldsOf(file, "model", root["model"] ?? {});
  const type = model.raw("type");
  // Files of before 2020 name no type; WordPiece alone has the prefix, byte pair encoding alone merges.
  const isOldWordPiece = type === undefined && model.raw("continuing_subword_prefix") !== undefined;
  const isOldBpe = type === undefined && model.raw("merges") !== undefined;
  return {
    model: isOldWordPiece ? "WordPiece" : isOldBpe ? "BPE" : typeof type === "string" ? type : undefined,
    preTokenizer: typeNames(root["pre_tokenizer"] ?? null),
  };
}

function typeNames(component: Json): string | undefined {
  if (typeof component !== "object" || component === null || Array.isArray(component)) return undefined;
  const { type, pretokenizers } = component;
  if (Array.isArray(pretokenizers)) return pretokenizers.map(typeNames).join(" + ");
  return typeof type === "string" ? type : undefined;
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

/** The list `added_tokens`. */
export function readAddedTokens(file: string, value: unknown, vocabulary: ReadonlyMap<string, number>): AddedToken[] {
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

/** [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with type 1 from B on. */
export function pairTemplate(cls: TemplateToken, sep: TemplateToken): Template {
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

/** The post-processor; undefined for none. @throws DataError for one that is not a template. */
export function readTemplate(file: string, value: Json, ids: ReadonlyMap<string, number>): Template | undefined {
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
    const template = pairTemplate(token("cls"), token("sep"));
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

/** A template as it is written; null for none. */
export function templateJson(template: Template | undefined, ids: ReadonlyMap<string, number>): Json {
  if (template === undefined) return null;
  const tokens: JsonObject = {};
  const tokenOf = new Map([...ids].map(([token, id]) => [id, token]));
  const part = (item: TemplatePart): Json => {
    if (!("special" in item)) return { Sequence: { id: item.sequence === 0 ? "A" : "B", type_id: item.typeId } };
    tokens[item.special] = { id: item.special, ids: [...item.ids], tokens: item.ids.map((id) => tokenOf.get(id)!) };
    return { SpecialToken: { id: item.special, type_id: item.typeId } };
  };
  const single = template.single.map(part);
  const pair = template.pair.map(part);
  return { type: "TemplateProcessing", single, pair, special_tokens: tokens };
}

/**
 * A tokenizer.json whose model has this vocabulary, written line by line: a JavaScript object would move tokens such as
 * "10" to its front.
 */
export function withVocabulary(head: JsonObject, model: JsonObject, vocabulary: readonly [string, number][]): string {
  const lines = vocabulary.map(([token, id]) => `      ${JSON.stringify(token)}: ${id}`).join(",\n");
  const open = (object: unknown, indent: string): string =>
    JSON.stringify(object, null, 2).slice(0, -2).replaceAll("\n", `\n${indent}`);
  return `${open(head, "")},\n  "model": ${open(model, "  ")},\n    "vocab": {\n${lines}\n    }\n  }\n}`;
}
