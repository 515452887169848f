/**
 * SentencePiece's models of byte pair encoding (tokenizer.model; sentencepiece_model.proto, Kudo and Richardson 2018) ↔
 * the tokenizer.json that says the same. There any two pieces merge whose product is a piece, the best score first; here
 * all such pairs are merges, in that order, as transformers makes them. Refused by name: unigram, word and character
 * models, normalization, and pieces that are marked unused. A user's piece right at the beginning of a text has no ▁
 * before it, and control pieces are found in texts, as everywhere but in SentencePiece itself.
 */
import { ConfigError, DataError } from "../../errors.ts";
import { addedTokenJson, newAddedToken } from "../added-files.ts";
import type { AddedToken } from "../added-tokens.ts";
import { asObject, type Json, type JsonObject, parseJsonObject } from "../json.ts";
import type { TemplatePart } from "../layout.ts";
import { templateJson, withVocabulary } from "../tokenizer-json.ts";
import type { TokenizerFiles } from "../tokenizer.ts";
import { byteToken } from "./bpe.ts";
import { readDescription } from "./description.ts";
import { bpePipeline, charactersPipeline, olderPipeline } from "./layouts.ts";
import { fieldsIn, messageWriter } from "./protobuf.ts";

/** Longer pieces are not merged: the ways to cut one grow with its length, and SentencePiece makes none beyond 16. */
const LONGEST = 512;

/** Types of pieces, by their number in the file. */
const pieceTypes = ["", "normal", "unknown", "control", "user-defined", "unused", "byte"] as const;
type PieceType = (typeof pieceTypes)[number];
const modelTypes = ["", "unigram", "BPE", "word", "character"];

interface Piece {
  readonly content: string;
  readonly score: number;
  readonly type: PieceType;
}

interface SentencePiece {
  readonly pieces: readonly Piece[];
  readonly addDummyPrefix: boolean;
  readonly byteFallback: boolean;
  /** Ids of the roles that have one. */
  readonly roles: { readonly [role in "unk" | "bos" | "eos" | "pad"]?: number };
}

const roleFields = { unk: 40, bos: 41, eos: 42, pad: 43 } as const;
const pieceFields = { unk: 45, bos: 46, eos: 47, pad: 48 } as const;
type ModelRole = keyof typeof roleFields;
const modelRoles = Object.keys(roleFields) as ModelRole[];

/** The files of a tokenizer directory that say what a tokenizer.model and its configuration do. @throws DataError. */
export function filesOfSentencePiece(bytes: Uint8Array, config: TokenizerFiles, where = ""): Map<string, string> {
  const file = `${where}tokenizer.model`;
  const model = readModel(bytes, file);
  const ids = new Map(model.pieces.map(({ content }, id) => [content, id]));
  if (ids.size < model.pieces.length) throw new DataError(`${file}: expected pieces that differ, got one twice`);
  const configName = "tokenizer_config.json";
  const given = config.get(configName);
  const settings = given === undefined ? {} : parseJsonObject(where + configName, given);
  const contentOf = (role: ModelRole): string | undefined => model.pieces[model.roles[role] ?? -1]?.content;
  const roles: JsonObject = {};
  for (const role of modelRoles) {
    const content = contentOf(role);
    if (content !== undefined) roles[`${role}_token`] = content;
  }
  const unknown = contentOf("unk");
  const scheme = schemeOf(model, settings);
  const { model: modelJson, ...parts } = scheme === "old" ? olderPipeline() : charactersPipeline(scheme);
  const { model: written, ...head } = bpePipeline({
    ...parts,
    added_tokens: addedOf(model).map(addedTokenJson),
    post_processor: templateJson(frameOf(settings, roles, ids), ids),
    model: {
      ...modelJson,
      unk_token: unknown ?? null,
      byte_fallback: model.byteFallback,
      merges: mergesOf(model.pieces).map((merge): Json => [...merge]),
    },
  });
  const text = withVocabulary(head, asObject(file, "model", written), [...ids]);
  const made = { tokenizer_class: "LlamaTokenizer", ...roles, ...settings };
  return new Map([...config, ["tokenizer.json", text], [configName, `${JSON.stringify(made, null, 2)}\n`]]);
}

/** ▁ before a text: where a configuration says so only at its beginning (`legacy`), never, or as SentencePiece does. */
function schemeOf({ pieces, addDummyPrefix }: SentencePiece, settings: JsonObject): "old" | "first" | "never" {
  if (!addDummyPrefix || settings["add_prefix_space"] === false) return "never";
  // A ▁ before each part of a text would come behind every piece of the user's.
  const hasOwn = pieces.some(({ type }) => type === "user-defined");
  return settings["legacy"] === false || hasOwn ? "first" : "old";
}

