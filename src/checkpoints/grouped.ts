/**
 * Weights in few bits in safetensors files: a matrix NAME is `NAME`, uint8 [outputs, groups, group · bits / 8], with its
 * scales beside it, `NAME.scales`, float32 [outputs, groups], and, where groups are shifted, `NAME.shifts`, as ONNX
 * Runtime takes them, so that it maps them from the file; `NAME.transposed` in place of `NAME` where the matrix itself is
 * [width, outputs]. config.json's `quantization_config` says how many bits and how large groups are.
 */
import * as z from "zod";
import { CheckpointError, ConfigError } from "../errors.ts";
import { checked } from "../schema.ts";
import type { GroupedWeight, Grouping } from "../tensor/grouped.ts";
import { type GroupedParts, readFloat32, readTensor, type TensorEntry } from "./entries.ts";
import type { TensorSource } from "./safetensors.ts";

const method = "galen";

const schema = z.looseObject({
  quant_method: z.literal(method),
  bits: z.union([z.literal(4), z.literal(8)]),
  group_size: z.int().refine((size) => size >= 16 && size <= 4096 && Number.isInteger(Math.log2(size)), {
    error: "expected a power of two from 16 to 4096",
  }),
});

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

/** The parts beside the whole numbers, and what their names end in. */
const parts = ["scales", "shifts"] as const;
const turnedEnd = ".transposed";
const partName = (name: string, part: (typeof parts)[number]): string => `${name}.${part}`;

/**
 * The tensors of a checkpoint, each matrix in few bits, of which `groupingOf` says how, as one.
 * @throws CheckpointError for parts that do not fit each other, or a matrix without scales.
 */
export function joinGroups(
  stored: ReadonlyMap<string, TensorEntry>,
  groupingOf: (name: string) => Grouping | undefined,
): Map<string, TensorEntry> {
  const entries = new Map(stored);
  for (const [storedName, whole] of stored) {
    const transposed = storedName.endsWith(turnedEnd);
    const name = transposed ? storedName.slice(0, -turnedEnd.length) : storedName;
    const grouping = groupingOf(name);
    if (whole.dtype !== "uint8" || grouping === undefined) continue;
    const [scales, shifts] = parts.map((part) => stored.get(partName(name, part)));
    for (const own of [storedName, ...parts.map((part) => partName(name, part))]) entries.delete(own);
    entries.set(name, joined(name, { whole, scales, shifts }, { ...grouping, transposed }));
  }
  return entries;
}

type Found = Omit<GroupedParts, "scales"> & { readonly scales: TensorEntry | undefined };

function joined(
  name: string,
  { whole, scales, shifts }: Found,
  { bits, group, transposed = false }: Grouping,
): TensorEntry {
  const [outputs, groups, bytes] = whole.dims as [number, number, number];
  const isPerGroup = ({ dtype, dims }: TensorEntry): boolean =>
    dtype === "float32" && dims.join() === [outputs, groups].join();
  const fits = whole.dims.length === 3 && bytes === (group * bits) / 8 && (shifts === undefined || isPerGroup(shifts));
  if (!fits || scales === undefined || !isPerGroup(scales)) {
    const shown = [whole, scales, ...(shifts === undefined ? [] : [shifts])].map((entry) =>
      entry === undefined ? "none" : `${entry.dtype} [${entry.dims.join(", ")}]`,
    );
    throw new CheckpointError(
      `${whole.file}: "${name.slice(0, 100)}": expected uint8 [outputs, groups, ${(group * bits) / 8}] and "NAME.scales", ` +
        `float32 [outputs, groups], got ${shown.join(" and ")}`,
      { hint: "config.json's quantization_config and the weights do not belong together" },
    );
  }
  const width = groups * group;
  const read = async (): Promise<GroupedWeight> => {
    const integers = (await readTensor(whole)).data as Uint8Array;
    const [factors, added] = [await readFloat32(scales), shifts === undefined ? undefined : await readFloat32(shifts)];
    const weight = { bits, group, outputs, width, whole: integers, scales: factors };
    return added === undefined ? weight : { ...weight, shifts: added };
  };
  const grouped = { bits, group, transposed, parts: { whole, scales, shifts }, shifted: shifts !== undefined, read };
  return { ...whole, name, dtype: "float32", dims: transposed ? [width, outputs] : [outputs, width], grouped };
}

/** A matrix of these dimensions as it is written: `read` is called as its first part's turn comes, one after the other. */
export function groupedSources(
  name: string,
  { dims, shifted = false }: { readonly dims: readonly number[]; readonly shifted?: boolean },
  { bits, group, transposed = false }: Grouping,
  read: () => Promise<GroupedWeight>,
): TensorSource[] {
  const [outputs, width] = transposed ? dims.toReversed() : dims;
  const groups = width! / group;
  let weight: GroupedWeight | undefined;
  const whole = async (): Promise<Uint8Array> => (weight = await read()).whole;
  const written = shifted ? parts : (["scales"] as const);
  return [
    {
      name: transposed ? name + turnedEnd : name,
      dtype: "uint8",
      dims: [outputs!, groups, (group * bits) / 8],
      data: whole,
    },
    ...written.map((part, i) => ({
      name: partName(name, part),
      dtype: "float32" as const,
      dims: [outputs!, groups],
      data: (): Float32Array => {
        const numbers = weight?.[part];
        if (i === written.length - 1) weight = undefined;
        if (numbers === undefined)
          throw new CheckpointError(`${name}: expected ${part} after its whole numbers, got none`);
        return numbers;
      },
    })),
  ];
}
