/**
 * Writing Sentence Transformers and PyLate directories, in the schema up to 5.3, which every version and PyLate read.
 */
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { sourcesOf, writeSafetensors } from "../checkpoints/safetensors.ts";
import type { DenseStage, EmbeddingStage } from "../models/embedding.ts";
import { configText, type ModelConfig } from "../models/index.ts";
import { poolings } from "../nn/pooling.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { activationPaths, poolingFlags } from "./sentence-modules.ts";

/** What a directory says besides its weights. */
export interface SentenceDescription {
  readonly stages: readonly EmbeddingStage[];
  /** Width of the token vectors. */
  readonly width: number;
  readonly maxTokens: number;
  /** Texts are made lower-case. Default false. */
  readonly lowerCase?: boolean;
  readonly prompts?: Readonly<Record<string, string>>;
  readonly defaultPrompt?: string | undefined;
  /** Fields of config_sentence_transformers.json, in place of those above too. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Whose Dense module the directory names. */
export type Dialect = "sentence" | "pylate";
const denseTypes: Record<Dialect, string> = {
  sentence: "sentence_transformers.models.Dense",
  pylate: "pylate.models.Dense.Dense",
};

/** The JSON files of a directory besides config.json and the tokenizer's: path → contents. */
function sentenceFiles(description: SentenceDescription, dialect: Dialect): Map<string, string> {
  const { stages, maxTokens, lowerCase = false, prompts = {}, defaultPrompt = null, settings = {} } = description;
  const types = {
    pooling: "sentence_transformers.models.Pooling",
    normalize: "sentence_transformers.models.Normalize",
    dense: denseTypes[dialect],
  };
  const modules = [
    { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
    ...stages.map(({ kind, name }, i) => ({ idx: i + 1, name: String(i + 1), path: name, type: types[kind] })),
  ];
  const files = new Map<string, unknown>([
    ["modules.json", modules],
    ["sentence_bert_config.json", { max_seq_length: maxTokens, do_lower_case: lowerCase }],
    [
      "config_sentence_transformers.json",
      {
        model_type: "SentenceTransformer",
        prompts,
        default_prompt_name: defaultPrompt,
        similarity_fn_name: "cosine",
        ...settings,
      },
    ],
  ]);
  let width = description.width;
  for (const stage of stages) {
    if (stage.kind === "pooling") {
      const on = Object.fromEntries(poolings.map((one) => [poolingFlags[one], stage.modes.includes(one)]));
      files.set(`${stage.name}/config.json`, {
        word_embedding_dimension: width,
        ...on,
        include_prompt: stage.includePrompt,
      });
      width *= stage.modes.length;
    } else if (stage.kind === "dense") {
      files.set(`${stage.name}/config.json`, denseConfig(stage, dialect));
      width = stage.outWidth;
    }
  }
  return new Map([...files].map(([path, json]) => [path, `${JSON.stringify(json, null, 2)}\n`]));
}

function denseConfig(stage: DenseStage, dialect: Dialect): object {
  const config = {
    in_features: stage.inWidth,
    out_features: stage.outWidth,
    bias: stage.bias,
    activation_function: activationPaths[stage.activation],
  };
  // Sentence Transformers up to 5.6 refuses a field that it does not know.
  return dialect === "pylate" || stage.residual ? { ...config, use_residual: stage.residual } : config;
}

/** Writes what a directory says besides its weights, config.json and the tokenizer's files. */
export async function writeSentenceFiles(
  folder: string,
  description: SentenceDescription,
  dialect: Dialect = "sentence",
): Promise<void> {
  for (const [path, contents] of sentenceFiles(description, dialect)) {
    await writeFileAtomically(join(folder, path), contents);
  }
}

/**
 * Writes a directory: the files above, config.json, the tokenizer's files, and weights, those of a dense layer in its
 * own folder.
 */
export async function saveSentenceFolder(
  folder: string,
  model: {
    readonly config: ModelConfig;
    readonly tokenizer: Tokenizer;
    readonly parameters: ReadonlyMap<string, Tensor>;
  },
  description: SentenceDescription,
  dialect: Dialect = "sentence",
): Promise<void> {
  const files = new Map([...model.tokenizer.files(), ["config.json", configText(model.config)]]);
  for (const [path, contents] of files) await writeFileAtomically(join(folder, path), contents);
  await writeSentenceFiles(folder, description, dialect);
  const rest = new Map(model.parameters);
  for (const { name } of description.stages.filter(({ kind }) => kind === "dense")) {
    const own = [...rest].filter(([parameter]) => parameter.startsWith(`${name}.`));
    for (const [parameter] of own) rest.delete(parameter);
    const tensors = own.map(([parameter, value]) => [parameter.slice(name.length + 1), value] as const);
    await writeSafetensors(join(folder, name, "model.safetensors"), sourcesOf(tensors));
  }
  await writeSafetensors(join(folder, "model.safetensors"), sourcesOf(rest));
}
