/**
 * BioGPT as fairseq has it: names of its TransformerDecoder (fairseq 0.12.2) and those of transformers, settings of its
 * transformer_lm and config.json. Left out: models whose positions are not learned.
 */
import { CheckpointError } from "../../errors.ts";
import type { ForeignCheckpoint, ForeignFormat, Shapes } from "../family.ts";
import type { BioGptConfig } from "./config.ts";

const embedding = "decoder.embed_tokens.weight";
const head = "output_projection.weight";
/** fairseq's version of the decoder's format, which is no weight. */
const version = "decoder.version";
const known =
  /^decoder\.(embed_tokens\.weight|embed_positions\.weight|layer_norm\.(weight|bias)|layers\.\d+\.(self_attn\.[kvq]_proj|self_attn\.out_proj|self_attn_layer_norm|fc1|fc2|final_layer_norm)\.(weight|bias))$/;

function parameterOf(name: string, where: string): string | undefined {
  if (name === version) return undefined;
  if (name === `decoder.${head}`) return head;
  if (known.test(name)) return name.replace(/^decoder\./, "biogpt.");
  throw new CheckpointError(
    `${where}: expected the tensors of a BioGPT decoder, got ${JSON.stringify(name.slice(0, 80))}`,
    {
      hint: "only fairseq's transformer_lm with learned positions can be converted",
    },
  );
}

/** A setting that must be a number. */
function number({ where, setting }: ForeignCheckpoint, key: string, fallback?: number): number {
  const value = setting(key) ?? fallback;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new CheckpointError(
    `${where}: expected the number ${key} in cfg.model or args, got ${String(value).slice(0, 80)}`,
    {
      hint: "the checkpoint holds no settings of its model; convert the one that fairseq-train wrote",
    },
  );
}

/** The shape of a tensor that must be a matrix. */
function matrix({ where, stored }: ForeignCheckpoint, name: string): readonly [rows: number, columns: number] {
  const dims = stored.get(name)?.dims;
  if (dims?.length === 2) return dims as readonly number[] as [number, number];
  throw new CheckpointError(
    `${where}: expected the matrix ${name}, got ${dims === undefined ? "none" : "another shape"}`,
  );
}

function layersOf(stored: Shapes): number {
  const layers = new Set([...stored.keys()].map((name) => /^decoder\.layers\.(\d+)\./.exec(name)?.[1]));
  layers.delete(undefined);
  return layers.size;
}

function configOf(checkpoint: ForeignCheckpoint): object {
  const { where, stored, setting } = checkpoint;
  const [vocabulary, width] = matrix(checkpoint, stored.has(embedding) ? embedding : `decoder.${head}`);
  const [positions] = matrix(checkpoint, "decoder.embed_positions.weight");
  const [inner] = matrix(checkpoint, "decoder.layers.0.fc1.weight");
  const layers = layersOf(stored);
  const expected = { decoder_embed_dim: width, decoder_ffn_embed_dim: inner, decoder_layers: layers };
  for (const [key, size] of Object.entries(expected)) {
    const got = number(checkpoint, key, size);
    if (got !== size) throw new CheckpointError(`${where}: expected ${key} ${size} as its tensors have, got ${got}`);
  }
  const activation = setting("activation_fn");
  return {
    model_type: "biogpt",
    vocab_size: vocabulary,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: number(checkpoint, "decoder_attention_heads"),
    intermediate_size: inner,
    max_position_embeddings: positions - 2, // rows 0 and 1 belong to no token
    hidden_act: typeof activation === "string" ? activation : "gelu",
    hidden_dropout_prob: number(checkpoint, "dropout", 0.1),
    attention_probs_dropout_prob: number(checkpoint, "attention_dropout", 0.1),
    activation_dropout: number(checkpoint, "activation_dropout", 0),
    layerdrop: number(checkpoint, "decoder_layerdrop", 0),
    initializer_range: 0.02,
    layer_norm_eps: 1e-5, // torch's default, which fairseq uses
    scale_embedding: setting("no_scale_embedding") !== true,
    tie_word_embeddings: setting("share_decoder_input_output_embed") !== false,
    use_cache: true,
    bos_token_id: 0,
    pad_token_id: 1,
    eos_token_id: 2,
  };
}

function settingsOf(config: BioGptConfig): ReturnType<NonNullable<ForeignFormat["written"]>["settingsOf"]> {
  const { hidden_size: width, max_position_embeddings: positions } = config;
  const model = {
    _name: "transformer_lm",
    activation_fn: config.hidden_act,
    dropout: config.hidden_dropout_prob,
    attention_dropout: config.attention_probs_dropout_prob,
    activation_dropout: config.activation_dropout,
    decoder_embed_dim: width,
    decoder_output_dim: width,
    decoder_input_dim: width,
    decoder_ffn_embed_dim: config.intermediate_size,
    decoder_layers: config.num_hidden_layers,
    decoder_attention_heads: config.num_attention_heads,
    decoder_normalize_before: true,
    decoder_learned_pos: true,
    share_decoder_input_output_embed: config.tie_word_embeddings !== false,
    no_scale_embedding: !config.scale_embedding,
    max_target_positions: positions,
    tokens_per_sample: positions,
    layernorm_embedding: false,
  };
  return { model, task: { _name: "language_modeling", tokens_per_sample: positions } };
}

export const fairseq: ForeignFormat<BioGptConfig> = {
  recognises: ({ stored }) => stored.has(embedding) || stored.has(`decoder.${head}`),
  configOf,
  parameterOf,
  written: {
    settingsOf,
    storedAs: (parameters) => {
      const names = [...parameters];
      const storedName = (name: string): string =>
        name === head ? `decoder.${head}` : name.replace(/^biogpt\./, "decoder.");
      const stored = names.map((name) => [storedName(name), name] as const);
      return names.includes(head) ? stored : [...stored, [`decoder.${head}`, "biogpt.embed_tokens.weight"]];
    },
  },
};
