/**
 * Rotary positions (Su et al. 2021, arXiv:2104.09864): queries and keys are turned by an angle that grows with their
 * position, each pair of numbers at its own frequency. Pairs are x[i] and x[i + K/2], as Hugging Face has them; Meta's
 * files pair x[2i] and x[2i+1]. Scalings for longer contexts are transformers' (modeling_rope_utils.py, 5.3).
 */
// B batch, H heads, T tokens, K width of a head
import * as z from "zod";
import type { Graph, Value } from "../graph/graph.ts";
import { add, cast, concat, cos, mul, reshape, scale, sin, slice, sub } from "../graph/ops/index.ts";

const positive = z.number().positive();

/** `rope_parameters` of config.json, or older files' `rope_scaling` with `rope_theta` beside it. */
export const ropeFields = z.discriminatedUnion("rope_type", [
  z.looseObject({ rope_type: z.literal("default") }),
  z.looseObject({ rope_type: z.literal("linear"), factor: positive }),
  z.looseObject({ rope_type: z.literal("dynamic"), factor: positive }),
  z.looseObject({
    rope_type: z.literal("llama3"),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: z.int().positive(),
  }),
  z.looseObject({
    rope_type: z.literal("yarn"),
    factor: positive,
    original_max_position_embeddings: z.int().positive().nullish(),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: positive.nullish(),
    mscale_all_dim: positive.nullish(),
    truncate: z.boolean().nullish(),
  }),
]);

export type RopeScaling = z.infer<typeof ropeFields>;

export interface Rotation {
  readonly theta: number;
  readonly scaling: RopeScaling;
  /** Longest sequence, in tokens. */
  readonly positions: number;
}

interface Frequencies {
  /** Radians a position, K / 2 of them. */
  readonly angles: Float32Array;
  /** What cosines and sines are multiplied by. */
  readonly factor: number;
}

/** Cosines and sines [B or 1, 1, T, K/2] of the positions int64 [B or 1, T], by which `rotate` turns. */
export function rotations(g: Graph, rotation: Rotation, width: number, positions_BT: Value): readonly [Value, Value] {
  const { angles, factor } = frequencies(rotation, width);
  const dtype = g.float === "float64" ? "float64" : "float32";
  const [batch, tokens] = positions_BT.shape;
  const at_B1T1 = reshape(cast(positions_BT, dtype), [batch!, 1, tokens!, 1]);
  const turned = mul(at_B1T1, g.constant(dtype, [1, 1, 1, width / 2], angles));
  const scaled = (x: Value): Value => cast(factor === 1 ? x : scale(x, factor), g.float);
  return [scaled(cos(turned)), scaled(sin(turned))];
}

/** x_BHTK turned by the angles of its positions. */
export function rotate(x_BHTK: Value, [cos_B1TK, sin_B1TK]: readonly [Value, Value]): Value {
  const half = (x_BHTK.shape[3] as number) / 2;
  const [first, second] = [slice(x_BHTK, 3, 0, half), slice(x_BHTK, 3, half, 2 * half)];
  return concat(
    [sub(mul(first, cos_B1TK), mul(second, sin_B1TK)), add(mul(second, cos_B1TK), mul(first, sin_B1TK))],
    3,
  );
}

function frequencies(rotation: Rotation, width: number): Frequencies {
  const { theta, scaling, positions } = rotation;
  const plain = Float32Array.from({ length: width / 2 }, (_, i) => 1 / theta ** ((2 * i) / width));
  switch (scaling.rope_type) {
    case "linear":
      return { angles: plain.map((angle) => angle / scaling.factor), factor: 1 };
    case "llama3":
      return { angles: plain.map((angle) => llama3(angle, scaling)), factor: 1 };
    case "yarn":
      return yarn(plain, scaling, theta, positions);
    // "dynamic" changes nothing up to the model's own length, and longer sequences are not taken.
    default:
      return { angles: plain, factor: 1 };
  }
}

/** Llama 3.1: slow frequencies are slowed down further, those between two wavelengths partly. */
function llama3(angle: number, scaling: Extract<RopeScaling, { rope_type: "llama3" }>): number {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: old } = scaling;
  const wavelength = (2 * Math.PI) / angle;
  if (wavelength < old / high) return angle;
  if (wavelength > old / low) return angle / factor;
  const smooth = (old / wavelength - low) / (high - low);
  return (1 - smooth) * (angle / factor) + smooth * angle;
}

/** YaRN (Peng et al. 2023, arXiv:2309.00071): a ramp between kept and slowed frequencies, and softer attention. */
function yarn(
  plain: Float32Array,
  scaling: Extract<RopeScaling, { rope_type: "yarn" }>,
  theta: number,
  positions: number,
): Frequencies {
  const { factor, mscale, mscale_all_dim: all } = scaling;
  const old = scaling.original_max_position_embeddings ?? positions;
  const width = 2 * plain.length;
  const softer = (by: number): number => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  const attention = scaling.attention_factor ?? (mscale && all ? softer(mscale) / softer(all) : softer(1));
  /** The pair that turns so many times over the old length. */
  const pairOf = (turns: number): number => (width * Math.log(old / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const whole = scaling.truncate ?? true;
  const [from, to] = [pairOf(scaling.beta_fast ?? 32), pairOf(scaling.beta_slow ?? 1)];
  const low = Math.max(whole ? Math.floor(from) : from, 0);
  const high = Math.min(whole ? Math.ceil(to) : to, width - 1);
  const span = low === high ? 0.001 : high - low;
  const angles = plain.map((angle, i) => {
    const kept = 1 - Math.min(1, Math.max(0, (i - low) / span));
    return (angle / factor) * (1 - kept) + angle * kept;
  });
  return { angles, factor: attention };
}
