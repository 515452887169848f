/**
 * What a plan needs to know of a network, taken from the family's own training graph: parameters as they are declared, and
 * what the backward pass reads, which is what a training holds between the two passes. So no formula for a family's
 * activations is kept here; of a GPT's layer the walk finds the 34 bytes × tokens × width that Korthikanti et al. 2022
 * (arXiv:2205.05198, §4.1) count by hand, and what autograd holds of transformers' layers (scripts/goldens/
 * saved-activations.py). Assumed of the engine that trains: attention that keeps no scores (FlashAttention, or
 * memory-efficient where there is none), but each query's sum.
 */
// B rows, T tokens
import type { Graph, Node, Value } from "../graph/graph.ts";
import { partsOf, product } from "../graph/shape.ts";
import { type Family, lossGraph, type ModelConfig } from "../models/index.ts";

/** Bytes of activations, as a function of rows and tokens: a factor for each product of B and T that occurs. */
export type Bytes = readonly Term[];

interface Term {
  readonly names: readonly string[];
  readonly factor: number;
  /** Held whole by each rank of tensor parallelism: what enters matrices that are split by rows. */
  readonly whole: boolean;
}

export interface Network {
  /** Weights in all, tied ones once. */
  readonly parameters: number;
  readonly layers: number;
  /** Of the largest layer. */
  readonly layerParameters: number;
  /** Outside of layers: tables, head, last norm. */
  readonly rootParameters: number;
  readonly width: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headWidth: number;
  /** Rows of the vocabulary. */
  readonly rows: number;
  readonly longest: number;
  /** Sizes that tensor parallelism divides, with what they are of. */
  readonly divided: readonly (readonly [size: number, of: string])[];
  /** What the backward pass reads. */
  readonly kept: Bytes;
  /** Of it, what is made before and behind the layers. */
  readonly outside: Bytes;
  /** And in the layer that has most. */
  readonly largestLayer: Bytes;
  /** What enters the layers, and passes from one to the next: all that recomputation holds of them. */
  readonly boundaries: Bytes;
}

/** Float32 numbers that are more than rounding: statistics of a norm, the sum that a query's softmax is divided by. */
const statistic = 4;
/** An element of an activation in half precision, of a dropout's mask. */
const activation = 2;
const mask = 1;

/** What the engine holds once, however it is looked at. */
const views = new Set(["Reshape", "Transpose", "Expand", "Cast"]);

/** Every token with every token: scores of attention, and what is made of them. */
const isQuadratic = ({ shape }: Value): boolean =>
  partsOf(product(shape)).names.filter((name) => name === "T").length > 1;

/** Walks the graph once with its gradients and once with its layers marked; `config` has its rows of the vocabulary. */
export function networkOf(family: Family, config: ModelConfig): Network {
  const marked = lossGraph(family, config, { training: true, gradients: false, checkpointing: true });
  const graph = lossGraph(family, config, { training: true });
  const forward = graph.nodes.slice(0, marked.nodes.length);
  const layerOf = new Map(forward.map((node, i) => [node, marked.nodes[i]!.segment]));
  const { layerParameters, rootParameters, parameters, divided } = parametersOf(graph, layerOf, config);
  const { num_attention_heads: heads = 1 } = config as { num_attention_heads?: number };
  const cache = family.cache?.(config);
  return {
    parameters,
    layers: new Set([...layerOf.values()].filter((layer) => layer !== undefined)).size,
    layerParameters,
    rootParameters,
    width: config.hidden_size,
    heads,
    keyHeads: cache?.keyHeads ?? heads,
    headWidth: cache?.headWidth ?? config.hidden_size / heads,
    rows: config.vocab_size,
    longest: cache?.maxTokens ?? config.max_position_embeddings,
    divided,
    ...keptBy(graph, forward, layerOf, heads),
  };
}

type LayerOf = ReadonlyMap<Node, number | undefined>;

function parametersOf(
  graph: Graph,
  layerOf: LayerOf,
  config: ModelConfig,
): Pick<Network, "parameters" | "layerParameters" | "rootParameters" | "divided"> {
  const sizeOf = (value: Value): number => value.shape.reduce<number>((size, dim) => size * Number(dim), 1);
  const all = [...graph.parameters.values()].map(({ value }) => value);
  const layers = new Map<Value, number>();
  for (const [node, layer] of layerOf) {
    if (layer !== undefined)
      for (const input of node.inputs) if (graph.parameters.has(input.name)) layers.set(input, layer);
  }
  const sums: number[] = [];
  const divided = new Map<number, string>([[config.vocab_size, "rows of the vocabulary"]]);
  for (const [value, layer] of layers) {
    sums[layer] = (sums[layer] ?? 0) + sizeOf(value);
    if (value.shape.length !== 2) continue;
    for (const dim of value.shape) if (!divided.has(Number(dim))) divided.set(Number(dim), `a side of ${value.name}`);
  }
  const parameters = all.reduce((sum, value) => sum + sizeOf(value), 0);
  return {
    parameters,
    layerParameters: Math.max(0, ...sums),
    rootParameters: parameters - sums.reduce((sum, one) => sum + one, 0),
    divided: [...divided],
  };
}

