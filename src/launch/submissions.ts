/** Handing a job's folder to a launcher: the order is worked out, its script is written, and a line of submitted.jsonl says so. */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically, writing } from "../io/files.ts";
import { arrayState, clearFailures } from "./array.ts";
import { readDone } from "../io/job-files.ts";
import { addSubmitted, kindOf, lastHandedIn, readSubmitted, requireJob, type Submitted } from "./folder.ts";
import { launchers } from "./launchers/list.ts";
import type { Before, LauncherName, Order, RanksWork, Script, TasksWork } from "./launchers/launcher.ts";
import { nodesOf } from "./launchers/script.ts";
import { checkPython, pythonFor } from "./python.ts";
import { jobStatus } from "./status.ts";

export interface SubmitOptions {
  readonly on: LauncherName;
  /** Of a training. Default 1. */
  readonly ranks?: number | undefined;
  /** Ranks of a machine. Default 8, or as many as there are. */
  readonly perNode?: number | undefined;
  readonly tensorParallel?: number | undefined;
  readonly restarts?: number | undefined;
  /** Of an array: tasks at a time. */
  readonly parallel?: number | undefined;
  /** Python that has torch. Default: GALEN_PYTHON, else python3. */
  readonly python?: string | undefined;
  /** Command of Galen where the job runs. Default: GALEN, else galen. */
  readonly galen?: string | undefined;
  /** NAME=VALUE, of the launcher's own. */
  readonly options?: readonly string[] | undefined;
  readonly address?: string | undefined;
  /** Folders of jobs that have to end well first, or the launcher's ids of them. */
  readonly after?: readonly string[] | undefined;
  /** Writes the script, and hands it to nobody. */
  readonly dryRun?: boolean | undefined;
}

export interface Submission {
  readonly order: Order;
  readonly script: Script;
  /** Undefined of a dry run. */
  readonly submitted: Submitted | undefined;
}

const usualPerNode = 8;

/**
 * Hands a job to a launcher.
 * @throws ConfigError or RuntimeError where the launcher, the machine or the order is not as it must be; nothing was handed in then.
 */
export async function submitJob(folder: string, options: SubmitOptions): Promise<Submission> {
  const order = await orderOf(resolve(folder), options);
  const launcher = launchers[options.on];
  if (options.on === "local" && order.work.kind === "ranks" && options.dryRun !== true) await checkPython(order.python);
  const script = await launcher.script(order);
  // Slurm makes no folder for what a job prints, and ends jobs without a word where there is none.
  await writing(order.folder, () => mkdir(join(order.folder, "logs"), { recursive: true }));
  for (const [path, text] of Object.entries(script.files)) await writeFileAtomically(join(order.folder, path), text);
  if (options.dryRun === true) {
    // So that a job that is handed in later is what was shown.
    await addSubmitted(submittedOf(order, options.on, null));
    return { order, script, submitted: undefined };
  }
  if (order.work.kind === "tasks") await clearFailures(order.folder);
  const id = await launcher.submit(order, script);
  const submitted = submittedOf(order, options.on, id);
  await addSubmitted(submitted);
  return { order, script, submitted };
}

function submittedOf(order: Order, on: LauncherName, id: string | null): Submitted {
  const { folder, work, python, galen, options, address, after } = order;
  return {
    folder,
    time: new Date().toISOString(),
    on,
    id,
    work:
      work.kind === "ranks"
        ? work
        : {
            kind: "tasks",
            count: work.tasks.length,
            ...(work.parallel === undefined ? {} : { parallel: work.parallel }),
          },
    python,
    galen,
    options: options.map(([name, value]) => [name, value]),
    ...(address === undefined ? {} : { address }),
    after: after.map((one) => one.folder ?? one.id),
  };
}

async function orderOf(folder: string, options: SubmitOptions): Promise<Order> {
  const kind = requireJob(folder);
  const work = kind === "array" ? await tasksWork(folder, options) : ranksWork(folder, options);
  const attempt = (await readSubmitted(folder)).length + 1;
  return {
    folder,
    name: nameOf(folder, attempt),
    work,
    python: pythonFor(options.python),
    galen: options.galen ?? (process.env["GALEN"] || "galen"),
    after: await befores(options),
    options: (options.options ?? []).map(optionFrom),
    address: options.address,
  };
}

function ranksWork(folder: string, options: SubmitOptions): RanksWork {
  const { ranks = 1, tensorParallel = 1, restarts = 0 } = options;
  const perNode = options.perNode ?? (options.on === "local" ? ranks : Math.min(ranks, usualPerNode));
  if (ranks % tensorParallel !== 0) {
    throw new ConfigError(`--tensor-parallel: expected a divisor of ${ranks} ranks, got ${tensorParallel}`);
  }
  if (options.on === "local" && perNode < ranks) {
    throw new ConfigError(`--per-node: expected ${ranks}, all ranks being on this machine, got ${perNode}`, {
      hint: "--on slurm, ray or kubernetes has several machines",
    });
  }
  const work = { kind: "ranks", ranks, perNode, tensorParallel, restarts } as const;
  nodesOf(work);
  return { ...work, prepares: !existsSync(join(folder, "job.json")) };
}

