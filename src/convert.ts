/**
 * Model directories from one format to another: Hugging Face's safetensors and pytorch_model.bin, fairseq's checkpoint.pt
 * with dict.txt and bpecodes. The result is opened again and run beside the source on the same tokens.
 */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openCheckpoint, saveSharded } from "./checkpoints/checkpoint.ts";
import { readTensor, type TensorEntry } from "./checkpoints/entries.ts";
import { dropTiedHead, openFairseq } from "./checkpoints/fairseq.ts";
import { writeFileAtomically } from "./io/files.ts";
import { type TorchTensor, type TorchValue, writeTorchFile } from "./checkpoints/torch-write.ts";
import { CheckpointError, ConfigError, DataError } from "./errors.ts";
import { Model } from "./model.ts";
import { bioGpt, type BioGptConfig, familyOf } from "./models/index.ts";
import { type ModelFolder, openModelFolder } from "./runtime/folder.ts";
import { random } from "./tensor/random.ts";
import { type BioGptTokenizer, fairseqFiles, loadTokenizer, type Tokenizer } from "./tokenizers/index.ts";

export const modelFormats = ["safetensors", "pytorch", "fairseq"] as const;
export type ModelFormat = (typeof modelFormats)[number];

export interface ConvertOptions {
  /** A model directory, or a checkpoint file with its tokenizer's files beside it. */
  readonly source: string;
  readonly output: string;
  /** Default "safetensors". */
  readonly format?: ModelFormat | undefined;
  /** What floats of safetensors are stored as. Default: as they are. */
  readonly dtype?: "float32" | "float16" | "bfloat16" | undefined;
}

export interface Converted {
  readonly format: ModelFormat;
  readonly tensors: number;
  readonly parameters: number;
  /** Largest difference between the logits of source and result, and the largest logit, on `tokens` tokens. */
  readonly parity: { readonly difference: number; readonly largest: number; readonly tokens: number };
  /** True where the tokenizer's files were written. */
  readonly tokenizer: boolean;
  readonly notes: readonly string[];
}