type Activations = Pick<Network, "kept" | "outside" | "largestLayer" | "boundaries">;

function keptBy(graph: Graph, forward: readonly Node[], layerOf: LayerOf, heads: number): Activations {
  const isForward = (value: Value): boolean => value.node !== undefined && layerOf.has(value.node);
  const read = new Set<Value>();
  const needed = neededBy([...graph.outputs.values()]);
  for (const node of graph.nodes.slice(forward.length)) {
    if (needed.has(node)) for (const input of node.inputs) if (isForward(input)) read.add(origin(input));
  }
  const byLayer = new Map<number | undefined, Term[]>([[undefined, []]]);
  const attending = new Set<number | undefined>();
  const keep = (layer: number | undefined, term: Term): unknown =>
    byLayer.has(layer) ? byLayer.get(layer)!.push(term) : byLayer.set(layer, [term]);
  for (const value of read) {
    // Inputs of the graph are small, logits are counted by themselves.
    if (value.node === undefined || value.node.op.name === "LinearCrossEntropy") continue;
    const layer = layerOf.get(value.node);
    if (isQuadratic(value)) attending.add(layer);
    else keep(layer, termOf(value));
  }
  for (const node of forward) if (node.op.name === "RmsNorm") keep(layerOf.get(node), besideRms(node.outputs[0]!));
  for (const layer of attending) keep(layer, { names: ["B", "T"], factor: heads * statistic, whole: false });
  const passed = new Set<Value>();
  for (const node of forward) {
    const layer = layerOf.get(node);
    if (layer === undefined) continue;
    for (const input of node.inputs) {
      if (isForward(input) && !isQuadratic(input) && layerOf.get(input.node!) !== layer) passed.add(origin(input));
    }
  }
  const layers = [...byLayer].filter(([layer]) => layer !== undefined).map(([, terms]) => summed(terms));
  const size = (bytes: Bytes): number => bytesOf(bytes, 1, 1, 1);
  return {
    kept: summed([...byLayer.values()].flat()),
    outside: summed(byLayer.get(undefined)!),
    largestLayer: layers.reduce<Bytes>((most, one) => (size(one) > size(most) ? one : most), []),
    boundaries: summed([...passed].filter(({ node }) => node !== undefined).map(termOf)),
  };
}

/** Nodes that the outputs come of: gradients of what does not learn, such as rotary tables, are none. */
function neededBy(outputs: readonly Value[]): ReadonlySet<Node> {
  const found = new Set<Node>();
  const open = [...outputs];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value.node === undefined || found.has(value.node)) continue;
    found.add(value.node);
    open.push(...value.node.inputs);
  }
  return found;
}

/** The value that this one is another look at. */
function origin(value: Value): Value {
  let one = value;
  while (one.node !== undefined && views.has(one.node.op.name)) one = one.node.inputs[0]!;
  return one;
}

function termOf({ node, shape, dtype, name }: Value): Term {
  const { op, outputs } = node!;
  const isStatistic = shape.at(-1) === 1;
  const isMask = op.name === "Dropout" && name !== outputs[0]!.name;
  const bytes = dtype === "int64" ? 8 : isMask ? mask : isStatistic ? statistic : activation;
  const { factor, names } = partsOf(product(shape));
  return { names, factor: factor * bytes, whole: /Norm/.test(op.name) && !isStatistic };
}

/**
 * What transformers' RMSNorm holds beyond one kernel's input and output: a copy of the input in float32 in its
 * place, and what is scaled.
 */
function besideRms(output: Value): Term {
  const { factor, names } = partsOf(product(output.shape));
  return { names, factor: 2 * activation * factor, whole: false };
}

/** A term for each product of names. */
function summed(terms: readonly Term[]): Bytes {
  const sums = new Map<string, Term>();
  for (const term of terms) {
    const key = `${term.names.join("*")} ${term.whole}`;
    sums.set(key, { ...term, factor: term.factor + (sums.get(key)?.factor ?? 0) });
  }
  return [...sums.values()];
}

/** Of rows of so many tokens on each of `ranks` ranks of tensor parallelism, with sequences split outside of it. */
export function bytesOf(bytes: Bytes, rows: number, tokens: number, ranks: number): number {
  const sizes: Readonly<Record<string, number>> = { B: rows, T: tokens };
  return bytes.reduce(
    (sum, { names, factor, whole }) =>
      sum + names.reduce((size, name) => size * sizes[name]!, factor) / (whole ? 1 : ranks),
    0,
  );
}