/** A text begins with the token for it unless a configuration says otherwise, as these models were trained. */
function frameOf(
  settings: JsonObject,
  roles: JsonObject,
  ids: ReadonlyMap<string, number>,
): { single: TemplatePart[]; pair: TemplatePart[] } {
  const part = (role: ModelRole, asked: boolean, typeId: number): TemplatePart[] => {
    const content = roles[`${role}_token`];
    return asked && typeof content === "string" ? [{ special: content, ids: [ids.get(content)!], typeId }] : [];
  };
  const text = (sequence: 0 | 1): TemplatePart[] => [
    ...part("bos", settings["add_bos_token"] !== false, sequence),
    { sequence, typeId: sequence },
    ...part("eos", settings["add_eos_token"] === true, sequence),
  ];
  return { single: text(0), pair: [...text(0), ...text(1)] };
}

function addedOf({ pieces }: SentencePiece): AddedToken[] {
  return pieces.flatMap(({ content, type }, id) => {
    if (type === "normal" || type === "byte") return [];
    return [newAddedToken(content, id, { special: type !== "user-defined", normalized: false })];
  });
}

/**
 * All pairs of pieces whose product is a piece, in the order in which SentencePiece merges them: the best score first,
 * and of one product's that with the longer left part.
 */
export function mergesOf(pieces: readonly Pick<Piece, "content" | "score" | "type">[]): (readonly [string, string])[] {
  const known = new Set(pieces.filter(({ type }) => type === "normal").map(({ content }) => content));
  const scored = pieces
    .filter(({ content, type }) => type === "normal" && content.length > 1 && content.length <= LONGEST)
    .sort((a, b) => b.score - a.score);
  const merges: (readonly [string, string])[] = [];
  for (const { content } of scored) {
    for (let cut = content.length - 1; cut > 0; cut--) {
      const [left, right] = [content.slice(0, cut), content.slice(cut)];
      if (known.has(left) && known.has(right)) merges.push([left, right]);
    }
  }
  return merges;
}

function readModel(bytes: Uint8Array, file: string): SentencePiece {
  const pieces: Piece[] = [];
  const roles: { [role in ModelRole]?: number } = { unk: 0, bos: 1, eos: 2 };
  let modelType = 1;
  let byteFallback = false;
  let addDummyPrefix = true;
  let removesSpaces = true;
  for (const { number, value } of fieldsIn(bytes, file)) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === 1) pieces.push(readPiece(value, `${file}: piece ${pieces.length}`));
    if (number === 2) {
      for (const field of fieldsIn(value, `${file}: trainer_spec`)) {
        if (field.type !== "varint") continue;
        if (field.number === 3) modelType = field.value;
        if (field.number === 35) byteFallback = field.value !== 0;
        for (const role of modelRoles) if (field.number === roleFields[role]) roles[role] = field.value;
      }
    }
    if (number === 3) {
      for (const field of fieldsIn(value, `${file}: normalizer_spec`)) {
        if (field.number === 2 && field.type === "bytes" && field.value.length > 0)
          throw normalizing(file, "characters");
        if (field.number === 3 && field.type === "varint") addDummyPrefix = field.value !== 0;
        if (field.number === 4 && field.type === "varint") removesSpaces = field.value !== 0;
      }
    }
  }
  if (pieces.length === 0) throw new DataError(`${file}: expected a SentencePiece model with pieces, got none`);
  if (modelType !== 2) {
    const hint = "of SentencePiece's models, only those of byte pair encoding are read";
    throw new DataError(`${file}: expected a BPE model, got ${modelTypes[modelType] ?? `type ${modelType}`}`, { hint });
  }
  if (removesSpaces) throw normalizing(file, "spaces");
  return { pieces, addDummyPrefix, byteFallback, roles };
}

function normalizing(file: string, what: string): DataError {
  const hint = "models that change text before they cut it are not read";
  return new DataError(`${file}: normalizer_spec: expected text that is taken as it is, got one that changes ${what}`, {
    hint,
  });
}

function readPiece(bytes: Uint8Array, what: string): Piece {
  let content = "";
  let score = 0;
  let type = 1;
  for (const field of fieldsIn(bytes, what)) {
    if (field.number === 1 && field.type === "bytes") content = textOf(field.value, what);
    if (field.number === 2 && field.type === "fixed32") score = field.value.getFloat32(0, true);
    if (field.number === 3 && field.type === "varint") type = field.value;
  }
  const name = pieceTypes[type];
  if (name === undefined || name === "" || name === "unused") {
    throw new DataError(`${what}: expected a piece that is used, got type ${name === "unused" ? name : type}`);
  }
  if (content === "" || Number.isNaN(score)) throw new DataError(`${what}: expected text and a score, got none`);
  return { content, score, type: name };
}

