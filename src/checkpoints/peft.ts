/**
 * Low-rank adapters as peft saves them (peft 0.18, tuners/lora; Hu et al. 2021, arXiv:2106.09685): adapter_config.json and
 * adapter_model.safetensors or .bin. Merged as `merge_and_unload` does: W + scale · B A, in the weight's own dtype. Which
 * weight a module is the caller says. Left out: DoRA, biases of adapters, adapters that are not LoRA.
 */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import * as z from "zod";
import { CheckpointError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readSettings } from "../io/json.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { readFloat32, type TensorEntry } from "./entries.ts";
import { type FloatDType, fromFloat32, isFloat } from "./floats.ts";
import { madeEntry } from "./order.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { openTorchFile } from "./torch-file.ts";

export const adapterFile = "adapter_config.json";
const weightFiles = ["adapter_model.safetensors", "adapter_model.bin"];

const pattern = z.record(z.string().max(500), z.number().positive()).nullish();
const schema = z.looseObject({
  base_model_name_or_path: z.string().nullish(),
  peft_type: z.string().nullish(),
  task_type: z.string().nullish(),
  r: z
    .int()
    .positive()
    .max(1 << 16)
    .default(8),
  lora_alpha: z.number().positive().default(8),
  use_rslora: z.boolean().nullish(),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  fan_in_fan_out: z.boolean().nullish(),
  bias: z.string().nullish(),
  use_dora: z.boolean().nullish(),
});

export interface PeftAdapter {
  readonly folder: string;
  /** A path, or a name of Hugging Face's. */
  readonly base: string | undefined;
  /** "CAUSAL_LM", "SEQ_CLS" …; undefined where it is not said. */
  readonly task: string | undefined;
  /** Module → its low-rank product. */
  readonly products: ReadonlyMap<string, Product>;
  /** Parameters that were trained whole. */
  readonly whole: ReadonlyMap<string, TensorEntry>;
}

interface Product {
  readonly a: TensorEntry;
  readonly b: TensorEntry;
  readonly scale: number;
  /** A table's: A is [rank, rows], B [width, rank]. */
  readonly isTable: boolean;
  /** The weight is [inputs, outputs]. */
  readonly turned: boolean;
}

type Settings = z.infer<typeof schema>;

/** @throws CheckpointError or ConfigError for an adapter of a kind that cannot be merged, or files that do not fit. */
export async function openAdapter(folder: string): Promise<PeftAdapter | undefined> {
  const path = join(folder, adapterFile);
  const settings = await readSettings(path, schema);
  if (settings === undefined) return undefined;
  checkKind(path, settings);
  const file = weightFiles.map((name) => join(folder, name)).find((one) => existsSync(one));
  if (file === undefined) {
    throw new CheckpointError(`${folder}: expected ${weightFiles.join(" or ")} beside ${adapterFile}, got none`, {
      hint: "download the adapter's weights into the same folder",
    });
  }
  const stored = file.endsWith(".bin") ? (await openTorchFile(file)).tensors : (await openSafetensors(file)).entries;
  const { products, whole } = sortedOut(file, stored, settings);
  const { base_model_name_or_path: base, task_type: task } = settings;
  return { folder, base: base ?? undefined, task: task ?? undefined, products, whole };
}

function checkKind(path: string, { peft_type: kind, use_dora, bias }: Settings): void {
  const refuse = (field: string, expected: string, got: string): CheckpointError =>
    new CheckpointError(`${path}: ${field}: expected ${expected}, got ${got.slice(0, 80)}`, {
      hint: "merge it with peft's merge_and_unload(), save_pretrained() the result, and name that folder",
    });
  if ((kind ?? "LORA") !== "LORA") throw refuse("peft_type", "LORA", kind!);
  if (use_dora === true) throw refuse("use_dora", "false, for DoRA's magnitudes are not read", "true");
  if ((bias ?? "none") !== "none") throw refuse("bias", "none", bias!);
}

/** The first pattern that a module's name ends in, as peft looks it up. */
function matching(module: string, patterns: Settings["rank_pattern"]): number | undefined {
  return Object.entries(patterns ?? {}).find(([key]) => endsIn(module, key))?.[1];
}

