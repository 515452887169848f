/** The tokenizer of a directory as retrieval models need it: BERT's, with the number of tokens that it cuts to. */
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import type { ModelConfig } from "../models/index.ts";
import type { BertTokenizer } from "../tokenizers/bert.ts";
import { loadTokenizer } from "../tokenizers/files.ts";

/** @throws ConfigError when the directory's tokenizer is of another family. */
export async function loadBertTokenizer(folder: string): Promise<BertTokenizer> {
  const tokenizer = await loadTokenizer(folder);
  if (tokenizer.family === "bert") return tokenizer as BertTokenizer;
  throw new ConfigError(`${folder}: expected a BERT tokenizer, got one of ${tokenizer.family}`, {
    hint: "decoders are for generating, classifying and tagging; this needs an encoder",
  });
}

/** tokenizer_config.json's model_max_length, at most the network's positions. */
export async function tokenizerLimit(folder: string, config: ModelConfig): Promise<number> {
  const limit = (await readSettings(join(folder, "tokenizer_config.json")))?.["model_max_length"];
  const positions = config.max_position_embeddings;
  return typeof limit === "number" && limit > 0 ? Math.min(limit, positions) : positions;
}
