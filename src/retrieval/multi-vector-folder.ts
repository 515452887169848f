/**
 * Sentence Transformers' multi-vector directories (MultiVectorEncoder, from 6.0): Transformer, Dense, MultiVectorMask,
 * Normalize, to the settings of a ColBERT. Left out, and refused: pooling of token vectors, mean MaxSim, lists of ids to
 * keep.
 */
import { ConfigError } from "../errors.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { type ColbertFolder, defaultColbertSettings, denseOnly } from "./colbert-settings.ts";
import type { SentenceFolder } from "./sentence-modules.ts";

/** @throws ConfigError where a setting is not supported. */
export async function multiVectorFolder(sentence: SentenceFolder, folder: string): Promise<ColbertFolder> {
  const { model, stages, entries, mask, lengths, maxTokens, lowerCase, prompts, settings } = sentence;
  const similarity = settings.similarity_fn_name ?? "maxsim";
  if (similarity.toLowerCase() !== "maxsim") {
    throw new ConfigError(
      `${folder}/config_sentence_transformers.json: similarity_fn_name: expected "maxsim", got "${similarity}"`,
    );
  }
  const normalizes = stages.at(-1)?.kind === "normalize";
  const tokenizer = await loadTokenizer(model.folder);
  // encode_query and encode_document take these two alone: they are always there, and never the default prompt.
  const promptOf = (role: "query" | "document"): string => {
    const prompt = prompts[role] ?? "";
    return lowerCase ? prompt.toLowerCase() : prompt;
  };
  const query = putBefore(tokenizer, promptOf("query"));
  const document = putBefore(tokenizer, promptOf("document"));
  const expansion = lengths.query_expansion ?? undefined;
  const skiplist = mask?.skiplist_words ?? [];
  const skips = (task: "query" | "document"): readonly string[] =>
    mask?.skiplist_tasks.includes(task) === true ? skiplist : [];
  const ceiling = Math.max(lengths.query_length ?? maxTokens, expansion?.length ?? 0);
  return {
    model,
    stages: denseOnly(folder, normalizes ? stages.slice(0, -1) : stages),
    entries,
    settings: {
      ...defaultColbertSettings,
      queryPrefix: query.prefix,
      queryPrompt: query.prompt,
      documentPrefix: document.prefix,
      documentPrompt: document.prompt,
      lowerCase,
      queryLength: expansion?.strategy === "fixed" ? expansion.length : ceiling,
      documentLength: lengths.document_length ?? maxTokens,
      // Without the mask module only tokens that others see are scored.
      expandsQueries: expansion !== undefined && (mask !== undefined || expansion.attend),
      attendsToExpansion: expansion?.attend ?? false,
      ...(expansion?.strategy === "min" ? { expansionLength: expansion.length } : {}),
      ...(typeof expansion?.token === "string" ? { expansionToken: expansion.token } : {}),
      skiplist: skips("document"),
      skipsUnknown: false,
      querySkiplist: skips("query"),
      normalizes,
    },
  };
}

/** A prompt that is a token of its own before any text, such as "[Q] ", is a prefix; any other is text. */
function putBefore(tokenizer: Tokenizer, text: string): { prefix: string; prompt: string } {
  const ids = tokenizer.encodeIds(text);
  const [first, ...rest] = tokenizer.encodeIds("a");
  const before = tokenizer.encodeIds(`${text}a`);
  const isToken = ids.length === 3 && before.join() === [first, ids[1], ...rest].join();
  return isToken ? { prefix: tokenizer.tokenOf(ids[1]!)!, prompt: "" } : { prefix: "", prompt: text };
}
