/**
 * Vocabularies as GGUF's metadata has them (llama.cpp, src/llama-vocab.cpp): SentencePiece's byte pair encoding with
 * scores ("llama"), byte-level byte pair encoding with merges ("gpt2") and WordPiece ("bert"). Read as the text of
 * tokenizer.json and tokenizer_config.json, written from them. Left out: Unigram, and ways of splitting words that are
 * not listed.
 */
import { DataError } from "../errors.ts";
import { wordPieceEntries, wordPieceFiles, wordPieceName } from "./bert/gguf.ts";
import {
  contentOf,
  isList,
  tokensOf,
  types,
  type Vocabulary,
  type VocabularyEntry,
  type Wanted,
} from "./gguf-lists.ts";
import { asObject, type Json, type JsonObject, parseJsonObject } from "./json.ts";
import { encodesPairs } from "./pairs.ts";
import { mergesOf } from "./pipeline/sentencepiece.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What llama.cpp takes where there is no tokenizer. */
export const noVocabulary: readonly VocabularyEntry[] = [
  { key: "tokenizer.ggml.model", type: "string", value: "none" },
];

const byteLevel = (useRegex: boolean): JsonObject => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const split = (Regex: string): JsonObject => ({
  type: "Sequence",
  pretokenizers: [{ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }, byteLevel(false)],
});
const wordsWith = (digits: string): string =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

interface Splitting {
  /** llama.cpp's names (`tokenizer.ggml.pre`), that which is written first. */
  readonly names: readonly string[];
  readonly preTokenizer: JsonObject;
  readonly normalizer?: JsonObject;
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoreMerges?: true;
  /** Texts begin with the token for that where a file does not say. */
  readonly starts?: true;
}

/** Ways of splitting texts into words, for byte-level vocabularies. */
const splittings: readonly Splitting[] = [
  { names: ["gpt-2", "phi-2", "mpt", "olmo", "jais", "roberta-bpe"], preTokenizer: byteLevel(true) },
  { names: ["modern-bert"], preTokenizer: byteLevel(true), normalizer: { type: "NFC" } },
  {
    names: ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"],
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)],
    },
  },
  {
    names: ["llama-bpe", "llama3", "llama-v3"],
    preTokenizer: split(wordsWith(String.raw`\p{N}{1,3}`)),
    ignoreMerges: true,
    starts: true,
  },
  { names: ["dbrx", "smaug-bpe"], preTokenizer: split(wordsWith(String.raw`\p{N}{1,3}`)) },
  {
    names: ["qwen2", "deepseek-r1-qwen", "stablelm2"],
    preTokenizer: split(wordsWith(String.raw`\p{N}`)),
    normalizer: { type: "NFC" },
  },
];

const splittingOf = (name: unknown): Splitting | undefined =>
  splittings.find(({ names }) => names.includes(name as string));

const mark = "▁";

/**
 * The files of a tokenizer, name → contents.
 * @param where what errors begin with: the file's name.
 * @throws DataError where there is no vocabulary, or one of a kind that is not known.
 */
