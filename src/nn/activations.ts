/**
 * Activation functions by the names that Hugging Face's `ACT2FN` gives them in config.json. Every family and every dense
 * stage reads this table, so a function that one needs is there for all. "gelu" is the exact one, by erf.
 */
import type { Value } from "../graph/graph.ts";
import { gelu, geluTanh, relu, sigmoid, silu, tanh } from "../graph/ops/index.ts";

export const activations = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  linear: (x: Value): Value => x,
  relu,
  sigmoid,
  silu,
  swish: silu,
  tanh,
} as const;

export type Activation = keyof typeof activations;
