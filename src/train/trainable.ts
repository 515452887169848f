/**
 * What learns: every weight; low-rank products B A beside the layers named (Hu et al. 2021, arXiv:2106.09685), with what
 * the start lacks (a new head, new rows of the vocabulary); or the vocabulary's new rows alone, as prompt tuning does
 * (Lester et al. 2021, arXiv:2104.08691). Left out: dropout inside adapters.
 */
// O and I output and input width, R rank
import { ConfigError } from "../errors.ts";
import type { Adapt, Graph, Parameter } from "../graph/graph.ts";
import { cast, withLowRank } from "../graph/ops/index.ts";
import { type Allocate, allocateParameters, type Parameters } from "../runtime/parameters.ts";
import type { Tensors } from "../runtime/session.ts";
import { madeTensor, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import type { Config } from "./config.ts";
import type { Rows, Start } from "./objectives/objective.ts";

export interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
  /** Last parts of the layers' names. */
  readonly targets: readonly string[];
}

/** Adds the low-rank product to the weights of the layers that `targets` name. */
export function loraAdapter({ rank, alpha, targets }: LoraOptions): Adapt {
  return (g, path, value) => {
    const [layer, kind] = path.split(".").slice(-2);
    if (kind !== "weight" || !targets.includes(layer!) || value.shape.length !== 2) return undefined;
    const transposed = g.parameters.get(path)?.transposed === true;
    const [output, input] = (transposed ? value.shape.toReversed() : value.shape) as [number, number];
    // Named as PEFT names them. Its A is uniform in ±1 / √I; this normal has the same variance. B starts at 0.
    const a_RI = g.param("lora_A.weight", [rank, input], { normal: 1 / Math.sqrt(3 * input) });
    const b_OR = g.param("lora_B.weight", [output, rank], { constant: 0 });
    const weight = cast(value, a_RI.dtype);
    return withLowRank({ weight, a: a_RI, b: b_OR, scale: alpha / rank }, { transposed });
  };
}

/** Whether a parameter is half of a low-rank product. */
export const isAdapter = (name: string): boolean => /\.lora_[AB]\.weight$/.test(name);

/** Whether a training draws a parameter anew where the start lacks it. */
export function isNew(name: string, { head }: Pick<Parameter, "head">, start: Pick<Start, "folder">): boolean {
  return start.folder === undefined || head === true || isAdapter(name);
}

/** What learns of one parameter: all of it, some rows, or nothing. */
type Part = "whole" | Rows | undefined;

/** Of every parameter that a graph declares, what learns. */
export function partOf(trainable: Config["trainable"], start: Start): (name: string, parameter: Parameter) => Part {
  if (trainable === "all") return () => "whole";
  return (name, { value, vocabulary }) => {
    const entry = start.entries.get(name);
    if (trainable === "lora" && (isAdapter(name) || entry === undefined)) return "whole";
    if (vocabulary !== true) return undefined;
    const count = value.shape[0] as number;
    const stored = entry?.dims[0] ?? 0;
    const rows = start.rows ?? { start: stored, count: count - stored };
    return rows.count > 0 ? rows : undefined;
  };
}

/** @throws ConfigError where nothing learns, or a target names no layer. */
export function checkTrainable(
  graph: Graph,
  { trainable, lora }: Pick<Config, "trainable" | "lora">,
  start: Start,
): void {
  const part = partOf(trainable, start);
  if (![...graph.parameters].some(([name, parameter]) => part(name, parameter) !== undefined)) {
    throw new ConfigError('trainable: "rows" expected a vocabulary with new rows to train, got none', {
      hint: "set promptLength=N, or give a tokenizer with more tokens",
    });
  }
  if (trainable !== "lora") return;
  const names = [...graph.parameters.keys()];
  const missing = (lora.targets ?? []).find(
    (target) => !names.some((name) => name.endsWith(`.${target}.lora_A.weight`)),
  );
  if (missing === undefined) return;
  const layers = [...graph.parameters]
    .filter(([name, { value, vocabulary }]) => name.endsWith(".weight") && value.shape.length === 2 && !vocabulary)
    .map(([name]) => name.split(".").at(-2)!)
    .filter((layer) => !layer.startsWith("lora_"));
  throw new ConfigError(`lora.targets: expected one of ${[...new Set(layers)].join(", ")}, got "${missing}"`);
}

/** What learns, or its gradients, as one buffer. */
export interface Learned {
  /** What the optimiser walks. */
  readonly flat: Float32Array;
  /** By name, views of `flat`: what a checkpoint keeps. Rows are called `rows:NAME`. */
  readonly tensors: ReadonlyMap<string, Tensor<"float32">>;
  /** `flat` → the tensors that the graph reads. */
  scatter(): void;
  /** The tensors that the graph writes → `flat`. */
  gather(): void;
}