/** Whether a name is `key`, or ends in it after a dot. Of regular expressions ".*", "\\.", "^" and "$" are understood. */
function endsIn(module: string, key: string): boolean {
  const parts = key
    .replace(/^\^/, "")
    .replace(/\$$/, "")
    .split(".*")
    .map((part) => part.replaceAll("\\.", "."));
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (parts.length === 1) return module === first || (!key.startsWith("^") && module.endsWith(`.${first}`));
  let at = module.startsWith(first) ? 0 : key.startsWith("^") ? -1 : module.indexOf(`.${first}`) + 1;
  if (at < 0 || (at === 0 && !module.startsWith(first))) return false;
  for (const part of parts.slice(0, -1)) {
    at = module.indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return module.endsWith(last) && module.length - last.length >= at;
}

function sortedOut(
  file: string,
  stored: ReadonlyMap<string, TensorEntry>,
  settings: Settings,
): Pick<PeftAdapter, "products" | "whole"> {
  const parts = new Map<string, { a?: TensorEntry; b?: TensorEntry; isTable: boolean }>();
  const whole = new Map<string, TensorEntry>();
  for (const [storedName, entry] of stored) {
    const name = storedName.replace(/^base_model\.model\./, "").replace(/\.modules_to_save(?:\.default)?\./, ".");
    const [, module, table, side] = /^(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?$/.exec(name) ?? [];
    if (module !== undefined) {
      const found = parts.get(module) ?? { isTable: table !== undefined };
      parts.set(module, { ...found, [side === "A" ? "a" : "b"]: entry });
    } else if (/\.lora_|trainable_tokens/.test(name)) {
      throw new CheckpointError(
        `${file}: expected lora_A and lora_B, got ${JSON.stringify(storedName.slice(0, 100))}`,
        { hint: "merge it with peft's merge_and_unload(), save_pretrained() the result, and name that folder" },
      );
    } else whole.set(name.replace(/\.base_layer\./, "."), entry);
  }
  const products = new Map<string, Product>();
  for (const [module, { a, b, isTable }] of parts) {
    const rank = matching(module, settings.rank_pattern) ?? settings.r;
    const alpha = matching(module, settings.alpha_pattern) ?? settings.lora_alpha;
    const shapes = `[${a?.dims.join(", ") ?? "none"}] and [${b?.dims.join(", ") ?? "none"}]`;
    if (a?.dims.length !== 2 || b?.dims.length !== 2 || a.dims[0] !== rank || b.dims[1] !== rank) {
      throw new CheckpointError(
        `${file}: "${module.slice(0, 100)}": expected lora_A [${rank}, inputs] and lora_B [outputs, ${rank}], got ${shapes}`,
        { hint: `${adapterFile} and the weights do not belong together` },
      );
    }
    const scale = alpha / (settings.use_rslora === true ? Math.sqrt(rank) : rank);
    products.set(module, { a, b, scale, isTable, turned: settings.fan_in_fan_out === true });
  }
  return { products, whole };
}

/** A weight with the product added. @throws CheckpointError where it has another shape. */
export function mergedEntry(weight: TensorEntry, { a, b, scale, isTable, turned }: Product): TensorEntry {
  const [rank, inputs] = a.dims as [number, number];
  const outputs = b.dims[0]!;
  const isTurned = isTable || turned;
  const expected = isTurned ? [inputs, outputs] : [outputs, inputs];
  if (weight.dims.join() !== expected.join() || !isFloat(weight.dtype)) {
    throw new CheckpointError(
      `${a.file}: "${a.name.slice(0, 100)}": expected a weight [${expected.join(", ")}] in the base, got ${weight.dtype} [${weight.dims.join(", ")}]`,
      { hint: "the adapter belongs to another base" },
    );
  }
  const dtype = weight.dtype as FloatDType;
  return madeEntry(weight, weight.dims, async () => {
    const [w, x, y] = [await readFloat32(weight), await readFloat32(a), await readFloat32(b)];
    const sum = w.slice();
    const row = new Float64Array(inputs);
    for (let o = 0; o < outputs; o++) {
      row.fill(0);
      for (let r = 0; r < rank; r++) {
        const factor = scale * y[o * rank + r]!;
        for (let i = 0; i < inputs; i++) row[i]! += factor * x[r * inputs + i]!;
      }
      for (let i = 0; i < inputs; i++) sum[isTurned ? i * outputs + o : o * inputs + i]! += row[i]!;
    }
    return dtype === "float32" ? sum : fromFloat32(dtype, sum);
  });
}

export interface AdapterToWrite {
  readonly rank: number;
  readonly alpha: number;
  /** Last parts of the layers' names. */
  readonly targets: readonly string[];
  readonly base: string;
  readonly task: string | undefined;
  /** Weights are [inputs, outputs]. */
  readonly turned: boolean;
  /** By name: NAME.lora_A.weight, NAME.lora_B.weight, and what was trained whole. */
  readonly tensors: ReadonlyMap<string, Tensor<"float32">>;
}

/** Writes an adapter that peft loads beside its base. */
export async function writeAdapter(folder: string, adapter: AdapterToWrite): Promise<void> {
  const { rank, alpha, targets, base, task, turned, tensors } = adapter;
  const sources = [...tensors].map(([name, tensor]) => ({ ...tensor, name: `base_model.model.${name}` }));
  await writeSafetensors(join(folder, weightFiles[0]!), sources);
  const whole = [...tensors.keys()].filter((name) => !/\.lora_[AB]\.weight$/.test(name));
  const modules = [...new Set(whole.map((name) => name.split(".").at(-2)!))];
  const settings = {
    peft_type: "LORA",
    task_type: task ?? null,
    base_model_name_or_path: base,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets,
    modules_to_save: modules.length === 0 ? null : modules,
    fan_in_fan_out: turned,
    bias: "none",
    inference_mode: true,
  };
  await writeFileAtomically(join(folder, adapterFile), `${JSON.stringify(settings, null, 2)}\n`);
}

/** Where the base that an adapter names lies, if it does: a path from here, or from the adapter's folder. */
export function baseFolder(folder: string, base: string | undefined): string | undefined {
  if (base === undefined || base === "") return undefined;
  const places = isAbsolute(base) ? [base] : [base, join(folder, base)];
  // An adapter of an adapter could go round in circles.
  return places.find((place) => existsSync(place) && !existsSync(join(place, adapterFile)));
}

/** Where the base of a folder's adapter lies, or what it is called. */
export async function adapterBase(folder: string): Promise<string | undefined> {
  const settings = await readSettings(join(folder, adapterFile), schema);
  const base = settings?.base_model_name_or_path ?? undefined;
  return baseFolder(folder, base) ?? (base !== undefined && existsSync(base) ? undefined : base);
}
