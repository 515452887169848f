/**
 * What learns in each mode, and how the weights grow by the soft prompt's rows. Whole-model tuning trains all weights;
 * prompt tuning (Lester et al. 2021, arXiv:2104.08691) only the new rows of the tied embedding; low-rank adaptation
 * (Hu et al. 2021, arXiv:2106.09685) products B A beside the layers named, and the new rows. Left out: dropout inside
 * adapters.
 */
// V vocabulary, P prompt rows, D width, O and I output and input width, R rank
import { readFloat32, type TensorEntry } from "../checkpoints/safetensors.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import type { Adapt, Graph } from "../graph/graph.ts";
import { add, matMul } from "../graph/ops/index.ts";
import { type Allocate, allocateParameters, initialise, type Parameters } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { FinetuneConfig } from "./config.ts";

/** The tied embedding and output matrix. */
export const embeddingName = "biogpt.embed_tokens.weight";

/** Adds the low-rank product to the weights of the layers that `targets` name. */
export function loraAdapter({ rank, alpha, targets }: FinetuneConfig["lora"]): Adapt {
  return (g, path, value) => {
    const [layer, kind] = path.split(".").slice(-2);
    if (kind !== "weight" || !targets.includes(layer!) || value.shape.length !== 2) return undefined;
    const [output, input] = value.shape as [number, number];
    // Named as PEFT names them. Its A is uniform in ±1 / √I; this normal has the same variance. B starts at 0.
    const a_RI = g.param("lora_A.weight", [rank, input], { normal: 1 / Math.sqrt(3 * input) });
    const b_OR = g.param("lora_B.weight", [output, rank], { constant: 0 });
    return add(value, matMul(b_OR, a_RI, { alpha: alpha / rank }));
  };
}

const isAdapter = (name: string): boolean => /\.lora_[AB]\.weight$/.test(name);

/** Which parameters get gradients. */
export function learns(mode: FinetuneConfig["mode"], newRows: number): (name: string) => boolean {
  if (mode === "full") return () => true;
  return (name) => (mode === "lora" && isAdapter(name)) || (name === embeddingName && newRows > 0);
}

/** @throws ConfigError where a mode has nothing to train, or a target names no layer. */
export function checkTrainable(graph: Graph, config: FinetuneConfig, newRows: number): void {
  if (config.mode === "prompt" && newRows === 0) {
    throw new ConfigError('mode: "prompt" expected a prompt to train, got promptLength 0');
  }
  if (config.mode !== "lora") return;
  for (const target of config.lora.targets) {
    if ([...graph.parameters.keys()].some((name) => name.endsWith(`.${target}.lora_A.weight`))) continue;
    const layers = [...graph.parameters.keys()]
      .filter((name) => name.endsWith(".weight"))
      .map((name) => name.split(".").at(-2));
    const known = [...new Set(layers)].filter(
      (name) => !name?.includes("norm") && !name?.includes("embed") && !name?.startsWith("lora"),
    );
    throw new ConfigError(`lora.targets: expected one of ${known.join(", ")}, got "${target}"`);
  }
}

/**
 * The parameters of `graph`, whose embedding has more rows than the checkpoint's: stored weights, then new rows from a
 * normal of fairseq's deviation, D^-0.5, and adapters from their initialisers.
 * @throws CheckpointError where a weight is missing or has another shape.
 */
export async function growParameters(
  graph: Graph,
  entries: ReadonlyMap<string, TensorEntry>,
  { folder, seed, allocate }: { folder: string; seed: number; allocate?: Allocate | undefined },
): Promise<Parameters> {
  const parameters = allocateParameters(graph, allocate);
  initialise(graph, parameters, seed);
  for (const [name, { dims, data }] of parameters.tensors) {
    if (isAdapter(name)) continue;
    const entry = entries.get(name);
    const [rows, ...rest] = entry?.dims ?? [];
    const fits = name === embeddingName ? rows! <= dims[0]! : rows === dims[0];
    if (entry === undefined || !fits || rest.join() !== dims.slice(1).join()) {
      const got = entry === undefined ? "none" : `[${entry.dims.join(", ")}]`;
      throw new CheckpointError(`${folder}: expected parameter "${name}" [${dims.join(", ")}], got ${got}`, {
        hint: "config.json and the weights do not belong together",
      });
    }
    const stored = data.subarray(
      0,
      entry.dims.reduce((product, dim) => product * dim, 1),
    );
    await readFloat32(entry, stored as Float32Array);
    if (stored.length === data.length) continue;
    const numbers = random(seed, dims[0]!);
    const deviation = dims[1]! ** -0.5;
    for (let i = stored.length; i < data.length; i++) data[i] = deviation * numbers.normal();
  }
  return parameters;
}

/** The soft prompt's rows of the embedding. */
export interface Rows {
  readonly start: number;
  readonly count: number;
}

