/** The tasks by name: those that BioGPT published, and named entities. */
import { bc5cdr } from "./bc5cdr.ts";
import type { Benchmark } from "./benchmark.ts";
import { ddi } from "./ddi.ts";
import { hoc } from "./hoc.ts";
import { kdDti } from "./kd-dti.ts";
import { nerTasks } from "./ner-tasks.ts";
import { pubmedqa, pubmedqaLarge } from "./pubmedqa.ts";

export const tasks: Readonly<Record<string, Benchmark>> = {
  bc5cdr,
  "kd-dti": kdDti,
  ddi,
  pubmedqa,
  "pubmedqa-large": pubmedqaLarge,
  hoc,
  ...Object.fromEntries(nerTasks.map((task) => [task.name, task])),
};

export type { AnswerForm, AnswerPart, Benchmark, Example, Split } from "./benchmark.ts";
export { type EntityPlace, type LocatedEntity, locateEntities, type NamedEntity } from "./entity-places.ts";
export { type OwnTask, taskFromSchema } from "./schema.ts";
export { type Labelled, streamLabelled } from "./labelled.ts";
export { streamTagged, type Tagged } from "./ner.ts";
export { readRetrievalSet, type RetrievalSet } from "./retrieval-sets.ts";
