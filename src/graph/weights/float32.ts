/**
 * Weights as they are stored, the usual format: no layer is packed, and the graph's own products read the weights where
 * they lie in the checkpoint (float16 and bfloat16 are widened when the session is made).
 */
import type { WeightFormat } from "./format.ts";

export const float32: WeightFormat = { packer: () => undefined };
