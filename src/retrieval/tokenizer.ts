/** The tokenizer of a directory as retrieval models need it: one that takes pairs, and the number of tokens to cut to. */
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import type { ModelConfig } from "../models/index.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { encodesPairs, type PairTokenizer } from "../tokenizers/pairs.ts";

/** @throws ConfigError when the directory's tokenizer takes single texts alone. */
export async function loadPairTokenizer(folder: string): Promise<PairTokenizer> {
  const tokenizer = await loadTokenizer(folder);
  if (encodesPairs(tokenizer)) return tokenizer;
  throw new ConfigError(`${folder}: expected a tokenizer that takes pairs of texts, got ${tokenizer.family}'s`, {
    hint: "decoders are for generating, classifying and tagging; this needs an encoder",
  });
}

/** tokenizer_config.json's model_max_length, at most the network's positions. */
export async function tokenizerLimit(folder: string, config: ModelConfig): Promise<number> {
  const limit = (await readSettings(join(folder, "tokenizer_config.json")))?.["model_max_length"];
  const positions = config.max_position_embeddings;
  return typeof limit === "number" && limit > 0 ? Math.min(limit, positions) : positions;
}
