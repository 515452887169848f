/**
 * fairseq checkpoints of BioGPT, as Hugging Face names and configures them. Names: fairseq 0.12.2
 * `TransformerDecoder` and transformers `BioGptForCausalLM`. Left out: optimizer and training state, other models.
 */
import { CheckpointError } from "../errors.ts";
import { readTensor, type TensorEntry } from "./entries.ts";
import type { PickleValue } from "./pickle-values.ts";
import { field, openTorchFile } from "./torch-file.ts";

export interface FairseqCheckpoint {
  /** By Hugging Face name. */
  readonly entries: Map<string, TensorEntry>;
  /** What belongs in `config.json`. */
  readonly config: BioGptConfigFile;
  /** What was dropped, and why. */
  readonly notes: string[];
}

/** The fields of Hugging Face's `BioGptConfig`. */
interface BioGptConfigFile {
  readonly architectures: readonly string[];
  readonly model_type: "biogpt";
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly max_position_embeddings: number;
  readonly hidden_act: string;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  readonly activation_dropout: number;
  readonly layerdrop: number;
  readonly initializer_range: number;
  readonly layer_norm_eps: number;
  readonly scale_embedding: boolean;
  readonly tie_word_embeddings: boolean;
  readonly use_cache: boolean;
  readonly bos_token_id: number;
  readonly pad_token_id: number;
  readonly eos_token_id: number;
}

const embeddingName = "biogpt.embed_tokens.weight";
const headName = "output_projection.weight";
const knownName =
  /^(embed_tokens\.weight|embed_positions\.weight|layer_norm\.(weight|bias)|layers\.\d+\.(self_attn\.[kvq]_proj|self_attn\.out_proj|self_attn_layer_norm|fc1|fc2|final_layer_norm)\.(weight|bias))$/;

/**
 * Opens a fairseq checkpoint (`checkpoint*.pt`, `model.pt`).
 * @throws CheckpointError when it is not a BioGPT decoder or its output matrix is not tied to its embedding.
 */
export async function openFairseq(path: string): Promise<FairseqCheckpoint> {
  const { root, tensors } = await openTorchFile(path, { strict: false });
  const notes: string[] = [];
  const entries = new Map<string, TensorEntry>();
  for (const [name, entry] of tensors) {
    if (name === "decoder.version") continue;
    const renamed = huggingFaceName(path, name);
    entries.set(renamed, { ...entry, name: renamed });
  }
  notes.push(...(await dropTiedHead(entries)));
  return { entries, config: readConfig(path, root, entries), notes };
}

/** Whether these are the tensor names of a fairseq decoder. */
export function isFairseq(names: Iterable<string>): boolean {
  return [...names].includes("decoder.embed_tokens.weight");
}

function huggingFaceName(path: string, name: string): string {
  if (name === `decoder.${headName}`) return headName;
  const rest = name.startsWith("decoder.") ? name.slice("decoder.".length) : "";
  if (!knownName.test(rest))
    throw new CheckpointError(`${path}: expected the tensors of a BioGPT decoder, got ${JSON.stringify(name)}`, {
      hint: "only fairseq's transformer_lm with learned positions can be converted",
    });
  return `biogpt.${rest}`;
}

/**
 * Removes `output_projection.weight` where it is a second copy of the embedding, and says so.
 * @throws CheckpointError when the two differ.
 */
export async function dropTiedHead(entries: Map<string, TensorEntry>): Promise<string[]> {
  const head = entries.get(headName);
  const embedding = entries.get(embeddingName);
  if (head === undefined || embedding === undefined) return [];
  const [a, b] = [await readTensor(head), await readTensor(embedding)];
  const bytes = [a, b].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)) as [
    Buffer,
    Buffer,
  ];
  if (a.dtype !== b.dtype || a.dims.join() !== b.dims.join() || !bytes[0].equals(bytes[1]))
    throw new CheckpointError(`${head.file}: expected ${headName} to equal ${embeddingName}, got other numbers`, {
      hint: "a model whose output matrix is not tied to its embedding cannot be represented",
    });
  entries.delete(headName);
  return [`${headName} dropped: it is a second copy of ${embeddingName}`];
}

/** A setting of plain dictionaries, namespaces and pickled omegaconf containers. */
function setting(settings: PickleValue | undefined, key: string): PickleValue | undefined {
  const value = field(settings, key) ?? field(field(settings, "_content"), key);
  return field(value, "_val") ?? value;
}

function readConfig(path: string, root: PickleValue, entries: Map<string, TensorEntry>): BioGptConfigFile {
  const model = setting(field(root, "cfg"), "model");
  const settings = model ?? field(root, "args");
  const number = (key: string, fallback?: number): number => {
    const value = setting(settings, key) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new CheckpointError(`${path}: expected the number ${key} in cfg.model or args, got ${String(value)}`, {
      hint: "the checkpoint holds no settings of its model; convert the one that fairseq-train wrote",
    });
  };
  const dims = (name: string): readonly number[] => {
    const entry = entries.get(name);
    if (entry?.dims.length === 2) return entry.dims;
    throw new CheckpointError(
      `${path}: expected the matrix ${name}, got ${entry === undefined ? "none" : "another shape"}`,
    );
  };
  const [vocabulary, hidden] = dims(embeddingName) as [number, number];
  const [positions] = dims("biogpt.embed_positions.weight") as [number, number];
  const [inner] = dims("biogpt.layers.0.fc1.weight") as [number, number];
  const layers = new Set([...entries.keys()].map((name) => /^biogpt\.layers\.(\d+)\./.exec(name)?.[1]));
  layers.delete(undefined);
  const heads = number("decoder_attention_heads");
  const expected = { decoder_embed_dim: hidden, decoder_ffn_embed_dim: inner, decoder_layers: layers.size };
  for (const [key, size] of Object.entries(expected))
    if (number(key, size) !== size)
      throw new CheckpointError(`${path}: expected ${key} ${size} as its tensors have, got ${number(key)}`);
  const activation = setting(settings, "activation_fn") ?? "gelu";
  return {
    architectures: ["BioGptForCausalLM"],
    model_type: "biogpt",
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers.size,
    num_attention_heads: heads,
    max_position_embeddings: positions - 2, // rows 0 and 1 belong to no token
    hidden_act: typeof activation === "string" ? activation : "gelu",
    hidden_dropout_prob: number("dropout", 0.1),
    attention_probs_dropout_prob: number("attention_dropout", 0.1),
    activation_dropout: number("activation_dropout", 0),
    layerdrop: number("decoder_layerdrop", 0),
    initializer_range: 0.02,
    layer_norm_eps: 1e-5, // torch's default, which fairseq uses
    scale_embedding: setting(settings, "no_scale_embedding") !== true,
    tie_word_embeddings: true,
    use_cache: true,
    bos_token_id: 0,
    pad_token_id: 1,
    eos_token_id: 2,
  };
}
