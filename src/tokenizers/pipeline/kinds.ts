/** The two kinds of byte pair encoding in a tokenizer.json, for the registry: words of bytes, and words of characters. */
import { WORD_END } from "../biogpt/files.ts";
import type { TokenizerKind } from "../tokenizer.ts";
import { bpeTokenizerFromFiles } from "./bpe-tokenizer.ts";
import { extendBpeTokenizer } from "./extend.ts";
import { byteClasses, markClasses } from "./layouts.ts";
import { trainByteBpe, trainMetaspaceBpe } from "./train.ts";

export const byteBpeKind: TokenizerKind = {
  name: "byte-bpe",
  about: "byte pair encoding of bytes",
  classes: byteClasses,
  layouts: [["tokenizer.json"], ["vocab.json", "merges.txt"]],
  recognises: (files, pipeline) =>
    pipeline === undefined
      ? files.has("vocab.json") && files.get("merges.txt")?.includes(WORD_END) === false
      : pipeline.model === "BPE" && pipeline.preTokenizer?.includes("ByteLevel") === true,
  read: bpeTokenizerFromFiles,
  learn: trainByteBpe,
  extend: extendBpeTokenizer,
};

export const metaspaceBpeKind: TokenizerKind = {
  name: "metaspace-bpe",
  about: "byte pair encoding of characters, spaces being ▁",
  classes: markClasses,
  layouts: [["tokenizer.json"]],
  // What else there is of byte pair encoding is refused by the component that is not understood.
  recognises: (_files, pipeline) => pipeline?.model === "BPE",
  read: bpeTokenizerFromFiles,
  learn: trainMetaspaceBpe,
  extend: extendBpeTokenizer,
};
