/** A training on accelerators, beside its curves: how it is, ranks that stand out, and the first one's last words. */
import { h, type VNode } from "preact";
import type { JobEntry, JobRank, RunEntry } from "../serve/literature/replies.ts";
import { html } from "./html.ts";
import { bytes, counted, moment, several } from "./words.ts";

/** What a reader is told of each state. */
const states: Readonly<Record<JobEntry["state"], string>> = {
  waiting: "waiting: no rank was heard of yet",
  running: "training",
  stopping: "saving and stopping, as it was asked to",
  silent: "silent: no rank was heard of for two minutes",
  stopped: "stopped, as it was asked to",
  failed: "failed",
  done: "done",
};

const seconds = (value: number): string => String(Number(value.toPrecision(2)));

export const isTrouble = ({ state, deadCount, error }: JobEntry): boolean =>
  state === "failed" || state === "silent" || deadCount > 0 || error !== null;

/** "failed", "training, 2 dead ranks". */
export function jobState(job: JobEntry): string {
  const dead = job.deadCount > 0 ? `, ${several(job.deadCount, "dead rank")}` : "";
  return `${states[job.state].split(":")[0]!}${dead}`;
}

function Ranks({
  title,
  ranks,
  count,
}: {
  readonly title: string;
  readonly ranks: readonly JobRank[];
  readonly count: number;
}): VNode | null {
  if (ranks.length === 0) return null;
  return html`<div class="wide">
    <table class="ranks">
      <caption>
        ${title}${count > ranks.length ? `, the first ${ranks.length} of ${counted(count)}` : ""}
      </caption>
      <thead>
        <tr>
          <th scope="col">Rank</th>
          <th scope="col">Host</th>
          <th scope="col" class="number">Update</th>
          <th scope="col" class="number">Silent</th>
          <th scope="col" class="number">Device, of the median</th>
          <th scope="col" class="number">Waited for data</th>
        </tr>
      </thead>
      <tbody>
        ${ranks.map(
          ({ rank, host, step, silent, times, waiting }) =>
            html`<tr key=${rank}>
              <th scope="row">${counted(rank)}</th>
              <td>${host}</td>
              <td class="number">${counted(step)}</td>
              <td class="number">${counted(Math.round(silent))} s</td>
              <td class="number">${times === null ? "–" : `${times.toFixed(2)} ×`}</td>
              <td class="number">${waiting === null ? "–" : `${seconds(waiting)} s`}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Of runs that are jobs; nothing of others. */
export function Jobs({ runs }: { readonly runs: readonly RunEntry[] }): VNode {
  return html`${runs.map((run) => (run.job === null ? null : h(Job, { key: run.name, name: run.name, job: run.job })))}`;
}

function failureText({ rank, step, message }: NonNullable<JobEntry["error"]>, errors: number): string {
  const update = step === null ? "" : `, in update ${counted(step)}`;
  const all = errors > 1 ? ` (${several(errors, "rank")} in all)` : "";
  return `Rank ${counted(rank)} failed first${update}${all}: ${message}`;
}

function Job({ name, job }: { readonly name: string; readonly job: JobEntry }): VNode {
  const { ranks, hosts, devices, heard, behind, memory, waiting, error, errors, unread, result } = job;
  const facts: readonly (readonly [string, string])[] = [
    ["Ranks", ranks === 0 ? "–" : `${counted(ranks)} on ${several(hosts, "host")}`],
    ["Devices", devices.filter((one) => one !== "").join(", ") || "–"],
    ["Last heard of", heard === null ? "–" : moment(heard)],
    ["Behind the first", ranks === 0 ? "–" : several(behind, "rank")],
    ["Memory of a rank", memory === 0 ? "–" : bytes(memory)],
    ["Waited for data", ranks === 0 ? "–" : `${seconds(waiting)} s an update at most`],
    ...(result === null ? [] : [["Result", `${several(result.files, "file")}, ${bytes(result.bytes)}`] as const]),
    ...(unread === 0 ? [] : [["Not read", `${several(unread, "file")} of ranks`] as const]),
  ];
  return html`<section class="job" aria-label=${`Job ${name}`}>
    <h2>${name}: <span class=${isTrouble(job) ? "trouble" : ""}>${states[job.state]}</span></h2>
    ${
      error === null
        ? null
        : html`<div class="notice failure" role="alert">
            <p>${failureText(error, errors)}</p>
            ${
              error.traceback === ""
                ? null
                : html`<details>
                    <summary>Its last words</summary>
                    <pre tabindex="0">${error.traceback}</pre>
                  </details>`
            }
          </div>`
    }
    <dl class="figures">
      ${facts.map(
        ([term, value]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${h(Ranks, { title: "Dead ranks", ranks: job.dead, count: job.deadCount })}
    ${h(Ranks, { title: "Slow ranks", ranks: job.slow, count: job.slowCount })}
  </section>`;
}
