/** How many tokens of a text a directory's model reads. */
import { join } from "node:path";
import { readSettings } from "../io/json.ts";
import type { ModelConfig } from "../models/index.ts";

/** tokenizer_config.json's model_max_length, at most the network's positions. */
export async function tokenLimit(
  folder: string,
  config: Pick<ModelConfig, "max_position_embeddings">,
): Promise<number> {
  const limit = (await readSettings(join(folder, "tokenizer_config.json")))?.["model_max_length"];
  const positions = config.max_position_embeddings;
  return typeof limit === "number" && limit > 0 ? Math.min(limit, positions) : positions;
}
