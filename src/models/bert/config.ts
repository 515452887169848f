/** config.json of BERT, Megatron's BERT (Hugging Face's classes of these) and BERT-hash, and the named sizes of each. */
import * as z from "zod";
import { labelFields } from "../classification.ts";
import { checked } from "../../schema.ts";
import { activationName } from "../config.ts";

const count = z.int().positive();

const schema = z
  .looseObject({
    /** Files of before transformers 2.2 have none: see `isUntypedBert`. */
    model_type: z.enum(["bert", "bert_hash", "megatron-bert"]).default("bert"),
    vocab_size: count,
    hidden_size: count,
    num_hidden_layers: count,
    num_attention_heads: count,
    intermediate_size: count,
    max_position_embeddings: count.default(512),
    type_vocab_size: count.default(2),
    hidden_act: activationName.default("gelu"),
    hidden_dropout_prob: z.number().min(0).lt(1).default(0.1),
    attention_probs_dropout_prob: z.number().min(0).lt(1).default(0.1),
    initializer_range: z.number().positive().default(0.02),
    layer_norm_eps: z.number().positive().default(1e-12),
    pad_token_id: z.int().default(0),
    position_embedding_type: z.literal("absolute").default("absolute"),
    is_decoder: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
    ...labelFields,
    /** A checkpoint's weights decide; it matters for new models. */
    add_pooling_layer: z.boolean().default(true),
    /** BERT-hash: width of the token table, before it is projected to `hidden_size`. */
    projections: count.optional(),
    /** BERT-hash: the projection has a bias. A checkpoint's weights decide. */
    projection_bias: z.boolean().default(false),
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ["num_attention_heads"],
    error: "expected a divisor of hidden_size",
  })
  .refine(({ model_type, projections }) => (model_type === "bert_hash") === (projections !== undefined), {
    path: ["projections"],
    error: "expected a width for bert_hash, and none for others",
  });

export type BertConfig = z.infer<typeof schema>;

/** @throws ConfigError that names the field. */
export function parseBertConfig(json: unknown, where: string): BertConfig {
  return checked(schema, json, where);
}

/** Whether norms stand before attention and feed-forward (Megatron's BERT), not behind their sums. */
export function isPreNorm({ model_type }: BertConfig): boolean {
  return model_type === "megatron-bert";
}

/** What Google's BERT had in its configuration, whose successors began with the same fields and added their own. */
const untyped = z.looseObject({
  architectures: z.tuple([z.string().regex(/^Bert(?:Model|For)/)], z.string()).nullish(),
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  intermediate_size: count,
  max_position_embeddings: count,
  // RoBERTa's configuration has the same fields, and one type.
  type_vocab_size: z.int().min(2),
  attention_probs_dropout_prob: z.number(),
});

/** Tables of another width, and other positions than BERT's: ELECTRA, ALBERT, DeBERTa, NEZHA, Longformer, LayoutLM. */
const notBert = /^embedding_size$|relative|rotary|window|_2d_/;

/** Whether a config.json that names no model type, such as BioBERT's and SciBERT's, is BERT's. */
export function isUntypedBert(json: unknown): boolean {
  return untyped.safeParse(json).success && !Object.keys(json as object).some((field) => notBert.test(field));
}

/** A shape of network. */
interface Shape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/** The vocabulary of bert-base-uncased and BiomedBERT has 30,522 pieces. */
function size({ width, layers, heads }: Shape, more: object = {}): BertConfig {
  return schema.parse({
    architectures: ["BertForMaskedLM"],
    vocab_size: 30522,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
    ...more,
  });
}

export const bertSizes: Readonly<Record<string, BertConfig>> = {
  "biomedbert-small": size({ width: 384, layers: 6, heads: 12 }),
  "biomedbert-base": size({ width: 768, layers: 12, heads: 12 }),
};

const hash = (shape: Shape, projections: number): BertConfig =>
  size(shape, {
    model_type: "bert_hash",
    architectures: ["BertHashForMaskedLM"],
    projections,
    tie_word_embeddings: false,
  });

/** Head counts are ours: published parameter counts do not determine them. */
export const bertHashSizes: Readonly<Record<string, BertConfig>> = {
  "hash-femto": hash({ width: 50, layers: 2, heads: 2 }, 5),
  "hash-pico": hash({ width: 80, layers: 2, heads: 2 }, 8),
  "hash-nano": hash({ width: 128, layers: 2, heads: 2 }, 16),
};

const megatron = (shape: Shape): BertConfig =>
  size(shape, { model_type: "megatron-bert", architectures: ["MegatronBertForMaskedLM"], vocab_size: 50176 });

/** GatorTron (Yang et al. 2022, doi:10.1038/s41746-022-00742-2, table 1). */
export const megatronBertSizes: Readonly<Record<string, BertConfig>> = {
  "gatortron-base": megatron({ width: 1024, layers: 24, heads: 16 }),
  "gatortron-medium": megatron({ width: 2560, layers: 48, heads: 40 }),
  "gatortron-large": megatron({ width: 3584, layers: 56, heads: 56 }),
};
