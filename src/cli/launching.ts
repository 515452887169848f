/** What launching commands share: options, what was handed in, and a job that is followed on the terminal. */
import { fileURLToPath } from "node:url";
import {
  askToStop,
  followJob,
  type JobEvent,
  type JobStatus,
  kindOf,
  shellLine,
  type Submission,
  type SubmitOptions,
} from "../launch/index.ts";
import { RuntimeError } from "../errors.ts";
import type { Context } from "./command.ts";
import { firstText, jobText, stateText } from "./job-text.ts";
import { showProgress } from "./training.ts";

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress" | "signal">;

/** Values of `submitOptions` and of those of a training or an array. */
export interface LaunchValues {
  readonly on?: string | undefined;
  readonly ranks?: number | undefined;
  readonly "per-node"?: number | undefined;
  readonly "tensor-parallel"?: number | undefined;
  readonly restarts?: number | undefined;
  readonly parallel?: number | undefined;
  readonly python?: string | undefined;
  readonly galen?: string | undefined;
  readonly option: readonly string[];
  readonly address?: string | undefined;
  readonly after: readonly string[];
  readonly "dry-run": boolean;
}

/** As the library takes them; Galen is where jobs run the one that is called, unless another is named. */
export function submitValues(values: LaunchValues): Omit<SubmitOptions, "on"> & { on?: SubmitOptions["on"] } {
  const { on, ranks, restarts, parallel, python, option, address, after } = values;
  const galen = values.galen ?? (process.env["GALEN"] || (on === "kubernetes" ? "galen" : shellLine(ownCommand())));
  return {
    ...(on === undefined ? {} : { on: on as SubmitOptions["on"] }),
    ranks,
    perNode: values["per-node"],
    tensorParallel: values["tensor-parallel"],
    restarts,
    parallel,
    python,
    galen,
    options: option,
    address,
    after,
    dryRun: values["dry-run"],
  };
}

/** This Node and this Galen. */
export function ownCommand(): string[] {
  return [process.execPath, fileURLToPath(new URL("../../bin/galen.js", import.meta.url))];
}

/** Says what was handed in, or would be; follows what runs on this machine to its end, unless it is to run alone. */
export async function announce(
  { order, script, submitted }: Submission,
  terminal: Terminal,
  { detach, name }: { readonly detach: boolean; readonly name: string },
): Promise<void> {
  const { json, output } = terminal;
  if (submitted === undefined) {
    const [[path, text] = ["", ""]] = Object.entries(script.files);
    if (json)
      return output.json({ type: "written", folder: order.folder, files: script.files, command: script.command });
    return output.write(`# ${order.folder}/${path}\n${text}\n${script.command}\n`);
  }
  const { on, id } = submitted;
  if (json) await output.json({ type: "submitted", folder: name, on, id, command: script.command });
  if (on === "local" && !detach) return attend(name, terminal);
  if (json) return;
  await output.write(`job   ${name}\non    ${on} as ${id}\nnext  galen jobs watch ${name} --follow\n`);
}

/** Stays with a job of this machine; the first Ctrl-C asks it to save and stop. */
async function attend(folder: string, terminal: Terminal): Promise<void> {
  const { signal } = terminal;
  const stop = (): void => void askToStop(folder);
  signal.addEventListener("abort", stop);
  try {
    await showJob(folder, { ...terminal, signal: undefined }, true);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Follows a job to its end, and says how it ended, by the exit code too. */
export async function showJob(
  folder: string,
  { json, output, progress, signal }: Omit<Terminal, "signal"> & { readonly signal: AbortSignal | undefined },
  fromStart: boolean,
): Promise<void> {
  const line = progress(kindOf(folder) === "array" ? "tasks" : "training");
  const show = showProgress(line);
  const events = followJob(folder, { fromStart, signal });
  let status: JobStatus;
  try {
    for (;;) {
      const next = await events.next();
      if (next.done === true) {
        status = next.value;
        break;
      }
      const event = next.value;
      if (json) await output.json(event);
      else if (event.type === "step") show(event as never);
      else if (event.type === "tasks") {
        const { done, tasks: total, secondsLeft, failed } = event;
        line.update({ done, total, unit: "tasks", secondsLeft, text: failed === 0 ? undefined : `${failed} failed` });
      } else {
        line.end();
        output.note(noteOf(event));
      }
    }
  } finally {
    line.end();
  }
  if (json) await output.json({ type: "result", ...status });
  else await output.write(jobText(status));
  if (status.outcome !== "finished") process.exitCode = 1;
  if (status.outcome === "failed") throw failureOf(status);
}

function noteOf(event: Extract<JobEvent, { type: "state" | "evaluated" }>): string {
  if (event.type === "state") return event.detail === undefined ? event.outcome : `${event.outcome} (${event.detail})`;
  const perplexity = typeof event["perplexity"] === "number" ? `perplexity ${event["perplexity"].toFixed(2)}, ` : "";
  return `update ${event.step}: held-out ${perplexity}loss ${event.loss?.toFixed(4) ?? "–"}`;
}

function failureOf(status: JobStatus): RuntimeError {
  const { folder, training, array } = status;
  const first = training?.first;
  const failed = array?.failed[0];
  const got =
    first !== undefined
      ? firstText({ ...first, log: undefined })
      : failed !== undefined
        ? `task ${failed.task}: ${failed.words.trim().split("\n").at(-1)}`
        : stateText(status);
  return new RuntimeError(`${folder}: expected it to end well, got ${got}`, {
    hint: `what was printed is in ${folder}/logs; "galen jobs resume ${folder}" goes on from what is done`,
  });
}
