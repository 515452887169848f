/** Every function that applies an op. */
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
export * from "./rotary.ts";