/** A view of the parts of `tensors` that learn; where all do, it is the graph's own buffer and nothing is copied. */
export function learnedOf(
  graph: Graph,
  { flat, tensors }: Parameters,
  trainable: Config["trainable"],
  start: Start,
  allocate: Allocate,
): Learned {
  if (trainable === "all") return { flat, tensors, scatter: () => {}, gather: () => {} };
  const part = partOf(trainable, start);
  const parts = [...tensors]
    .flatMap(([name, { dims, data }]) => {
      const found = part(name, graph.parameters.get(name)!);
      if (found === undefined) return [];
      if (found === "whole") return [{ name, dims, there: data }];
      const width = sizeOf(dims.slice(1));
      const there = data.subarray(found.start * width, (found.start + found.count) * width);
      return [{ name: `rows:${name}`, dims: [found.count, ...dims.slice(1)], there }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const packed = allocate(parts.reduce((sum, { there }) => sum + there.length, 0));
  let at = 0;
  const places = parts.map((one) => ({ ...one, here: packed.subarray(at, (at += one.there.length)) }));
  const learned = {
    flat: packed,
    tensors: new Map(places.map(({ name, dims, here }) => [name, tensor("float32", dims, here)])),
    scatter: () => places.forEach(({ here, there }) => there.set(here)),
    gather: () => places.forEach(({ here, there }) => here.set(there)),
  };
  learned.gather();
  return learned;
}

/** How many numbers learn. */
export function learnedCount(graph: Graph, trainable: Config["trainable"], start: Start): number {
  const part = partOf(trainable, start);
  let total = 0;
  for (const [name, parameter] of graph.parameters) {
    const found = part(name, parameter);
    const [rows, ...rest] = parameter.value.shape as number[];
    if (found !== undefined) total += sizeOf([found === "whole" ? (rows ?? 1) : found.count, ...rest]);
  }
  return total;
}

/** Buffers for a micro-batch's gradients: `into` is what the graph writes to. */
export interface Gradients extends Learned {
  readonly into: Tensors;
}

export function allocateGradients(
  graph: Graph,
  trainable: Config["trainable"],
  start: Start,
  allocate: Allocate,
): Gradients {
  const part = partOf(trainable, start);
  const written = [...graph.parameters].filter(([name, parameter]) => part(name, parameter) !== undefined);
  // Where parts learn the graph writes whole tensors, which are no use to the optimiser and may lie anywhere.
  const whole = allocateParameters({ parameters: new Map(written) }, trainable === "all" ? allocate : undefined);
  const into = Object.fromEntries([...whole.tensors].map(([name, value]) => [`gradient/${name}`, value]));
  return { ...learnedOf(graph, whole, trainable, start, allocate), into };
}

/**
 * The weights of the model that was trained, adapters merged into their layers: names of an ordinary checkpoint. What is
 * merged is made each time that its numbers are asked for.
 */
export function mergedTensors(
  graph: Pick<Graph, "parameters">,
  tensors: Parameters["tensors"],
  { rank, alpha }: Pick<LoraOptions, "rank" | "alpha">,
): Map<string, Tensor<"float32">> {
  const merged = new Map<string, Tensor<"float32">>();
  for (const [name, value] of tensors) {
    if (isAdapter(name)) continue;
    const prefix = name.replace(/weight$/, "");
    const a = tensors.get(`${prefix}lora_A.weight`);
    const b = tensors.get(`${prefix}lora_B.weight`);
    if (a === undefined || b === undefined) merged.set(name, value);
    else {
      const transposed = graph.parameters.get(name)?.transposed === true;
      const sum = (): Float32Array => addProduct(value, b, a, { scale: alpha / rank, transposed });
      merged.set(name, madeTensor(value.dims, sum));
    }
  }
  return merged;
}

/** w + scale · b a, or its transpose. */
function addProduct(
  w: Tensor<"float32">,
  b: Tensor<"float32">,
  a: Tensor<"float32">,
  { scale, transposed }: { readonly scale: number; readonly transposed: boolean },
): Float32Array {
  const [outputs, rank] = b.dims as [number, number];
  const inputs = a.dims[1]!;
  const data = w.data.slice();
  const [perOutput, perInput] = transposed ? [1, outputs] : [inputs, 1];
  for (let o = 0; o < outputs; o++) {
    for (let r = 0; r < rank; r++) {
      const factor = scale * b.data[o * rank + r]!;
      for (let i = 0; i < inputs; i++) data[o * perOutput + i * perInput]! += factor * a.data[r * inputs + i]!;
    }
  }
  return data;
}
