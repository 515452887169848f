/**
 * A model directory in few bits, made once: matrices one after the other, so that no more than one is in memory, into
 * safetensors files that ONNX Runtime maps (`checkpoints/grouped.ts`). What that costs is `eval/quantization.ts`'s.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { saveSharded, tensorSource } from "./checkpoints/checkpoint.ts";
import { groupedSources, groupingFields } from "./checkpoints/grouped.ts";
import type { TensorSource } from "./checkpoints/safetensors.ts";
import { ConfigError, DataError } from "./errors.ts";
import type { Graph } from "./graph/graph.ts";
import { takesGroups } from "./graph/weights/groups.ts";
import { weightsOf } from "./graph/weights/layers.ts";
import { writeFileAtomically } from "./io/files.ts";
import { makeWhole } from "./io/outputs.ts";
import { headOf } from "./models/family.ts";
import { hiddenGraph, scoringGraph } from "./models/graphs.ts";
import type { OpenedFolder } from "./runtime/bind.ts";
import { openModelFolder } from "./runtime/folder.ts";
import { readGroups } from "./runtime/grouped.ts";
import { weightBytes } from "./runtime/memory.ts";
import { copyUsage } from "./runtime/save.ts";
import { required } from "./schema.ts";
import { byteSize, sizeOf } from "./tensor/tensor.ts";
import type { Bits, Grouping } from "./tensor/grouped.ts";
import { loadTokenizer } from "./tokenizers/files.ts";

export interface QuantizeOptions {
  /** A model directory, or a name of Hugging Face's hub. */
  readonly source: string;
  /** A directory that is not there yet, or is empty. */
  readonly output: string;
  readonly bits: Bits;
  /** Numbers that share a scale, 32 or 128. Default 32. */
  readonly group?: number | undefined;
  /** Called as numbers are written: so many of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Quantized {
  readonly bits: Bits;
  readonly group: number;
  /** Matrices in few bits, and tensors that stay as they are. */
  readonly packed: number;
  readonly kept: number;
  /** Of the tensors of source and result. */
  readonly bytes: { readonly before: number; readonly after: number };
  /** Bytes that weights take in memory once they are loaded. */
  readonly memory: { readonly before: number; readonly after: number };
  readonly notes: readonly string[];
}

const groupSizes: readonly number[] = [32, 128];

/**
 * Writes a model directory with its matrices in few bits, which `loadModel` and every command take as any other. It
 * appears whole: whatever ends the call before its end leaves nothing under `output`.
 * @throws ConfigError where the output is not empty, or the model is in few bits already; the signal's reason.
 */
export async function quantizeModel(options: QuantizeOptions): Promise<Quantized> {
  required("quantizeModel: options", options, "object");
  const { source, bits, group = 32 } = options;
  required("quantizeModel: source", source, "text");
  required("quantizeModel: output", options.output, "text");
  if (bits !== 4 && bits !== 8) throw new ConfigError(`quantizeModel: bits: expected 4 or 8, got ${String(bits)}`);
  if (!groupSizes.includes(group)) {
    throw new ConfigError(`quantizeModel: group: expected one of ${groupSizes.join(", ")}, got ${group}`);
  }
  const model = await openModelFolder(source);
  const already = [...model.entries.values()].find(({ grouped }) => grouped !== undefined);
  if (already !== undefined) {
    throw new ConfigError(`${source}: expected a model in float32 or half precision, got one in few bits`, {
      hint: "quantise what it was made of: bits that were lost do not come back",
    });
  }
  return makeWhole(options.output, [source], (folder) => write(model, folder, { ...options, group }));
}

/** How each matrix is held that is held in groups. */
function groupings(graph: Graph, { bits, group }: Grouping): Map<string, Grouping> {
  const taken = weightsOf(graph).filter((weight) => takesGroups(weight, group));
  return new Map(taken.map(({ name, transposed }) => [name, { bits, group, transposed }]));
}

async function write(
  model: OpenedFolder,
  folder: string,
  { source, bits, group, onProgress, signal }: QuantizeOptions & { readonly group: number },
): Promise<Quantized> {
  const { family, config, entries } = model;
  await mkdir(folder, { recursive: true });
  const graph = headOf(family, config) === undefined ? hiddenGraph(family, config) : scoringGraph(family, config);
  const held = groupings(graph, { bits, group });
  const total = [...entries.values()].reduce((sum, { dims }) => sum + sizeOf(dims), 0);
  let done = 0;
  const tensors = [...entries].flatMap(([name, entry]): TensorSource[] => {
    const grouping = held.get(name);
    const parts =
      grouping !== undefined
        ? groupedSources(name, entry, grouping, () => readGroups(entry, grouping))
        : [tensorSource(name, entry)];
    const [first, ...rest] = parts as [TensorSource, ...TensorSource[]];
    const data = async (): Promise<Awaited<TensorSource["data"]> & ArrayLike<unknown>> => {
      signal?.throwIfAborted();
      onProgress?.((done += sizeOf(entry.dims)), total);
      return typeof first.data === "function" ? first.data() : first.data;
    };
    return [{ ...first, data } as TensorSource, ...rest];
  });
  await saveSharded(folder, tensors, { inOrder: true });
  const tokenizer = await loadTokenizer(source).catch((error: unknown) => {
    if (error instanceof DataError) return undefined;
    throw error;
  });
  for (const [name, contents] of tokenizer?.files() ?? []) await writeFileAtomically(join(folder, name), contents);
  await copyUsage(model.folder, folder);
  const json = {
    architectures: [family.architecture],
    ...config,
    quantization_config: groupingFields({ bits, group }),
  };
  await writeFileAtomically(join(folder, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
  const bytesOf = (all: readonly { dtype: TensorSource["dtype"]; dims: readonly number[] }[]): number =>
    all.reduce((sum, { dtype, dims }) => sum + sizeOf(dims) * byteSize[dtype], 0);
  return {
    bits,
    group,
    packed: held.size,
    kept: entries.size - held.size,
    bytes: { before: bytesOf([...entries.values()]), after: bytesOf(tensors) },
    memory: { before: weightBytes(graph, entries, new Map()), after: weightBytes(graph, entries, held) },
    notes: [...model.notes, ...(tokenizer === undefined ? ["no tokenizer written: the model has none"] : [])],
  };
}
