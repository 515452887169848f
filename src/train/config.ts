/** The complete configuration of a training run, checked, and settings of the form `path=value` that change it. */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { devices } from "../runtime/session.ts";
import { checked } from "../schema.ts";
import { objectiveSettings } from "./objectives/index.ts";

const count = z.int().positive();
/** Updates between; 0: none on the way, only at the end; "epoch": the updates of one. */
const every = z.union([z.int().min(0), z.literal("epoch")]);

export const configSchema = z.strictObject({
  /** The recipe's name. */
  recipe: z.string(),
  /** config.json of a new language model (vocab_size null: the tokenizer's); null: that of the weights to start from. */
  model: z.looseObject({ model_type: z.string(), vocab_size: count.nullable() }).nullable(),
  objective: objectiveSettings,
  /** What learns: every weight, low-rank adapters with what is new, or the vocabulary's new rows alone. */
  trainable: z.enum(["all", "lora", "rows"]),
  /** W + alpha / rank · B A for the layers named; null: the family's usual ones. */
  lora: z.strictObject({
    rank: count,
    alpha: z.number().positive(),
    targets: z.array(z.string()).min(1).nullable(),
  }),
  /** Examples of a micro-batch, or its most tokens, padding included; one of the two is null. */
  batch: count.nullable(),
  tokensPerBatch: count.nullable(),
  /** Micro-batches of an update. */
  accumulate: count,
  /** The run ends after so many updates or epochs; one of the two is null. */
  steps: count.nullable(),
  epochs: count.nullable(),
  optimiser: z.strictObject({
    name: z.enum(["adam", "adamw"]),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]),
    epsilon: z.number().positive(),
    weightDecay: z.number().min(0),
    /** 0: no clipping. */
    clipNorm: z.number().min(0),
  }),
  schedule: z.strictObject({
    kind: z.enum(["constant", "linear", "cosine", "inverse_sqrt"]),
    peak: z.number().positive(),
    /** Updates; below 1: a share of all updates. */
    warmup: z
      .number()
      .min(0)
      .refine((value) => value < 1 || Number.isInteger(value), "expected whole updates, or a share below 1"),
    initial: z.number().min(0),
    floor: z.number().min(0).max(1),
  }),
  /** Of the held-out examples the first so many; null: all. They are judged at the start and at the end too. */
  evaluate: z.strictObject({ every, examples: z.int().min(0).nullable() }),
  /** Continuations of prompts, of a decoder. */
  sample: z.strictObject({ every, prompts: z.array(z.string()), maxNewTokens: count }),
  /** Checkpoints; the last `keep` stay. */
  save: z.strictObject({ every, keep: count }),
  /** The result is the mean of the last n epochs' weights; 1: the last. */
  average: count,
  /** Each layer's forward pass is done again in the backward pass: less memory, a third more time. */
  checkpointing: z.boolean(),
  /** float16: computes in half precision on float32 parameters, with a loss scale that adapts. For GPUs. */
  precision: z.enum(["float32", "float16"]),
  seed: z.int().min(0),
  device: z.enum(devices),
  /** 0: one a core. */
  threads: z.int().min(0),
});

/** What a run does, apart from the files that it reads and writes. */
export type Config = z.infer<typeof configSchema>;

/** Settings of which a run takes one. */
const alternatives = [
  ["steps", "epochs"],
  ["batch", "tokensPerBatch"],
] as const;

/**
 * A configuration with settings such as `schedule.peak=1e-3` or `sample.prompts=["Aspirin is"]` applied. Those of the
 * objective may leave "objective." out; steps take the place of epochs, and so on.
 * @throws ConfigError that names the setting, what was expected and what came.
 */
export function withSettings(config: Config, settings: readonly string[]): Config {
  const changed = structuredClone(config) as Config & Record<string, unknown>;
  const given = new Set<string>();
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at < 1) throw new ConfigError(`setting: expected path=value, got "${setting}"`);
    const path = setting.slice(0, at).split(".");
    if (!Object.hasOwn(changed, path[0]!) && Object.hasOwn(changed.objective, path[0]!)) path.unshift("objective");
    set(changed, path, parseValue(setting.slice(at + 1)));
    given.add(path[0]!);
  }
  for (const pair of alternatives) {
    for (const [one, other] of [pair, pair.toReversed()])
      if (given.has(one!) && !given.has(other!)) changed[other!] = null;
  }
  return checkedConfig(changed);
}

/** @throws ConfigError for the first field that does not fit. */
export function checkedConfig(config: unknown): Config {
  const found = checked(configSchema, config, "settings");
  for (const [one, other] of alternatives) {
    if ((found[one] === null) !== (found[other] === null)) continue;
    const got = found[one] === null ? "neither" : "both";
    throw new ConfigError(`${one}, ${other}: expected one of the two, got ${got}`, {
      hint: `set ${one}=N, or ${other}=N`,
    });
  }
  return found;
}

/** @throws ConfigError where there is no such place. */
function set(config: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let target = config;
  for (const [i, key] of path.slice(0, -1).entries()) {
    const next = Object.hasOwn(target, key) ? target[key] : undefined;
    if (typeof next !== "object" || next === null) throw unknownSetting(path.slice(0, i + 1), target);
    target = next as Record<string, unknown>;
  }
  const last = path.at(-1)!;
  if (!Object.hasOwn(target, last)) throw unknownSetting(path, target);
  target[last] = value;
}

function unknownSetting(path: readonly string[], target: Readonly<Record<string, unknown>>): ConfigError {
  // The objective's own settings stand beside the common ones.
  const known = { ...target, ...(path.length === 1 ? (target["objective"] as object) : {}) };
  return new ConfigError(`setting: expected one of ${Object.keys(known).join(", ")}, got "${path.join(".")}"`);
}

/** JSON where it is JSON, else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
