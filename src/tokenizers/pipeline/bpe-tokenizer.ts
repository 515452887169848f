/**
 * Tokenizers of byte pair encoding as a tokenizer.json describes them, run as Hugging Face tokenizers 0.22 runs them:
 * added tokens, normalizer, pre-tokenizer, merges, template, decoder; the same ids, and offsets in UTF-16 units of the
 * text. Unpaired surrogates count as U+FFFD. Leaves out what tokenizer.json says of truncation and padding (here the
 * caller says), and transformers' clean_up_tokenization_spaces, which loses spaces.
 */
import { ConfigError } from "../../errors.ts";
import { addedTokenJson, addedTokensDecoder, type Role, withNewTokens } from "../added-files.ts";
import { type AddedToken, matcherOf } from "../added-tokens.ts";
import { idsOf } from "../ids.ts";
import { asObject, type JsonObject, parseJsonObject } from "../json.ts";
import { pairMethods, type Sink } from "../pair-encoder.ts";
import type { NewToken, PairTokenizer } from "../pairs.ts";
import { templateJson, withVocabulary } from "../tokenizer-json.ts";
import type { DecodeOptions, TokenizerFiles } from "../tokenizer.ts";
import { type Aligned, placeEnd, placeStart } from "./aligned.ts";
import { wordEncoder } from "./bpe.ts";
import { byteCharacters, bytesOf, inByteCharacters } from "./bytes.ts";
import { type Description, readDescription } from "./description.ts";
import { spaceAround, trimmed } from "./post-processors.ts";
import { BREAK, type TextTaker, textReader } from "./text-reader.ts";
import { wordBounds } from "./word-bounds.ts";

/**
 * A tokenizer from the files of its directory: tokenizer.json, or vocab.json and merges.txt, with the configuration.
 *
 * @throws DataError for files that are damaged, contradictory or not understood.
 */
export function bpeTokenizerFromFiles(files: TokenizerFiles, where = ""): PairTokenizer {
  return bpeTokenizer(readDescription(files, where));
}

