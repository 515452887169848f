/** What every tokenizer of Galen does, whatever its family. */

export interface Encoding {
  readonly ids: number[];
  readonly tokens: string[];
  /** `text.slice(start, end)` is what the token came from (UTF-16 code units); special tokens have [0, 0]. */
  readonly offsets: [start: number, end: number][];
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean;
}

/** Ids of the special tokens that the family has; undefined where it has none of that role. */
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
  /** Hugging Face's `model_type` of the family: "biogpt", "bert". */
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
  /** The files of a Hugging Face tokenizer directory, name → contents, from which `loadTokenizer` makes it again. */
  files(): Map<string, string>;
}
