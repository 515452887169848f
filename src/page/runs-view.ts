/** The view of training runs: which there are, their curves as they grow, several beside each other, and samples. */
import { h, type VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { noMetrics } from "../serve/literature/no-metrics.ts";
import type { RunEntry, RunMetrics, RunPoint } from "../serve/literature/replies.ts";
import { type ApiError, call, eventsOf, useJson } from "./api.ts";
import { Chart, inkOf } from "./chart.ts";
import { html } from "./html.ts";
import { isTrouble, Jobs, jobState } from "./job-view.ts";
import { Failure, Heading, Waiting } from "./parts.ts";
import { go, hrefOf, type Route } from "./router.ts";
import { counted, figure, moment, several } from "./words.ts";

interface Quantity {
  readonly title: string;
  of(metrics: RunMetrics): readonly RunPoint[];
}

/** What there are points of: the loss, what the runs' objectives measure beside it, and how fast they go. */
function quantitiesOf(runs: readonly RunMetrics[]): Quantity[] {
  const named = (key: "figures" | "heldOutFigures", before: string): Quantity[] =>
    [...new Set(runs.flatMap((metrics) => Object.keys(metrics[key])))].map((name) => ({
      title: before + name,
      of: (metrics) => metrics[key][name] ?? [],
    }));
  const all: Quantity[] = [
    { title: "Loss", of: ({ loss }) => loss },
    { title: "Held-out loss", of: ({ heldOut }) => heldOut },
    ...named("figures", ""),
    ...named("heldOutFigures", "Held-out "),
    { title: "Learning rate", of: ({ rate }) => rate },
    { title: "Speed, a second", of: ({ speed }) => speed },
  ];
  return all.filter(({ of }) => runs.some((metrics) => of(metrics).length > 0));
}

type Named = RunMetrics["figures"];

function joinedNamed(before: Named, part: Named): Named {
  const more = Object.entries(part).map(([name, points]) => [name, [...(before[name] ?? []), ...points]]);
  return { ...before, ...Object.fromEntries(more) };
}

function joined(before: RunMetrics, part: RunMetrics): RunMetrics {
  const { loss, heldOut, rate, speed, figures, heldOutFigures, samples } = part.restarted ? noMetrics : before;
  return {
    restarted: false,
    loss: [...loss, ...part.loss],
    heldOut: [...heldOut, ...part.heldOut],
    rate: [...rate, ...part.rate],
    speed: [...speed, ...part.speed],
    figures: joinedNamed(figures, part.figures),
    heldOutFigures: joinedNamed(heldOutFigures, part.heldOutFigures),
    samples: [...samples, ...part.samples],
  };
}

/** The metrics of runs by name, growing while they train. */
function useMetrics(names: readonly string[]): {
  metrics: Readonly<Record<string, RunMetrics>>;
  error: ApiError | undefined;
} {
  const [metrics, setMetrics] = useState<Readonly<Record<string, RunMetrics>>>({});
  const [error, setError] = useState<ApiError>();
  const key = JSON.stringify(names);
  useEffect(() => {
    const abort = new AbortController();
    setMetrics({});
    setError(undefined);
    for (const name of names) {
      const follow = async (): Promise<void> => {
        const path = `/runs/${encodeURIComponent(name)}/metrics`;
        const response = await call(path, { headers: { Accept: "text/event-stream" }, signal: abort.signal });
        for await (const { event, data } of eventsOf(response)) {
          if (event !== "metrics") continue;
          const part = JSON.parse(data) as RunMetrics;
          setMetrics((before) => ({ ...before, [name]: joined(before[name] ?? noMetrics, part) }));
        }
      };
      follow().catch((failure: unknown) => {
        if (!abort.signal.aborted) setError(failure as ApiError);
      });
    }
    return () => abort.abort();
  }, [key]);
  return { metrics, error };
}

const last = (points: readonly RunPoint[] | undefined): number | null => points?.at(-1)?.value ?? null;

function left(seconds: number | null): string {
  if (seconds === null) return "";
  const minutes = Math.round(seconds / 60);
  return minutes < 60
    ? `, about ${minutes} min left`
    : `, about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

function stateOf(run: RunEntry): string {
  if (run.job !== null && run.job.state !== "running") return jobState(run.job);
  const dead = run.job === null || run.job.deadCount === 0 ? "" : `, ${several(run.job.deadCount, "dead rank")}`;
  if (run.going) return `training${dead}${left(run.secondsLeft)}`;
  return run.step === run.steps ? `done ${moment(run.changed)}` : `still since ${moment(run.changed)}`;
}

interface TableProps {
  readonly runs: readonly RunEntry[];
  readonly chosen: readonly string[];
  readonly metrics: Readonly<Record<string, RunMetrics>>;
}

function Table({ runs, chosen, metrics }: TableProps): VNode {
  const toggle = (name: string): void => {
    const next = chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name];
    go(hrefOf("runs", "", { run: next.length === 0 ? ["none"] : next }), { replace: true });
  };
  return html`<div class="wide">
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col" class="number">Update</th>
          <th scope="col" class="number">Loss</th>
          <th scope="col" class="number">Held out</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map((run) => {
          const ink = chosen.indexOf(run.name);
          const live = metrics[run.name];
          const step = Math.max(run.step, live?.loss.at(-1)?.step ?? 0);
          const state = stateOf(run);
          return html`<tr key=${run.name}>
            <th scope="row">
              <label class="choice">
                <input type="checkbox" checked=${ink >= 0} onChange=${() => toggle(run.name)} />
                <i class="swatch" aria-hidden="true" style=${{ background: ink < 0 ? "transparent" : inkOf(ink) }}></i>
                <span>${run.name}${run.recipe === null ? null : html` <span class="quiet">${run.recipe}</span>`}</span>
              </label>
            </th>
            <td class="number">${counted(step)}${run.steps === null ? "" : ` of ${counted(run.steps)}`}</td>
            <td class="number">${figure(last(live?.loss) ?? run.loss)}</td>
            <td class="number">${figure(last(live?.heldOut) ?? run.heldOut)}</td>
            <td class=${run.job !== null && isTrouble(run.job) ? "trouble" : ""}>
              ${run.going ? html`<strong>${state}</strong>` : state}
            </td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function Samples({
  names,
  metrics,
}: {
  readonly names: readonly string[];
  readonly metrics: TableProps["metrics"];
}): VNode | null {
  const lasting = names.flatMap((name) =>
    (metrics[name]?.samples ?? [])
      .slice(-5)
      .reverse()
      .map((one) => ({ name, ...one })),
  );
  if (lasting.length === 0) return null;
  return html`<section class="samples" aria-labelledby="samples">
    <h2 id="samples">Samples</h2>
    ${lasting.map(
      ({ name, step, texts }) =>
        html`<div key=${`${name} ${step}`}>
          <h3>${names.length > 1 ? `${name}, ` : ""}update ${counted(step)}</h3>
          ${texts.map((text) => html`<p class="passage">${text}</p>`)}
        </div>`,
    )}
  </section>`;
}

const refreshMs = 5000;

export function RunsView({ route: { params } }: { readonly route: Route }): VNode {
  const { value: runs, error, reload } = useJson<readonly RunEntry[]>("/runs");
  useEffect(() => {
    const timer = setInterval(reload, refreshMs);
    return () => clearInterval(timer);
  }, []);
  const wanted = params.has("run") ? params.getAll("run") : (runs?.slice(0, 1).map(({ name }) => name) ?? []);
  const chosen = wanted.filter((name) => runs?.some((run) => run.name === name));
  const { metrics, error: broken } = useMetrics(chosen);
  const quantities = quantitiesOf(chosen.map((name) => metrics[name] ?? noMetrics));
  return html`<div class="runs-view">
    ${h(Heading, { title: "Runs", children: "Training runs" })} ${h(Failure, { error })}
    ${h(Failure, { error: broken })}
    ${runs === undefined && error === undefined ? h(Waiting, { what: "Looking for runs …" }) : null}
    ${
      runs === undefined
        ? null
        : runs.length === 0
          ? html`<p class="quiet lead">
              No runs. Name their folder when the server starts:${" "}<code>galen serve --runs runs</code>
            </p>`
          : h(Table, { runs, chosen, metrics })
    }
    ${h(Jobs, { runs: runs?.filter(({ name }) => chosen.includes(name)) ?? [] })}
    <div class="charts">
      ${quantities.map(({ title, of }) =>
        h(Chart, {
          key: title,
          title,
          curves: chosen.map((name, ink) => ({ name, ink, points: of(metrics[name] ?? noMetrics) })),
        }),
      )}
    </div>
    ${h(Samples, { names: chosen, metrics })}
  </div>`;
}
