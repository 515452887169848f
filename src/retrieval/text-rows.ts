/**
 * Texts to the rows of tokens that an embedding model takes, as its directory says: prompt, white space, case, length.
 * Embedding and training read texts here alike, so that a model is used as it was trained.
 */
import { ConfigError } from "../errors.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type OnCut, tellCut } from "../tokenizers/cut.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import type { SentenceFolder } from "./sentence-modules.ts";

/** What a text is to a model that reads queries and documents differently. */
export type TextRole = "query" | "document";

export interface PromptOptions {
  /** Put before every text; takes the place of the directory's prompts. */
  readonly prompt?: string | undefined;
  /** The directory's prompt of this name. */
  readonly promptName?: string | undefined;
  /** What the texts are: one for all, or one each. Without a role texts have the directory's default prompt. */
  readonly role?: TextRole | readonly TextRole[] | undefined;
}

/** What a directory says of how texts are read. */
export type TextSettings = Pick<SentenceFolder, "maxTokens" | "lowerCase" | "prompts" | "defaultPrompt">;

export interface TextRow {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  /** Its first tokens that are the prompt's, special ones included; 0 without a prompt. */
  readonly promptTokens: number;
}

/** Rows of texts, cut to the directory's length, or to `maxTokens` where that is less. */
export function textRows(
  tokenizer: PairTokenizer,
  settings: TextSettings,
  texts: readonly string[],
  {
    maxTokens = Infinity,
    onCut,
    ...options
  }: PromptOptions & { readonly maxTokens?: number; readonly onCut?: OnCut | undefined } = {},
): TextRow[] {
  const prompts = promptsOf(settings, texts.length, options);
  const limits = { maxLength: Math.min(settings.maxTokens, maxTokens), padding: "none" } as const;
  const prepare = (text: string): string => (settings.lowerCase ? text.trim().toLowerCase() : text.trim());
  const prepared = texts.map((text, i) => prepare(prompts[i]! + text));
  const encoded = tokenizer.encodeBatch(prepared, limits);
  tellCut(tokenizer, texts, { prepared, rows: encoded.ids, limit: limits.maxLength }, onCut);
  const lengths = new Map([["", 0]]);
  for (const prompt of new Set(prompts)) {
    if (prompt === "") continue;
    lengths.set(prompt, promptLength(tokenizer, tokenizer.encodeBatch([prepare(prompt)], limits).ids[0]!));
  }
  return encoded.ids.map((ids, i) => ({ ids, types: encoded.typeIds[i]!, promptTokens: lengths.get(prompts[i]!)! }));
}

/** The mask with the tokens of each row's prompt left out: what pooling takes where it leaves out prompts. */
export function withoutPrompts(
  { dims, data }: Tensor<"int64">,
  rows: readonly Pick<TextRow, "promptTokens">[],
): Tensor<"int64"> {
  const columns = dims[1]!;
  if (rows.every(({ promptTokens }) => promptTokens === 0)) return tensor("int64", dims, data);
  const kept = data.map((one, i) => (i % columns < rows[Math.floor(i / columns)]!.promptTokens ? 0n : one));
  return tensor("int64", dims, kept);
}

/** Tokens of the prompt by itself, without the closing special token, as the reference counts them. */
function promptLength(tokenizer: PairTokenizer, row: readonly number[]): number {
  return row.length - (Object.values(tokenizer.special).includes(row.at(-1)!) ? 1 : 0);
}

/** The prompt of each text. @throws ConfigError where there is none of the name. */
function promptsOf(settings: TextSettings, count: number, { prompt, promptName, role }: PromptOptions): string[] {
  const all = (one: string): string[] => Array<string>(count).fill(one);
  if (prompt !== undefined) return all(prompt);
  if (promptName !== undefined) return all(namedPrompt(settings, promptName));
  if (role === undefined) {
    return all(settings.defaultPrompt === undefined ? "" : namedPrompt(settings, settings.defaultPrompt));
  }
  return typeof role === "string" ? all(rolePrompt(settings, role)) : role.map((one) => rolePrompt(settings, one));
}

function namedPrompt({ prompts }: TextSettings, name: string): string {
  if (Object.hasOwn(prompts, name)) return prompts[name]!;
  throw new ConfigError(`prompt: expected one of ${Object.keys(prompts).join(", ") || "none"}, got "${name}"`);
}

/** By the names that directories give them; the first that is not empty counts. */
const roleNames = { query: ["query"], document: ["document", "passage", "corpus"] } as const;

/**
 * As encode_query and encode_document of Sentence Transformers mean it: never the default prompt. (Its 5.3 has an empty
 * "document" in every model, and so never comes to a "passage".)
 */
function rolePrompt({ prompts }: TextSettings, role: TextRole): string {
  const found = roleNames[role].filter((name) => Object.hasOwn(prompts, name)).map((name) => prompts[name]!);
  return found.find((prompt) => prompt !== "") ?? "";
}
