/**
 * What Sentence Transformers directories say, wherever their files are: modules.json and what it points to, in both schemas (up to 5.3 and from 5.4), to
 * stages. A module or setting that is not understood is an error, because skipping one gives wrong vectors.
 */
import * as z from "zod";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { ConfigError } from "../errors.ts";
import type { DenseActivation, EmbeddingStage } from "../models/embedding.ts";
import { type Pooling, poolings } from "../nn/pooling.ts";
import { type ModelFolder, tokenLimitOf } from "../runtime/bind.ts";

const moduleSchema = z.array(z.looseObject({ path: z.string(), type: z.string(), name: z.string().optional() })).min(1);

const transformerSchema = z.looseObject({
  max_seq_length: z.int().positive().nullish(),
  do_lower_case: z.boolean().default(false),
  transformer_task: z.literal("feature-extraction").default("feature-extraction"),
  modality_config: z
    .looseObject({
      text: z.looseObject({ method: z.literal("forward"), method_output_name: z.literal("last_hidden_state") }),
    })
    .optional(),
  module_output_name: z.literal("token_embeddings").optional(),
  query_length: z.int().positive().nullish(),
  document_length: z.int().positive().nullish(),
  query_expansion: z
    .strictObject({
      strategy: z.enum(["fixed", "min"]),
      attend: z.boolean().default(false),
      token: z.string().nullish(),
      length: z.int().positive(),
    })
    .nullish(),
  processing_kwargs: z.strictObject({}, { error: "expected none (other processing is not supported)" }).optional(),
});

export const settingsSchema = z.looseObject({
  model_type: z.string().default("SentenceTransformer"),
  prompts: z.record(z.string(), z.string()).default({}),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.string().nullish(),
});

/** The older schema's fields, one a mode. */
export const poolingFlags = {
  cls: "pooling_mode_cls_token",
  max: "pooling_mode_max_tokens",
  mean: "pooling_mode_mean_tokens",
  mean_sqrt_len_tokens: "pooling_mode_mean_sqrt_len_tokens",
  weightedmean: "pooling_mode_weightedmean_tokens",
  lasttoken: "pooling_mode_lasttoken",
} as const satisfies Record<Pooling, string>;

const flag = z.boolean().default(false);
const mode = z.enum(poolings);
const poolingSchema = z.looseObject({
  ...(Object.fromEntries(Object.values(poolingFlags).map((name) => [name, flag])) as Record<
    (typeof poolingFlags)[Pooling],
    typeof flag
  >),
  pooling_mode: z.union([mode.transform((one) => [one]), z.array(mode).min(1)]).optional(),
  include_prompt: z.boolean().default(true),
});

const denseSchema = z.looseObject({
  in_features: z.int().positive(),
  out_features: z.int().positive(),
  bias: z.boolean().default(true),
  activation_function: z.string().default("torch.nn.modules.activation.Tanh"),
  module_input_name: z.string().optional(),
  module_output_name: z.string().nullish(),
  use_residual: z.boolean().default(false),
});

const normalizeSchema = z.looseObject({ module_input_name: z.string().default("sentence_embedding") });

/** torch's class paths of the activations that are understood. */
export const activationPaths: Record<DenseActivation, string> = {
  linear: "torch.nn.modules.linear.Identity",
  tanh: "torch.nn.modules.activation.Tanh",
  relu: "torch.nn.modules.activation.ReLU",
  gelu: "torch.nn.modules.activation.GELU",
  sigmoid: "torch.nn.modules.activation.Sigmoid",
  silu: "torch.nn.modules.activation.SiLU",
};

const maskSchema = z.looseObject({
  skiplist_words: z.array(z.string()).nullish(),
  skiplist_tasks: z.array(z.enum(["query", "document"])).default(["document"]),
  keep_only_token_ids: z.null({ error: "expected null (a list of ids to keep is not supported)" }).optional(),
});

export interface SentenceFolder {
  readonly model: ModelFolder;
  readonly stages: readonly EmbeddingStage[];
  /** Tokens that do not count: the module of multi-vector directories. */
  readonly mask: z.infer<typeof maskSchema> | undefined;
  /** Weights of the network and of the stages. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Tokens that a text is cut to. */
  readonly maxTokens: number;
  readonly lowerCase: boolean;
  /** Lengths and query expansion of multi-vector directories. */
  readonly lengths: Pick<z.infer<typeof transformerSchema>, "query_length" | "document_length" | "query_expansion">;
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPrompt: string | undefined;
  /** config_sentence_transformers.json. */
  readonly settings: z.infer<typeof settingsSchema>;
}

