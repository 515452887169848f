/** What the schemas and miniatures of families share. */
import * as z from "zod";
import { type Activation, activations } from "../nn/activations.ts";
import { ropeFields, type Rotation } from "../nn/rotary.ts";
import { checked } from "../schema.ts";

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

/**
 * The rotation that `json` describes: `rope_parameters`, or what older files have for it.
 * @throws ConfigError for a scaling that is not known.
 */
export function rotationFrom(
  json: Readonly<Record<string, unknown>>,
  { width, positions }: { /** Of a head. */ readonly width: number; readonly positions: number },
  where: string,
): Rotation {
  // The oldest files call it "type".
  const typed = { ...json, rope_type: json["rope_type"] ?? json["type"] ?? "default" };
  const scaling = checked(ropeFields, typed, where);
  if (scaling.rope_type === "longrope") {
    const pairs = z.array(z.number()).length(width / 2, `expected ${width / 2} factors`);
    checked(z.looseObject({ short_factor: pairs, long_factor: pairs }), scaling, where);
  }
  return { scaling, positions };
}
