/**
 * What a launcher is: it writes a script that a person can read and hand in without Galen, hands it in, and says what
 * became of it. What a job is, the script's work says; nothing in it knows a recipe.
 */
import type { Submitted } from "../folder.ts";

export const launcherNames = ["local", "slurm", "ray", "kubernetes"] as const;
export type LauncherName = (typeof launcherNames)[number];

/** A training: as many processes as ranks, under torchrun. */
export interface RanksWork {
  readonly kind: "ranks";
  readonly ranks: number;
  /** Of one machine; divides `ranks` where there are several machines. */
  readonly perNode: number;
  readonly tensorParallel: number;
  /** How often a machine starts its ranks again where one of them failed. */
  readonly restarts: number;
  /** Its inputs come from jobs before it: job.json is written first, where it runs. */
  readonly prepares: boolean;
}

/** Independent tasks of array.json, by number. */
export interface TasksWork {
  readonly kind: "tasks";
  readonly tasks: readonly number[];
  /** At most so many at a time. */
  readonly parallel: number | undefined;
}

/** A job before this one. */
export interface Before {
  /** Of the same launcher; undefined where the folder was handed to none. */
  readonly id: string;
  /** Undefined where the launcher's own id was given. */
  readonly folder: string | undefined;
}

export interface Order {
  /** Absolute, and the same path wherever the job runs. */
  readonly folder: string;
  /** Letters, digits and dashes. */
  readonly name: string;
  readonly work: RanksWork | TasksWork;
  /** Command of the Python that has torch, as the machines of the job know it. */
  readonly python: string;
  /** Command of Galen there, in words of a shell. */
  readonly galen: string;
  readonly after: readonly Before[];
  /** What the launcher alone knows the meaning of: Slurm's partition, Kubernetes' image. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** Of a server that takes jobs. */
  readonly address: string | undefined;
}

export interface Script {
  /** What is written, by its path in the job's folder; the first is what a person wants to see. */
  readonly files: Readonly<Record<string, string>>;
  /** How it is handed in, as a person would. */
  readonly command: string;
}

/** `detail`: the launcher's own word. */
export interface JobState {
  readonly state: "pending" | "running" | "ended" | "unknown";
  readonly code?: number | undefined;
  readonly detail?: string | undefined;
}

export interface Launcher {
  script(order: Order): Script | Promise<Script>;
  /** Hands the written script in; returns what the launcher calls the job. @throws RuntimeError */
  submit(order: Order, script: Script): Promise<string>;
  state(job: Submitted): Promise<JobState>;
  cancel(job: Submitted): Promise<void>;
  /** Last of what the launcher itself keeps of the job's output; undefined where all is in the job's folder. */
  readonly logs?: (job: Submitted) => Promise<string | undefined>;
}

/** Of options by name; where one is given twice, the last. */
export function optionOf(options: Order["options"], name: string): string | undefined {
  return options.findLast(([one]) => one === name)?.[1];
}
