/** Masked language modelling: predict tokens that are hidden (see `masking.ts`), of packed blocks. */
// B rows, T tokens, N labels
import * as z from "zod";
import { ConfigError } from "../../errors.ts";
import { labelLoss } from "../../models/graphs.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { type Block, blockSet, openLanguageModel } from "./blocks.ts";
import { type MaskingOptions, type MaskingVocabulary, maskingVocabulary, maskRow } from "./masking.ts";
import { growthSettings } from "./new-rows.ts";
import type { Batch, Context, Inputs, Objective } from "./objective.ts";

export const maskedSettings = z.strictObject({
  kind: z.literal("masked"),
  tokens: z.int().positive().describe("Tokens of a block: the context that the model is trained on"),
  rate: z.number().positive().lt(1).describe("Share of tokens to predict"),
  wholeWords: z.boolean().describe("Pieces of a word are masked together"),
  acrossDocuments: z.boolean().describe("Tokens see the other documents of their block too"),
  ...growthSettings,
});

/** Most tokens of a block that are predicted: a block's own number is this or one less. */
export function labelsOfBlock(tokens: number, rate: number): number {
  return Math.floor(tokens * rate) + 1;
}

/** Third seed of the masks' random numbers, so that they share no stream with dropout. */
const maskStream = 0x6d6c6d;

export interface MaskedBlocks extends Required<Pick<MaskingOptions, "rate" | "wholeWords">> {
  readonly tokens: number;
  readonly seed: number;
}

/**
 * Inputs `ids` and `documents` [B, T], and `at` and `labels` [B · labelsOfBlock], filled up with the label -100.
 * Documents begin at the tokenizer's first special token.
 */
export function maskedBatch(
  blocks: readonly Block[],
  numbers: readonly number[],
  { tokens, seed, rate, wholeWords }: MaskedBlocks,
  vocabulary: MaskingVocabulary,
): Batch {
  const room = labelsOfBlock(tokens, rate);
  const shape = [blocks.length, tokens];
  const ids = new BigInt64Array(blocks.length * tokens);
  const documents = new BigInt64Array(blocks.length * tokens);
  const at = new BigInt64Array(blocks.length * room);
  const labels = new BigInt64Array(blocks.length * room).fill(-100n);
  let count = 0;
  blocks.forEach((block, row) => {
    const masked = maskRow(block, vocabulary, [seed, numbers[row]!, maskStream], { rate, wholeWords });
    let document = 0n;
    masked.ids.forEach((id, t) => {
      if (id === vocabulary.startId) document += 1n;
      ids[row * tokens + t] = BigInt(id);
      documents[row * tokens + t] = document;
    });
    // A word longer than all there is room for loses its last pieces' labels.
    const kept = Math.min(room, masked.at.length);
    for (let i = 0; i < kept; i++) {
      at[row * room + i] = BigInt(row * tokens + masked.at[i]!);
      labels[row * room + i] = BigInt(masked.labels[i]!);
    }
    count += kept;
  });
  const list = (data: BigInt64Array): Tensor<"int64"> => tensor("int64", [data.length], data);
  const inputs = { ids: tensor("int64", shape, ids), documents: tensor("int64", shape, documents) };
  return { feeds: { ...inputs, at: list(at), labels: list(labels) }, count, work: blocks.length * tokens };
}

/** @throws ConfigError for a model that is no encoder, or a tokenizer without a mask token. */
export async function openMasked(
  settings: z.infer<typeof maskedSettings>,
  inputs: Inputs,
  context: Context,
): Promise<Objective> {
  const { tokens, rate, wholeWords, acrossDocuments } = settings;
  const opened = await openLanguageModel(false, settings, inputs, context);
  const { start, train, valid, save, owned } = opened;
  if (opened.vocabulary === undefined) throw new ConfigError("tokenizer: expected one for masking, got none");
  const vocabulary = maskingVocabulary(opened.vocabulary);
  /** Held-out blocks are masked alike in every run. */
  const collect =
    (seed: number) =>
    (blocks: readonly Block[], numbers: readonly number[]): Batch =>
      maskedBatch(blocks, numbers, { tokens, seed, rate, wholeWords }, vocabulary);
  const { family, config } = start;
  return {
    start,
    train: blockSet(train, { tokens, seed: context.seed, overlap: 0, limit: inputs.limit }, collect(context.seed)),
    valid: valid && blockSet(valid, { tokens, seed: undefined, overlap: 0 }, collect(0)),
    masking: vocabulary,
    order: "stream",
    reduction: "sum",
    unit: "tokens",
    perplexity: true,
    loss: (g, batch) => {
      const gathered = typeof batch === "number" ? batch * labelsOfBlock(tokens, rate) : true;
      return labelLoss(g, family, config, { batch, tokens, gathered, packed: !acrossDocuments });
    },
    save,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
