/** Ends a job: in order by DIR/stop, which its ranks and tasks look for, or at once by its launcher. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { RuntimeError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { launchers } from "./launchers/list.ts";
import { type JobStatus, jobStatus } from "./status.ts";

export interface StopOptions {
  /** Does not let it save. */
  readonly now?: boolean | undefined;
  /** How long it is waited for. */
  readonly seconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: ((status: JobStatus, seconds: number) => void) | undefined;
}

const lookMs = 500;

/**
 * Returns how it ended; at once where it does not run.
 * @throws RuntimeError where it has not ended after so many seconds; the signal's reason.
 */
export async function stopJob(folder: string, options: StopOptions = {}): Promise<JobStatus> {
  const { now = false, seconds = 600, signal, onWait } = options;
  const status = await jobStatus(folder);
  const { outcome, submitted } = status;
  if (outcome !== "running" && outcome !== "pending") return status;
  if (!now) await askToStop(folder);
  // What has not begun has nothing to save.
  if ((now || outcome === "pending") && submitted !== undefined) await launchers[submitted.on].cancel(submitted);
  const begun = performance.now();
  for (;;) {
    const current = await jobStatus(folder);
    if (current.outcome !== "running" && current.outcome !== "pending") return current;
    const waited = (performance.now() - begun) / 1000;
    if (waited > seconds) {
      throw new RuntimeError(`${folder}: expected it to end within ${seconds} s, got one that is ${current.outcome}`, {
        hint: `it will stop after its update; --wait SECONDS waits longer, galen jobs stop ${folder} --now does not let it save`,
      });
    }
    // A job that has just begun, or was started again, has taken the request away.
    if (!now && !existsSync(join(folder, "stop"))) await askToStop(folder);
    onWait?.(current, waited);
    await wait(lookMs, undefined, { signal });
  }
}

/** Its ranks save and stop after their update; its tasks end in order. */
export async function askToStop(folder: string): Promise<void> {
  await writeFileAtomically(join(folder, "stop"), `${new Date().toISOString()}\n`);
}