/** Where the parts of a directory are read from, by their paths. */
export interface FolderFiles {
  settings(path: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  settings<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined>;
  settings<S extends z.ZodType>(path: string, schema: S, missing: object): Promise<z.output<S>>;
  /** The network without a head. */
  model(folder: string): Promise<ModelFolder>;
  /** What a folder's weights hold, by their names in it. */
  weights(folder: string): Promise<ReadonlyMap<string, TensorEntry>>;
}

/**
 * Reads a Sentence Transformers directory.
 * @throws ConfigError where a module or a setting is not understood; CheckpointError where weights are missing.
 */
export async function readSentenceFolder(folder: string, files: FolderFiles): Promise<SentenceFolder> {
  const path = join(folder, "modules.json");
  const modules = await files.settings(path, moduleSchema);
  if (modules === undefined) {
    throw new ConfigError(`${path}: expected a Sentence Transformers directory with this file, got none`, {
      hint: "name a directory that SentenceTransformer.save wrote",
    });
  }
  const [first, ...rest] = modules;
  if (classOf(first!.type) !== "Transformer") throw notUnderstood(path, first!.type, "Transformer first");
  const root = join(folder, safePath(path, first!.path));
  const model = await files.model(root);
  const entries = new Map(model.entries);
  const stages: EmbeddingStage[] = [];
  let mask: SentenceFolder["mask"];
  for (const { type, path: name } of rest) {
    if (classOf(type) === "MultiVectorMask") {
      mask = await files.settings(join(folder, safePath(path, name), "config.json"), maskSchema, {});
      continue;
    }
    const isPooled = stages.some(({ kind }) => kind === "pooling");
    const stage = await readStage({ folder, files }, classOf(type), safePath(path, name), isPooled, () =>
      notUnderstood(path, type),
    );
    stages.push(stage);
    if (stage.kind !== "dense") continue;
    for (const [tensor, entry] of await files.weights(join(folder, name))) entries.set(`${name}.${tensor}`, entry);
  }
  const settings = await files.settings(join(folder, "config_sentence_transformers.json"), settingsSchema, {});
  return {
    model,
    stages,
    mask,
    entries,
    settings,
    ...(await readLimits(root, model, files)),
    prompts: settings.prompts,
    defaultPrompt: settings.default_prompt_name ?? undefined,
  };
}

/** What a directory made of another says too: its settings, but for the versions that wrote them. */
export function kept(settings: SentenceFolder["settings"] | undefined): Readonly<Record<string, unknown>> {
  const { __version__, ...rest }: Readonly<Record<string, unknown>> = settings ?? {};
  return rest;
}

/** A path below a folder, or a URL's; empty parts are left out. */
function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}

const known = "Transformer, Pooling, Dense, Normalize, MultiVectorMask";

function notUnderstood(path: string, type: string, expected = `one of ${known}`): ConfigError {
  return new ConfigError(`${path}: type: expected ${expected}, got ${type}`, {
    hint: "a module cannot be left out: the vectors would be wrong",
  });
}

/** The class of a module's type, whatever package path a version gives it; empty where the package is unknown. */
function classOf(type: string): string {
  const parts = type.split(".");
  return parts[0] === "sentence_transformers" || parts[0] === "pylate" ? parts.at(-1)! : "";
}

function safePath(where: string, path: string): string {
  if (/^[\w-]*$/.test(path)) return path;
  throw new ConfigError(`${where}: path: expected a folder in this directory, got ${JSON.stringify(path)}`);
}

async function readStage(
  { folder, files }: { readonly folder: string; readonly files: FolderFiles },
  kind: string,
  name: string,
  isPooled: boolean,
  refusal: () => ConfigError,
): Promise<EmbeddingStage> {
  const where = join(folder, name, "config.json");
  const side = isPooled ? "sentence_embedding" : "token_embeddings";
  if (kind === "Pooling") {
    const config = await files.settings(where, poolingSchema, {});
    const modes = config.pooling_mode ?? poolings.filter((one) => config[poolingFlags[one]]);
    if (modes.length === 0)
      throw new ConfigError(`${where}: pooling_mode: expected one of ${poolings.join(", ")}, got none`);
    return { kind: "pooling", name, modes, includePrompt: config.include_prompt };
  }
  if (kind === "Normalize") {
    const config = await files.settings(where, normalizeSchema, {});
    checkSide(where, config.module_input_name, side);
    return { kind: "normalize", name };
  }
  if (kind !== "Dense") throw refusal();
  const config = await files.settings(where, denseSchema, {});
  checkSide(where, config.module_input_name ?? side, side);
  checkSide(where, config.module_output_name ?? side, side);
  const found = Object.entries(activationPaths).find(([, path]) => path === config.activation_function);
  if (found === undefined) {
    throw new ConfigError(
      `${where}: activation_function: expected one of ${Object.values(activationPaths).join(", ")}, ` +
        `got ${config.activation_function}`,
    );
  }
  return {
    kind: "dense",
    name,
    inWidth: config.in_features,
    outWidth: config.out_features,
    bias: config.bias,
    activation: found[0] as DenseActivation,
    residual: config.use_residual,
  };
}

/** Stages act on tokens before pooling and on sentences after it; other wiring is not supported. */
function checkSide(where: string, got: string, expected: string): void {
  if (got !== expected) throw new ConfigError(`${where}: module_input_name: expected ${expected} here, got ${got}`);
}

/** max_seq_length, else the tokenizer's model_max_length, at most the network's positions. */
async function readLimits(
  root: string,
  { config }: ModelFolder,
  files: FolderFiles,
): Promise<Pick<SentenceFolder, "maxTokens" | "lowerCase" | "lengths">> {
  const names = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"];
  const limit = async (): Promise<number> =>
    tokenLimitOf(await files.settings(join(root, "tokenizer_config.json")), config);
  for (const name of names) {
    const path = join(root, `sentence_${name}_config.json`);
    const settings = await files.settings(path, transformerSchema);
    if (settings === undefined) continue;
    const { max_seq_length, do_lower_case, ...lengths } = settings;
    const most = config.max_position_embeddings;
    const maxTokens = max_seq_length == null ? await limit() : Math.min(max_seq_length, most);
    return { maxTokens, lowerCase: do_lower_case, lengths };
  }
  return { maxTokens: await limit(), lowerCase: false, lengths: {} };
}
