/** What has become of a job, for people: rows of a table for one, a line each for several. */
import type { FirstStop, JobStatus, TrainingStatus } from "../launch/index.ts";
import { duration } from "./progress.ts";

type Row = readonly [string, string];

const count = (value: number): string => Math.round(value).toLocaleString("en-US");
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** Rows of a job, with what a person would do next. */
export function jobText(status: JobStatus): string {
  const { folder, training, array } = status;
  const rows: Row[] = [
    ["job", folder],
    ["state", stateText(status)],
  ];
  if (training !== undefined) rows.push(...trainingRows(training));
  if (array !== undefined) {
    const { tasks, left, lines, failed, command } = array;
    rows.push(["first command", command], ["tasks", `${count(tasks - left.length)} of ${count(tasks)} done`]);
    if (lines.of > tasks) rows.push(["command lines", `${count(lines.done)} of ${count(lines.of)} done`]);
    for (const { task, code, words } of failed.slice(0, 5)) {
      rows.push([`task ${task}`, `code ${code}: ${lastLine(words)}`]);
    }
    if (failed.length > 5) rows.push(["", `and ${count(failed.length - 5)} more`]);
    if (array.secondsLeft !== undefined) rows.push(["left", duration(array.secondsLeft)]);
  }
  const next = nextOf(status);
  if (next !== undefined) rows.push(["next", next]);
  return rows.map(([name, value]) => `${name.padEnd(15)}${value}\n`).join("");
}

/** "running on slurm as 123 (RUNNING)". */
export function stateText({ outcome, submitted, launcher }: JobStatus): string {
  if (submitted === undefined) return outcome === "new" ? "written, handed to nobody yet" : outcome;
  const detail = launcher?.detail === undefined ? "" : ` (${launcher.detail})`;
  return `${outcome} on ${submitted.on} as ${submitted.id}${detail}`;
}

function trainingRows(training: TrainingStatus): Row[] {
  const { recipe, step, steps, loss, heldOut, speed, secondsLeft, utilisation, ranks, slowest, late, first } = training;
  const rows: Row[] = [];
  if (recipe !== undefined) rows.push(["recipe", recipe]);
  if (steps === undefined) rows.push(["updates", "not prepared yet: its inputs come from jobs before it"]);
  else rows.push(["updates", `${count(step)} of ${count(steps)}`]);
  if (loss !== undefined) {
    rows.push(["loss", `${loss.toFixed(4)}${heldOut === undefined ? "" : `, held out ${heldOut.toFixed(4)}`}`]);
  }
  if (speed !== undefined) rows.push(["speed", `${count(speed)} tokens/s`]);
  if (secondsLeft !== undefined) rows.push(["left", duration(secondsLeft)]);
  if (utilisation !== undefined) {
    const { share, means } = utilisation;
    rows.push(["utilisation", share === undefined ? means : `${percent(share)} (${means})`]);
  }
  if (ranks.length > 0) rows.push(["ranks", ranksText(ranks)]);
  if (slowest !== undefined) {
    const { rank, host, probe, median } = slowest;
    rows.push(["slowest", `rank ${rank} on ${host}: ${probe.toFixed(2)} ms, the median ${median.toFixed(2)} ms`]);
  }
  for (const { rank, host, seconds } of late.slice(0, 5)) {
    rows.push(["no sign of", `rank ${rank} on ${host} for ${duration(seconds)}`]);
  }
  if (first !== undefined) rows.push(["stopped first", firstText(first)]);
  return rows;
}

function ranksText(ranks: TrainingStatus["ranks"]): string {
  const hosts = new Set(ranks.map(({ host }) => host));
  const memory = Math.max(...ranks.map((one) => one.memory ?? 0));
  const waiting = Math.max(...ranks.map((one) => one.waiting ?? 0));
  const parts = [
    `${count(ranks.length)} on ${hosts.size} machine${hosts.size === 1 ? "" : "s"} (${[...new Set(ranks.map(({ device }) => device))].join(", ")})`,
    ...(memory > 0 ? [`${(memory / 1e9).toFixed(1)} GB at most`] : []),
    ...(waiting > 0.01 ? [`waited ${waiting.toFixed(2)} s for examples`] : []),
  ];
  return parts.join(", ");
}

/** The rank, and its last words. */
export function firstText({ rank, host, step, words, log = [] }: FirstStop): string {
  const who = rank === undefined ? "" : `rank ${rank}${host === undefined ? "" : ` on ${host}`}`;
  const when = step === undefined ? "" : ` at update ${count(step)}`;
  const lines = log.map((line) => `\n${" ".repeat(15)}${line}`);
  return `${who}${when}${who === "" ? "" : ": "}${words}${lines.join("")}`;
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)!.slice(0, 300);

function nextOf({ folder, outcome, training }: JobStatus): string | undefined {
  switch (outcome) {
    case "new":
      return `galen jobs resume ${folder} --on local`;
    case "finished":
      return training === undefined ? undefined : `galen jobs fetch ${folder} --output MODEL`;
    case "stopped":
    case "failed":
    case "unknown":
      return `galen jobs resume ${folder}`;
    default:
      return undefined;
  }
}

/** A line of several jobs: name, state, how far. */
export function jobLine(status: JobStatus): string {
  const { folder, outcome, submitted, training, array } = status;
  const place = submitted === undefined ? "" : `${submitted.on} ${submitted.id}`;
  const done =
    array !== undefined
      ? `${count(array.tasks - array.left.length)} of ${count(array.tasks)} tasks`
      : training?.steps === undefined
        ? ""
        : `${count(training.step)} of ${count(training.steps)} updates`;
  const loss = training?.loss === undefined ? "" : `loss ${training.loss.toFixed(4)}`;
  const left = training?.secondsLeft ?? array?.secondsLeft;
  const more = [done, loss, left === undefined ? "" : `${duration(left)} left`].filter((one) => one !== "");
  return `${outcome.padEnd(9)} ${folder}  ${[place, ...more].filter((one) => one !== "").join("  ")}\n`;
}
