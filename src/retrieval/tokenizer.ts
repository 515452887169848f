/** The tokenizer of a directory as retrieval models need it: one that takes pairs. */
import { ConfigError } from "../errors.ts";
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
