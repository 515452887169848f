/**
 * WordPiece as GGUF's metadata has it (llama.cpp, convert_hf_to_gguf.py and llm_tokenizer_wpm): a token that begins a word
 * begins with ▁, one that goes on has no mark, and the special ones are as they are.
 */
import { DataError } from "../../errors.ts";
import { contentOf, tokensOf, types, type Vocabulary, type VocabularyEntry, type Wanted } from "../gguf-lists.ts";
import type { JsonObject } from "../json.ts";

/** llama.cpp's name of it (`tokenizer.ggml.model`). */
export const wordPieceName = "bert";

const mark = "▁";
const goesOn = "##";

/** llama.cpp's name of a role's id, BERT's own token, and the id that llama.cpp takes where the file has none. */
const roles = {
  unk: { keys: ["unknown"], token: "[UNK]", id: 100 },
  sep: { keys: ["seperator"], token: "[SEP]", id: 102 },
  pad: { keys: ["padding"], token: "[PAD]", id: 0 },
  cls: { keys: ["bos", "cls"], token: "[CLS]", id: 101 },
  mask: { keys: ["mask"], token: "[MASK]", id: 103 },
} as const;

/** vocab.txt and tokenizer_config.json. @throws DataError for tokens that no line can hold. */
export function wordPieceFiles(vocabulary: Vocabulary, wanted: Wanted): Map<string, string> {
  const { tokens, kinds, setting } = vocabulary;
  const isMarked = tokens.some((token) => token.startsWith(mark));
  const pieces = tokens.map((token, id) => {
    if (/[\r\n]/.test(token)) throw wanted("tokens: expected no line breaks", JSON.stringify(token));
    // Older files have only the brackets to tell special tokens by.
    if (!isMarked || kinds[id] === types.control || /^\[.+\]$/.test(token)) return token;
    return token.startsWith(mark) && token !== mark ? token.slice(mark.length) : goesOn + token;
  });
  const isCased = pieces.some((piece, id) => kinds[id] === types.normal && /^(?:##)?[A-Z]/.test(piece));
  const lowercase = flag(setting("normalizer.lowercase"), !isCased);
  const named = Object.entries(roles).flatMap(([role, { keys, token, id: usual }]) => {
    const given = keys.map((key) => setting(`${key}_token_id`)).find((id) => id !== undefined);
    const id = given ?? (tokens.includes(token) ? tokens.indexOf(token) : usual);
    const found = pieces[id as number];
    return found === undefined ? [] : [[`${role}_token`, found] as const];
  });
  const added = pieces.flatMap((content, id) => {
    const special = kinds[id] === types.control;
    if (!special && kinds[id] !== types.userDefined) return [];
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: !special, special };
    return [[String(id), { content, ...flags }] as const];
  });
  const config = {
    tokenizer_class: "BertTokenizer",
    do_lower_case: lowercase,
    strip_accents: flag(setting("normalizer.strip_accents"), lowercase),
    tokenize_chinese_chars: true,
    ...Object.fromEntries(named),
    ...(added.length === 0 ? {} : { added_tokens_decoder: Object.fromEntries(added) }),
  };
  return new Map([
    ["vocab.txt", pieces.map((piece) => `${piece}\n`).join("")],
    ["tokenizer_config.json", `${JSON.stringify(config, null, 2)}\n`],
  ]);
}

const flag = (value: unknown, absent: boolean): boolean => (typeof value === "boolean" ? value : absent);

/** Metadata of a WordPiece tokenizer.json. @throws DataError for what llama.cpp does not do. */
export function wordPieceEntries(
  root: JsonObject,
  model: JsonObject,
  config: JsonObject,
  size: number,
): VocabularyEntry[] {
  const normalizer = (root["normalizer"] ?? {}) as JsonObject;
  const refuse = (expected: string, got: unknown): DataError =>
    new DataError(`tokenizer.json: expected ${expected}, as llama.cpp has, got ${String(got).slice(0, 80)}`, {
      hint: "without its tokenizer's files beside it the model is converted alone",
    });
  const prefix = model["continuing_subword_prefix"];
  if (prefix !== goesOn) throw refuse(`the prefix ${goesOn}`, prefix);
  for (const part of ["clean_text", "handle_chinese_chars"]) {
    if (normalizer[part] !== true) throw refuse(`normalizer.${part} true`, normalizer[part] ?? "none");
  }
  const { tokens, kinds: found } = tokensOf(root, model, size);
  const kinds = found.map((kind) => (kind === types.unknown ? types.control : kind));
  const marked = tokens.map((token, id) => {
    if (kinds[id] === types.control) return token;
    return token.startsWith(goesOn) ? token.slice(goesOn.length) : mark + token;
  });
  const start = (key: string): string => `tokenizer.ggml.${key}`;
  const lowercase = normalizer["lowercase"] === true;
  const entries: VocabularyEntry[] = [
    { key: start("model"), type: "string", value: wordPieceName },
    { key: start("pre"), type: "string", value: "default" },
    { key: start("tokens"), type: "string", value: marked },
    { key: start("token_type"), type: "int32", value: kinds },
    { key: start("normalizer.lowercase"), type: "bool", value: lowercase },
    {
      key: start("normalizer.strip_accents"),
      type: "bool",
      value: (normalizer["strip_accents"] ?? lowercase) === true,
    },
  ];
  for (const [role, { keys, token }] of Object.entries(roles)) {
    const id = tokens.indexOf(contentOf(config[`${role}_token`]) ?? token);
    if (id < 0) continue;
    for (const key of keys) entries.push({ key: start(`${key}_token_id`), type: "uint32", value: id });
  }
  return entries;
}
