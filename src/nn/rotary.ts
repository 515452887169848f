/**
 * Rotary positions (Su et al. 2021, arXiv:2104.09864): queries and keys are turned by an angle that grows with their
 * position, each pair of numbers at its own frequency. Pairs are x[i] and x[i + K/2], as Hugging Face has them; Meta's
 * files pair x[2i] and x[2i+1]. Scalings for longer contexts are transformers' (modeling_rope_utils.py, 5.3): two of them
 * turn by other angles once a batch's longest row is longer than the model was trained on.
 */
// B batch, H heads, T tokens, K width of a head
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import {
  cast,
  cos,
  exp,
  less,
  log,
  maximum,
  mul,
  reduceMax,
  reshape,
  scale,
  shift,
  sin,
  where,
} from "../graph/ops/index.ts";

const positive = z.number().positive();

const fields = { rope_theta: positive };

/** `rope_parameters` of config.json, or older files' `rope_scaling` with `rope_theta` beside it. */
export const ropeFields = z.discriminatedUnion("rope_type", [
  z.looseObject({ ...fields, rope_type: z.literal("default") }),
  z.looseObject({ ...fields, rope_type: z.literal("linear"), factor: positive }),
  z.looseObject({ ...fields, rope_type: z.literal("dynamic"), factor: positive }),
  z.looseObject({
    ...fields,
    rope_type: z.literal("llama3"),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: z.int().positive().nullish(),
  }),
  z.looseObject({
    ...fields,
    rope_type: z.literal("longrope"),
    short_factor: z.array(positive),
    long_factor: z.array(positive),
    factor: positive.nullish(),
    attention_factor: positive.nullish(),
    original_max_position_embeddings: z.int().positive().nullish(),
  }),
  z.looseObject({
    ...fields,
    rope_type: z.literal("yarn"),
    factor: positive.nullish(),
    original_max_position_embeddings: z.int().positive().nullish(),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: positive.nullish(),
    mscale_all_dim: positive.nullish(),
    truncate: z.boolean().nullish(),
  }),
]);

type RopeScaling = z.infer<typeof ropeFields>;

export interface Rotation {
  readonly scaling: RopeScaling;
  /** `max_position_embeddings`. */
  readonly positions: number;
}

interface Frequencies {
  /** Radians a position, K / 2 of them. */
  readonly angles: Float32Array;
  /** What they are in a batch whose longest row has `longest_11` tokens, a float; absent: the same whatever it has. */
  readonly within?: (angles_1K: Value, longest_11: Value) => Value;
  /** What cosines and sines are multiplied by; absent: 1. */
  readonly factor?: number;
}

/** The most tokens of a row: so many as the model was trained on, or as its scaling stretches that to. */
export function longestRow({ scaling, positions }: Rotation): number {
  const stretches = scaling.rope_type === "linear" || scaling.rope_type === "dynamic";
  return stretches ? Math.max(positions, Math.floor(positions * scaling.factor)) : positions;
}

/** Whether angles depend on the longest row of a pass. */
export function turnsByLongest({ scaling: { rope_type: kind } }: Rotation): boolean {
  return kind === "dynamic" || kind === "longrope";
}

/** Radians a position for each pair of a head's numbers, and what cosines and sines are multiplied by. */
export interface Turns {
  readonly angles: number[];
  readonly factor: number;
}

/**
 * A rotation of heads of this width in numbers, for engines that compute rows of up to `tokens` tokens.
 * @throws ConfigError where so long a row turns by other angles than a short one.
 */
export function turnsWithin(tokens: number, rotation: Rotation, width: number): Turns {
  const { scaling, positions } = rotation;
  const { original_max_position_embeddings: original } = scaling as { original_max_position_embeddings?: unknown };
  const trained = scaling.rope_type === "longrope" && typeof original === "number" ? original : positions;
  if (turnsByLongest(rotation) && tokens > trained) {
    const where = `config.json: rope_parameters: ${scaling.rope_type}`;
    throw new ConfigError(`${where}: expected at most ${trained} tokens in a row, got ${tokens}`, {
      hint: "longer rows turn by angles that depend on how long they are: set fewer tokens",
    });
  }
  const { angles, factor = 1 } = frequencies(rotation, width);
  return { angles: [...angles], factor };
}

