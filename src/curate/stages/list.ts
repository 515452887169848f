/** The stages by name, in the order that a pipeline usually has them. */
import type { AnyStage } from "../stage.ts";
import { decontaminate } from "./decontaminate.ts";
import { deidentifyStage } from "./deidentify.ts";
import { duplicateParagraphs } from "./duplicate-paragraphs.ts";
import { exactDuplicates } from "./exact-duplicates.ts";
import { licences } from "./licences.ts";
import { nearDuplicates } from "./near-duplicates.ts";

export const stages: readonly AnyStage[] = [
  deidentifyStage,
  licences,
  exactDuplicates,
  nearDuplicates,
  duplicateParagraphs,
  decontaminate,
];
