/** The corpus as tokens for training, where the pipeline names a tokenizer: what `galen tokenize` makes of the dataset. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { tokenizeDocuments } from "../../corpus/tokenize.ts";
import { writeFileAtomically } from "../../io/files.ts";
import { fingerprintOf } from "../../io/fingerprint.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import type { CorpusPipeline } from "../pipeline.ts";

export async function writeTokenFiles(
  { tokens, folder, seed }: Pick<CorpusPipeline, "tokens" | "folder" | "seed">,
  {
    output,
    dataset,
    signal,
  }: { readonly output: string; readonly dataset: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (tokens === undefined) return;
  const name = existsSync(resolve(folder, tokens.tokenizer)) ? resolve(folder, tokens.tokenizer) : tokens.tokenizer;
  const target = join(output, "tokens");
  const marker = join(
    output,
    "stages",
    `tokens-${fingerprintOf(dataset, name, JSON.stringify(tokens)).slice(0, 10)}.json`,
  );
  if (existsSync(marker) && existsSync(join(target, "tokens.json"))) return;
  const tokenizer = await loadTokenizer(name);
  const made = await tokenizeDocuments([join(output, "dataset")], tokenizer, {
    output: target,
    heldOut: tokens.heldOut,
    seed,
    overwrite: true,
    signal,
  });
  await writeFileAtomically(marker, `${JSON.stringify(made)}\n`);
}
