/** The stages by name, in the order that a pipeline usually has them. */
import type { AnyStage } from "../stage.ts";
import { cleanStage } from "./clean.ts";
import { decontaminateStage } from "./decontaminate.ts";
import { deidentifyStage } from "./deidentify.ts";
import { duplicateParagraphsStage } from "./duplicate-paragraphs.ts";
import { exactDuplicatesStage } from "./exact-duplicates.ts";
import { languageStage } from "./language.ts";
import { licencesStage } from "./licences.ts";
import { nearDuplicatesStage } from "./near-duplicates.ts";
import { qualityClassifierStage } from "./quality-classifier.ts";
import { qualityStage } from "./quality.ts";

export const stages: readonly AnyStage[] = [
  deidentifyStage,
  licencesStage,
  cleanStage,
  languageStage,
  qualityStage,
  qualityClassifierStage,
  exactDuplicatesStage,
  nearDuplicatesStage,
  duplicateParagraphsStage,
  decontaminateStage,
];
