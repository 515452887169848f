/** The complete configuration of a training run, checked, and settings of the form `path=value` that change it. */
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { devices } from "../runtime/session.ts";
import { checked } from "../schema.ts";
import { didYouMean } from "../suggest.ts";
import { objectiveSettings } from "./objectives/index.ts";

const count = z.int().positive();
const every = z.union([z.int().min(0), z.literal("epoch")]);

const updates = (what: string) => every.describe(`Updates between ${what}; 0: none on the way; "epoch": those of one`);

/** The meanings are those that `galen train RECIPE --help` prints. */
export const configSchema = z.strictObject({
  recipe: z.string().describe("The recipe's name"),
  model: z
    .looseObject({ model_type: z.string(), vocab_size: count.nullable() })
    .nullable()
    .describe("Fields of config.json of a new language model (vocab_size null: the tokenizer's); null: as --model is"),
  objective: objectiveSettings,
  trainable: z
    .enum(["all", "lora", "rows"])
    .describe("What learns: every weight, low-rank adapters with what is new, or the vocabulary's new rows alone"),
  lora: z.strictObject({
    rank: count.describe("Rank of the adapters W + alpha / rank · B A"),
    alpha: z.number().positive().describe("What the adapters are scaled by, over their rank"),
    targets: z.array(z.string()).min(1).nullable().describe("Layers that get one; null: the family's usual ones"),
  }),
  batch: count.nullable().describe("Examples of a micro-batch; null where tokensPerBatch is set"),
  tokensPerBatch: count.nullable().describe("Most tokens of a micro-batch, padding included; null where batch is set"),
  accumulate: count.describe("Micro-batches of an update"),
  steps: count.nullable().describe("Updates in all; null where epochs is set"),
  epochs: count.nullable().describe("Times that every example is seen; null where steps is set"),
  optimiser: z.strictObject({
    name: z.enum(["adam", "adamw"]).describe("adamw decays weights apart from the gradient"),
    betas: z
      .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
      .describe("Shares that the two moments keep at each update"),
    epsilon: z.number().positive().describe("Added to the root of the second moment"),
    weightDecay: z.number().min(0).describe("Share of a weight, times the rate, that an update takes away"),
    clipNorm: z.number().min(0).describe("Largest norm of the gradient; 0: no clipping"),
  }),
  schedule: z.strictObject({
    kind: z.enum(["constant", "linear", "cosine", "inverse_sqrt"]).describe("How the rate goes on after the warm-up"),
    peak: z.number().positive().describe("The highest learning rate"),
    warmup: z
      .number()
      .min(0)
      .refine((value) => value < 1 || Number.isInteger(value), "expected whole updates, or a share below 1")
      .describe("Updates until the peak; below 1: a share of all updates"),
    initial: z.number().min(0).describe("The rate that the warm-up begins with"),
    floor: z.number().min(0).max(1).describe("What linear and cosine end at, as a share of the peak"),
  }),
  evaluate: z.strictObject({
    every: updates("evaluations (there is one at the start and one at the end too)"),
    examples: z.int().min(0).nullable().describe("The first so many held-out examples; null: all"),
  }),
  sample: z.strictObject({
    every: updates("continuations of prompts, by a decoder"),
    prompts: z.array(z.string()).describe("What is continued"),
    maxNewTokens: count.describe("Most tokens of a continuation"),
  }),
  save: z.strictObject({ every: updates("checkpoints"), keep: count.describe("Checkpoints that stay, the last ones") }),
  average: count.describe("The result is the mean of the last n epochs' weights; 1: the last"),
  checkpointing: z.boolean().describe("Layers are computed again in the backward pass: less memory, a third more time"),
  precision: z
    .enum(["float32", "float16", "bfloat16"])
    .describe(
      "float16: half precision on float32 weights, with a loss scale that adapts; for GPUs. bfloat16: for galen launch",
    ),
  seed: z.int().min(0).describe("Of every random choice"),
  device: z.enum(devices).describe("Where it runs; auto: CUDA, else the CPU"),
  threads: z.int().min(0).describe("Threads within an operation; 0: one a core"),
});

/** What a run does, apart from the files that it reads and writes. */
export type Config = z.infer<typeof configSchema>;

export interface Setting {
  /** As it is given: "schedule.peak"; an objective's own without "objective.". */
  readonly path: string;
  /** As it is given, too. */
  readonly value: string;
  readonly about: string;
}

/** Every setting of a configuration with what it means; the objective's own come first. */
export function settingsOf(config: Config): Setting[] {
  const { recipe: _, objective: __, ...common } = configSchema.shape;
  const own = objectiveSettings.options.find(({ shape }) => shape.kind.value === config.objective.kind)!;
  const { kind: ___, ...settings } = own.shape;
  return [...walk(settings, config.objective, ""), ...walk(common, config, "")];
}

function walk(shape: Readonly<Record<string, z.ZodType>>, values: object, before: string): Setting[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const path = before + name;
    const value = (values as Readonly<Record<string, unknown>>)[name];
    if (schema instanceof z.ZodObject && schema.description === undefined) {
      return walk(schema.shape as Readonly<Record<string, z.ZodType>>, value as object, `${path}.`);
    }
    const about = schema.description ?? "";
    if (path === "model" && value !== null) {
      return Object.entries(value as object).map(([field, one]) => ({
        path: `model.${field}`,
        value: asGiven(one),
        about: field === "vocab_size" ? "Rows of the vocabulary; null: as many as the tokenizer has" : "Of config.json",
      }));
    }
    return [{ path, value: asGiven(value), about }];
  });
}

const asGiven = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

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
    if (!set(changed, path, parseValue(setting.slice(at + 1)))) throw unknownSetting(path.join("."), config);
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

/** False where there is no such place. */
function set(config: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  let target = config;
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(target, key) ? target[key] : undefined;
    if (typeof next !== "object" || next === null) return false;
    target = next as Record<string, unknown>;
  }
  const last = path.at(-1)!;
  if (!Object.hasOwn(target, last)) return false;
  target[last] = value;
  return true;
}

function unknownSetting(got: string, config: Config): ConfigError {
  const known = settingsOf(config).map(({ path }) => path);
  const inside = known.find((path) => path.endsWith(`.${got}`));
  const hint = inside === undefined ? didYouMean(got, known) : { hint: `did you mean "${inside}"?` };
  const group = got.slice(0, got.lastIndexOf(".") + 1);
  const beside = known.filter((path) => group !== "" && path.startsWith(group)).map((path) => path.slice(group.length));
  const groups = new Set(known.map((path) => path.replace(/\..*/, ".…")));
  const expected = beside.length > 0 ? beside : [...groups];
  return new ConfigError(`setting: expected one of ${expected.join(", ")}, got "${got}"`, hint);
}

/** JSON where it is JSON, else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
