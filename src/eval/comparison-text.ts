/** A comparison of models as tables: for a terminal, and as Markdown. */
import { required } from "../schema.ts";
import type { Cell, Comparison, Difference, ProtocolDifference } from "./compare.ts";
import { showValue } from "./print.ts";

/** A row of the table: a model on a benchmark. */
export interface ComparisonRow {
  /** Empty in all but a benchmark's first row, as is what was measured. */
  readonly benchmark: string;
  readonly measure: string;
  readonly model: string;
  readonly score: string;
  /** Of the examples that the training texts do not hold, and of those that they do; empty where nobody looked. */
  readonly clean: string;
  readonly seen: string;
  /** The difference to the first model, or why there is none; empty in the first model's rows. */
  readonly difference: string;
  readonly p: string;
  readonly smallest: string;
}

type Column = readonly [field: keyof ComparisonRow, title: string];

const columns: readonly Column[] = [
  ["benchmark", "benchmark"],
  ["model", "model"],
  ["score", "score"],
  ["clean", "not in training texts"],
  ["seen", "in training texts"],
  ["difference", "difference to the first"],
  ["p", "p (Holm)"],
  ["smallest", "could show"],
];

/** Of which each format makes its table: without what was never looked for. */
export function comparisonColumns(rows: readonly ComparisonRow[]): readonly Column[] {
  const isLooked = rows.some(({ clean, seen }) => clean !== "" || seen !== "");
  return columns.filter(([field]) => isLooked || (field !== "clean" && field !== "seen"));
}

const bracketed = ({ low, high }: { low: number; high: number }, show: (value: number) => string): string =>
  `[${show(low)}, ${show(high)}]`;

function scoreOf({ value, interval, failed }: Cell, unit: "count" | "number" | undefined): string {
  const show = (one: number): string => showValue(one, unit);
  const unread = failed === undefined || failed === 0 ? "" : `, ${failed} unread`;
  return `${show(value)}${interval === undefined ? "" : ` ${bracketed(interval, show)}`}${unread}`;
}

/** Differences of shares in points, always with their sign. */
function signed(value: number, unit: "count" | "number" | undefined): string {
  const text = showValue(Math.abs(value), unit);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

const pText = (p: number): string => (p < 0.001 ? "<0.001" : p.toFixed(3));

const differing = ({ field, first, here }: ProtocolDifference): string => {
  const short = (value: unknown): string => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
    return text.length <= 24 ? text : `${text.slice(0, 23)}…`;
  };
  return `not compared: ${field} is ${short(here)}, not ${short(first)}`;
};

function differenceText(
  difference: Difference,
  unit?: "count" | "number",
): Pick<ComparisonRow, "difference" | "p" | "smallest"> {
  const show = (value: number): string => signed(value, unit);
  return {
    difference: `${show(difference.value)} ${bracketed(difference.interval, show)}`,
    p: pText(difference.adjusted),
    smallest: difference.smallest === undefined ? "–" : showValue(difference.smallest, unit),
  };
}

/** "26.40 [24.1, 28.6], n 1,200", and of what was seen the difference to that. */
function partTexts({ parts }: Cell, unit: "count" | "number" | undefined): Pick<ComparisonRow, "clean" | "seen"> {
  const show = (one: number): string => showValue(one, unit);
  const between = (interval: readonly [number, number] | null | undefined, how: (one: number) => string): string =>
    interval ? ` [${how(interval[0])}, ${how(interval[1])}]` : "";
  const text = (part: NonNullable<Cell["parts"]>["clean"]): string => {
    if (part === undefined) return "";
    const { n, value, interval } = part;
    return value === undefined ? "none" : `${show(value)}${between(interval, show)}, n ${showValue(n, "count")}`;
  };
  const { clean, contaminated, difference } = parts ?? {};
  const sign = (one: number): string => signed(one, unit);
  const more = difference === undefined ? "" : `: ${sign(difference.value)}${between(difference.interval, sign)}`;
  return { clean: text(clean), seen: `${text(contaminated)}${more}` };
}

const unlooked = { clean: "", seen: "" } as const;

const nothing = { difference: "", p: "", smallest: "" } as const;

/** Rows of all benchmarks, and of their mean at the end. */
export function comparisonRows({ models, benchmarks, average }: Comparison): ComparisonRow[] {
  const rows = benchmarks.flatMap(({ name, metric, unit, cells }) => {
    const counts = [...new Set(cells.flatMap((cell) => cell?.examples ?? []))];
    const measure = counts.length === 0 ? "" : `${metric}, ${counts.join(" / ")} examples`;
    return cells.map((cell, i): ComparisonRow => {
      const about = { benchmark: i === 0 ? name : "", measure: i === 0 ? measure : "", model: models[i]!.label };
      if (cell === null) return { ...about, ...unlooked, ...nothing, score: "missing" };
      const scored = { ...about, score: scoreOf(cell, unit), ...partTexts(cell, unit) };
      if (cell.difference !== undefined) return { ...scored, ...differenceText(cell.difference, unit) };
      const why = cell.differs === undefined ? cell.untested : differing(cell.differs);
      return { ...scored, ...nothing, difference: why ?? "" };
    });
  });
  const ends = (average?.cells ?? []).map(({ value, difference }, i) => ({
    benchmark: i === 0 ? "mean" : "",
    measure: i === 0 ? `of ${average!.benchmarks.length} benchmarks that all have` : "",
    model: models[i]!.label,
    score: showValue(value),
    ...unlooked,
    ...(difference === undefined ? nothing : differenceText(difference)),
  }));
  return [...rows, ...ends];
}

