/**
 * Masking for masked language models (Devlin et al. 2019, section 3.1): of the tokens, 15 % are to be predicted; 80 % of
 * these become [MASK], 10 % a random piece, 10 % stay. Dynamic (Liu et al. 2019, arXiv:1907.11692): a pure function of
 * (seed, step, row), so that each epoch masks anew and a resumed run masks as an uninterrupted one would. Whole words:
 * pieces of a word are masked together, as in BERT's second release.
 */
import { ConfigError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";
import type { SpecialTokens } from "../../tokenizers/tokenizer.ts";

export interface MaskingOptions {
  /** Share of tokens to predict. Default 0.15. */
  readonly rate?: number;
  /** Share of these that become [MASK], and that become a random piece. Default 0.8 and 0.1. */
  readonly masked?: number;
  readonly replaced?: number;
  /** Pieces of a word share one choice. */
  readonly wholeWords?: boolean;
}

/** What masking needs to know of a vocabulary. */
export interface MaskingVocabulary {
  readonly maskId: number;
  /** What every document begins with. */
  readonly startId: number | undefined;
  /** Never masked and never a random piece. */
  readonly special: ReadonlySet<number>;
  /** The piece `id` goes on with the word of the piece `before` it. */
  continues(before: number, id: number): boolean;
  readonly size: number;
}

export interface Masked {
  /** The row as the model sees it. */
  readonly ids: Int32Array;
  /** Places to predict, ascending, and the tokens that were there. */
  readonly at: number[];
  readonly labels: number[];
}

/** @throws ConfigError when the tokenizer has no [MASK]. */
export function maskingVocabulary(tokenizer: {
  readonly vocabSize: number;
  readonly special: SpecialTokens;
  continuesWord(before: number, id: number): boolean;
}): MaskingVocabulary {
  const { vocabSize: size, special } = tokenizer;
  if (special.mask === undefined) {
    throw new ConfigError("masking: expected a tokenizer with a mask token, got one without", {
      hint: "use an encoder's tokenizer",
    });
  }
  return {
    maskId: special.mask,
    startId: special.cls,
    special: new Set(
      Object.values(special as Readonly<Record<string, number | undefined>>).filter((id) => id !== undefined),
    ),
    continues: (before, id) => tokenizer.continuesWord(before, id),
    size,
  };
}

/**
 * Chooses and masks places of one row. The number of places is `rate` of the tokens that are not special, rounded at
 * random so that the mean is exact; at least one where there is a token.
 */
export function maskRow(
  row: ArrayLike<number>,
  vocabulary: MaskingVocabulary,
  [seed, step, index]: readonly [seed: number, step: number, row: number],
  { rate = 0.15, masked = 0.8, replaced = 0.1, wholeWords = false }: MaskingOptions = {},
): Masked {
  const { special, maskId, size } = vocabulary;
  const numbers = random(seed, step, index);
  const ids = Int32Array.from(row);
  const words = wordsOf(ids, vocabulary, wholeWords);
  const tokens = words.reduce((sum, word) => sum + word.length, 0);
  const wanted = tokens === 0 ? 0 : Math.max(1, Math.floor(tokens * rate + numbers.next()));
  const at: number[] = [];
  for (const word of numbers.shuffle(words)) {
    if (at.length >= wanted) break;
    // A word that does not fit is left, but one is always taken.
    if (at.length > 0 && at.length + word.length > wanted) continue;
    at.push(...word);
  }
  at.sort((a, b) => a - b);
  const labels = at.map((place) => ids[place]!);
  for (const place of at) {
    const draw = numbers.next();
    if (draw < masked) ids[place] = maskId;
    else if (draw < masked + replaced) {
      let id = numbers.integer(size);
      while (special.has(id)) id = numbers.integer(size);
      ids[place] = id;
    }
  }
  return { ids, at, labels };
}

/** Places of tokens that may be masked: singly, or by word. */
function wordsOf(ids: Int32Array, { special, continues }: MaskingVocabulary, wholeWords: boolean): number[][] {
  const words: number[][] = [];
  ids.forEach((id, place) => {
    if (special.has(id)) return;
    const previous = words.at(-1);
    if (wholeWords && previous?.at(-1) === place - 1 && continues(ids[place - 1]!, id)) previous.push(place);
    else words.push([place]);
  });
  return words;
}
