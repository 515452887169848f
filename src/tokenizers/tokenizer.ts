/** What every tokenizer of Galen does, whatever its kind, and what a kind says of itself (see `registry.ts`). */

export interface Encoding {
  readonly ids: number[];
  readonly tokens: string[];
  /** `text.slice(start, end)` is what the token came from (UTF-16 code units); special tokens have [0, 0]. */
  readonly offsets: [start: number, end: number][];
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean;
}

/** Ids of the special tokens that the tokenizer has; undefined where it has none of that role. */
export interface SpecialTokens {
  readonly pad?: number;
  readonly bos?: number;
  readonly eos?: number;
  readonly unk?: number;
  readonly cls?: number;
  readonly sep?: number;
  readonly mask?: number;
}

export interface Tokenizer {
  /** Its kind's name: "biogpt", "bert". */
  readonly family: string;
  readonly vocabSize: number;
  readonly special: SpecialTokens;
  /** Ids that `encode` puts before and after a text. */
  readonly frame: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** Ids, pieces and offsets, with the special tokens that the reference implementation adds. */
  encode(text: string): Encoding;
  /** The same ids without pieces and offsets: the fast path for corpora. */
  encodeIds(text: string): number[];
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  tokenOf(id: number): string | undefined;
  idOf(token: string): number | undefined;
  /** Id of the piece that is this whole word, if one is. */
  idOfWord(word: string): number | undefined;
  /**
   * Whether the piece `id` goes on with the word of the piece `before` it: some vocabularies mark the pieces that begin
   * a word, some those that continue it, some those that end it.
   */
  continuesWord(before: number, id: number): boolean;
  /**
   * The same with rows behind the vocabulary, each a word that no text gives: a soft prompt's. Absent where a name in
   * the vocabulary would be found in texts.
   */
  withRows?(words: readonly string[]): Tokenizer;
  /**
   * For texts with parts in which no added token is to be found: `write` gives such a part, and `encodeIds` the ids of a
   * text that has it somewhere, without the frame.
   */
  readonly literal?: { write(part: string): string; encodeIds(text: string): number[] };
  /**
   * A function that cuts the text of a token into the pieces that a vocabulary of the first `size` ids has of it: what a
   * token that was learned later takes the place of. None for tokens that are no text, such as special ones.
   */
  piecesAmong?(size: number): (id: number) => readonly number[];
  /** The files of a Hugging Face tokenizer directory, name → contents, from which `loadTokenizer` makes it again. */
  files(): Map<string, string>;
  /** The files of other libraries that can hold it, by the library's name. */
  readonly foreign?: Readonly<Record<string, () => Map<string, string>>>;
}

/** Contents of a tokenizer's files by name. */
export type TokenizerFiles = ReadonlyMap<string, string>;

/** Texts to learn a tokenizer from. */
export type Texts = Iterable<string> | AsyncIterable<string>;

/** A token that a vocabulary gained. */
export interface AddedPiece {
  readonly id: number;
  readonly token: string;
  /** Its letters, without the marks of a word's beginning or end. */
  readonly text: string;
  /** How often it occurs in the texts that it was learned from; 0 for a step to longer ones alone. */
  readonly count: number;
}

/** A tokenizer with a larger vocabulary, and what it gained, by id. */
export interface Extended {
  readonly tokenizer: Tokenizer;
  readonly added: readonly AddedPiece[];
}

/** A kind of tokenizer: how its files are recognised, read, and learned from texts. */
export interface TokenizerKind {
  readonly name: string;
  /** What it does, in a few words. */
  readonly about: string;
  /** Hugging Face's class names of it, as tokenizer_config.json gives them. */
  readonly classes: readonly string[];
  /** Sets of files of which it needs one, the newest first. */
  readonly layouts: readonly (readonly string[])[];
  /** Whether the contents are of this kind. `pipeline` is tokenizer.json's, where there is one. */
  recognises(files: TokenizerFiles, pipeline: Pipeline | undefined): boolean;
  /** `where` is put before the names of files. @throws DataError with file, what was expected and what came. */
  read(files: TokenizerFiles, where: string): Tokenizer;
  /** A tokenizer of at most `vocabSize` tokens; the same texts give the same. Absent where none can be learned here. */
  learn?(texts: Texts, options: { readonly vocabSize: number }): Promise<Tokenizer>;
  /** The tokenizer of these files with `tokens` more behind its vocabulary, learned on from texts. */
  extend?(files: TokenizerFiles, texts: Texts, options: { readonly tokens: number }): Promise<Extended>;
}

/** The types of model and pre-tokenizer in a tokenizer.json, by which kinds are distinguished. */
export interface Pipeline {
  /** "BPE", "WordPiece", "Unigram", "WordLevel"; undefined where the file is older than these names. */
  readonly model: string | undefined;
  /** A sequence as its members, joined by " + ". */
  readonly preTokenizer: string | undefined;
}
