/** The tokenizer of a directory as retrieval models need it: one that takes pairs. */
import { loadTokenizer } from "../tokenizers/files.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import { requirePairs } from "./embed.ts";

/** @throws ConfigError when the directory's tokenizer takes single texts alone. */
export async function loadPairTokenizer(folder: string): Promise<PairTokenizer> {
  return requirePairs(folder, await loadTokenizer(folder));
}
