/** Every differentiable op, for the tests that loop over them, and every function that applies one. */
import { activationOps } from "./activation.ts";
import { attentionOps } from "./attention.ts";
import { controlOps } from "./control.ts";
import { dropoutOps } from "./dropout.ts";
import { elementwiseOps } from "./elementwise.ts";
import { indexingOps } from "./indexing.ts";
import { lossOps } from "./loss.ts";
import { matMulOps } from "./matmul.ts";
import { normalisationOps } from "./normalisation.ts";
import { reduceOps } from "./reduce.ts";
import { reshapeOps } from "./reshape.ts";
import type { Op, Value } from "../graph.ts";

export * from "./activation.ts";
export * from "./attention.ts";
export * from "./control.ts";
export * from "./dropout.ts";
export * from "./elementwise.ts";
export * from "./indexing.ts";
export * from "./loss.ts";
export * from "./matmul.ts";
export * from "./normalisation.ts";
export * from "./reduce.ts";
export * from "./reshape.ts";

export const ops: readonly Op<readonly Value[], unknown>[] = [
  ...elementwiseOps,
  ...activationOps,
  ...reduceOps,
  ...reshapeOps,
  ...indexingOps,
  ...matMulOps,
  ...normalisationOps,
  ...attentionOps,
  ...lossOps,
  ...dropoutOps,
  ...controlOps,
] as unknown as readonly Op<readonly Value[], unknown>[];