/** @throws ConfigError where all is done. */
async function tasksWork(folder: string, { parallel }: SubmitOptions): Promise<TasksWork> {
  const { left, tasks } = await arrayState(folder);
  if (left.length === 0) throw new ConfigError(`${folder}: expected tasks that are not done, got ${tasks} done ones`);
  return { kind: "tasks", tasks: left, parallel };
}

/** Of a folder, as every launcher takes it: lower-case letters, digits and dashes, a letter first, at most 40. */
function nameOf(folder: string, attempt: number): string {
  const plain = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return `${plain === "" ? "job" : plain}-${attempt}`;
}

/** "gres=gpu:8"; "exclusive" has no value. @throws ConfigError. */
function optionFrom(text: string): [string, string] {
  const [, name, value = ""] = /^([a-z][\w.-]*)(?:=(.*))?$/is.exec(text) ?? [];
  if (name !== undefined && !/[\n\r]/.test(text)) return [name, value];
  throw new ConfigError(`--option: expected NAME=VALUE, got "${text}"`);
}

/** Jobs that have to end first; those that did long ago are waited for by nobody. */
async function befores({ on, after = [] }: SubmitOptions): Promise<Before[]> {
  const found: Before[] = [];
  for (const text of after) {
    if (kindOf(text) === undefined) {
      if (on === "local") {
        throw new ConfigError(`--after: expected the folder of a job, got "${text}"`, {
          hint: "on this machine jobs have no other name",
        });
      }
      found.push({ id: text, folder: undefined });
      continue;
    }
    const folder = resolve(text);
    if ((await readDone(folder))?.stopped === false) continue;
    const last = await lastHandedIn(folder);
    if (on !== "local" && last?.on !== on) {
      throw new ConfigError(
        `--after: expected a job that was handed to ${on}, got ${text}, ${last === undefined ? "handed to nobody" : `on ${last.on}`}`,
        {
          hint: `hand it in first, or wait for it: galen jobs watch ${text} --follow`,
        },
      );
    }
    found.push({ id: last?.id ?? "", folder });
  }
  return found;
}

/** What a job that is handed in again is as before, but for what is given. */
export type ResumeOptions = Partial<SubmitOptions>;

/**
 * Hands a job in again, where it ended or was stopped; a training goes on from its last whole checkpoint, on whatever number of
 * ranks, an array with the tasks that are not done.
 * @throws ConfigError where it was never handed in and no launcher is named, runs still, or is done.
 */
export async function resumeJob(folder: string, given: ResumeOptions): Promise<Submission> {
  requireJob(folder);
  const last = (await readSubmitted(resolve(folder))).at(-1);
  const on = given.on ?? last?.on;
  if (on === undefined) {
    throw new ConfigError(`${folder}: expected --on, the job having been handed to nobody yet`);
  }
  const { outcome } = await jobStatus(folder);
  if (outcome === "running" || outcome === "pending") {
    throw new ConfigError(
      `${folder}: expected a job that has ended, got one that is ${outcome} on ${on} as ${last?.id ?? "nothing"}`,
      {
        hint: `galen jobs stop ${folder} ends it`,
      },
    );
  }
  if (outcome === "finished") {
    throw new ConfigError(`${folder}: expected a job that is not done, got one that ended well`, {
      hint: "its model is in model/; a longer training is another job, with steps=…",
    });
  }
  if (given.dryRun !== true) {
    for (const name of ["stop", "done.json"]) await rm(join(folder, name), { force: true });
  }
  return submitJob(folder, { ...(last === undefined ? {} : asBefore(last, on)), ...stripped(given), on });
}

function asBefore(last: Submitted, on: LauncherName): Partial<SubmitOptions> {
  const { work, python, galen, options, address } = last;
  return {
    ...(work.kind === "ranks"
      ? {
          ranks: work.ranks,
          perNode: work.perNode === work.ranks ? undefined : work.perNode,
          tensorParallel: work.tensorParallel,
          restarts: work.restarts,
        }
      : { parallel: work.parallel }),
    python,
    // Of another launcher they mean nothing.
    ...(on === last.on
      ? { galen, address, options: options.map(([name, value]) => (value === "" ? name : `${name}=${value}`)) }
      : {}),
  };
}

/** Without what is not given. */
function stripped(options: ResumeOptions): ResumeOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}
