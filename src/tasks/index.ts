/** The tasks by name: those that BioGPT published, and named entities. */
import { bc5cdr } from "./bc5cdr.ts";
import { ddi } from "./ddi.ts";
import { hoc } from "./hoc.ts";
import { kdDti } from "./kd-dti.ts";
import { nerTasks } from "./ner-tasks.ts";
import { pubmedqa, pubmedqaLarge } from "./pubmedqa.ts";
import type { Task } from "./task.ts";

export const tasks: Readonly<Record<string, Task>> = {
  bc5cdr,
  "kd-dti": kdDti,
  ddi,
  pubmedqa,
  "pubmedqa-large": pubmedqaLarge,
  hoc,
  ...Object.fromEntries(nerTasks.map((task) => [task.name, task as unknown as Task])),
};

export { type EntityPlace, type LocatedEntity, locateEntities, type NamedEntity } from "./entities.ts";
