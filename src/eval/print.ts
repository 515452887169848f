/** The report of any evaluation as people read it. */
import type { Figure, Report } from "../metrics/report.ts";
import { required } from "../schema.ts";

/** A figure's value as people read it; shares in percent. */
export const showValue = (value: number, unit?: Figure["unit"]): string => shown[unit ?? "share"](value);

const shown = {
  share: (value: number): string => (100 * value).toFixed(2),
  count: (value: number): string => value.toLocaleString("en-US"),
  number: (value: number): string => value.toFixed(4),
} as const;

function line({ label, value, unit, interval }: Figure): string {
  const show = (one: number): string => showValue(one, unit);
  const between = interval === undefined ? "" : `[${show(interval.low)}, ${show(interval.high)}]`;
  return `  ${show(value).padStart(8)}  ${between.padEnd(18)}  ${label}\n`;
}

/** Figures under the title of their kind; the sounder ones are only called so beside published ones. */
function sectionsOf(figures: readonly Figure[]): string[] {
  const beside = figures.some(({ kind }) => kind === "published");
  const titles = {
    published: "As published",
    sound: beside ? "The sounder way" : "Figures",
    baseline: "Without a model",
    detail: "Details",
  };
  const kinds = Object.keys(titles);
  const sorted = [...figures].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  const sections = new Map<string, string>();
  for (const one of sorted) {
    const title = one.by === undefined ? titles[one.kind] : `${titles[one.kind]}: ${one.by}`;
    sections.set(title, (sections.get(title) ?? `${title}\n`) + line(one));
  }
  return [...sections.values()];
}

/** What figures in percent and brackets are. */
function notesOf(figures: readonly Figure[]): string {
  const intervals = figures.flatMap(({ interval }) =>
    interval === undefined
      ? []
      : [`[${100 * interval.level} % interval, ${interval.resamples} resamples, seed ${interval.seed}]`],
  );
  const shares = figures.some(({ unit }) => unit === undefined) ? ["shares in percent"] : [];
  const notes = [...shares, ...new Set(intervals)];
  return notes.length === 0 ? "" : `${notes.join("; ")}\n`;
}

/** `split test, decoding.beams 1`: what the protocol says besides what stands in the report already. */
function factsOf(protocol: Readonly<Record<string, unknown>>, path = ""): string[] {
  return Object.entries(protocol).flatMap(([key, value]) => {
    if (path === "" && ["task", "version", "examples"].includes(key)) return [];
    const isNested = typeof value === "object" && value !== null;
    return isNested ? factsOf(value as Record<string, unknown>, `${path}${key}.`) : [`${path}${key} ${String(value)}`];
  });
}

/** Figures by kind with their intervals, and what they depend on. */
export function describeReport(report: Report): string {
  required("describeReport: report", report, "object");
  const { task, version, protocol, hash, examples, failed, figures } = report;
  const unread = failed === undefined ? "" : `, ${failed} answers without anything to read`;
  return [
    `${task} (version ${version}): ${examples.toLocaleString("en-US")} examples${unread}\n`,
    ...sectionsOf(figures),
    notesOf(figures),
    `protocol ${hash}: ${factsOf(protocol).join(", ")}\n`,
  ].join("");
}
