/**
 * BERT's tokenizer as Hugging Face tokenizers runs it (Devlin et al. 2019; Rust crate tokenizers 0.22): added tokens,
 * BertNormalizer, BertPreTokenizer, WordPiece, [CLS] and [SEP], type ids, truncation, padding, decoding; same ids, and
 * offsets in UTF-16 units of the original text. Leaves out windows over pairs, and the truncation and padding
 * that a tokenizer.json may carry: here, as in transformers, the caller says.
 */
import { withNewTokens } from "../added-files.ts";
import { required } from "../../schema.ts";
import { addedTokenFinder } from "../added-tokens.ts";
import { type BertDescription, type BertRole, readBertFiles, writeBertFiles } from "./files.ts";
import { wordPieceDecoder } from "./decode.ts";
import { normalizeAligned } from "./normalizer.ts";
import { bertWords } from "./words.ts";
import { pairMethods, type Sink } from "../pair-encoder.ts";
import type { NewToken, PairTokenizer } from "../pairs.ts";
import type { SpecialTokens } from "../tokenizer.ts";
import { wordPieces } from "./wordpiece.ts";

/**
 * A tokenizer from the files of its directory: tokenizer.json, or vocab.txt with its configuration files.
 *
 * @throws DataError for files that are damaged, contradictory or not a BERT tokenizer's.
 */
export function bertTokenizerFromFiles(files: ReadonlyMap<string, string>): PairTokenizer {
  return bertTokenizer(readBertFiles(files));
}

/** The tokenizer of a description. */
export function bertTokenizer(description: BertDescription): PairTokenizer {
  const { ids, special } = description;
  const tokens: string[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const specials = new Set(description.addedTokens.filter((token) => token.special).map((token) => token.id));
  const read = textReader(description);
  const roleIds: { -readonly [role in BertRole]?: number } = {};
  for (const role of Object.keys(special) as BertRole[]) roleIds[role] = ids.get(special[role]!)!;

  return {
    family: "bert",
    vocabSize: ids.size,
    special: roleIds satisfies SpecialTokens,
    ...pairMethods({ read, template: description.template, tokens, padId: roleIds.pad }),
    decode: wordPieceDecoder(description.decoder, tokens, specials),
    tokenOf: (id) => tokens[id],
    idOf: (token) => ids.get(token),
    idOfWord: (word) => ids.get(word),
    piecesAmong: (size) => piecesAmong(description, tokens, size),
    continuesWord: (_before, id) => tokens[id]?.startsWith(description.model.prefix) === true,
    files: () => writeBertFiles(description),
    addTokens: (added) => bertTokenizer(withTokens(description, added)),
  };
}

/** The longest of the first `size` tokens, on the letters of a token. */
function piecesAmong(
  { model, addedTokens }: BertDescription,
  tokens: readonly string[],
  size: number,
): (id: number) => readonly number[] {
  const { prefix, unknownToken } = model;
  const added = new Set(addedTokens.map(({ id }) => id));
  const known = [...model.vocabulary].filter(([token, id]) => id < size && (!added.has(id) || token === unknownToken));
  const atStart = wordPieces({ ...model, vocabulary: new Map(known) });
  // Inside a word, as if the pieces that continue one were all.
  const inside = known.flatMap(([token, id]): [string, number][] =>
    token.startsWith(prefix) ? [[token.slice(prefix.length), id]] : token === unknownToken ? [[token, id]] : [],
  );
  const behind = wordPieces({ ...model, prefix: "", vocabulary: new Map(inside) });
  return (id) => {
    const token = tokens[id];
    if (token === undefined || added.has(id)) return [];
    const ids: number[] = [];
    if (token.startsWith(prefix)) behind(token.slice(prefix.length), ids, []);
    else atStart(token, ids, []);
    return ids[0] === model.vocabulary.get(unknownToken) ? [] : ids;
  };
}

const printable = /^[ -~]*$/;
// Characters that no other is normalized to: a text without them has no token with them.
const anchor = /[#$%&()*@[\]_{|}~]/;

/** Added tokens first, in the text as it is, then in the normalized text; what is between goes to WordPiece. */
function textReader(description: BertDescription): (text: string, sink: Sink) => void {
  const { normalizer, model, addedTokens } = description;
  const words = bertWords(normalizer, wordPieces(model));
  // Special tokens are looked for before others, whatever their ids.
  const ordered = [...addedTokens].sort((a, b) => Number(b.special) - Number(a.special));
  const inText = addedTokenFinder(
    ordered.filter((token) => !token.normalized),
    (token) => token.content,
  );
  const normalized = ordered.filter((token) => token.normalized);
  const inNormalized = addedTokenFinder(
    normalized,
    (token) => normalizeAligned(token.content, 0, token.content.length, normalizer).text,
  );
  const found = normalized.map((token) => anchor.exec(token.content)?.[0]);
  const anchors = found.includes(undefined) ? undefined : new RegExp(found.map((one) => `\\${one}`).join("|"));

  const readSegment = (text: string, start: number, end: number, sink: Sink): void => {
    if (inNormalized === undefined) {
      words.encode(text, start, end, sink);
      return;
    }
    // Printable ASCII changes case at most: no need to normalize what no token is in.
    const segment = text.slice(start, end);
    if (anchors?.test(segment) === false) {
      words.encode(text, start, end, sink);
      return;
    }
    if (
      printable.test(segment) &&
      inNormalized.find(normalizer.lowercase ? segment.toLowerCase() : segment) === undefined
    ) {
      words.encode(text, start, end, sink);
      return;
    }
    const aligned = normalizeAligned(text, start, end, normalizer);
    const parts = inNormalized.find(aligned.text);
    if (parts === undefined) {
      words.encode(text, start, end, sink);
      return;
    }
    for (const part of parts) {
      if (part.token === undefined) {
        words.encodeAligned(aligned, part.start, part.end, sink);
      } else {
        sink.ids.push(part.token.id);
        sink.offsets?.push(aligned.starts[part.start]!, aligned.ends[part.end - 1]!);
      }
    }
  };

  return (text, sink) => {
    required("encode: text", text, "text");
    const parts = inText?.find(text);
    if (parts === undefined) {
      readSegment(text, 0, text.length, sink);
      return;
    }
    for (const part of parts) {
      if (part.token === undefined) {
        readSegment(text, part.start, part.end, sink);
      } else {
        sink.ids.push(part.token.id);
        sink.offsets?.push(part.start, part.end);
      }
    }
  };
}

function withTokens(description: BertDescription, added: readonly NewToken[]): BertDescription {
  return { ...description, ...withNewTokens(description, added) };
}
