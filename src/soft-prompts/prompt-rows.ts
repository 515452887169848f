/**
 * Soft-prompt rows of a vocabulary: which ids they have, and the vocabulary grown by those that are missing. Rows stand
 * at the end, as fairseq appends its symbols `learned1` …, so that a published model's (BioGPT-Large-PubMedQA: 57,717 to
 * 57,725) are found whether its tokenizer's files name them or not.
 */
import { ConfigError } from "../errors.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";

/** The name of row `number`, from 1: fairseq's. */
const promptWord = (number: number): string => `learned${number}`;

/** Ids of the rows 1 … `count`: by name, or the last rows of an embedding that has more than the tokenizer names. */
export function findPromptIds(tokenizer: Tokenizer, vocabSize: number, count: number): number[] | undefined {
  const named = Array.from({ length: count }, (_, i) => tokenizer.idOfWord(promptWord(i + 1)));
  if (named.every((id) => id !== undefined && id < vocabSize)) return named as number[];
  if (vocabSize - tokenizer.vocabSize !== count) return undefined;
  return Array.from({ length: count }, (_, i) => tokenizer.vocabSize + i);
}

export interface GrownVocabulary {
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  readonly promptIds: readonly number[];
}

/**
 * A tokenizer that names `count` prompt rows, which follow an embedding of `vocabSize` rows unless it has them.
 * @throws ConfigError when the tokenizer has more pieces than the embedding rows, or takes no rows of this kind.
 */
export function growVocabulary(tokenizer: Tokenizer, vocabSize: number, count: number): GrownVocabulary {
  if (tokenizer.withRows === undefined) {
    throw new ConfigError(`tokenizer: expected one that takes a soft prompt's rows, got ${tokenizer.family}'s`, {
      hint: "soft prompts are for models that generate",
    });
  }
  if (tokenizer.vocabSize > vocabSize) {
    throw new ConfigError(
      `tokenizer: expected at most ${vocabSize} pieces, as the model has rows, got ${tokenizer.vocabSize}`,
      { hint: "the tokenizer's files belong to another model" },
    );
  }
  const found = findPromptIds(tokenizer, vocabSize, count);
  const words = new Set<string>();
  // Rows that no piece has (padding to a round number) get names, because a vocabulary's file must not have holes.
  for (let id = tokenizer.vocabSize; id < vocabSize; id++) {
    const at = found?.indexOf(id) ?? -1;
    words.add(at < 0 ? fresh(tokenizer, words) : promptWord(at + 1));
  }
  if (found !== undefined) return { tokenizer: tokenizer.withRows([...words]), vocabSize, promptIds: found };
  const prompt = Array.from({ length: count }, (_, i) => promptWord(i + 1));
  if (prompt.some((word) => tokenizer.idOfWord(word) !== undefined)) {
    throw new ConfigError(`promptLength: expected at most the model's own prompt rows or none of them, got ${count}`, {
      hint: `the vocabulary has ${promptWord(1)} already, but not all ${count}: start from the pre-trained model`,
    });
  }
  return {
    tokenizer: tokenizer.withRows([...words, ...prompt]),
    vocabSize: vocabSize + count,
    promptIds: prompt.map((_, i) => vocabSize + i),
  };
}

/** A word that the vocabulary lacks, as fairseq names its padding. */
function fresh(tokenizer: Tokenizer, words: ReadonlySet<string>): string {
  for (let number = words.size; ; number++) {
    const word = `madeupword${String(number).padStart(4, "0")}`;
    if (tokenizer.idOfWord(word) === undefined && !words.has(word)) return word;
  }
}
