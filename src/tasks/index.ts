/** The published tasks by name. */
import { bc5cdr } from "./bc5cdr.ts";
import { ddi } from "./ddi.ts";
import { hoc } from "./hoc.ts";
import { kdDti } from "./kd-dti.ts";
import { pubmedqa, pubmedqaLarge } from "./pubmedqa.ts";
import type { Task } from "./task.ts";

export const tasks: Readonly<Record<string, Task>> = {
  bc5cdr,
  "kd-dti": kdDti,
  ddi,
  pubmedqa,
  "pubmedqa-large": pubmedqaLarge,
  hoc,
};
