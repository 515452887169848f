/**
 * What families have in common in llama.cpp's GGUF (gguf-py, constants.py): parts of layers with names of their own,
 * metadata under the architecture's prefix, and ids of tokens that stand with the vocabulary.
 */
import { CheckpointError, ConfigError } from "../errors.ts";
import type { ForeignCheckpoint } from "./family.ts";

/** llama.cpp's name → the family's, both without `.weight` and `.bias`. */
type Names = Readonly<Record<string, string>>;

export interface GgufNames {
  /** Of layers, where llama.cpp has `blk.N.`. */
  readonly parts: Names;
  /** What the family's names of layers begin with, up to their number. */
  readonly layers: string;
  readonly whole: Names;
  /** For messages: what the tensors are expected to be of. */
  readonly of: string;
}

const invert = (names: Names): Names => Object.fromEntries(Object.entries(names).map(([a, b]) => [b, a]));
const own = (names: Names, name: string): string | undefined => (Object.hasOwn(names, name) ? names[name] : undefined);

/** Names of tensors both ways. */
export function ggufNames({ parts, layers, whole, of }: GgufNames): {
  /** @throws CheckpointError for a tensor of another network. */
  parameterOf(name: string, where: string): string;
  /** @throws ConfigError for a parameter that llama.cpp does not have. */
  storedName(parameter: string): string;
} {
  const [partsBack, wholeBack] = [invert(parts), invert(whole)];
  return {
    parameterOf(name, where) {
      const [, rest = "", kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
      const [, layer, part = ""] = /^blk\.(\d+)\.(\w+)$/.exec(rest) ?? [];
      const found = layer === undefined ? own(whole, rest) : own(parts, part);
      if (found !== undefined) return `${layer === undefined ? "" : `${layers}${layer}.`}${found}.${kind}`;
      throw new CheckpointError(`${where}: expected the tensors of ${of}, got ${JSON.stringify(name.slice(0, 80))}`, {
        hint: "mixtures of experts and other variants are not supported",
      });
    },
    storedName(parameter) {
      const [, rest = "", kind] = /^(.*)\.(weight|bias)$/.exec(parameter) ?? [];
      const [, layer, part = ""] = rest.startsWith(layers)
        ? (/^(\d+)\.(.*)$/.exec(rest.slice(layers.length)) ?? [])
        : [];
      const found = layer === undefined ? own(wholeBack, rest) : own(partsBack, part);
      if (found !== undefined) return `${layer === undefined ? "" : `blk.${layer}.`}${found}.${kind}`;
      throw new ConfigError(`GGUF: expected the parameters of ${of}, got "${parameter}"`, {
        hint: "llama.cpp has no heads for classification of this family",
      });
    },
  };
}

/** Numbers of the metadata under an architecture's prefix. */
export function ggufNumbers(
  { where, setting }: ForeignCheckpoint,
  prefix: string,
): {
  number(key: string): number | undefined;
  /** @throws CheckpointError where there is none. */
  needed(key: string): number;
} {
  const number = (key: string): number | undefined => {
    const value = setting(`${prefix}.${key}`);
    if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return value;
    throw new CheckpointError(`${where}: ${prefix}.${key}: expected a number, got ${String(value).slice(0, 80)}`);
  };
  return {
    number,
    needed(key) {
      const value = number(key);
      if (value !== undefined) return value;
      throw new CheckpointError(`${where}: ${prefix}.${key}: expected a number, got none`, {
        hint: "the file is incomplete; convert the model again",
      });
    },
  };
}

/** Rows of the token table. @throws CheckpointError where there is none. */
export function ggufVocabularySize({ where, stored }: ForeignCheckpoint): number {
  const [vocabulary] = stored.get("token_embd.weight")?.dims ?? [];
  if (vocabulary !== undefined) return vocabulary;
  throw new CheckpointError(`${where}: expected tensor "token_embd.weight", got none`);
}

/** Sizes that all networks have, as config.json has them. @throws CheckpointError where the metadata lacks one. */
export function ggufSizes(checkpoint: ForeignCheckpoint, prefix: string): object {
  const { needed } = ggufNumbers(checkpoint, prefix);
  return {
    vocab_size: ggufVocabularySize(checkpoint),
    hidden_size: needed("embedding_length"),
    num_hidden_layers: needed("block_count"),
    num_attention_heads: needed("attention.head_count"),
    intermediate_size: needed("feed_forward_length"),
    max_position_embeddings: needed("context_length"),
  };
}

interface Sizes {
  readonly num_hidden_layers: number;
  readonly max_position_embeddings: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
}

/** The same as metadata has them, but for the vocabulary's. */
export function storedSizes(config: Sizes): Record<string, number> {
  return {
    block_count: config.num_hidden_layers,
    context_length: config.max_position_embeddings,
    embedding_length: config.hidden_size,
    feed_forward_length: config.intermediate_size,
    "attention.head_count": config.num_attention_heads,
  };
}

/** What is lost of an encoder with a head, since llama.cpp has the network alone. */
export function lostHead(architectures: readonly string[] | null | undefined): string[] {
  const isBare = architectures?.[0]?.endsWith("Model") === true;
  return isBare ? [] : ["llama.cpp has the network alone: the head for masked tokens is left out"];
}

/** Fields of config.json with the ids of special tokens, those that the vocabulary names. */
export function ggufTokens({ setting }: ForeignCheckpoint): object {
  const token = (...names: string[]): number[] => {
    const ids = names.map((name) => setting(`tokenizer.ggml.${name}_token_id`));
    return [...new Set(ids)].filter((id) => typeof id === "number");
  };
  const [starts, ends, fillers] = [token("bos"), token("eos", "eot"), token("padding")];
  return {
    ...(starts.length === 0 ? {} : { bos_token_id: starts[0] }),
    ...(ends.length === 0 ? {} : { eos_token_id: ends.length === 1 ? ends[0] : ends }),
    ...(fillers.length === 0 ? {} : { pad_token_id: fillers[0] }),
  };
}

/** The short decimal number that a float32 came from. */
export const rounded = (value: number): number => Number(value.toPrecision(7));

/** Entries of metadata under a prefix, without those that have no value. */
export function under(prefix: string, entries: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[`${prefix}.${key}`, value]])),
  );
}