function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${what}: expected UTF-8 text, got other bytes`, { cause });
  }
}

/**
 * A tokenizer's files as a SentencePiece model, which gives a text the same ids (unless it begins with a space, where the
 * pre-tokenizer is Metaspace).
 * @throws ConfigError for tokenizers whose merges are not those that SentencePiece makes of the same pieces.
 */
export function sentencePieceModel(files: TokenizerFiles): Uint8Array {
  const { model, addedTokens, ids, roles, preTokenizer, root } = readDescription(files, "");
  const refuse = (what: string): never => {
    throw new ConfigError(`sentencePieceModel: expected a tokenizer as SentencePiece has it, got ${what}`);
  };
  if (preTokenizer.byBytes) refuse("one whose words are bytes");
  if (model.unknownToken === undefined) refuse("one without a token for what is unknown");
  const tokens: string[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const added = new Map(addedTokens.map((token) => [token.content, token]));
  const scores = new Map<string, number>();
  model.merges.forEach(([, , product], rank) => {
    if (!scores.has(tokens[product]!)) scores.set(tokens[product]!, -rank);
  });
  const bytes = new Set(Array.from({ length: 256 }, (_, byte) => byteToken(byte)));
  const pieces = tokens.map((content, id): Piece => {
    const token = added.get(content);
    const isByte = model.byteFallback && bytes.has(content);
    const isUnknown = content === model.unknownToken;
    const type = isUnknown
      ? "unknown"
      : token?.special
        ? "control"
        : token
          ? "user-defined"
          : isByte
            ? "byte"
            : "normal";
    return { content, type, score: type === "normal" ? (scores.get(content) ?? -model.merges.length - id) : 0 };
  });
  const expected = mergesOf(pieces);
  const isSame =
    expected.length === model.merges.length &&
    expected.every(([left, right], rank) => {
      const [a, b] = model.merges[rank]!;
      return tokens[a] === left && tokens[b] === right;
    });
  if (!isSame) refuse(`${model.merges.length} merges where its pieces have ${expected.length}, or in another order`);
  const hasPrefix =
    JSON.stringify([root["normalizer"], root["pre_tokenizer"]]).match(/"Prepend"|"(?:always|first)"/) !== null;
  const roleIds: { [role in ModelRole]?: number } = {};
  for (const role of modelRoles) if (roles[role] !== undefined) roleIds[role] = ids.get(roles[role])!;
  return writeModel({ pieces, addDummyPrefix: hasPrefix, byteFallback: model.byteFallback, roles: roleIds });
}

/**
 * A SentencePiece model with more pieces behind its own; all else stays as it is. Scores go on downwards by 1, or as far
 * as 32 bits can tell apart where the last ones are that low.
 * @throws DataError for bytes that are no model.
 */
export function withPieces(bytes: Uint8Array, tokens: readonly string[], file = "tokenizer.model"): Uint8Array {
  const { pieces } = readModel(bytes, file);
  const least = pieces.reduce((low, { score }) => Math.min(low, score), 0);
  const step = Math.max(1, 2 ** (Math.ceil(Math.log2(Math.max(1, -least) + tokens.length)) - 23));
  const written = messageWriter();
  let last = 0;
  const fields = [...fieldsIn(bytes, file)];
  fields.forEach(({ number }, i) => {
    if (number === 1) last = i;
  });
  fields.forEach(({ number, type, value }, i) => {
    if (type !== "bytes") throw new DataError(`${file}: expected messages alone, got field ${number} of type ${type}`);
    if (number === 2) {
      const size = messageWriter();
      size.varint(4, pieces.length + tokens.length);
      // Of a field that comes twice the last one counts.
      written.bytes(2, Uint8Array.from([...value, ...size.done()]));
    } else written.bytes(number, value);
    if (i !== last) return;
    tokens.forEach((token, at) =>
      written.bytes(1, pieceMessage({ content: token, score: least - step * (at + 1), type: "normal" })),
    );
  });
  return written.done();
}

function pieceMessage({ content, score, type }: Piece): Uint8Array {
  const piece = messageWriter();
  piece.bytes(1, content);
  piece.float(2, score);
  if (type !== "normal") piece.varint(3, pieceTypes.indexOf(type));
  return piece.done();
}

function writeModel({ pieces, addDummyPrefix, byteFallback, roles }: SentencePiece): Uint8Array {
  const file = messageWriter();
  for (const piece of pieces) file.bytes(1, pieceMessage(piece));
  const trainer = messageWriter();
  trainer.varint(3, modelTypes.indexOf("BPE"));
  trainer.varint(4, pieces.length);
  if (byteFallback) trainer.varint(35, 1);
  for (const role of modelRoles) trainer.varint(roleFields[role], roles[role] ?? -1);
  for (const role of modelRoles) {
    const content = pieces[roles[role] ?? -1]?.content;
    if (content !== undefined) trainer.bytes(pieceFields[role], content);
  }
  file.bytes(2, trainer.done());
  const normalizer = messageWriter();
  normalizer.bytes(1, "identity");
  normalizer.varint(3, addDummyPrefix ? 1 : 0);
  normalizer.varint(4, 0);
  normalizer.varint(5, 1);
  file.bytes(3, normalizer.done());
  return file.done();
}
