/** A directory with a small model of a family, random weights, and a tokenizer of a few texts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { families, headOf, hiddenGraph, scoringGraph } from "../../src/models/index.ts";
import { allocateParameters, initialise } from "../../src/runtime/parameters.ts";
import { loadTokenizer, saveTokenizer } from "../../src/tokenizers/files.ts";
import { trainTokenizer } from "../../src/tokenizers/index.ts";
import type { Tokenizer } from "../../src/tokenizers/tokenizer.ts";
import { tinyTexts } from "./tiny-llama.ts";

export interface TinyModel {
  /** Of the family's sizes. */
  readonly size: string;
  /** A kind to learn, or a directory to take it from. */
  readonly tokenizer: string;
  /** What it is learned of. */
  readonly texts?: readonly string[];
  /** Other settings than the miniature's. */
  readonly config?: object;
}

/** Matrices are 8 times as large as new ones, so that logits differ. */
export async function writeTinyModel(
  folder: string,
  modelType: string,
  { size, tokenizer: kind, texts = Array.from({ length: 40 }, () => tinyTexts).flat(), config: other = {} }: TinyModel,
): Promise<Tokenizer> {
  mkdirSync(folder, { recursive: true });
  const tokenizer = kind.includes("/")
    ? await loadTokenizer(kind)
    : await trainTokenizer(texts, { kind: kind as "bert", vocabSize: 400 });
  const vocabulary = Math.max(400, tokenizer.vocabSize);
  await saveTokenizer(tokenizer, folder);
  const family = families[modelType]!;
  const config = {
    ...family.debug(family.sizes[size]!),
    max_position_embeddings: 512,
    ...other,
    vocab_size: vocabulary,
  };
  const graph = (headOf(family, config) === undefined ? hiddenGraph : scoringGraph)(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  for (const { data, dims } of parameters.tensors.values())
    if (dims.length === 2) data.forEach((x, i) => (data[i] = 8 * x));
  const tensors = [...parameters.tensors].map(([name, one]) => ({ ...one, name }));
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  writeFileSync(join(folder, "config.json"), JSON.stringify(family.written?.(config) ?? config));
  return tokenizer;
}
