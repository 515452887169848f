/**
 * Tokenizers: BioGPT's (Moses and byte pair encoding), BERT's (WordPiece), byte pair encoding of bytes (GPT-2, Llama 3,
 * Qwen, ModernBERT) and of characters behind ▁ (LLaMA, Mistral), with offsets, learned from texts or read
 * from the contents of files. Runs in browsers too; `loadTokenizer` and `saveTokenizer`, which use a disk, are at the
 * package's root.
 */
export { bertTokenizerFromFiles } from "./bert/bert.ts";
export { trainBertTokenizer, type TrainBertOptions } from "./bert/train.ts";
export { type BioGptTokenizer, createBioGptTokenizer } from "./biogpt/biogpt.ts";
export { type BioGptParts, bioGptPartsFromFiles, fairseqFiles } from "./biogpt/files.ts";
export { countWords, trainBioGptTokenizer, type TrainBioGptOptions } from "./biogpt/train.ts";
export { type Bpe, type BpeOptions, countPieces, createBpe, type Merge } from "./bpe/bpe.ts";
export { type LearnedMerges, learnBpe } from "./bpe/learn.ts";
export { chatIds, type ChatIdsOptions, type ChatMessage, type ChatOptions, chatPrompt, chatTemplates } from "./chat.ts";
export type { PairEncoding, Side, Truncation } from "./layout.ts";
export { mosesDetokenize } from "./moses/detokenizer.ts";
export { type MosesOptions, type MosesToken, mosesTokenize } from "./moses/moses.ts";
export * from "./pairs.ts";
export { bpeTokenizerFromFiles } from "./pipeline/bpe-tokenizer.ts";
export { filesOfSentencePiece, sentencePieceModel, withPieces } from "./pipeline/sentencepiece.ts";
export { type TrainBpeOptions, trainByteBpe, trainMetaspaceBpe } from "./pipeline/train.ts";
export {
  extendTokenizer,
  learnableKinds,
  readTokenizer,
  tokenizerFileNames,
  tokenizerKinds,
  trainTokenizer,
} from "./registry.ts";
export type * from "./tokenizer.ts";
export {
  type Completion,
  type Conversation,
  type Exchange,
  openTurns,
  simpleTemplate,
  type Supervised,
  type Turns,
} from "./turns.ts";
