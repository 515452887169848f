/**
 * Weights as float32: no layer is packed, and the graph's own products read the weights where they lie in the checkpoint
 * (float16, bfloat16 and few bits are widened when the session is made).
 */
import type { WeightFormat } from "./format.ts";

export const float32: WeightFormat = { packer: () => undefined };
