/**
 * Learns byte pair encoding from texts, of bytes as GPT-2 has it or of characters as LLaMA has it, as the trainer of
 * Hugging Face tokenizers does: texts are cut into words as they will be when they are encoded, the words are counted,
 * and pairs are merged. A text begins with the token that begins one. The vocabulary of characters merges as
 * SentencePiece does, with every pair whose product is a token, not only those that were learned.
 */
import { ConfigError } from "../../errors.ts";
import { addedTokenJson, newAddedToken } from "../added-files.ts";
import { trainBpe } from "../bpe/train.ts";
import { asObject, type Json, type JsonObject } from "../json.ts";
import type { TemplatePart } from "../layout.ts";
import type { PairTokenizer } from "../pairs.ts";
import { templateJson, withVocabulary } from "../tokenizer-json.ts";
import type { Texts } from "../tokenizer.ts";
import { bpeTokenizerFromFiles } from "./bpe-tokenizer.ts";
import { byteToken } from "./bpe.ts";
import { byteCharacters, inByteCharacters } from "./bytes.ts";
import { bpePipeline, olderPipeline } from "./layouts.ts";
import { readPreTokenizer, type Taker } from "./pre-tokenizers.ts";
import { mergesOf } from "./sentencepiece.ts";

export interface TrainBpeOptions {
  /** Tokens of the vocabulary, special tokens and alphabet among them. */
  readonly vocabSize: number;
  /** Pairs that occur less often are not merged: 0. */
  readonly minFrequency?: number;
}

interface Form {
  /** How texts are cut into words while they are counted. */
  readonly words: JsonObject;
  readonly pipeline: Omit<JsonObject, "model">;
  readonly model: JsonObject;
  readonly special: readonly string[];
  /** The token that begins a text. */
  readonly bos: string;
  /** tokenizer_config.json's. */
  readonly roles: JsonObject;
  /** Tokens besides the special ones that are there from the start. */
  readonly fixed: readonly string[];
  readonly alphabet: readonly string[];
  /** The merges that a vocabulary has, where they are not those that were learned. */
  readonly merges?: (tokens: readonly string[]) => readonly (readonly [string, string])[];
}

const endOfText = "<|endoftext|>";
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const bytes: Form = {
  words: byteLevel,
  pipeline: { pre_tokenizer: byteLevel, decoder: byteLevel },
  model: {},
  special: [endOfText],
  bos: endOfText,
  roles: { bos_token: endOfText, eos_token: endOfText, unk_token: endOfText, pad_token: endOfText },
  fixed: [],
  alphabet: byteCharacters,
};

const { model: characterModel, ...characterParts } = olderPipeline();
const characters: Form = {
  words: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true },
  pipeline: characterParts,
  model: characterModel,
  special: ["<unk>", "<s>", "</s>"],
  bos: "<s>",
  roles: { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" },
  fixed: Array.from({ length: 256 }, (_, byte) => byteToken(byte)),
  alphabet: ["▁"],
  // All that its tokens allow, so that SentencePiece and llama.cpp, which know no others, give the same ids.
  merges: (tokens) =>
    mergesOf(tokens.slice(3 + 256).map((content, i) => ({ content, score: -i, type: "normal" as const }))),
};

/** Byte pair encoding of bytes. @throws ConfigError for a vocabulary that cannot hold all bytes. */
export function trainByteBpe(texts: Texts, options: TrainBpeOptions): Promise<PairTokenizer> {
  return train(bytes, texts, options);
}

/** Byte pair encoding of characters, with bytes for those that no text had. @throws ConfigError as above. */
export function trainMetaspaceBpe(texts: Texts, options: TrainBpeOptions): Promise<PairTokenizer> {
  return train(characters, texts, options);
}

async function train(form: Form, texts: Texts, options: TrainBpeOptions): Promise<PairTokenizer> {
  const counts = await countWords(form, texts);
  const { special, fixed, alphabet, bos } = form;
  const { tokens, merges } = trainBpe(counts, { ...options, specialTokens: [...special, ...fixed], alphabet });
  if (tokens.length > options.vocabSize) {
    throw new ConfigError(`vocabSize: expected at least ${tokens.length}, got ${options.vocabSize}`, {
      hint: `special tokens, bytes and the texts' characters are ${tokens.length}: clean the texts or ask for more`,
    });
  }
  const vocabulary = tokens.map((token, id) => [token, id] as [string, number]);
  const begin: TemplatePart = { special: bos, ids: [special.indexOf(bos)], typeId: 0 };
  const single: TemplatePart[] = [begin, { sequence: 0, typeId: 0 }];
  const pair: TemplatePart[] = [...single, { ...begin, typeId: 1 }, { sequence: 1, typeId: 1 }];
  const { model, ...head } = bpePipeline({
    ...form.pipeline,
    added_tokens: special.map((token, id) => addedTokenJson(newAddedToken(token, id, { special: true }))),
    post_processor: templateJson({ single, pair }, new Map(vocabulary)),
    model: { ...form.model, merges: (form.merges?.(tokens) ?? merges).map((merge): Json => [...merge]) },
  });
  const config = { ...form.roles, clean_up_tokenization_spaces: false, tokenizer_class: "PreTrainedTokenizerFast" };
  return bpeTokenizerFromFiles(
    new Map([
      ["tokenizer.json", withVocabulary(head, asObject("tokenizer.json", "model", model), vocabulary)],
      ["tokenizer_config.json", `${JSON.stringify(config, null, 2)}\n`],
    ]),
  );
}

/** How often every word occurs. */
async function countWords({ words }: Form, texts: Texts): Promise<Map<string, number>> {
  const { stages, byBytes } = readPreTokenizer("", words);
  const counts = new Map<string, number>();
  const last: Taker = ({ text }, start, end) => {
    const word = text.slice(start, end);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  const first = stages.reduceRight<Taker>(
    (next, stage) => (text, start, end) => {
      if (start < end) stage(text, start, end, false, next);
    },
    last,
  );
  for await (const text of texts) {
    const whole = { text: text.toWellFormed(), base: 0, places: undefined };
    first(whole, 0, whole.text.length);
  }
  return byBytes ? new Map([...counts].map(([word, count]) => [inByteCharacters(word), count])) : counts;
}
