/**
 * Names of BERT checkpoints. Parameters are named as transformers saves the architecture: the bare BertModel without
 * the `bert.` prefix, every other with it. Read as well: the prefix where it should not be or missing where it should,
 * LayerNorm.gamma and .beta (checkpoints converted from TensorFlow), and BERT-hash's token table and projection under
 * whatever names, by their shapes. The names BERT-hash gets here, `word_embeddings.weight` and `projection.weight` with
 * an optional bias beneath `embeddings`, are Galen's own.
 */
import type { BertConfig } from "./config.ts";
import type { Shapes } from "../family.ts";

/** The scope of the network's parameters: empty for the bare model. */
export function bodyScope({ architectures }: BertConfig): string {
  return architectures?.[0]?.endsWith("Model") === true ? "" : "bert";
}

/** The parameter that a tied decoder repeats. */
export function tokenTableName(config: BertConfig): string {
  return [bodyScope(config), "embeddings.word_embeddings.weight"].filter(Boolean).join(".");
}

/** A tied decoder has no parameters but the head's bias; transformers 5 stores either or both. */
export function decoderBias({ tie_word_embeddings }: BertConfig): string {
  return tie_word_embeddings ? "cls.predictions.bias" : "cls.predictions.decoder.bias";
}

const body = /^(?:bert\.)?((?:embeddings|encoder|pooler)\..*)$/;

/** A name without prefix where it is the network's, with LayerNorm's present names. */
function bareName(stored: string): string {
  const modern = stored.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");
  return body.exec(modern)?.[1] ?? modern;
}

/** Stored tensors that are BERT-hash's table [V, P], projection [D, P] and its bias, bare names → bare names of ours. */
function hashNames(config: BertConfig, stored: Shapes): Map<string, string> {
  const found = new Map<string, string>();
  const { projections, vocab_size, hidden_size } = config;
  if (projections === undefined) return found;
  for (const [name, { dims }] of stored) {
    const bare = bareName(name);
    if (!bare.startsWith("embeddings.") || dims.length !== 2 || dims[1] !== projections) continue;
    if (dims[0] === vocab_size) found.set(bare, "embeddings.word_embeddings.weight");
    else if (dims[0] === hidden_size) {
      found.set(bare, "embeddings.projection.weight");
      found.set(bare.replace(/weight$/, "bias"), "embeddings.projection.bias");
    }
  }
  return found;
}

/**
 * What only the checkpoint's header says: whether there is a pooler, a projection bias, a decoder of its own; and, where
 * config.json names no class, that there is no language model's head: then the model is the network alone, `bareClass`.
 */
export function adaptBert(
  given: BertConfig,
  stored: Shapes,
  bareClass: string,
): { config: BertConfig; parameterOf: (storedName: string) => string | undefined } {
  const headed = [...stored.keys()].some((name) => name.startsWith("cls.predictions."));
  const config = (given.architectures ?? []).length > 0 || headed ? given : { ...given, architectures: [bareClass] };
  const hash = hashNames(config, stored);
  const scope = bodyScope(config);
  const prefix = scope === "" ? "" : `${scope}.`;
  const bodyName = (name: string): string | undefined => {
    const bare = bareName(name);
    return body.test(bare) ? prefix + (hash.get(bare) ?? bare) : undefined;
  };
  const names = new Set([...stored.keys()].map(bodyName));
  const adapted: BertConfig = {
    ...config,
    add_pooling_layer: names.has(`${prefix}pooler.dense.weight`),
    projection_bias: names.has(`${prefix}embeddings.projection.bias`),
    // BERT's decoder repeats the token table when tied; BERT-hash's is then factorised and not stored.
    tie_word_embeddings:
      config.projections === undefined ? config.tie_word_embeddings : !stored.has("cls.predictions.decoder.weight"),
  };
  const parameterOf = (name: string): string | undefined => {
    // 0, 1, 2, …, which transformers stored until its version 4.31.
    if (name.endsWith("embeddings.position_ids")) return undefined;
    // The decoder's own bias is the one that is added, where both are stored.
    if (name === "cls.predictions.decoder.bias") return decoderBias(adapted);
    if (name === "cls.predictions.bias") {
      return stored.has("cls.predictions.decoder.bias") ? undefined : decoderBias(adapted);
    }
    return bodyName(name) ?? bareName(name);
  };
  return { config: adapted, parameterOf };
}