/** @throws CheckpointError, ConfigError or DataError that names the file and what was expected of it. */
export async function convertModel({
  source,
  output,
  format = "safetensors",
  dtype,
}: ConvertOptions): Promise<Converted> {
  const { folder, config, notes } = await openSource(source);
  if (format !== "safetensors" && dtype !== undefined) {
    throw new ConfigError(`dtype: expected only with format safetensors, got ${dtype} with ${format}`);
  }
  const entries = new Map(folder.entries);
  if (folder.family.modelType === bioGpt.modelType) notes.push(...(await dropTiedHead(entries)));
  const tokenizer = await tokenizerOf(source, notes);
  if (format === "fairseq") await writeFairseq(output, folder, entries, tokenizer);
  else {
    await writeFileAtomically(join(output, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
    for (const [name, contents] of tokenizer?.files() ?? []) await writeFileAtomically(join(output, name), contents);
    if (format === "pytorch") {
      await writeTorchFile(
        join(output, "pytorch_model.bin"),
        Object.fromEntries([...entries].map(([name, entry]) => [name, asTorch(entry)])),
      );
    } else {
      const sources = [...entries].map(([name, entry]) => ({
        name,
        dtype: entry.dtype,
        dims: entry.dims,
        data: async () => (await readTensor(entry)).data,
      }));
      await saveSharded(output, sources, dtype === undefined ? {} : { dtype });
    }
  }
  const parity = await compare(
    folder,
    (await openSource(format === "fairseq" ? join(output, "checkpoint.pt") : output)).folder,
  );
  const parameters = [...entries.values()].reduce(
    (sum, { dims }) => sum + dims.reduce((product, dim) => product * dim, 1),
    0,
  );
  return { format, tensors: entries.size, parameters, parity, tokenizer: tokenizer !== undefined, notes };
}

interface Source {
  readonly folder: ModelFolder;
  /** Contents of config.json. */
  readonly config: unknown;
  readonly notes: string[];
}

async function openSource(source: string): Promise<Source> {
  const isFolder = (await stat(source).catch(() => undefined))?.isDirectory() === true;
  if (isFolder && (await stat(join(source, "config.json")).catch(() => undefined)) !== undefined) {
    const folder = await openModelFolder(source);
    return { folder, config: { architectures: [folder.family.architecture], ...folder.config }, notes: [] };
  }
  // Without config.json only fairseq's checkpoints tell their shape.
  const [first] = [...(await openCheckpoint(source)).values()];
  if (first === undefined) throw new CheckpointError(`${source}: expected tensors, got none`);
  if (!first.file.endsWith(".pt")) {
    const beside = isFolder ? source : dirname(source);
    if (!isFolder && (await stat(join(beside, "config.json")).catch(() => undefined)) !== undefined) {
      const config = JSON.parse(JSON.stringify((await openModelFolder(beside)).config)) as object;
      const family = familyOf(config, beside);
      const folder = {
        folder: beside,
        family,
        config: family.parseConfig(config, beside),
        entries: await openCheckpoint(source),
      };
      return { folder, config: { architectures: [family.architecture], ...config }, notes: [] };
    }
    throw new CheckpointError(`${join(beside, "config.json")}: expected beside the weights, got none`, {
      hint: "only fairseq's checkpoints hold the settings of their model",
    });
  }
  const { entries, config, notes } = await openFairseq(first.file);
  const folder = {
    folder: dirname(first.file),
    family: familyOf(config, source),
    config: bioGpt.parseConfig(config, source),
    entries,
  };
  return { folder: folder as unknown as ModelFolder, config, notes: [...notes] };
}

async function tokenizerOf(source: string, notes: string[]): Promise<Tokenizer | undefined> {
  const isFolder = (await stat(source)).isDirectory();
  const folder = isFolder ? source : dirname(source);
  try {
    return await loadTokenizer(folder);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    notes.push(`no tokenizer written: ${error.message.split("\n")[0]}`);
    return undefined;
  }
}

const asTorch = (entry: TensorEntry): TorchTensor => ({
  kind: "tensor",
  key: entry.name,
  dtype: entry.dtype,
  dims: entry.dims,
  data: async () => (await readTensor(entry)).data,
});

/** checkpoint.pt as fairseq's transformer_lm has it, dict.txt and bpecodes. */
async function writeFairseq(
  output: string,
  { family, config }: ModelFolder,
  entries: ReadonlyMap<string, TensorEntry>,
  tokenizer: Tokenizer | undefined,
): Promise<void> {
  if (family.modelType !== bioGpt.modelType)
    throw new ConfigError(`format fairseq: expected a BioGPT model, got ${family.modelType}`);
  if (tokenizer?.family === "biogpt") {
    for (const [name, contents] of fairseqFiles((tokenizer as BioGptTokenizer).parts)) {
      await writeFileAtomically(join(output, name), contents);
    }
  }
  const model: Record<string, TorchValue> = {};
  const version = Float32Array.of(3);
  model["decoder.version"] = { kind: "tensor", key: "version", dtype: "float32", dims: [1], data: () => version };
  for (const [name, entry] of entries) model[name.replace(/^biogpt\./, "decoder.")] = asTorch(entry);
  model["decoder.output_projection.weight"] = asTorch(entries.get("biogpt.embed_tokens.weight")!);
  const c = config as BioGptConfig;
  const settings = {
    _name: "transformer_lm",
    activation_fn: c.hidden_act,
    dropout: c.hidden_dropout_prob,
    attention_dropout: c.attention_probs_dropout_prob,
    activation_dropout: c.activation_dropout,
    decoder_embed_dim: c.hidden_size,
    decoder_output_dim: c.hidden_size,
    decoder_input_dim: c.hidden_size,
    decoder_ffn_embed_dim: c.intermediate_size,
    decoder_layers: c.num_hidden_layers,
    decoder_attention_heads: c.num_attention_heads,
    decoder_normalize_before: true,
    decoder_learned_pos: true,
    share_decoder_input_output_embed: true,
    no_scale_embedding: !c.scale_embedding,
    max_target_positions: c.max_position_embeddings,
    tokens_per_sample: c.max_position_embeddings,
    layernorm_embedding: false,
  };
  const task = { _name: "language_modeling", tokens_per_sample: c.max_position_embeddings };
  await writeTorchFile(join(output, "checkpoint.pt"), { args: null, cfg: { model: settings, task }, model });
}

/** Both models on two rows of the same tokens. */
async function compare(a: ModelFolder, b: ModelFolder): Promise<Converted["parity"]> {
  const { vocab_size: vocabulary, max_position_embeddings: positions } = a.config;
  const length = Math.min(32, positions);
  const draw = random(1);
  const ids = Array.from({ length: 2 }, () => Array.from({ length }, () => draw.integer(vocabulary)));
  await using first = new Model(a);
  await using second = new Model(b);
  const bare = a.family.architecture !== (a.config.architectures?.[0] ?? a.family.architecture);
  const run = async (model: Model): Promise<Float32Array> =>
    (bare ? (await model.hidden({ ids })).hidden : (await model.forward({ ids })).logits).data;
  const [x, y] = [await run(first), await run(second)];
  let [difference, largest] = [0, 0];
  x.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - y[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return { difference, largest, tokens: 2 * length };
}