export function tokenizerFilesOf(metadata: ReadonlyMap<string, unknown>, where: string): Map<string, string> {
  const setting = (name: string): unknown => metadata.get(`tokenizer.ggml.${name}`);
  const model = setting("model");
  const wanted = (expected: string, got: unknown): DataError =>
    new DataError(`${where}: tokenizer.ggml.${expected}, got ${String(got).slice(0, 80)}`, {
      hint: "put the model's tokenizer.json beside its weights, in a directory in Hugging Face's format",
    });
  if (model !== "llama" && model !== "gpt2" && model !== wordPieceName) {
    throw wanted(`model: expected llama, gpt2 or ${wordPieceName}`, model ?? "none");
  }
  const tokens = setting("tokens");
  if (!isList(tokens, "string") || tokens.length === 0) throw wanted("tokens: expected a list of texts", tokens);
  if (new Set(tokens).size < tokens.length) {
    const twice = tokens.find((token, i) => tokens.indexOf(token) < i);
    throw wanted("tokens: expected each once", `${JSON.stringify(twice)} twice`);
  }
  const kinds = setting("token_type") ?? tokens.map(() => types.normal);
  if (!isList(kinds, "number") || kinds.length !== tokens.length) {
    throw wanted(`token_type: expected ${tokens.length} numbers`, kinds);
  }
  const vocabulary: Vocabulary = { where, tokens, kinds, setting };
  if (model === wordPieceName) return wordPieceFiles(vocabulary, wanted);
  const described = model === "llama" ? piecesOf(vocabulary, wanted) : bytesOf(vocabulary, wanted);
  const config = configOf(vocabulary, metadata.get("tokenizer.chat_template"), model === "llama");
  const pipeline = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedOf(vocabulary),
    ...described,
    post_processor: templateOf(vocabulary, config),
  };
  return new Map([
    ["tokenizer.json", `${JSON.stringify(pipeline)}\n`],
    ["tokenizer_config.json", `${JSON.stringify(config, null, 2)}\n`],
  ]);
}

const idsOf = ({ tokens }: Vocabulary): { [token: string]: number } =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));

/** SentencePiece's pieces; what it merges first, the one with the higher score, has the lower rank here. */
function piecesOf(vocabulary: Vocabulary, wanted: Wanted): JsonObject {
  const { tokens, kinds, setting } = vocabulary;
  const scores = setting("scores");
  if (!isList(scores, "number") || scores.length !== tokens.length) {
    throw wanted(`scores: expected ${tokens.length} numbers`, scores);
  }
  const pieces = tokens.map((content, id) => {
    return {
      content,
      score: scores[id]!,
      type: kinds[id] === types.normal ? ("normal" as const) : ("control" as const),
    };
  });
  const unknown = tokens[kinds.indexOf(types.unknown)] ?? null;
  const prefixed = setting("add_space_prefix") !== false;
  const spaces: JsonObject = { type: "Replace", pattern: { String: " " }, content: mark };
  const decoders: Json[] = [
    { type: "Replace", pattern: { String: mark }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(prefixed ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
  ];
  const normalizers: Json[] = [...(prefixed ? [{ type: "Prepend", prepend: mark }] : []), spaces];
  return {
    normalizer: { type: "Sequence", normalizers },
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: kinds.includes(types.byte),
      ignore_merges: false,
      vocab: idsOf(vocabulary),
      merges: mergesOf(pieces).map((merge): Json => [...merge]),
    },
  };
}

function bytesOf(vocabulary: Vocabulary, wanted: Wanted): JsonObject {
  const { setting } = vocabulary;
  const merges = setting("merges");
  if (!isList(merges, "string")) throw wanted("merges: expected a list of texts", merges);
  const pairs = merges.map((merge) => {
    // The second character at the earliest: the first symbol may be a space.
    const at = merge.indexOf(" ", 1);
    if (at < 1 || at === merge.length - 1) throw wanted("merges: expected two tokens each", JSON.stringify(merge));
    return [merge.slice(0, at), merge.slice(at + 1)];
  });
  const name = setting("pre");
  const splitting = splittingOf(name);
  if (splitting === undefined) {
    const known = splittings.map(({ names: [first] }) => first).join(", ");
    throw wanted(`pre: expected a way of splitting words that is known (${known})`, name ?? "none");
  }
  return {
    normalizer: splitting.normalizer ?? null,
    pre_tokenizer: splitting.preTokenizer,
    decoder: byteLevel(true),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: splitting.ignoreMerges === true,
      vocab: idsOf(vocabulary),
      merges: pairs,
    },
  };
}

