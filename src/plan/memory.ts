/**
 * Memory of one rank under PyTorch's FSDP2 with float32 masters and half precision in between, tensor parallelism with
 * sequences split beside it (Korthikanti et al. 2022, arXiv:2205.05198), and AdamW.
 */
import { bytesOf, type Network } from "./network.ts";

/** Bytes of a weight: float32 masters, float32 gradients, Adam's two moments. */
export const bytesOfWeight = { weights: 4, gradients: 4, moments: 8 } as const;
/** What a checkpoint holds of a weight (master and moments), and a model's directory in half precision. */
export const bytesOfCheckpoint = 12;
export const bytesOfExport = 2;
/** Share that is left to the driver's context, collective buffers and a divided free memory: an assumption. */
const reserved = 0.1;
/** Of a process on the host, with PyTorch and CUDA loaded: an assumption. */
const processBytes = 4e9;

export interface Layout {
  /** Ranks that weights are sharded among, and rows split. */
  readonly fsdp: number;
  readonly tensorParallel: number;
  /** "full": layers are computed again in the backward pass, and only what passes between them is held. */
  readonly recomputation: "none" | "full";
  /** Rows of a micro-batch. */
  readonly microBatch: number;
}

/** In bytes. */
export interface RankMemory {
  readonly weights: number;
  readonly gradients: number;
  readonly moments: number;
  /** Two layers and what is outside of layers, in half precision, and the largest's gradient before it is scattered. */
  readonly gathered: number;
  readonly activations: number;
  /** And their gradient, in float32. */
  readonly logits: number;
  readonly total: number;
  /** What the accelerator has for these. */
  readonly usable: number;
  /** Of the host: a copy of the rank's share of a checkpoint while it is written, and the process. */
  readonly host: number;
}

/** Parts of a rank's memory, in the order of pictures. */
export const memoryParts = ["weights", "gradients", "moments", "gathered", "activations", "logits"] as const;

/** Of rows of so many tokens, on accelerators of `capacity` bytes. */
export function memoryOf(network: Network, layout: Layout, tokens: number, capacity: number): RankMemory {
  const { fsdp, tensorParallel: ranks, recomputation, microBatch: rows } = layout;
  const share = network.parameters / (fsdp * ranks);
  const { layerParameters: layer, rootParameters: root } = network;
  const parts = {
    weights: bytesOfWeight.weights * share,
    gradients: bytesOfWeight.gradients * share,
    moments: bytesOfWeight.moments * share,
    gathered: (2 * (2 * layer + root) + 4 * Math.max(layer, root)) / ranks,
    activations:
      recomputation === "none" ? bytesOf(network.kept, rows, tokens, ranks) : recomputed(network, rows, tokens, ranks),
    logits: (2 * 4 * rows * tokens * network.rows) / ranks,
  };
  return {
    ...parts,
    total: memoryParts.reduce((sum, name) => sum + parts[name], 0),
    usable: (1 - reserved) * capacity,
    host: bytesOfCheckpoint * share + processBytes,
  };
}

/** What passes between layers, what is outside of them, and the largest layer while it is computed again. */
function recomputed(
  { boundaries, outside, largestLayer }: Network,
  rows: number,
  tokens: number,
  ranks: number,
): number {
  return [boundaries, outside, largestLayer].reduce((sum, bytes) => sum + bytesOf(bytes, rows, tokens, ranks), 0);
}
