/** The formats of weights by their names in options. */
import { float32 } from "./float32.ts";
import type { WeightFormat } from "./format.ts";
import { int8 } from "./int8.ts";

export type WeightFormatName = "float32" | "int8";

export const weightFormats: Readonly<Record<WeightFormatName, WeightFormat>> = { float32, int8 };
