/** Causal language modelling: predict the next token, of packed blocks. */
// B rows, T tokens
import * as z from "zod";
import { labelLoss } from "../../models/graphs.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { type Block, blockSet, openLanguageModel } from "./blocks.ts";
import { growthSettings } from "./new-rows.ts";
import type { Batch, Context, Inputs, Objective } from "./objective.ts";

export const causalSettings = z.strictObject({
  kind: z.literal("causal"),
  tokens: z.int().positive().describe("Tokens of a block: the context that the model is trained on"),
  ...growthSettings,
  replay: z.number().min(0).lt(1).describe("Share of the blocks that come from --replay, where that is given"),
});

/** Inputs `ids` and `labels` [B, T]; the label of a token is the next one. */
export function causalBatch(blocks: readonly Block[], tokens: number): Batch {
  const part = (from: number): Tensor<"int64"> => {
    const data = new BigInt64Array(blocks.length * tokens);
    blocks.forEach((block, row) => {
      for (let t = 0; t < tokens; t++) data[row * tokens + t] = BigInt(block[from + t]!);
    });
    return tensor("int64", [blocks.length, tokens], data);
  };
  const count = blocks.length * tokens;
  return { feeds: { ids: part(0), labels: part(1) }, count, work: count };
}

/** @throws ConfigError for a model that is no decoder. */
export async function openCausal(
  settings: z.infer<typeof causalSettings>,
  inputs: Inputs,
  context: Context,
): Promise<Objective> {
  const { start, train, valid, replay, save, sampling, owned } = await openLanguageModel(
    true,
    settings,
    inputs,
    context,
  );
  const { tokens } = settings;
  const collect = (blocks: readonly Block[]): Batch => causalBatch(blocks, tokens);
  const { family, config } = start;
  const mixed = replay && { file: replay, share: settings.replay };
  return {
    start,
    train: blockSet(train, { tokens, seed: context.seed, overlap: 1, limit: inputs.limit, replay: mixed }, collect),
    valid: valid && blockSet(valid, { tokens, seed: undefined, overlap: 1 }, collect),
    order: "stream",
    reduction: "sum",
    unit: "tokens",
    perplexity: true,
    loss: (g, batch) => labelLoss(g, family, config, { batch, tokens }),
    save,
    sampling,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
