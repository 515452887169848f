/**
 * Slurm by its own commands (sbatch, scontrol, sacct, scancel; tried with 22.05): they are there wherever it is, with the
 * user's own rights. slurmrestd is left out: its paths and its fields change with every release, and few clusters run it.
 */
import { join } from "node:path";
import { ConfigError } from "../../errors.ts";
import type { Submitted } from "../folder.ts";
import { ask, shellLine, shellWord, told } from "../shell.ts";
import type { JobState, Launcher, Order, RanksWork, Script, TasksWork } from "./launcher.ts";
import { begun, folded, nodesOf, preparing, ranksOfNode, stoppedLines, titleOf, torchrun } from "./script.ts";

const path = "submit/slurm.sbatch";
/** Before a time limit: the time to write a checkpoint in. */
const warningSeconds = 300;

/** A directive; where an option is given twice, sbatch takes the last. */
function directive(name: string, value?: string): string {
  if (value === undefined) return `#SBATCH --${name}`;
  return `#SBATCH --${name}=${/^[\w./:@%+=,*-]*$/.test(value) ? value : `"${value.replaceAll('"', '\\"')}"`}`;
}

/** % is a field in names of logs. */
const logPath = (folder: string, name: string): string => join(folder.replaceAll("%", "%%"), "logs", name);

function directives({ folder, name, after, options }: Order, own: readonly (readonly [string, string?])[]): string[] {
  const log = own.find(([one]) => one === "output")![1]!;
  const all: (readonly [string, string?])[] = [
    ["job-name", name],
    ...own.filter(([one]) => one !== "output"),
    ["output", logPath(folder, log)],
    ["open-mode", "append"],
    ["requeue"],
    ["signal", `B:USR1@${warningSeconds}`],
    ...(after.length === 0
      ? []
      : ([
          ["dependency", after.map(({ id }) => `afterok:${id.replaceAll(",", ":")}`).join(",")],
          ["kill-on-invalid-dep", "yes"],
        ] as const)),
    ...options.map(([key, value]) => [key, ...(value === "" ? [] : [value])] as [string, string?]),
  ];
  return all.map(([key, value]) => directive(key, value));
}

/** Of a shell: waits for its child, whatever signals come in between, and sets `code`. */
const waiting = [
  "child=$!",
  'wait "$child"; code=$?',
  "# A signal ends the waiting, not what is waited for.",
  'while kill -0 "$child" 2> /dev/null; do wait "$child"; code=$?; done',
];

function training(order: Order, work: RanksWork): string[] {
  const { folder } = order;
  const [nodes, perNode] = [nodesOf(work), ranksOfNode(work)];
  const rendezvous = [
    `--nnodes ${nodes}`,
    '--rdzv-backend c10d --rdzv-endpoint "$first:$port" --rdzv-id "$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}"',
    '--rdzv-conf "is_host=$((SLURM_NODEID == 0))"',
  ];
  return [
    "#!/bin/bash",
    `# ${titleOf(order)}, on Slurm. Handed in by: sbatch ${shellWord(join(folder, path))}`,
    ...directives(order, [
      ["nodes", String(nodes)],
      ["ntasks-per-node", "1"],
      ["cpus-per-task", String(perNode)],
      ["output", "slurm-%j.log"],
    ]),
    "",
    `cd ${shellWord(folder)} || exit`,
    begun,
    ...preparing(order, work),
    "# A preempted job, which was asked to save as below, goes on here.",
    "rm -rf ranks stop",
    `# ${warningSeconds / 60} minutes before the time limit it saves, and goes on when Slurm starts it again.`,
    "trap 'limited=yes; touch stop' USR1",
    "trap 'touch stop' TERM",
    `export OMP_NUM_THREADS="\${OMP_NUM_THREADS:-$(( (\${SLURM_CPUS_PER_TASK:-${perNode}} + ${perNode} - 1) / ${perNode} ))}"`,
    "# Ranks of all machines meet at the first, where this script runs; each job has a port of its own there.",
    "first=$(hostname)",
    "port=$((20000 + SLURM_JOB_ID % 20000))",
    "export first port",
    `srun --kill-on-bad-exit=1 --cpus-per-task="\${SLURM_CPUS_PER_TASK:-${perNode}}" bash -c ${inner(folded(torchrun(order, work, rendezvous)))} &`,
    ...waiting,
    ...stoppedLines,
    'if [ -n "$limited" ] && [ "$code" -ne 0 ]; then',
    '  scontrol requeue "$SLURM_JOB_ID"; sleep 60',
    "fi",
    'exit "$code"',
  ];
}

