/** Writing a model as GGUF: what its family says of names, order and settings, and a vocabulary's metadata beside it. */
import { inFile } from "../checkpoints/disk.ts";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { readGgufHeader } from "../checkpoints/gguf/header.ts";
import { type GgufEntry, type GgufType, ggufTypes, type GgufSource, writeGguf } from "../checkpoints/gguf/write.ts";
import { madeEntry, multiplied, ordered } from "../checkpoints/order.ts";
import { CheckpointError } from "../errors.ts";
import { headOf, hiddenGraph, scoringGraph } from "../models/index.ts";
import type { ModelFolder } from "./folder.ts";
import { writtenFormat } from "./foreign.ts";

export interface GgufOptions {
  /** What matrices are stored as. In four bits, tables of the vocabulary have eight: they decide most. */
  readonly type: GgufType;
  readonly name: string;
  /** Metadata of the tokenizer. */
  readonly vocabulary: readonly GgufEntry[];
  /** How vectors of tokens become one of the text, where the model is for that. */
  readonly pooling?: GgufPooling | undefined;
}

/** llama.cpp's ways of making one vector of a text's (`llama_pooling_type`), by Sentence Transformers' names. */
export const ggufPoolings = { mean: 1, cls: 2, lasttoken: 3 } as const;
export type GgufPooling = keyof typeof ggufPoolings;

/** Which of them a file has. @throws CheckpointError for one that makes no vector of a text. */
export async function ggufPoolingOf(path: string): Promise<GgufPooling> {
  const { key, value, pooling } = await saidPooling(path);
  if (pooling !== undefined) return pooling;
  const expected = Object.entries(ggufPoolings).map(([name, number]) => `${number} (${name})`);
  throw new CheckpointError(`${path}: ${key}: expected ${expected.join(", ")}, got ${String(value ?? "none")}`, {
    hint: "the file is of no model for vectors of texts, or was converted without its modules.json",
  });
}

/** Whether a file is of a model for vectors of texts; false where it is no GGUF file at all. */
export async function hasGgufPooling(path: string): Promise<boolean> {
  try {
    return (await saidPooling(path)).pooling !== undefined;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

async function saidPooling(path: string): Promise<{ key: string; value: unknown; pooling: GgufPooling | undefined }> {
  const { metadata } = await readGgufHeader(path);
  const key = `${String(metadata.get("general.architecture")).slice(0, 80)}.pooling_type`;
  const value = metadata.get(key);
  const found = Object.entries(ggufPoolings).find(([, number]) => number === value);
  return { key, value, pooling: found?.[0] as GgufPooling | undefined };
}

/** Tables whose rows llama.cpp adds to others, for which it has float32 alone. */
const added = new Set(["position_embd.weight", "token_types.weight"]);

/**
 * @returns what llama.cpp cannot be told of the model.
 * @throws ConfigError for a family or settings that llama.cpp does not have.
 */
export async function writeGgufModel(
  path: string,
  model: ModelFolder,
  { type, name, vocabulary, pooling }: GgufOptions,
): Promise<readonly string[]> {
  const { family, config, entries } = model;
  const format = writtenFormat("gguf", model);
  const { written } = format;
  const { string: texts, ...sections } = written.settingsOf(config);
  const typed = (section: Readonly<Record<string, string | number | boolean>>, of: string): GgufEntry[] =>
    Object.entries(section).map(([key, value]) => ({ key, type: of as GgufEntry["type"], value }));
  const isQuantised = type === "q8_0" || type === "q4_0";
  const metadata: GgufEntry[] = [
    ...typed(texts ?? {}, "string"),
    { key: "general.name", type: "string", value: name },
    { key: "general.file_type", type: "uint32", value: ggufTypes[type].file },
    ...(isQuantised ? typed({ "general.quantization_version": 2 }, "uint32") : []),
    ...Object.entries(sections).flatMap(([of, section]) => typed(section, of)),
    ...(pooling === undefined
      ? []
      : typed({ [`${texts?.["general.architecture"]}.pooling_type`]: ggufPoolings[pooling] }, "uint32")),
    ...vocabulary,
  ];
  const { parameters } = (headOf(family, config) === undefined ? hiddenGraph : scoringGraph)(family, config);
  const tensors: GgufSource[] = written.storedAs(entries.keys()).map(([storedName, parameter]) => {
    const entry = entries.get(parameter)!;
    const order = format.orderOf?.(parameter, config);
    const isTable = parameters.get(parameter)?.vocabulary === true;
    const inOrder = order === undefined ? entry : ordered(entry, order);
    const factor = written.factorOf?.(parameter, config);
    return {
      name: storedName,
      entry: factor === undefined ? inOrder : multiplied(inOrder, factor),
      type: added.has(storedName) ? "f32" : type === "q4_0" && isTable ? "q8_0" : type,
    };
  });
  for (const [storedName, numbers] of Object.entries(written.tensorsOf?.(config) ?? {})) {
    const place = { name: storedName, file: path, open: inFile(path) };
    const like: TensorEntry = { ...place, dtype: "float32", dims: [], offset: 0, byteLength: 0 };
    tensors.push({ name: storedName, entry: madeEntry(like, [numbers.length], async () => numbers), type: "f32" });
  }
  await writeGguf(path, metadata, tensors);
  return written.lossesOf?.(config) ?? [];
}
