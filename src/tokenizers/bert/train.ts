/**
 * Learns a BERT tokenizer from texts, as Hugging Face's BertWordPieceTokenizer.train does: texts are normalized and cut
 * into words as BERT cuts them, the words are counted, and WordPiece is learned from the counts.
 */
import type { PairTokenizer } from "../pairs.ts";
import type { Texts } from "../tokenizer.ts";
import { bertTokenizerFromFiles } from "./bert.ts";
import type { BertNormalizer } from "./normalizer.ts";
import { bertWords } from "./words.ts";
import { trainWordPiece, type WordPieceTraining } from "./wordpiece-train.ts";

export interface TrainBertOptions extends Omit<WordPieceTraining, "specialTokens"> {
  /** Upper case and accents are dropped; true unless said otherwise. */
  readonly lowercase?: boolean;
}

/**
 * A tokenizer learned from texts; the same texts give the same tokenizer.
 * @throws ConfigError for options out of range.
 */
export async function trainBertTokenizer(texts: Texts, options: TrainBertOptions): Promise<PairTokenizer> {
  const { lowercase = true, ...training } = options;
  const tokens = trainWordPiece(
    await countBertWords(texts, { cleanText: true, handleChineseChars: true, stripAccents: null, lowercase }),
    training,
  );
  return bertTokenizerFromFiles(
    new Map([
      ["vocab.txt", tokens.map((token) => `${token}\n`).join("")],
      ["tokenizer_config.json", JSON.stringify({ tokenizer_class: "BertTokenizer", do_lower_case: lowercase })],
    ]),
  );
}

/** How often every word occurs, punctuation being words. */
export async function countBertWords(texts: Texts, normalizer: BertNormalizer): Promise<Map<string, number>> {
  const idOfWord = new Map<string, number>();
  const counts: number[] = [];
  const words = bertWords(normalizer, (word, ids, ends) => {
    let id = idOfWord.get(word);
    if (id === undefined) idOfWord.set(word, (id = counts.push(0) - 1));
    ids.push(id);
    ends.push(word.length);
  });
  for await (const text of texts) {
    const ids: number[] = [];
    words.encode(text, 0, text.length, { ids, offsets: undefined });
    for (const id of ids) counts[id]! += 1;
  }
  return new Map([...idOfWord].flatMap(([word, id]) => (counts[id] === 0 ? [] : [[word, counts[id]!] as const])));
}