/** A line in single quotes, which a shell on each machine reads again. */
function inner(line: string): string {
  return `'${line.replaceAll("'", "'\\''")}'`;
}

/** Numbers in braces as bash writes them: {0..39} 45 {50..60}. */
export function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length;) {
    let end = i;
    while (numbers[end + 1] === numbers[end]! + 1) end += 1;
    if (end - i < 2) parts.push(...numbers.slice(i, end + 1).map(String));
    else parts.push(`{${numbers[i]}..${numbers[end]}}`);
    i = end + 1;
  }
  return parts.join(" ");
}

function tasks(order: Order, { tasks: numbers }: TasksWork): string[] {
  const { folder, galen } = order;
  return [
    "#!/bin/bash",
    `# ${titleOf(order)}, on Slurm: the first lines of its array are the first of these numbers.`,
    ...directives(order, [
      ["cpus-per-task", "1"],
      ["output", "task-%A_%a.log"],
    ]),
    "",
    `cd ${shellWord(folder)} || exit`,
    begun,
    `tasks=(${ranges(numbers)})`,
    "task=${tasks[${OFFSET:-0} + SLURM_ARRAY_TASK_ID]}",
    "# Near its time limit a task stops in order, and goes on when Slurm starts it again.",
    "trap 'limited=yes; kill -TERM \"$child\"' USR1",
    "trap 'kill -TERM \"$child\"' TERM",
    "# Code 75: other tasks have to come first. Those that run are given some time; those that cannot start as long as this one",
    "# is here get its place, and Slurm starts it again in about two minutes.",
    'for attempt in $(seq "${ATTEMPTS:-30}"); do',
    `  ${galen} jobs task ${shellWord(folder)} "$task" &`,
    ...waiting.map((line) => `  ${line}`),
    '  if [ -n "$limited" ] && [ "$code" -ne 0 ]; then break; fi',
    '  [ "$code" -eq 75 ] || exit "$code"',
    '  sleep "${PAUSE:-20}"',
    "done",
    'scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"',
    "sleep 60",
  ];
}

/** How many of an array are handed in at once: its numbers must be below MaxArraySize. */
async function mostOfArray(): Promise<number> {
  const answer = await ask(["scontrol", "show", "config"], { seconds: 3 });
  return Number(/MaxArraySize\s*=\s*(\d+)/.exec(answer?.stdout ?? "")?.[1] ?? 1001);
}

/** Commands that hand the script in; of an array one for each part of it, `previous` the id of the part before. */
export function submissions(
  order: Order,
  most: number,
): { readonly offset: number; words(previous: string | undefined): string[] }[] {
  const file = join(order.folder, path);
  const { work } = order;
  if (work.kind === "ranks") return [{ offset: 0, words: () => ["sbatch", "--parsable", file] }];
  const parts = Math.ceil(work.tasks.length / most);
  return Array.from({ length: parts }, (_, part) => {
    const [offset, size] = [part * most, Math.min(most, work.tasks.length - part * most)];
    const limit = work.parallel === undefined ? "" : `%${work.parallel}`;
    const array = `--array=0-${size - 1}${limit}`;
    return {
      offset,
      words(previous) {
        // So many at a time are so many of one part.
        const chained = previous !== undefined && work.parallel !== undefined ? [`afterany:${previous}`] : [];
        const before = chained.length === 0 ? [] : order.after.map(({ id }) => `afterok:${id.replaceAll(",", ":")}`);
        const depends = chained.length === 0 ? [] : [`--dependency=${[...before, ...chained].join(",")}`];
        return ["sbatch", "--parsable", array, ...depends, `--export=ALL,OFFSET=${offset}`, file];
      },
    };
  });
}

