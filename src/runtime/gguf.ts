/** Writing a model as GGUF: what its family says of names, order and settings, and a vocabulary's metadata beside it. */
import { inFile } from "../checkpoints/disk.ts";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { type GgufEntry, type GgufType, ggufTypes, type GgufSource, writeGguf } from "../checkpoints/gguf/write.ts";
import { madeEntry, ordered } from "../checkpoints/order.ts";
import { scoringGraph } from "../models/index.ts";
import type { ModelFolder } from "./folder.ts";
import { writtenFormat } from "./foreign.ts";

export interface GgufOptions {
  /** What matrices are stored as. In four bits, tables of the vocabulary have eight: they decide most. */
  readonly type: GgufType;
  readonly name: string;
  /** Metadata of the tokenizer. */
  readonly vocabulary: readonly GgufEntry[];
}

/**
 * @returns what llama.cpp cannot be told of the model.
 * @throws ConfigError for a family or settings that llama.cpp does not have.
 */
export async function writeGgufModel(
  path: string,
  model: ModelFolder,
  { type, name, vocabulary }: GgufOptions,
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
    ...vocabulary,
  ];
  const { parameters } = scoringGraph(family, config);
  const tensors: GgufSource[] = written.storedAs(entries.keys()).map(([storedName, parameter]) => {
    const entry = entries.get(parameter)!;
    const order = format.orderOf?.(parameter, config);
    const isTable = parameters.get(parameter)?.vocabulary === true;
    return {
      name: storedName,
      entry: order === undefined ? entry : ordered(entry, order),
      type: type === "q4_0" && isTable ? "q8_0" : type,
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
