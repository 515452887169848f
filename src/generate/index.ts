/** Generation: greedy search, sampling and beam search over any decoder, with transformers' options and results. */
export { type Generated, generate, generateStream, type Piece } from "./generate.ts";
export { type Codec, type Generator, type GeneratorSource, openGenerator } from "./open.ts";
export type { GenerateOptions } from "./options.ts";
export type { Processor } from "./processors.ts";