/** Cosines and sines [B or 1, 1, T, K/2] of the positions int64 [B or 1, T], by which `rotate` turns. */
export function rotations(g: Graph, rotation: Rotation, width: number, positions_BT: Value): readonly [Value, Value] {
  const { angles, within, factor = 1 } = frequencies(rotation, width);
  const dtype = g.float === "float64" ? "float64" : "float32";
  const [batch, tokens] = positions_BT.shape;
  const at_BT = cast(positions_BT, dtype);
  const known_1K = g.constant(dtype, [1, width / 2], angles);
  const angles_1K = within === undefined ? known_1K : within(known_1K, shift(reduceMax(at_BT, [0, 1]), 1));
  const turned = mul(reshape(at_BT, [batch!, 1, tokens!, 1]), reshape(angles_1K, [1, 1, 1, width / 2]));
  const scaled = (x: Value): Value => cast(factor === 1 ? x : scale(x, factor), g.float);
  return [scaled(cos(turned)), scaled(sin(turned))];
}

function frequencies(rotation: Rotation, width: number): Frequencies {
  const { scaling, positions } = rotation;
  const { rope_theta: theta } = scaling;
  const plain = Float32Array.from({ length: width / 2 }, (_, i) => 1 / theta ** ((2 * i) / width));
  switch (scaling.rope_type) {
    case "linear":
      return { angles: plain.map((angle) => angle / scaling.factor) };
    case "dynamic":
      return { angles: plain, within: dynamic(scaling.factor, positions) };
    case "llama3":
      return { angles: plain.map((angle) => llama3(angle, scaling, positions)) };
    case "longrope":
      return longRope(plain, scaling, positions);
    case "yarn":
      return yarn(plain, scaling, positions);
    case "default":
      return { angles: plain };
  }
}

/** Beyond the trained length theta grows with the row's, so that the slowest pair turns no farther than it did. */
function dynamic(factor: number, trained: number): NonNullable<Frequencies["within"]> {
  return (angles_1K, longest_11) => {
    const { graph: g, dtype, shape } = angles_1K;
    const half = shape[1] as number;
    const grown_11 = shift(scale(longest_11, factor / trained), 1 - factor);
    const powers = Array.from({ length: half }, (_, i) => -i / (half - 1));
    const logs_1K = mul(log(maximum(grown_11, g.scalar(1, dtype))), g.constant(dtype, [1, half], powers));
    return mul(angles_1K, exp(logs_1K));
  };
}

/** LongRoPE (Ding et al. 2024, arXiv:2402.13753): a factor of its own for each pair, others beyond the trained length. */
function longRope(
  plain: Float32Array,
  scaling: Extract<RopeScaling, { rope_type: "longrope" }>,
  positions: number,
): Frequencies {
  const { short_factor: short, long_factor: long, attention_factor } = scaling;
  const trained = scaling.original_max_position_embeddings ?? positions;
  const factor = scaling.factor ?? positions / trained;
  const softer = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
  return {
    angles: plain.map((angle, i) => angle / short[i]!),
    factor: attention_factor ?? softer,
    within: (angles_1K, longest_11) => {
      const { graph: g, dtype, shape } = angles_1K;
      const long_1K = g.constant(
        dtype,
        shape as number[],
        plain.map((angle, i) => angle / long[i]!),
      );
      return where(less(g.scalar(trained, dtype), longest_11), long_1K, angles_1K);
    },
  };
}

/** Llama 3.1: slow frequencies are slowed down further, those between two wavelengths partly. */
function llama3(angle: number, scaling: Extract<RopeScaling, { rope_type: "llama3" }>, positions: number): number {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const old = scaling.original_max_position_embeddings ?? positions;
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
  positions: number,
): Frequencies {
  const { mscale, mscale_all_dim: all, rope_theta: theta } = scaling;
  const old = scaling.original_max_position_embeddings ?? positions;
  const factor = scaling.factor ?? positions / old;
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