/** What the columns mean, and what the mean leaves out. */
export function comparisonNotes({ benchmarks, average, tests, clean }: Comparison): string[] {
  const cells = benchmarks.flatMap((one) => one.cells);
  const intervals = cells.flatMap((cell) => cell?.difference?.interval ?? []);
  const notes = ["Shares in percent, differences in points; in brackets 95 % intervals over documents."];
  if (intervals.length > 0) {
    notes.push(
      `Differences are to the first model, on the same examples: ${intervals[0]!.resamples.toLocaleString("en-US")} paired draws of documents. ` +
        `p by McNemar's exact test where answers are right or wrong, else by these draws, corrected for ${tests} test${tests === 1 ? "" : "s"} by Holm's method.`,
      "Could show: the smallest difference that the set shows with a power of 80 % at a level of 5 %, before that correction. A smaller one that was not shown may still be there.",
    );
  }
  if (clean !== undefined) {
    const shares = clean.shares.map(
      ({ name, kept, of }) => `${name} ${showValue(kept, "count")} of ${showValue(of, "count")}`,
    );
    const unknown = clean.unknown.length === 0 ? "" : `; not known of ${clean.unknown.join(", ")}, left out`;
    notes.push(
      `Only examples that no model's training texts hold, as far as these were looked through: ${shares.join(", ") || "none"}${unknown}.`,
    );
  }
  if (cells.some((cell) => cell?.parts !== undefined)) {
    notes.push(
      "In training texts: examples of which these hold 13 words in a row or 80 % of all runs of eight, each model's own texts; with the difference to the others, which also tells how hard they are.",
    );
  }
  if (cells.some((cell) => cell?.differs !== undefined)) {
    notes.push("What was asked in another way is not compared: the first setting that differs is named.");
  }
  const left = average === undefined ? [] : benchmarks.filter(({ name }) => !average.benchmarks.includes(name));
  if (average === undefined) {
    notes.push("No mean: fewer than two benchmarks were asked of all models in the same way.");
  } else {
    const without = left.length === 0 ? "" : `, without ${left.map(({ name }) => name).join(", ")}`;
    notes.push(
      `The mean is over the ${average.benchmarks.length} benchmarks that all models have and were asked in the same way${without}; its p is not corrected.`,
    );
  }
  return notes;
}

/** For a terminal: each benchmark with a line a model below it, and notes. */
export function comparisonText(comparison: Comparison): string {
  required("comparisonText: comparison", comparison, "object");
  const rows = comparisonRows(comparison);
  const shown = columns.filter(([field]) => field !== "benchmark" && field !== "clean" && field !== "seen");
  // Why there is no difference may run on into the columns behind.
  const widthOf = (field: keyof ComparisonRow, title: string): number =>
    Math.max(title.length, ...rows.map((row) => (field === "difference" && row.p === "" ? 0 : row[field].length)));
  const line = (textOf: (field: keyof ComparisonRow, title: string) => string): string =>
    `  ${shown.map(([field, title]) => textOf(field, title).padEnd(widthOf(field, title))).join("  ")}`.trimEnd();
  const lines = rows.flatMap((row) => {
    const measure = row.measure === "" ? "" : ` (${row.measure})`;
    const head = row.benchmark === "" ? [] : [`${row.benchmark}${measure}`];
    const parts =
      row.clean === "" ? [] : [`    not in training texts ${row.clean}`, `    in training texts ${row.seen}`];
    return [...head, line((field) => row[field]), ...parts];
  });
  return `${[line((_, title) => title), ...lines, "", ...comparisonNotes(comparison)].join("\n")}\n`;
}

/** As Markdown: a table and notes; what comes from files is text, never markup. */
export function comparisonMarkdown(comparison: Comparison): string {
  required("comparisonMarkdown: comparison", comparison, "object");
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const all = comparisonRows(comparison);
  const shown = comparisonColumns(all);
  const rows = all.map((row) =>
    line(
      shown.map(([field]) => {
        const text = escapeMarkdown(row[field]);
        return field === "benchmark" && row.measure !== "" ? `${text} (${escapeMarkdown(row.measure)})` : text;
      }),
    ),
  );
  const titles = shown.map(([, title]) => title);
  const notes = comparisonNotes(comparison).map(escapeMarkdown);
  return `${[line(titles), line(titles.map(() => "---")), ...rows, "", notes.join("\n\n")].join("\n")}\n`;
}

const escapeMarkdown = (text: string): string => text.replace(/[\\`*_[\]<>|&#~]/g, "\\$&").replace(/\s+/g, " ");
