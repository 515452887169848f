/** Trainings planned for accelerators, and curation, indexing and mining for machines, before any is rented. */
export { type Accelerator, accelerators, type Fleet, fleetOf } from "./accelerators.ts";
export { type Range, usualUtilisation, utilisationFrom } from "./flops.ts";
export type { PlannedLayout } from "./layouts.ts";
export { type Layout, memoryParts, type RankMemory } from "./memory.ts";
export type { Basis, Constant, RanksOnPaper } from "./ranks.ts";
export { type Plan, type PlanOptions, planTraining } from "./plan.ts";
export {
  type Amount,
  amountFrom,
  type CorpusPlan,
  type CorpusPlanOptions,
  type CorpusRates,
  type DocumentJob,
  type DocumentPlan,
  type DocumentPlanOptions,
  type DocumentRates,
  type Limit,
  measureCorpus,
  measureDocuments,
  type MeasureOptions,
  planCorpus,
  planDocuments,
  type PlannedStep,
  readCorpusRates,
  readDocumentRates,
  writeRates,
} from "./work/index.ts";