function addedOf({ tokens, kinds }: Vocabulary): Json[] {
  return tokens.flatMap((content, id) => {
    const kind = kinds[id];
    const special = kind === types.control || kind === types.unknown;
    if ((!special && kind !== types.userDefined) || content === "") return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

/** A role's name in llama.cpp; encoders have the last two, and there bos is [CLS]. */
const roles = { bos: "bos", eos: "eos", unk: "unknown", pad: "padding", sep: "seperator", mask: "mask" } as const;

function configOf({ tokens, setting }: Vocabulary, template: unknown, hasStart: boolean): JsonObject {
  const named = Object.entries(roles).flatMap(([role, name]) => {
    const token = tokens[setting(`${name}_token_id`) as number];
    return token === undefined ? [] : [[`${role}_token`, token] as const];
  });
  const startsByDefault = hasStart || splittingOf(setting("pre"))?.starts === true;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...Object.fromEntries(named),
    add_bos_token: (setting("add_bos_token") ?? startsByDefault) === true,
    add_eos_token: setting("add_eos_token") === true,
    clean_up_tokenization_spaces: false,
    ...(typeof template === "string" ? { chat_template: template } : {}),
  };
}

/** What stands before and after a text, as a template of tokenizer.json. */
function templateOf({ tokens, setting }: Vocabulary, config: JsonObject): JsonObject | null {
  const joins = setting("add_sep_token") === true;
  const before = config["add_bos_token"] === true ? config["bos_token"] : undefined;
  const after = config["add_eos_token"] === true ? config["eos_token"] : undefined;
  if (before === undefined && after === undefined) return null;
  const special = (token: Json | undefined, type: number): Json[] =>
    token === undefined ? [] : [{ SpecialToken: { id: token, type_id: type } }];
  const around = (name: string, type: number): Json[] => [
    ...special(before, type),
    { Sequence: { id: name, type_id: type } },
    ...special(after, type),
  ];
  const used = [before, after].filter((token) => typeof token === "string");
  const tokensOf = Object.fromEntries(
    used.map((token) => [token, { id: token, ids: [tokens.indexOf(token)], tokens: [token] }]),
  );
  return {
    type: "TemplateProcessing",
    single: around("A", 0),
    // Encoders' texts share what stands between them.
    pair: [...around("A", 0), ...around("B", 1).slice(joins ? special(before, 1).length : 0)],
    special_tokens: tokensOf,
  };
}

/**
 * Metadata of a tokenizer, filled up to `size` tokens.
 * @throws DataError for a kind of tokenizer that llama.cpp does not have.
 */
export function ggufVocabulary(tokenizer: Tokenizer, size: number): VocabularyEntry[] {
  const own = tokenizer.files();
  // One of older files is written as tokenizer.json once anything is added to it.
  const files = own.has("tokenizer.json") || !encodesPairs(tokenizer) ? own : tokenizer.addTokens([]).files();
  const text = files.get("tokenizer.json");
  const refuse = (got: string): DataError =>
    new DataError(
      `tokenizer: expected a byte pair encoding of bytes or of pieces with ${mark}, or WordPiece, as llama.cpp has, got ${got}`,
      {
        hint: "without its tokenizer's files beside it the model is converted alone",
      },
    );
  if (text === undefined) throw refuse([...files.keys()].join(", ").slice(0, 200));
  const root = parseJsonObject("tokenizer.json", text);
  const model = asObject("tokenizer.json", "model", root["model"]);
  const config = parseJsonObject("tokenizer_config.json", files.get("tokenizer_config.json") ?? "{}");
  if (model["type"] === "WordPiece") return wordPieceEntries(root, model, config, size);
  if (model["type"] !== "BPE") throw refuse(`model.type ${String(model["type"]).slice(0, 80)}`);
  const { tokens, kinds } = tokensOf(root, model, size);
  const merges = (model["merges"] as readonly (string | readonly string[])[]).map((merge) =>
    typeof merge === "string" ? merge : merge.join(" "),
  );
  const pre = preOf(root);
  const isPieces = pre === undefined && JSON.stringify(root["pre_tokenizer"] ?? null).includes("ByteLevel") === false;
  if (pre === undefined && !isPieces) throw refuse("a pre_tokenizer that is none of its");
  const start = (key: string): string => `tokenizer.ggml.${key}`;
  const entries: VocabularyEntry[] = [
    { key: start("model"), type: "string", value: isPieces ? "llama" : "gpt2" },
    { key: start("pre"), type: "string", value: pre ?? "default" },
    { key: start("tokens"), type: "string", value: tokens },
    { key: start("token_type"), type: "int32", value: kinds },
    isPieces
      ? { key: start("scores"), type: "float32", value: scoresOf(tokens, kinds, merges) }
      : { key: start("merges"), type: "string", value: merges },
  ];
  const frame = frameOf(root);
  for (const [role, name] of Object.entries(roles)) {
    const id = tokens.indexOf(
      contentOf(config[`${role}_token`]) ??
        (role === "bos" ? frame.before : role === "eos" ? frame.after : undefined) ??
        "",
    );
    if (id >= 0) entries.push({ key: start(`${name}_token_id`), type: "uint32", value: id });
  }
  entries.push(
    { key: start("add_bos_token"), type: "bool", value: frame.before !== undefined },
    { key: start("add_eos_token"), type: "bool", value: frame.after !== undefined },
    ...(frame.joins ? [{ key: start("add_sep_token"), type: "bool", value: true } as const] : []),
  );
  if (isPieces) {
    const prefixed = /"(?:prepend":"▁|prepend_scheme":"(?:first|always))/.test(text.replaceAll(/\s/g, ""));
    entries.push({ key: start("add_space_prefix"), type: "bool", value: prefixed });
  }
  const template = config["chat_template"];
  if (typeof template === "string") entries.push({ key: "tokenizer.chat_template", type: "string", value: template });
  return entries;
}

function preOf(root: JsonObject): string | undefined {
  const text = canonical(root["pre_tokenizer"] ?? null);
  const ignores = (root["model"] as JsonObject)["ignore_merges"] === true;
  const normalizer = canonical(root["normalizer"] ?? null);
  const same = splittings.filter(({ preTokenizer }) => canonical(preTokenizer) === text);
  const fits = (one: Splitting): number =>
    Number((one.ignoreMerges === true) === ignores) + Number(canonical(one.normalizer ?? null) === normalizer);
  return same.sort((a, b) => fits(b) - fits(a))[0]?.names[0];
}

/** The parts of a pre-tokenizer that decide where texts are split, in one order. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const kept = Object.entries(value).filter(([key]) => key !== "trim_offsets" && key !== "invert");
  return `{${kept
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${key}:${canonical(one)}`)
    .join()}}`;
}

/** The special tokens that the post-processor puts around a text; `joins`: the second of a pair has none before it. */
function frameOf(root: JsonObject): {
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly joins: boolean;
} {
  const processor = root["post_processor"] as JsonObject | null | undefined;
  const all = Array.isArray(processor?.["processors"]) ? (processor["processors"] as JsonObject[]) : [processor];
  const template = all.find((one) => Array.isArray(one?.["single"]));
  const [single, pair] = [template?.["single"], template?.["pair"]] as (JsonObject[] | undefined)[];
  const nameAt = (part: JsonObject | undefined): string | undefined =>
    (part?.["SpecialToken"] as { id?: string } | undefined)?.id;
  const [before, after] = [nameAt(single?.[0]), nameAt(single?.at(-1))];
  const isAround = before !== undefined && after !== undefined;
  return { before, after, joins: isAround && pair?.length === 2 * single!.length - 1 };
}

/** Scores that order merges as their ranks do: a token's is that of the first merge that makes it. */
function scoresOf(tokens: readonly string[], kinds: readonly number[], merges: readonly string[]): number[] {
  const ranks = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    const product = merge.replace(" ", "");
    if (!ranks.has(product)) ranks.set(product, rank);
  }
  return tokens.map((token, id) => {
    if (kinds[id] !== types.normal) return 0;
    const rank = ranks.get(token);
    return rank === undefined ? -1e6 : -1 - rank;
  });
}
