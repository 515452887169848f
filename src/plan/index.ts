/** Trainings planned for accelerators, before any is rented. */
export { type Accelerator, accelerators, type Fleet, fleetOf } from "./accelerators.ts";
export { type Range, usualUtilisation, utilisationFrom } from "./flops.ts";
export type { PlannedLayout } from "./layouts.ts";
export { type Layout, memoryParts, type RankMemory } from "./memory.ts";
export type { Basis, Constant, RanksOnPaper } from "./ranks.ts";
export { type Plan, type PlanOptions, planTraining } from "./plan.ts";
