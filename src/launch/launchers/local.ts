/**
 * This machine: a script in a session of its own, so that it lives on without the process that began it. Its id is the
 * process's with the time it started, since a machine gives numbers of processes again.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { RuntimeError } from "../../errors.ts";
import type { Submitted } from "../folder.ts";
import { ask, shellWord } from "../shell.ts";
import type { JobState, Launcher, Order, Script } from "./launcher.ts";
import { begun, folded, preparing, ranksOfNode, stoppedLines, titleOf, torchrun } from "./script.ts";

const path = "submit/local.sh";
const exitFile = "submit/local.exit";

function script(order: Order): Script {
  const { folder, work, after, galen } = order;
  const text = [
    "#!/bin/sh",
    `# ${titleOf(order)}, on this machine. What it prints is in logs/local.log.`,
    `cd ${shellWord(folder)} || exit`,
    "mkdir -p logs",
    "exec >> logs/local.log 2>&1 < /dev/null",
    begun,
    `rm -f ${exitFile}`,
    `trap 'echo $? > ${exitFile}' EXIT`,
    ...after.flatMap(({ folder: before }) => [
      "# Begins once the job before it has ended well.",
      `${galen} jobs watch ${shellWord(before!)} --follow > /dev/null || exit`,
    ]),
    ...(work.kind === "tasks"
      ? [`${galen} jobs task ${shellWord(folder)} --parallel ${work.parallel ?? availableParallelism()}`]
      : [
          ...preparing(order, work),
          "rm -rf ranks",
          "# Processors for each rank, where ranks compute on processors.",
          `export OMP_NUM_THREADS="\${OMP_NUM_THREADS:-${Math.max(1, Math.floor(availableParallelism() / ranksOfNode(work)))}}"`,
          folded(torchrun(order, work, ["--standalone"])),
          "code=$?",
          ...stoppedLines,
          'exit "$code"',
        ]),
  ];
  return { files: { [path]: `${text.join("\n")}\n` }, command: `sh ${shellWord(join(folder, path))}` };
}

async function submit({ folder }: Order): Promise<string> {
  await rm(join(folder, exitFile), { force: true });
  const child = spawn("sh", [join(folder, path)], { detached: true, stdio: "ignore" });
  const pid = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("spawn", () => resolve(child.pid!));
  });
  child.unref();
  return `${pid}@${(await startOf(pid)) ?? 0}`;
}

/** When a process began, as the system counts; undefined where there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  if (existsSync("/proc/self/stat")) {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    // Behind the name, which may hold spaces: the 3rd field is the state, the 22nd the start.
    const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
  }
  const answer = await ask(["ps", "-o", "lstart=", "-p", String(pid)]);
  const text = answer?.stdout.trim().replace(/\W+/g, "-");
  return text === "" ? undefined : text;
}

/** The process, where it is still the one that was begun. */
async function living({ id }: Submitted): Promise<number | undefined> {
  const [, pid, start] = /^(\d+)@(.+)$/.exec(id ?? "") ?? [];
  if (pid === undefined) return undefined;
  return (await startOf(Number(pid))) === start ? Number(pid) : undefined;
}

async function state(job: Submitted): Promise<JobState> {
  if ((await living(job)) !== undefined) return { state: "running" };
  const text = await readFile(join(job.folder, exitFile), "utf8").catch(() => undefined);
  if (text === undefined) return { state: "ended", detail: "killed" };
  return { state: "ended", code: Number(text) };
}

/** torchrun gives its ranks 30 seconds to end. */
const graceSeconds = 40;

async function cancel(job: Submitted): Promise<void> {
  for (let tenths = 0; tenths < 10 * graceSeconds; tenths++) {
    const pid = await living(job);
    if (pid === undefined) return;
    if (tenths === 0) signal(pid, "SIGTERM");
    await wait(100);
  }
  const pid = await living(job);
  if (pid !== undefined) signal(pid, "SIGKILL");
}

/** To all of its session. */
function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return;
    throw new RuntimeError(`process ${pid}: expected to send ${name}, got ${(cause as Error).message}`, { cause });
  }
}

export const local: Launcher = { script, submit, state, cancel };
