/**
 * Learns a BioGPT tokenizer from texts: Moses tokens are counted, byte pair encoding is learned from the counts, and
 * the dictionary is what the learned pieces occur, most frequent first, as fairseq's preprocessing makes it.
 */
import { ConfigError } from "../../errors.ts";
import type { Texts } from "../tokenizer.ts";
import { bioGptSpecialTokens, WORD_END } from "./files.ts";
import { type BioGptTokenizer, createBioGptTokenizer } from "./biogpt.ts";
import { learnBpe } from "../bpe/learn.ts";
import { countPieces, createBpe } from "../bpe/bpe.ts";
import { type MosesOptions, createMosesMapper } from "../moses/moses.ts";

export interface TrainBioGptOptions extends MosesOptions {
  /** Size of the vocabulary, special tokens and padding included; instead of `numMerges`. */
  readonly vocabSize?: number;
  /** How many merges to learn: BioGPT has 40,000, BioGPT-Large 50,000. */
  readonly numMerges?: number;
  /** Least frequency of a pair that is merged; 1 unless said otherwise. */
  readonly minCount?: number;
  /** Fills the vocabulary with `madeupword0000`, ... to a multiple, as fairseq does; 8 unless said otherwise. */
  readonly padToMultipleOf?: number;
}

/**
 * A tokenizer learned from texts; the same texts give the same tokenizer.
 * @throws ConfigError when not exactly one of `vocabSize` and `numMerges` is given, or the vocabulary cannot hold
 * every character.
 */
export async function trainBioGptTokenizer(texts: Texts, options: TrainBioGptOptions): Promise<BioGptTokenizer> {
  const { vocabSize, numMerges, padToMultipleOf = 8 } = options;
  if ((vocabSize === undefined) === (numMerges === undefined)) {
    throw new ConfigError("trainBioGptTokenizer: expected one of vocabSize and numMerges, got both or none");
  }
  if (!Number.isSafeInteger(padToMultipleOf) || padToMultipleOf < 1) {
    throw new ConfigError(`trainBioGptTokenizer: padToMultipleOf expected a whole number, got ${padToMultipleOf}`);
  }
  const words = await countWords(texts, options);
  const learned = learnBpe(words, numMerges ?? mergesFor(vocabSize!, words), { ...options, wordEnd: WORD_END });
  const counts = countPieces(words, createBpe(learned.merges, { wordEnd: WORD_END }));
  const pieces = [...bioGptSpecialTokens, ...counts.keys()];
  const pieceCounts = [0, 0, 0, 0, ...counts.values()];
  const size = vocabSize ?? Math.ceil(pieces.length / padToMultipleOf) * padToMultipleOf;
  for (let index = 0; pieces.length < size; index++) {
    pieces.push(`madeupword${String(index).padStart(4, "0")}${WORD_END}`);
    pieceCounts.push(0);
  }
  return createBioGptTokenizer(
    { pieces, merges: learned.merges, pieceCounts, mergeCounts: learned.counts },
    options.lastWord === undefined ? {} : { lastWord: options.lastWord },
  );
}

/** How often every Moses token occurs in the texts. */
export async function countWords(texts: Texts, options: MosesOptions = {}): Promise<Map<string, number>> {
  const words = new Map<string, { count: number }>();
  const mapSegments = createMosesMapper((tokens) => {
    return tokens.map(({ text }) => {
      let counter = words.get(text);
      if (!counter) words.set(text, (counter = { count: 0 }));
      return counter;
    });
  }, options);
  const count = (counters: readonly { count: number }[]): void => {
    for (const counter of counters) counter.count++;
  };
  for await (const text of texts) mapSegments(text, count);
  return new Map([...words].map(([word, { count }]) => [word, count]));
}

/** As many merges as fit beside the special tokens and the characters, each of which may be a piece by itself. */
function mergesFor(vocabSize: number, words: ReadonlyMap<string, number>): number {
  const characters = new Set<string>();
  for (const word of words.keys()) {
    const split = Array.from(word);
    split.forEach((character, index) => characters.add(index + 1 < split.length ? character : character + WORD_END));
  }
  const fixed = bioGptSpecialTokens.length + characters.size;
  if (!Number.isSafeInteger(vocabSize) || vocabSize < fixed) {
    throw new ConfigError(`trainBioGptTokenizer: vocabSize expected at least ${fixed}, got ${vocabSize}`, {
      hint: `the texts hold ${characters.size} characters (at the end of a word counted separately); clean them or ask for more`,
    });
  }
  return vocabSize - fixed;
}
