/**
 * Which files of a repository a model needs: settings, tokenizer, and weights in one format, the first of those that there
 * are. What other programs need (TensorFlow, Flax, ONNX, OpenVINO, optimiser states, pictures) is left where it is.
 */
import * as z from "zod";
import { CheckpointError } from "../errors.ts";
import { readSettings } from "../io/json.ts";

/** All that a model needs, or what its tokenizer does. */
export type Part = "model" | "tokenizer";

/** A tokenizer may hang on config.json for the kind of model, too. */
const forTokenizer = [
  /^(?:config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$/,
  /^(?:vocab|merges|dict)\.txt$/,
  /^(?:tokenizer|spiece|sentencepiece|sentencepiece\.bpe)\.model$/,
  /^(?:bpecodes|bpe\.codes|chat_template\.jinja)$/,
];
/** The card has the licence, which the card of a model trained from it repeats. */
const forModel = [
  ...forTokenizer,
  /^(?:generation_config|modules|config_sentence_transformers|sentence_\w+_config|task|adapter_config|params)\.json$/,
  /^(?:artifact\.metadata|README\.md)$/,
];

/** In the order in which they are looked for where a model is opened; an index names the files to fetch. */
const weights = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
  "adapter_model.safetensors",
  "adapter_model.bin",
  "model.pt",
  "checkpoint.pt",
  "checkpoint_best.pt",
  "checkpoint_last.pt",
];
const consolidated = /^consolidated\.\d+\.pth$/;

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
const modulesSchema = z.array(z.looseObject({ path: z.string() }));

export interface Repository {
  /** For messages. */
  readonly where: string;
  /** Of all its files. */
  readonly names: readonly string[];
  /** Makes sure of a file, and says where it is. */
  obtain(name: string): Promise<string>;
}

/** @throws CheckpointError where there are no weights of a known format, or not all of them; ConfigError for a bad index. */
export async function neededFiles(repository: Repository, part: Part): Promise<string[]> {
  const settings = inFolder(repository, "", part === "model" ? forModel : forTokenizer);
  if (part === "tokenizer") return settings;
  const found = [...settings, ...(await weightsIn(repository, ""))];
  for (const folder of await moduleFolders(repository)) {
    found.push(...inFolder(repository, folder, forModel), ...(await weightsIn(repository, folder)));
  }
  if (!found.some((name) => /\.(?:safetensors|bin|pt|pth)$/.test(name))) throw noWeights(repository);
  return [...new Set(found)];
}

function inFolder({ names }: Repository, folder: string, wanted: readonly RegExp[]): string[] {
  return names.filter((name) => name.startsWith(folder) && wanted.some((one) => one.test(name.slice(folder.length))));
}

async function weightsIn(repository: Repository, folder: string): Promise<string[]> {
  const { names, where } = repository;
  const first = weights.find((name) => names.includes(folder + name));
  if (first === undefined) return inFolder(repository, folder, [consolidated]);
  const name = folder + first;
  if (!name.endsWith(".index.json")) return [name];
  const path = await repository.obtain(name);
  const index = await readSettings(path, indexSchema);
  const shards = [...new Set(Object.values(index!.weight_map))].map((shard) => folder + shard);
  const missing = shards.filter((shard) => !names.includes(shard));
  if (missing.length === 0) return [name, ...shards];
  throw new CheckpointError(`${where}: expected the shards of ${name}, got none of ${missing.slice(0, 5).join(", ")}`);
}

/** "1_Pooling/", of the modules of Sentence Transformers. */
async function moduleFolders(repository: Repository): Promise<string[]> {
  if (!repository.names.includes("modules.json")) return [];
  const modules = await readSettings(await repository.obtain("modules.json"), modulesSchema);
  return modules!.flatMap(({ path }) => (/^[\w-]+$/.test(path) ? [`${path}/`] : []));
}

function noWeights({ where, names }: Repository): CheckpointError {
  const gguf = names.filter((name) => name.endsWith(".gguf"));
  if (gguf.length > 0) {
    const shown = gguf.slice(0, 12).join(", ") + (gguf.length > 12 ? ", …" : "");
    return new CheckpointError(`${where}: expected weights, got GGUF files alone: ${shown}`, {
      hint: `name one of them: ${where}:${gguf[0]}`,
    });
  }
  const got = names.filter((name) => /\.(?:h5|msgpack|onnx|ot|npz|ckpt|pt|pth|bin)$/.test(name)).slice(0, 5);
  return new CheckpointError(
    `${where}: expected model.safetensors or pytorch_model.bin, got ${got.join(", ") || "no weights"}`,
    { hint: "name a repository with PyTorch's weights, or a folder that holds them: ./folder" },
  );
}
