/**
 * Whether a model fits the memory, looked at before it is loaded: a system that runs out of it ends the process without a
 * word, or the machine stands still.
 */
import { freemem, totalmem } from "node:os";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { byteSize, sizeOf } from "../tensor/tensor.ts";
import type { Bits, Grouping } from "../tensor/grouped.ts";

/** Bytes that ONNX Runtime holds of a weight in groups: the whole numbers, and three numbers for each group at most. */
function groupedBytes(dims: readonly number[], { bits, group }: Grouping): number {
  return (sizeOf(dims) * bits) / 8 + (sizeOf(dims) / group) * 8;
}

/** Bytes of a graph's parameters as a session holds them: float32, but for those in groups. */
export function weightBytes(
  graph: Graph,
  entries: ReadonlyMap<string, TensorEntry>,
  groupings: ReadonlyMap<string, Grouping>,
): number {
  return [...graph.parameters].reduce((sum, [name, { value }]) => {
    const dims = entries.get(name)?.dims ?? (value.shape as number[]);
    const grouping = groupings.get(name);
    return sum + (grouping === undefined ? sizeOf(dims) * byteSize.float32 : groupedBytes(dims, grouping));
  }, 0);
}

/** Bytes that each token of a row takes in the graph's cache; 0 for one without. */
export function cacheBytes({ inputs }: Graph): number {
  const caches = inputs.filter(({ shape, dtype }) => shape.length === 4 && dtype === "float32");
  const numbers = ({ shape }: { readonly shape: readonly unknown[] }): number =>
    shape.reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 1), 1);
  return caches.reduce((sum, input) => sum + numbers(input) * byteSize.float32, 0);
}

/** Bytes that this process may still take: of the machine's, or of the limit that it runs under. */
export function freeMemory(): number {
  // macOS calls free only what nothing ever used; it gives up caches and compresses when asked for more.
  const free = process.platform === "darwin" ? 0.75 * totalmem() : freemem();
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? Math.min(free, limit - process.memoryUsage.rss()) : free;
}

export interface MemoryNeed {
  /** What begins the message. */
  readonly where: string;
  readonly weights: number;
  /** Of a token in the cache. */
  readonly cache: number;
  /** The same weights in few bits, where they are not. */
  readonly inBits?: Readonly<Record<Bits, number>> | undefined;
}

/** @throws ConfigError with the figures where weights are larger than what is free. */
export function requireMemory({ where, weights, cache, inBits }: MemoryNeed, free: number = freeMemory()): void {
  if (weights <= free) return;
  const fewer = ([8, 4] as const).find((bits) => inBits !== undefined && inBits[bits] <= free);
  const smaller =
    fewer === undefined
      ? "end other programs"
      : `in ${fewer} bits they take ${gb(inBits![fewer])}: galen quantize writes such a model`;
  const growth = cache === 0 ? "" : `, ${gb(1000 * cache)} of cache for every 1,000 tokens`;
  throw new ConfigError(
    `${where}: expected a model that fits the memory, got ${gb(weights)} of weights${growth}, with ${gb(free)} free`,
    { hint: `${smaller}, or go on anyway with --any-memory (memory: "any" in a program)` },
  );
}

const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`;
