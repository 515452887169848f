/** What kinds of vocabulary have in common in GGUF's metadata: lists of tokens with llama.cpp's types of them. */
import { DataError } from "../errors.ts";
import { asObject, type Json, type JsonObject } from "./json.ts";

/** llama.cpp's types of token. */
export const types = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A metadata entry as it is written; of a list the type is that of its values. */
export interface VocabularyEntry {
  readonly key: string;
  readonly type: "uint32" | "int32" | "float32" | "bool" | "string";
  readonly value: number | boolean | string | readonly number[] | readonly string[];
}

/** A vocabulary's lists, checked. */
export interface Vocabulary {
  readonly where: string;
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
  setting(name: string): unknown;
}

/** The error for a setting that is not as expected. */
export type Wanted = (expected: string, got: unknown) => DataError;

export function isList(value: unknown, of: "string"): value is readonly string[];
export function isList(value: unknown, of: "number"): value is readonly number[];
export function isList(value: unknown, of: string): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === of);
}

/** A special token of tokenizer_config.json: its text, or an object with it. */
export function contentOf(token: Json | undefined): string | undefined {
  if (typeof token === "string") return token;
  const content = (token as JsonObject | null | undefined)?.["content"];
  return typeof content === "string" ? content : undefined;
}

/** Tokens by id with llama.cpp's types of them; ids that have none are filled up. */
export function tokensOf(root: JsonObject, model: JsonObject, size: number): { tokens: string[]; kinds: number[] } {
  const vocab = asObject("tokenizer.json", "model.vocab", model["vocab"]) as Record<string, number>;
  const added = (root["added_tokens"] ?? []) as { id: number; content: string; special?: boolean }[];
  const tokens = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const kinds: number[] = tokens.map(() => types.unused);
  const put = (id: number, token: string, kind: number): void => {
    if (id >= size) {
      throw new DataError(
        `tokenizer.json: ${JSON.stringify(token)}: expected an id below ${size}, the model's vocab_size, got ${id}`,
      );
    }
    tokens[id] = token;
    kinds[id] = kind;
  };
  const hasBytes = model["byte_fallback"] === true;
  for (const [token, id] of Object.entries(vocab)) {
    put(id, token, hasBytes && /^<0x[0-9A-F]{2}>$/.test(token) ? types.byte : types.normal);
  }
  for (const { id, content, special } of added) {
    const isUnknown = content === model["unk_token"];
    put(id, content, isUnknown ? types.unknown : special === true ? types.control : types.userDefined);
  }
  return { tokens, kinds };
}
