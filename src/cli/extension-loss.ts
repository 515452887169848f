/** How well a model predicts texts before its vocabulary is extended and right after it, by how new rows begin. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluatePerplexity, openPerplexityText } from "../eval/index.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { growModel, type RowStart, rowStarts } from "../train/index.ts";

/** Bits of a byte, which do not depend on the vocabulary. */
export interface ExtensionLoss {
  readonly before: number;
  /** Without any training. */
  readonly after: Readonly<Record<RowStart, number>>;
}

/** Tokens of a window, where the model has places for more: enough for a comparison. */
const mostContext = 1024;

/** `told`: what is measured next. */
export async function extensionLoss(
  model: string,
  extended: string,
  texts: readonly string[],
  { signal, told }: { readonly signal: AbortSignal; told(what: string): void },
): Promise<ExtensionLoss> {
  const { config } = await openModelFolder(model);
  const context = Math.min(mostContext, config.max_position_embeddings);
  const bitsOf = async (folder: string): Promise<number> => {
    const text = await openPerplexityText(texts, folder, { signal });
    const { figures } = await evaluatePerplexity(folder, text, { signal, context });
    return figures.find(({ name }) => name === "bits_per_byte")!.value;
  };
  // Written anew in both cases: weights of few bits become float32, which rounds otherwise.
  const grown = async (tokenizer: Tokenizer, newRows: RowStart): Promise<number> => {
    const folder = await mkdtemp(join(tmpdir(), "galen-grown-"));
    try {
      await growModel(model, { tokenizer, output: folder, newRows });
      return await bitsOf(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  told("as it is");
  const before = await grown(await loadTokenizer(model), "pieces");
  const tokenizer = await loadTokenizer(extended);
  const after: Partial<Record<RowStart, number>> = {};
  for (const newRows of rowStarts) {
    told(`new rows: ${newRows}`);
    after[newRows] = await grown(tokenizer, newRows);
  }
  return { before, after: after as Record<RowStart, number> };
}
