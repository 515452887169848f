/** Parameters in memory: one flat float32 buffer with a view for each, and where a compiled model finds them on disk. */
import { isPlain, readFloat32, readTensor, type TensorEntry } from "../checkpoints/entries.ts";
import { CheckpointError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { ParameterSource } from "../graph/lower.ts";
import type { FilePlace } from "../graph/onnx.ts";
import { random } from "../tensor/random.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

/** Views into one buffer, in the graph's order: an optimiser can walk `flat` without knowing names. */
export interface Parameters {
  readonly flat: Float32Array;
  readonly tensors: ReadonlyMap<string, Tensor<"float32">>;
}

/** Makes the flat buffer: so many zeros, wherever they are best. */
export type Allocate = (length: number) => Float32Array;
const onHeap: Allocate = (length) => new Float32Array(length);

/** What declares parameters: a graph, or some of one's. */
type Declared = Pick<Graph, "parameters">;

/** How many numbers all parameters of a graph are together. */
export function parameterCount(graph: Declared): number {
  let total = 0;
  for (const { value } of graph.parameters.values()) total += sizeOf(value.shape as number[]);
  return total;
}

/** Zeros for every parameter of a graph: matrices first, so that what weight decay spares (vectors) is one range. */
export function allocateParameters(graph: Declared, allocate: Allocate = onHeap): Parameters {
  let total = 0;
  const isVector = ({ shape }: { shape: readonly unknown[] }): number => (shape.length < 2 ? 1 : 0);
  const ordered = [...graph.parameters].sort(([, a], [, b]) => isVector(a.value) - isVector(b.value));
  const places = ordered.map(([name, { value }]) => {
    const dims = value.shape as number[];
    const start = total;
    total += sizeOf(dims);
    return { name, dims, start };
  });
  const flat = allocate(total);
  const tensors = new Map(
    places.map(({ name, dims, start }) => [name, tensor("float32", dims, flat.subarray(start, start + sizeOf(dims)))]),
  );
  return { flat, tensors };
}

/** Fills parameters from their initialisers; each depends on the seed and its own name alone. */
export function initialise(graph: Declared, parameters: Parameters, seed: number): void {
  for (const [name, { init }] of graph.parameters) {
    const { data, dims } = parameters.tensors.get(name)!;
    if ("constant" in init) data.fill(init.constant);
    else if ("sinusoids" in init) fillSinusoids(data, dims[1]!, init.sinusoids);
    else {
      const numbers = random(seed, hashOf(name));
      for (let i = 0; i < data.length; i++) data[i] = init.normal * numbers.normal();
    }
  }
}

/** Row t has sin and cos of t · 10000^(-2k/width) in turn, scaled to `deviation`. */
function fillSinusoids(data: Float32Array, width: number, deviation: number): void {
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    const angle = row * 10000 ** (-(column - (column % 2)) / width);
    data[i] = deviation * Math.SQRT2 * (column % 2 === 0 ? Math.sin(angle) : Math.cos(angle));
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

export type Entries = ReadonlyMap<string, TensorEntry>;

/** Stored weights that a training starts from. */
export interface StoredStart {
  readonly entries: Entries;
  /** For messages. */
  readonly folder?: string | undefined;
  /** Rows that a vocabulary gained; default: by the table's own initialiser. */
  readonly fillRows?: FillRows | undefined;
}

/** Fills rows of a vocabulary's table [rows, width], of which the first `stored` are there; a bias has rows of width 1. */
export type FillRows = (
  table: Float32Array,
  place: { readonly width: number; readonly stored: number; readonly seed: number },
) => void;

/**
 * The parameters that a training starts from: stored ones, rows that a grown vocabulary adds, and what is new (`isNew`).
 * @throws CheckpointError where a parameter that is not new is missing or has another shape.
 */
export async function startParameters(
  graph: Declared,
  { entries, folder, fillRows }: StoredStart,
  seed: number,
  isNew: (name: string) => boolean,
  allocate?: Allocate,
): Promise<Parameters> {
  const stored = new Map<string, TensorEntry>();
  for (const [name, { value, vocabulary }] of graph.parameters) {
    const dims = value.shape as number[];
    const entry = entries.get(name);
    const fits =
      entry !== undefined && entry.dims.slice(1).join() === dims.slice(1).join() && entry.dims[0]! <= dims[0]!;
    if (fits && (entry.dims[0] === dims[0] || vocabulary === true)) stored.set(name, entry);
    else if (!isNew(name)) {
      const got = entry === undefined ? "none" : `[${entry.dims.join(", ")}]`;
      throw new CheckpointError(`${folder}: expected parameter "${name}" [${dims.join(", ")}], got ${got}`, {
        hint: "config.json and the weights do not belong together",
      });
    }
  }
  const parameters = allocateParameters(graph, allocate);
  initialise(graph, parameters, seed);
  for (const [name, { dims, data }] of parameters.tensors) {
    const entry = stored.get(name);
    if (entry === undefined) continue;
    const length = sizeOf(entry.dims);
    await readFloat32(entry, (data as Float32Array).subarray(0, length));
    if (graph.parameters.get(name)!.vocabulary !== true) continue;
    fillRows?.(data as Float32Array, { width: dims[1] ?? 1, stored: entry.dims[0]!, seed });
  }
  return parameters;
}

/** @throws CheckpointError when a parameter is missing or has another shape. */
function entryOf(graph: Graph, entries: Entries, name: string, where: string): TensorEntry {
  const entry = entries.get(name);
  const expected = graph.parameters.get(name)!.value.shape.join(", ");
  if (entry === undefined) {
    throw new CheckpointError(`${where}: expected parameter "${name}" [${expected}], got ${entries.size} others`, {
      hint: "the weights belong to another architecture than config.json says",
    });
  }
  if (entry.dims.join(", ") !== expected) {
    throw new CheckpointError(
      `${entry.file}: "${name}": expected shape [${expected}], got [${entry.dims.join(", ")}]`,
      {
        hint: "config.json and the weights do not belong together",
      },
    );
  }
  return entry;
}

/** @throws CheckpointError when a parameter of the graph is missing or has another shape. */
export function requireParameters(graph: Graph, entries: Entries, where: string): void {
  for (const name of graph.parameters.keys()) entryOf(graph, entries, name, where);
}

/** Reads every parameter of a graph into memory, as float32. */
export async function readParameters(graph: Graph, entries: Entries, where: string): Promise<Parameters> {
  const stored = [...graph.parameters.keys()].map((name) => [name, entryOf(graph, entries, name, where)] as const);
  const parameters = allocateParameters(graph);
  for (const [name, entry] of stored) await readFloat32(entry, parameters.tensors.get(name)!.data as Float32Array);
  return parameters;
}

/** Where ONNX Runtime finds tensors that it takes as they are stored. */
export interface Places {
  /** Folder or address of them all. */
  readonly where: string;
  placeOf(entry: TensorEntry): FilePlace;
}

/**
 * Where ONNX Runtime finds each parameter but those `packed`: mapped from the checkpoint's own files, without
 * conversion, or in the model's bytes where the checkpoint does not hold plain little-endian numbers.
 */
export async function parameterSources(
  graph: Graph,
  entries: Entries,
  { where, placeOf }: Places,
  packed: { has(name: string): boolean } = new Map<string, never>(),
): Promise<(name: string) => ParameterSource> {
  const sources = new Map<string, ParameterSource>();
  for (const name of graph.parameters.keys()) {
    const entry = entryOf(graph, entries, name, where);
    if (packed.has(name)) continue;
    const { dtype } = entry;
    if (isPlain(entry)) {
      sources.set(name, { dtype, ...placeOf(entry) });
    } else {
      const { data } = await readTensor(entry);
      sources.set(name, { dtype, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    }
  }
  return (name) => sources.get(name)!;
}
