/**
 * Weights in few bits in safetensors files: a matrix NAME is `NAME`, uint8 [outputs, groups, group · bits / 8], with its
 * scales beside it, `NAME.scales`, float32 [outputs, groups], as ONNX Runtime takes them, so that it maps them from the
 * file. config.json's `quantization_config` says how many bits and how large groups are.
 */
import * as z from "zod";
import { CheckpointError, ConfigError } from "../errors.ts";
import { checked } from "../schema.ts";
import { type Bits, type GroupedWeight, quantizeGroups } from "../tensor/grouped.ts";
import { readFloat32, readTensor, type TensorEntry } from "./entries.ts";
import type { TensorSource } from "./safetensors.ts";

const method = "galen";

const schema = z.looseObject({
  quant_method: z.literal(method),
  bits: z.union([z.literal(4), z.literal(8)]),
  group_size: z.int().refine((size) => size >= 16 && size <= 4096 && Number.isInteger(Math.log2(size)), {
    error: "expected a power of two from 16 to 4096",
  }),
});

/** How the matrices of a folder are held. */
export interface Grouping {
  readonly bits: Bits;
  readonly group: number;
}

/** What config.json says of a folder of such weights. */
export function groupingFields({ bits, group }: Grouping): object {
  return { quant_method: method, bits, group_size: group };
}

/**
 * What config.json's `quantization_config` says; undefined where there is none.
 * @throws ConfigError for another library's quantised weights, or values that do not fit.
 */
export function groupingOf(quantization: unknown, where: string): Grouping | undefined {
  if (quantization === undefined || quantization === null) return undefined;
  const named = (quantization as { quant_method?: unknown }).quant_method;
  if (named !== method) {
    const shown = (JSON.stringify(named) ?? "none").slice(0, 80);
    throw new ConfigError(`${where}: quantization_config: quant_method: expected "${method}", got ${shown}`, {
      hint: "take the model that it was made of, or a GGUF file of it, and run it with --bits 4",
    });
  }
  const { bits, group_size: group } = checked(schema, quantization, `${where}: quantization_config`);
  return { bits, group };
}

const scalesName = (name: string): string => `${name}.scales`;

/**
 * The tensors of a checkpoint, each matrix in few bits as one.
 * @throws CheckpointError for parts that do not fit each other, or a matrix without scales.
 */
export function joinGroups(stored: ReadonlyMap<string, TensorEntry>, grouping: Grouping): Map<string, TensorEntry> {
  const entries = new Map(stored);
  for (const [name, whole] of stored) {
    if (whole.dtype !== "uint8") continue;
    const scales = stored.get(scalesName(name));
    entries.set(name, joined(name, whole, scales, grouping));
    entries.delete(scalesName(name));
  }
  return entries;
}

function joined(name: string, whole: TensorEntry, scales: TensorEntry | undefined, grouping: Grouping): TensorEntry {
  const { bits, group } = grouping;
  const [outputs, groups, bytes] = whole.dims;
  const fits =
    whole.dims.length === 3 &&
    bytes === (group * bits) / 8 &&
    scales?.dtype === "float32" &&
    scales.dims.join() === [outputs, groups].join();
  if (!fits || outputs === undefined || groups === undefined || scales === undefined) {
    const shape = (entry: TensorEntry | undefined): string =>
      entry === undefined ? "none" : `${entry.dtype} [${entry.dims.join(", ")}]`;
    throw new CheckpointError(
      `${whole.file}: "${name.slice(0, 100)}": expected uint8 [outputs, groups, ${(group * bits) / 8}] and "NAME.scales", ` +
        `float32 [outputs, groups], got ${shape(whole)} and ${shape(scales)}`,
      { hint: "config.json's quantization_config and the weights do not belong together" },
    );
  }
  const width = groups * group;
  const read = async (): Promise<GroupedWeight> => {
    const integers = (await readTensor(whole)).data as Uint8Array;
    const factors = (await readTensor(scales)).data as Float32Array;
    return { bits, group, outputs, width, whole: integers, scales: factors };
  };
  const grouped = { bits, group, parts: { whole, scales }, read };
  return { ...whole, name, dtype: "float32", dims: [outputs, width], grouped };
}

/** A matrix's two parts, to be written one after the other: it is read and quantised as the first is asked for. */
export function groupedSources(name: string, entry: TensorEntry, grouping: Grouping): TensorSource[] {
  const { bits, group } = grouping;
  const [outputs, width] = entry.dims as [number, number];
  let scales: Float32Array | undefined;
  return [
    {
      name,
      dtype: "uint8",
      dims: [outputs, width / group, (group * bits) / 8],
      data: async (): Promise<Uint8Array> => {
        const weight = quantizeGroups(await readFloat32(entry), { outputs, width, bits, group });
        scales = weight.scales;
        return weight.whole;
      },
    },
    {
      name: scalesName(name),
      dtype: "float32",
      dims: [outputs, width / group],
      data: (): Float32Array => {
        if (scales === undefined) throw new CheckpointError(`${name}: expected its whole numbers to be written first`);
        const given = scales;
        scales = undefined;
        return given;
      },
    },
  ];
}
