/** How many tokens of a text a directory's model reads. */
import { join } from "node:path";
import { readSettings } from "../io/json.ts";
import type { ModelConfig } from "../models/index.ts";
import { tokenLimitOf } from "./bind.ts";

/** tokenizer_config.json's model_max_length, at most the network's positions. */
export async function tokenLimit(
  folder: string,
  config: Pick<ModelConfig, "max_position_embeddings">,
): Promise<number> {
  return tokenLimitOf(await readSettings(join(folder, "tokenizer_config.json")), config);
}
