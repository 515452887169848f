/** Every objective: the settings of each as one union, and what opens it. */
import * as z from "zod";
import { resolvedInputs } from "../inputs.ts";
import { causalSettings, openCausal } from "./causal.ts";
import { distillationSettings, openDistillation } from "./distillation.ts";
import { classesSettings, openClasses, openTags, tagsSettings } from "./labels.ts";
import { lateContrastiveSettings, lateDivergenceSettings, openLateInteraction } from "./late-interaction.ts";
import { maskedSettings, openMasked } from "./masked.ts";
import { instructionsSettings, openInstructions } from "./instructions.ts";
import type { Context, Inputs, Objective } from "./objective.ts";
import { openPairs, pairSettings } from "./pairs.ts";
import { openPreference, preferenceSettings } from "./preference.ts";
import { openPolicy, policySettings } from "./policy.ts";
import { divergenceSettings, marginSettings, openRanking, rankingSettings } from "./ranking.ts";
import { openReward, rewardSettings } from "./reward.ts";
import { openSoftPrompt, softPromptSettings } from "./soft-prompt.ts";
import { openUnpaired, unpairedSettings } from "./unpaired.ts";

export const objectiveSettings = z.discriminatedUnion("kind", [
  causalSettings,
  maskedSettings,
  distillationSettings,
  rankingSettings,
  marginSettings,
  divergenceSettings,
  lateContrastiveSettings,
  lateDivergenceSettings,
  pairSettings,
  classesSettings,
  tagsSettings,
  softPromptSettings,
  instructionsSettings,
  rewardSettings,
  preferenceSettings,
  unpairedSettings,
  policySettings,
]);

export type ObjectiveSettings = z.infer<typeof objectiveSettings>;

/** @throws ConfigError or DataError where inputs and settings do not fit. */
export async function openObjective(settings: ObjectiveSettings, given: Inputs, context: Context): Promise<Objective> {
  const inputs = await resolvedInputs(given, context.signal);
  switch (settings.kind) {
    case "causal":
      return openCausal(settings, inputs, context);
    case "masked":
      return openMasked(settings, inputs, context);
    case "distillation":
      return openDistillation(settings, inputs, context);
    case "ranking":
    case "margin":
    case "divergence":
      // What it makes of its batches is its own affair: whoever runs an objective hands back what that gave.
      return openRanking(settings, inputs, context) as Promise<Objective>;
    case "late-contrastive":
    case "late-divergence":
      return openLateInteraction(settings, inputs, context);
    case "pairs":
      return openPairs(settings, inputs);
    case "classes":
      return openClasses(settings, inputs);
    case "tags":
      return openTags(settings, inputs);
    case "soft-prompt":
      return openSoftPrompt(settings, inputs, context);
    case "instructions":
      return openInstructions(settings, inputs, context);
    case "reward":
      return openReward(settings, inputs, context);
    case "preference":
      return openPreference(settings, inputs, context);
    case "unpaired":
      return openUnpaired(settings, inputs, context);
    case "policy":
      return openPolicy(settings, inputs, context) as Promise<Objective>;
  }
}
