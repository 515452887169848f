/**
 * Soft-prompt rows of a vocabulary: which ids they have, and the vocabulary grown by those that are missing. Rows stand
 * at the end, as fairseq appends its symbols `learned1` …, so that a published model's (BioGPT-Large-PubMedQA: 57,717 to
 * 57,725) are found whether its tokenizer's files name them or not.
 */
import { ConfigError } from "../errors.ts";
import { type BioGptTokenizer, createBioGptTokenizer, type Tokenizer } from "../tokenizers/index.ts";
import { promptPiece } from "./layout.ts";

/** Ids of the rows 1 … `count`: by name, or the last rows of an embedding that has more than the tokenizer names. */
export function findPromptIds(tokenizer: Tokenizer, vocabSize: number, count: number): number[] | undefined {
  const named = Array.from({ length: count }, (_, i) => tokenizer.idOf(promptPiece(i + 1)));
  if (named.every((id) => id !== undefined && id < vocabSize)) return named as number[];
  if (vocabSize - tokenizer.vocabSize !== count) return undefined;
  return Array.from({ length: count }, (_, i) => tokenizer.vocabSize + i);
}

export interface GrownVocabulary {
  readonly tokenizer: BioGptTokenizer;
  readonly vocabSize: number;
  readonly promptIds: readonly number[];
}

/**
 * A tokenizer that names `count` prompt rows, which follow an embedding of `vocabSize` rows unless it has them.
 * @throws ConfigError when the tokenizer has more pieces than the embedding rows, or is not BioGPT's.
 */
export function growVocabulary(tokenizer: Tokenizer, vocabSize: number, count: number): GrownVocabulary {
  if (tokenizer.family !== "biogpt") {
    throw new ConfigError(`tokenizer: expected BioGPT's, got ${tokenizer.family}'s`, {
      hint: "soft prompts are BioGPT's",
    });
  }
  const { parts } = tokenizer as BioGptTokenizer;
  if (parts.pieces.length > vocabSize) {
    throw new ConfigError(
      `tokenizer: expected at most ${vocabSize} pieces, as the model has rows, got ${parts.pieces.length}`,
      {
        hint: "the tokenizer's files belong to another model",
      },
    );
  }
  const found = findPromptIds(tokenizer, vocabSize, count);
  const pieces = [...parts.pieces];
  const known = new Set(pieces);
  const first = found?.[0] ?? vocabSize;
  // Rows that no piece has (padding to a round number) get names, because vocab.json must not have holes.
  while (pieces.length < Math.max(vocabSize, first)) {
    const number = pieces.length - parts.pieces.length;
    pieces.push(found?.[number] === pieces.length ? promptPiece(number + 1) : fresh(known, number));
  }
  if (found !== undefined) {
    return { tokenizer: createBioGptTokenizer({ ...parts, pieces }), vocabSize, promptIds: found };
  }
  const promptIds = Array.from({ length: count }, (_, i) => pieces.push(promptPiece(i + 1)) - 1);
  if (new Set(pieces).size < pieces.length) {
    throw new ConfigError(`promptLength: expected at most the model's own prompt rows or none of them, got ${count}`, {
      hint: `the vocabulary has ${promptPiece(1)} already, but not all ${count}: start from the pre-trained model`,
    });
  }
  return {
    tokenizer: createBioGptTokenizer({ ...parts, pieces, pieceCounts: undefined }),
    vocabSize: pieces.length,
    promptIds,
  };
}

function fresh(known: Set<string>, number: number): string {
  for (let suffix = number; ; suffix++) {
    const piece = `madeupword${String(suffix).padStart(4, "0")}</w>`;
    if (known.has(piece)) continue;
    known.add(piece);
    return piece;
  }
}