/** What checkpoints of prompt and low-rank tuning call the prompt's rows. */
const promptName = "prompt.weight";

/** Views of what learns, by name: whole tensors, of the embedding the prompt's rows only. */
function selected(
  mode: FinetuneConfig["mode"],
  tensors: ReadonlyMap<string, Tensor<"float32">>,
  { start, count }: Rows,
): { name: string; dims: readonly number[]; data: Float32Array }[] {
  const wanted = learns(mode, count);
  const parts = [...tensors].flatMap(([name, { dims, data }]) => {
    if (!wanted(name)) return [];
    if (name !== embeddingName) return [{ name, dims, data }];
    const width = dims[1]!;
    return [{ name: promptName, dims: [count, width], data: data.subarray(start * width, (start + count) * width) }];
  });
  return parts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Parts one after the other in one buffer. */
function packed(parts: readonly { name: string; dims: readonly number[]; data: Float32Array }[]): {
  flat: Float32Array;
  places: { name: string; dims: readonly number[]; there: Float32Array; here: Float32Array }[];
} {
  const flat = new Float32Array(parts.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  const places = parts.map(({ name, dims, data }) => {
    const here = flat.subarray(at, (at += data.length));
    return { name, dims, there: data, here };
  });
  return { flat, places };
}

export interface Trainable {
  /** What the optimiser updates. */
  readonly flat: Float32Array;
  /** By name, views of `flat`: what a checkpoint keeps. */
  readonly tensors: ReadonlyMap<string, Tensor<"float32">>;
  /** `flat` → the parameters that the graph reads. */
  scatter(): void;
}

/** All that learns as one buffer; with whole-model tuning it is the graph's own, and nothing is copied. */
export function selectTrainable(mode: FinetuneConfig["mode"], parameters: Parameters, rows: Rows): Trainable {
  if (mode === "full") return { ...parameters, scatter: () => {} };
  const { flat, places } = packed(selected(mode, parameters.tensors, rows));
  for (const { here, there } of places) here.set(there);
  return {
    flat,
    tensors: new Map(places.map(({ name, dims, here }) => [name, tensor("float32", dims, here)])),
    scatter: () => places.forEach(({ here, there }) => there.set(here)),
  };
}

export interface Gradients {
  /** Where the graph writes, by its output's name. */
  readonly into: Readonly<Record<string, Tensor>>;
  /** In the order of `Trainable.flat`, up to date after `gather`. */
  readonly flat: Float32Array;
  gather(): void;
}

/** Buffers for one batch's gradients. */
export function allocateGradients(
  mode: FinetuneConfig["mode"],
  graph: Graph,
  rows: Rows,
  allocate?: Allocate,
): Gradients {
  const named = (tensors: ReadonlyMap<string, Tensor>): Record<string, Tensor> =>
    Object.fromEntries([...tensors].map(([name, value]) => [`gradient/${name}`, value]));
  if (mode === "full") {
    const { flat, tensors } = allocateParameters(graph, allocate);
    return { flat, into: named(tensors), gather: () => {} };
  }
  const wanted = learns(mode, rows.count);
  const tensors = new Map(
    [...graph.parameters].flatMap(([name, { value }]) =>
      wanted(name) ? [[name, tensor("float32", value.shape as number[])] as const] : [],
    ),
  );
  const { flat, places } = packed(selected(mode, tensors, rows));
  return { flat, into: named(tensors), gather: () => places.forEach(({ here, there }) => here.set(there)) };
}

/** The weights of the model that was trained, adapters merged into their layers: names of an ordinary checkpoint. */
export function mergedTensors(parameters: Parameters, lora: FinetuneConfig["lora"]): Map<string, Tensor<"float32">> {
  const merged = new Map<string, Tensor<"float32">>();
  for (const [name, value] of parameters.tensors) {
    if (isAdapter(name)) continue;
    const prefix = name.replace(/weight$/, "");
    const a = parameters.tensors.get(`${prefix}lora_A.weight`);
    const b = parameters.tensors.get(`${prefix}lora_B.weight`);
    merged.set(name, a === undefined || b === undefined ? value : addProduct(value, b, a, lora.alpha / lora.rank));
  }
  return merged;
}

/** w + scale · b a. */
function addProduct(
  w: Tensor<"float32">,
  b: Tensor<"float32">,
  a: Tensor<"float32">,
  scale: number,
): Tensor<"float32"> {
  const [outputs, rank] = b.dims as [number, number];
  const inputs = a.dims[1]!;
  const data = w.data.slice();
  for (let o = 0; o < outputs; o++) {
    for (let r = 0; r < rank; r++) {
      const factor = scale * b.data[o * rank + r]!;
      for (let i = 0; i < inputs; i++) data[o * inputs + i]! += factor * a.data[r * inputs + i]!;
    }
  }
  return tensor("float32", w.dims, data);
}
