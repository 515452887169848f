/** What the schemas and miniatures of families share. */
import * as z from "zod";
import { type Activation, activations } from "../nn/activations.ts";

/** `hidden_act`. */
export const activationName: z.ZodType<Activation, Activation> = z.enum(Object.keys(activations) as [Activation]);

/** A network of the fields that most families have, in which every part is there and nothing takes time. */
export const caricature = {
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 64,
} as const;
