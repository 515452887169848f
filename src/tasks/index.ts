/** The tasks by name that models are tuned for with soft prompts, and beside them the benchmarks that models are only asked. */
import { bc5cdr } from "./bc5cdr.ts";
import type { Benchmark } from "./benchmark.ts";
import { ddi } from "./ddi.ts";
import { hoc } from "./hoc.ts";
import { kdDti } from "./kd-dti.ts";
import { medmcqa } from "./medmcqa.ts";
import { medqa } from "./medqa.ts";
import { mmlu } from "./mmlu.ts";
import { moreBenchmarks } from "./more-benchmarks.ts";
import { nerTasks } from "./ner-tasks.ts";
import { pubmedqaPrompted } from "./pubmedqa-prompted.ts";
import { pubmedqa, pubmedqaLarge } from "./pubmedqa.ts";

/** What there are recipes for: those that BioGPT published, and named entities. */
export const tasks: Readonly<Record<string, Benchmark>> = {
  bc5cdr,
  "kd-dti": kdDti,
  ddi,
  pubmedqa,
  "pubmedqa-large": pubmedqaLarge,
  hoc,
  ...Object.fromEntries(nerTasks.map((task) => [task.name, task])),
};

/** Everything that a model can be scored on by name. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  ...tasks,
  ...Object.fromEntries(
    [medqa, medmcqa, pubmedqaPrompted, ...mmlu, ...moreBenchmarks].map((one) => [one.name, one as Benchmark]),
  ),
};

export type { AnswerForm, AnswerPart, Benchmark, Example, Split } from "./benchmark.ts";
export { type EntityPlace, type LocatedEntity, locateEntities, type NamedEntity } from "./entity-places.ts";
export { type OwnTask, taskFromSchema } from "./schema.ts";
export { type Labelled, streamLabelled } from "./labelled.ts";
export { streamTagged, type Tagged } from "./ner.ts";
export { readRetrievalSet, type RetrievalSet } from "./retrieval-sets.ts";
