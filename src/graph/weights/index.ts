/** The formats of weights by their names in options. */
import { float32 } from "./float32.ts";
import type { WeightFormat } from "./format.ts";
import { groupFormat } from "./groups.ts";
import { int8 } from "./int8.ts";

export type WeightFormatName = "float32" | "int8" | "int8-groups" | "int4";

export const weightFormats: Readonly<Record<WeightFormatName, WeightFormat>> = {
  float32,
  int8,
  "int8-groups": groupFormat(8),
  int4: groupFormat(4),
};
