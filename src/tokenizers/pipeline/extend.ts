/**
 * A vocabulary of byte pair encoding, of bytes or of characters, learned on from texts. The files that it has are written
 * again with the new tokens behind all others; added tokens that stood behind the vocabulary come to stand in it, since
 * Hugging Face tokenizers numbers those that do not by the vocabulary's size, whatever the file says.
 */
import { ConfigError } from "../../errors.ts";
import { continueBpe, runsOf, standingOf } from "../bpe/continue.ts";
import type { Merge } from "../bpe/bpe.ts";
import { asObject, type Json, type JsonObject } from "../json.ts";
import { withVocabulary } from "../tokenizer-json.ts";
import type { Extended, Texts, TokenizerFiles } from "../tokenizer.ts";
import { bpeTokenizerFromFiles } from "./bpe-tokenizer.ts";
import { wordEncoder } from "./bpe.ts";
import { bytesOf } from "./bytes.ts";
import { type Description, readDescription } from "./description.ts";
import { textReader } from "./text-reader.ts";

/**
 * The tokenizer of these files with `tokens` more, learned from texts.
 * @throws ConfigError where an added token could be taken for a word; DataError where the texts are too few.
 */
export async function extendBpeTokenizer(
  files: TokenizerFiles,
  texts: Texts,
  { tokens: count }: { readonly tokens: number },
): Promise<Extended> {
  const description = readDescription(files, "");
  const { byBytes } = description.preTokenizer;
  const words = await countWords(description, texts);
  const textOf = byBytes ? textOfBytes : (piece: string): string => piece.replaceAll("▁", " ");
  const runs = runsOf((piece) => standingOf(textOf(piece)));
  eachCut(description, words, (ids, tokens, n) =>
    runs.add(
      ids.map((id) => tokens[id]!),
      n,
    ),
  );
  const { tokens, merges } = continueBpe(runs, description.ids.keys(), count);
  const extended = extendedFiles(description, tokens, merges);
  const counts = new Map<number, number>();
  eachCut(readDescription(extended, ""), words, (ids, _tokens, n) => {
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + n);
  });
  const added = tokens.map((token, i) => {
    const id = description.ids.size + i;
    return { id, token, text: textOf(token).trimStart(), count: counts.get(id) ?? 0 };
  });
  return { tokenizer: bpeTokenizerFromFiles(extended), added };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Empty for bytes that are no whole characters: such a piece merges with nothing. */
function textOfBytes(piece: string): string {
  const bytes = bytesOf(piece);
  if (bytes === undefined) return "";
  try {
    return utf8.decode(Uint8Array.from(bytes));
  } catch {
    return "";
  }
}

/** How often every word occurs. What ▁ begins is a word, also where tokens reach across it. */
async function countWords(description: Description, texts: Texts): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const read = textReader(
    description,
    {
      begin: () => {},
      added: () => {},
      word({ text }, start, end) {
        const word = text.slice(start, end);
        const known = counts.get(word);
        // A part of a text keeps the whole in memory: a copy is counted.
        if (known === undefined) counts.set(JSON.parse(JSON.stringify(word)) as string, 1);
        else counts.set(word, known + 1);
      },
    },
    { atMarks: true },
  );
  for await (const text of texts) read(text, { ids: [], offsets: undefined });
  return counts;
}

/** Gives the pieces of every word, by id. */
function eachCut(
  { model, preTokenizer }: Description,
  words: ReadonlyMap<string, number>,
  take: (ids: readonly number[], tokens: readonly string[], count: number) => void,
): void {
  const tokens: string[] = [];
  for (const [token, id] of model.vocabulary) tokens[id] = token;
  const encode = wordEncoder(model, preTokenizer.byBytes);
  for (const [word, count] of words) take(encode(word, 0, word.length).ids, tokens, count);
}

/** The same files with tokens and merges behind their own. */
function extendedFiles(
  { files, root, model, addedTokens, ids }: Description,
  tokens: readonly string[],
  merges: readonly Merge[],
): Map<string, string> {
  const vocabulary = new Map(model.vocabulary);
  for (const { content, id } of addedTokens) {
    if (vocabulary.has(content)) continue;
    if (model.ignoreMerges && /^[\p{L}\p{M}\p{N}]+$/u.test(content)) {
      throw new ConfigError(`extend: expected added tokens that are no words, got ${JSON.stringify(content)}`, {
        hint: "where merges are ignored it would be found in texts like any word; extend the tokenizer without it",
      });
    }
    vocabulary.set(content, id);
  }
  tokens.forEach((token, i) => vocabulary.set(token, ids.size + i));
  const sorted = [...vocabulary].sort((a, b) => a[1] - b[1]);
  const names = new Map([...model.vocabulary].map(([token, id]) => [id, token]));
  const old = model.merges.map(([left, right]): Merge => [names.get(left)!, names.get(right)!]);
  const lines = merges.map(([left, right]) => `${left} ${right}`);
  const extended = new Map(files);
  for (const [name, text] of files) {
    if (name === "tokenizer.json") extended.set(name, withMerges(root, [...old, ...merges], sorted));
    if (name === "vocab.json") extended.set(name, vocabularyText(sorted));
    if (name === "merges.txt") extended.set(name, `${text.replace(/\r?\n$/, "")}\n${lines.join("\n")}\n`);
  }
  return extended;
}

/** Old merges and new as they were written; as pairs where a token holds a space, which texts of two words cannot say. */
function withMerges(root: JsonObject, all: readonly Merge[], vocabulary: readonly [string, number][]): string {
  const { model, ...head } = root;
  const { vocab: _, merges: given, ...settings } = asObject("tokenizer.json", "model", model);
  const areTexts = (given as Json[]).every((merge) => typeof merge === "string");
  const fit = all.every((merge) => merge.every((token) => !token.includes(" ")));
  const merges = all.map(([left, right]): Json => (areTexts && fit ? `${left} ${right}` : [left, right]));
  return withVocabulary(head, { ...settings, merges }, vocabulary);
}

function vocabularyText(vocabulary: readonly [string, number][]): string {
  return `{\n${vocabulary.map(([token, id]) => `  ${JSON.stringify(token)}: ${id}`).join(",\n")}\n}`;
}