async function script(order: Order): Promise<Script> {
  const { work, after } = order;
  const bad = after.find(({ id }) => !/^[\d,]+$/.test(id));
  if (bad !== undefined) {
    throw new ConfigError(`--after: expected a job of Slurm, got "${bad.id}"`, {
      hint: "name the folder of a job that was handed to Slurm, or its number",
    });
  }
  const lines = work.kind === "ranks" ? training(order, work) : tasks(order, work);
  const commands = submissions(order, work.kind === "ranks" ? 1 : await mostOfArray());
  const command = commands.map((one, i) => shellLine(one.words(i === 0 ? undefined : "$id"))).join("\n");
  return { files: { [path]: `${lines.join("\n")}\n` }, command };
}

const hint = "Slurm's commands are on the machines where jobs are handed in: run this there";

async function submit(order: Order): Promise<string> {
  const ids: string[] = [];
  for (const { words } of submissions(order, order.work.kind === "ranks" ? 1 : await mostOfArray())) {
    const said = await told(words(ids.at(-1)), hint);
    // "123", or of several clusters "123;name".
    ids.push(said.trim().split(";")[0]!);
  }
  return ids.join(",");
}

const running = ["RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "STOPPED"];
const pending = [
  "PENDING",
  "CONFIGURING",
  "REQUEUED",
  "REQUEUE_HOLD",
  "REQUEUE_FED",
  "RESIZING",
  "SUSPENDED",
  "SPECIAL_EXIT",
];

/** What "scontrol show job" or sacct says of all parts, as one. */
export function stateFrom(parts: readonly { state: string; code: number; reason?: string | undefined }[]): JobState {
  if (parts.length === 0) return { state: "unknown" };
  const of = (states: readonly string[]): typeof parts => parts.filter(({ state }) => states.includes(state));
  const [runs, waits] = [of(running), of(pending)];
  const told = (some: typeof parts): string => {
    const { state, reason } = some[0]!;
    return reason === undefined || reason === "None" ? state : `${state} (${reason})`;
  };
  if (runs.length > 0) return { state: "running", detail: told(runs) };
  if (waits.length > 0) return { state: "pending", detail: told(waits) };
  const bad = parts.find(({ state }) => state !== "COMPLETED");
  // A job that a signal ended has no code of its own.
  return { state: "ended", code: bad === undefined ? 0 : bad.code || 1, detail: told([bad ?? parts[0]!]) };
}

async function state({ id }: Submitted): Promise<JobState> {
  const parts: { state: string; code: number; reason?: string }[] = [];
  for (const one of id?.split(",") ?? []) {
    const shown = await ask(["scontrol", "show", "job", "-o", one]);
    if (shown?.code === 0) {
      for (const [, state, reason, code] of shown.stdout.matchAll(
        /\bJobState=(\w+)\s+Reason=(\S*).*?\bExitCode=(\d+):/g,
      )) {
        parts.push({ state: state!, code: Number(code), reason: reason! });
      }
      continue;
    }
    // It forgets jobs some minutes after their end; accounts, where they are kept, remember.
    const kept = await ask(["sacct", "-n", "-P", "-X", "-j", one, "-o", "State,ExitCode"]);
    for (const [, state, code] of (kept?.code === 0 ? kept.stdout : "").matchAll(/^(\w+)[^|]*\|(\d+):/gm)) {
      parts.push({ state: state!, code: Number(code) });
    }
  }
  return stateFrom(parts);
}

async function cancel({ id }: Submitted): Promise<void> {
  await told(["scancel", ...(id?.split(",") ?? [])], hint);
}

export const slurm: Launcher = { script, submit, state, cancel };
