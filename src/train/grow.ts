/** A language model with rows for the tokens that its vocabulary gained, written as training would begin with it. */
import { configText, type ModelConfig, scoringGraph } from "../models/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { startParameters } from "../runtime/parameters.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { saveModel } from "./checkpoint.ts";
import { openStart } from "./objectives/blocks.ts";
import { type Growth, usualGrowth } from "./objectives/new-rows.ts";

export interface GrowOptions extends Partial<Growth> {
  /** An extension of the model's own. */
  readonly tokenizer: Tokenizer;
  /** Directory to write. */
  readonly output: string;
  /** Of rows that begin at random. */
  readonly seed?: number | undefined;
}

/** @throws ConfigError or CheckpointError where the model is no language model. */
export async function growModel(source: string, options: GrowOptions): Promise<ModelConfig> {
  const { tokenizer, output, seed = 1, newRows, rowMultiple } = { ...usualGrowth, ...options };
  const { family } = await openModelFolder(source, { as: "language" });
  const growth = { newRows, rowMultiple };
  const start = await openStart(family.causal, tokenizer, growth, { model: source, data: [] }, { model: null });
  const graph = scoringGraph(family, start.config);
  const { tensors } = await startParameters(graph, start, seed, () => false);
  const config = configText({ architectures: [family.architecture], ...start.config });
  await saveModel(output, tensors, new Map([...tokenizer.files(), ["config.json", config]]));
  return start.config;
}