function bpeTokenizer(description: Description): PairTokenizer {
  const { ids, roles, addedTokens, decoder, preTokenizer } = description;
  const tokens: string[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const specials = new Set(addedTokens.filter(({ special }) => special).map(({ id }) => id));
  const roleIds: { -readonly [role in Role]?: number } = {};
  for (const role of Object.keys(roles) as Role[]) roleIds[role] = ids.get(roles[role]!)!;
  const { unknownToken } = description.model;
  if (unknownToken !== undefined) roleIds.unk ??= ids.get(unknownToken)!;

  const decode = (sequence: Iterable<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string => {
    const found: string[] = [];
    for (const id of idsOf(sequence)) {
      const token = tokens[id];
      if (token !== undefined && !(skipSpecialTokens && specials.has(id))) found.push(token);
    }
    return decoder === undefined ? found.join(" ") : decoder(found).join("");
  };
  const { byBytes } = preTokenizer;
  const mark = byBytes ? byteCharacters[0x20]! : "▁";
  const written = byBytes ? inByteCharacters : (word: string): string => word;

  const encodeWord = wordEncoder(description.model, byBytes);
  const write = tokenWriter(tokens, description.postProcessor.trim);
  const read = textReader(description, {
    begin: write.begin,
    added: write.added,
    word: (text, start, end, sink) => write.words(encodeWord(text.text, start, end), text, start, sink),
  });

  return {
    family: byBytes ? "byte-bpe" : "metaspace-bpe",
    vocabSize: ids.size,
    special: roleIds,
    ...pairMethods({
      read,
      template: description.postProcessor.template,
      tokens,
      padId: roleIds.pad,
    }),
    decode,
    tokenOf: (id) => tokens[id],
    idOf: (token) => ids.get(token),
    idOfWord: (word) => ids.get(mark + written(word)),
    piecesAmong: (size) => piecesAmong(description, tokens, size),
    continuesWord: wordBounds(tokens, new Set(addedTokens.map(({ id }) => id)), byBytes),
    // A word that is a token is found in texts where merges are ignored.
    ...(description.model.ignoreMerges
      ? {}
      : {
          withRows: (words) =>
            bpeTokenizer(
              withRows(
                description,
                words.map((word) => mark + written(word)),
              ),
            ),
        }),
    literal: {
      write: literalWriter(addedTokens),
      encodeIds(text) {
        const sink = { ids: [], offsets: undefined };
        read(text, sink, true);
        return sink.ids;
      },
    },
    files: () => filesOf(description),
    addTokens: (added) => bpeTokenizer(withTokens(description, added)),
  };
}

/** A function that breaks the added tokens of a text, in whatever they overlap. */
function literalWriter(addedTokens: readonly AddedToken[]): (part: string) => string {
  const contents = addedTokens.map(({ content }) => content).filter((content) => Array.from(content).length > 1);
  if (contents.length === 0) return (part) => part;
  const matches = matcherOf(contents);
  return (part) => {
    let text = part.replaceAll(BREAK, "");
    // Breaking one may leave another that it overlapped.
    for (let found = matches(text); found.length > 0; found = matches(text)) {
      let written = "";
      let done = 0;
      for (const { index } of found) {
        const after = index + (text.codePointAt(index)! > 0xffff ? 2 : 1);
        written += text.slice(done, after) + BREAK;
        done = after;
      }
      text = written + text.slice(done);
    }
    return text;
  };
}

/** The merges of the first `size` tokens alone, on the letters of a token. */
function piecesAmong(
  { model, preTokenizer: { byBytes }, addedTokens }: Description,
  tokens: readonly string[],
  size: number,
): (id: number) => readonly number[] {
  const merges = model.merges.filter(([, , product]) => product < size);
  const vocabulary = new Map([...model.vocabulary].filter(([, id]) => id < size));
  const encode = wordEncoder({ ...model, vocabulary, merges, ignoreMerges: false }, byBytes);
  const added = new Set(addedTokens.map(({ id }) => id));
  return (id) => {
    const token = tokens[id];
    if (token === undefined || added.has(id)) return [];
    const bytes = byBytes ? bytesOf(token) : undefined;
    if (byBytes && bytes === undefined) return [];
    const text =
      bytes === undefined ? token : new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
    return encode(text, 0, text.length).ids;
  };
}

type Pieces = ReturnType<ReturnType<typeof wordEncoder>>;

interface TokenWriter extends Pick<TextTaker, "begin" | "added"> {
  /** Appends the pieces of a word that begins at unit `at` of `text`. */
  words(pieces: Pieces, text: Aligned, at: number, sink: Sink): void;
}

function tokenWriter(tokens: readonly string[], trim: Description["postProcessor"]["trim"]): TokenWriter {
  const around = trim === undefined ? [] : tokens.map(spaceAround);
  let original = "";
  const put = (start: number, end: number, space: readonly [number, number] | undefined, sink: Sink): void => {
    const offsets = sink.offsets!;
    if (trim === undefined || space === undefined) {
      offsets.push(start, end);
      return;
    }
    offsets.push(...trimmed(original, [start, end], space, offsets.length === 0, trim.addPrefixSpace));
  };
  return {
    begin(text) {
      original = text;
    },
    added(token, start, end, found, sink) {
      if (sink.offsets !== undefined) put(start, end, trim && spaceAround(found), sink);
      sink.ids.push(token.id);
    },
    words({ ids, starts, ends }, text, at, sink) {
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i]!;
        sink.ids.push(id);
        if (sink.offsets === undefined) continue;
        put(placeStart(text, at + starts[i]!), placeEnd(text, at + ends[i]! - 1), around[id], sink);
      }
    },
  };
}

function withRows(description: Description, rows: readonly string[]): Description {
  const vocabulary = new Map(description.model.vocabulary);
  const ids = new Map(description.ids);
  for (const row of rows) {
    if (ids.has(row)) throw new ConfigError(`withRows: expected words without a token, got ${JSON.stringify(row)}`);
    vocabulary.set(row, ids.size);
    ids.set(row, ids.size);
  }
  return { ...description, model: { ...description.model, vocabulary }, ids, isChanged: true };
}

function withTokens(description: Description, added: readonly NewToken[]): Description {
  return { ...description, ...withNewTokens(description, added), isChanged: true };
}

/** The files that it was read from; of a tokenizer that was changed, a tokenizer.json with its configuration. */
function filesOf({ files, isChanged, ...description }: Description): Map<string, string> {
  if (!isChanged) return new Map(files);
  const { root, addedTokens, ids, postProcessor } = description;
  const { model, ...head } = root;
  const { vocab: _, ...settings } = asObject("tokenizer.json", "model", model);
  const written: JsonObject = { ...head, added_tokens: addedTokens.map(addedTokenJson) };
  written["post_processor"] ??= templateJson(postProcessor.template, ids);
  const vocabulary = [...description.model.vocabulary].sort((a, b) => a[1] - b[1]);
  const changed = new Map([["tokenizer.json", withVocabulary(written, settings, vocabulary)]]);
  for (const [name, text] of files) {
    if (name === "tokenizer_config.json") {
      const config = parseJsonObject(name, text);
      if (config["added_tokens_decoder"] !== undefined)
        config["added_tokens_decoder"] = addedTokensDecoder(addedTokens);
      changed.set(name, `${JSON.stringify(config, null, 2)}\n`);
    } else if (name === "special_tokens_map.json" || name === "chat_template.jinja") changed.set(name, text);
  }
  return changed;
}
