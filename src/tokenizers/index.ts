/** Tokenizers: BioGPT's (Moses and byte pair encoding) and BERT's (WordPiece), with offsets, training and files. */
export * from "./bert.ts";
export { trainBertTokenizer, type TrainBertOptions } from "./bert-train.ts";
export { type BioGptParts, bioGptPartsFromFiles, fairseqFiles } from "./biogpt-files.ts";
export { type TrainBioGptOptions, countWords, trainBioGptTokenizer } from "./biogpt-train.ts";
export { type BioGptTokenizer, createBioGptTokenizer } from "./biogpt.ts";
export { type LearnedMerges, learnBpe } from "./bpe-learn.ts";
export { type Bpe, type Merge, countPieces, createBpe } from "./bpe.ts";
export { loadTokenizer, saveTokenizer } from "./files.ts";
export { mosesDetokenize } from "./moses-detokenizer.ts";
export { type MosesOptions, type MosesToken, mosesTokenize } from "./moses.ts";
export type { DecodeOptions, Encoding, SpecialTokens, Tokenizer } from "./tokenizer.ts";
