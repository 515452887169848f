/** Curves of training runs: as a chart of characters, a line of blocks, or an SVG file. Libraries are loaded when used. */
import type { MetricPoint, Metrics } from "../train/index.ts";

export interface NamedRun {
  readonly name: string;
  readonly metrics: Metrics;
}

/** What is drawn of a run. */
interface Quantity {
  readonly title: string;
  of(metrics: Metrics): readonly MetricPoint[];
}

/** Those of which any run has points: the loss, what its objective measures beside it, and how fast it goes. */
function drawn(runs: readonly NamedRun[]): Quantity[] {
  const named = (key: "figures" | "heldOutFigures", before: string): Quantity[] =>
    [...new Set(runs.flatMap(({ metrics }) => Object.keys(metrics[key])))].map((name) => ({
      title: `${before}${name}`,
      of: (metrics) => metrics[key][name] ?? [],
    }));
  const all: Quantity[] = [
    { title: "loss", of: ({ loss }) => loss },
    { title: "held-out loss", of: ({ heldOut }) => heldOut },
    ...named("figures", ""),
    ...named("heldOutFigures", "held-out "),
    { title: "learning rate", of: ({ rate }) => rate },
    { title: "speed (a second)", of: ({ speed }) => speed },
  ];
  return all.filter(({ of }) => runs.some(({ metrics }) => of(metrics).length > 0));
}

const blocks = [..."▁▂▃▄▅▆▇█"];

/** "▇▅▃▂▁": means of as many parts as there is room for, the largest as the highest block. */
export function sparkline(values: readonly number[], width = 40): string {
  const means = binned(
    values.map((value, i) => ({ step: i, value })),
    [0, values.length - 1],
    Math.min(width, values.length),
  );
  const [least, most] = extent(means);
  const part = (value: number): number => (most === least ? 0 : (value - least) / (most - least));
  return means.map((value) => (Number.isNaN(value) ? " " : blocks[Math.round(7 * part(value))]!)).join("");
}

/** The curve of a run's loss in one line; undefined where it has fewer than two updates. */
export function lossLine({ loss }: Metrics): string | undefined {
  if (loss.length < 2) return undefined;
  const [first, last] = [loss[0]!.value, loss.at(-1)!.value];
  return `${sparkline(loss.map(({ value }) => value))}  ${first.toFixed(2)} → ${last.toFixed(2)}`;
}

/** Means of `count` equal parts of a range of updates; NaN where a part has no point. */
function binned(points: readonly MetricPoint[], [from, to]: readonly [number, number], count: number): number[] {
  const sums = Array.from({ length: count }, () => ({ sum: 0, count: 0 }));
  for (const { step, value } of points) {
    if (!Number.isFinite(value)) continue;
    const part = sums[to === from ? 0 : Math.min(count - 1, Math.floor((count * (step - from)) / (to - from)))]!;
    part.sum += value;
    part.count += 1;
  }
  return sums.map((part) => (part.count === 0 ? Number.NaN : part.sum / part.count));
}

function extent(values: readonly number[]): [least: number, most: number] {
  const finite = values.filter(Number.isFinite);
  return finite.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [finite[0] ?? 0, finite[0] ?? 0],
  );
}

const stepsOf = (runs: readonly NamedRun[], { of }: Quantity): [number, number] =>
  extent(runs.flatMap(({ metrics }) => of(metrics).map(({ step }) => step)));

export interface TerminalOptions {
  /** In characters. */
  readonly width: number;
  readonly height: number;
  readonly colours: boolean;
}

/** One chart for each quantity, with the runs' names where they are several. */
export async function terminalCharts(
  runs: readonly NamedRun[],
  { width, height, colours }: TerminalOptions,
): Promise<string> {
  const { default: asciichart } = await import("asciichart");
  const palette = [asciichart.blue, asciichart.red, asciichart.green, asciichart.magenta, asciichart.yellow];
  const colourOf = (run: number): string | undefined => (colours ? palette[run % palette.length] : undefined);
  const reset = colours ? asciichart.reset : "";
  const charts = drawn(runs).map((quantity) => {
    const { title, of } = quantity;
    const steps = stepsOf(runs, quantity);
    const most = Math.max(...runs.map(({ metrics }) => of(metrics).length));
    const columns = Math.max(2, Math.min(width - 12, steps[1] - steps[0] + 1, most * 8));
    const curves = runs
      .map(({ metrics }, run) => ({ points: of(metrics), color: colourOf(run) }))
      .filter(({ points }) => points.some(({ value }) => Number.isFinite(value)));
    const plot = asciichart.plot(
      curves.map(({ points }) => joined(binned(points, steps, columns))),
      { height, colors: curves.map(({ color }) => color), format: (value) => short(value).padStart(9) },
    );
    return `${title}, updates ${steps[0]} to ${steps[1]}\n${plot}\n`;
  });
  const names = runs.map(({ name }, i) => `${colourOf(i) ?? ""}${name}${reset}`);
  return `${runs.length > 1 ? `${names.join("  ")}\n\n` : ""}${charts.join("\n")}`;
}

/** Up to the last point, gaps filled with the point before: the library takes none, and few points are a line too. */
function joined(values: readonly number[]): number[] {
  let last = values.find((value) => !Number.isNaN(value))!;
  const end = values.findLastIndex((value) => !Number.isNaN(value));
  return values.slice(0, end + 1).map((value) => (Number.isNaN(value) ? last : (last = value)));
}

function short(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) < 0.01) return value.toExponential(1);
  return Math.abs(value) < 100 ? value.toFixed(2) : Math.round(value).toLocaleString("en-US");
}

/** Colours that the colour-blind can tell apart (Okabe and Ito 2008). */
export const inks = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const panel = { width: 460, height: 280, left: 64, right: 16, top: 34, bottom: 34 };

/** All quantities side by side, two in a row, as a file of its own. */
export async function svgCharts(runs: readonly NamedRun[]): Promise<string> {
  const [scales, shapes] = await Promise.all([import("d3-scale"), import("d3-shape")]);
  const panels = drawn(runs).map((quantity, i) => {
    const { title, of } = quantity;
    const x = scales
      .scaleLinear()
      .domain(stepsOf(runs, quantity))
      .range([panel.left, panel.width - panel.right]);
    const values = runs.flatMap(({ metrics }) => of(metrics).map(({ value }) => value));
    const y = scales
      .scaleLinear()
      .domain(extent(values))
      .nice()
      .range([panel.height - panel.bottom, panel.top]);
    const line = shapes
      .line<MetricPoint>()
      .defined(({ value }) => Number.isFinite(value))
      .x(({ step }) => x(step))
      .y(({ value }) => y(value));
    const across = y.ticks(5).map((value) => {
      const at = y(value).toFixed(1);
      const text = `<text x="${panel.left - 6}" y="${at}" dy="4" text-anchor="end">${escaped(y.tickFormat(5)(value))}</text>`;
      return `<path d="M${panel.left},${at}H${panel.width - panel.right}" stroke="#ddd"/>${text}`;
    });
    const below = x.ticks(5).map((step) => {
      const place = `x="${x(step).toFixed(1)}" y="${panel.height - panel.bottom + 16}"`;
      return `<text ${place} text-anchor="middle">${escaped(x.tickFormat(5)(step))}</text>`;
    });
    const curves = runs.map(({ metrics }, run) => {
      const path = line([...of(metrics)]) ?? "";
      return `<path d="${path}" fill="none" stroke="${inks[run % inks.length]}" stroke-width="1.5"/>`;
    });
    const place = `translate(${(i % 2) * panel.width},${Math.floor(i / 2) * panel.height + legendHeight(runs)})`;
    const head = `<text x="${panel.left}" y="20" font-weight="bold">${escaped(title)}</text>`;
    return `<g transform="${place}">${head}${across.join("")}${below.join("")}${curves.join("")}</g>`;
  });
  const width = 2 * panel.width;
  const height = Math.ceil(panels.length / 2) * panel.height + legendHeight(runs);
  const names = runs.map(
    ({ name }, i) =>
      `<text x="${panel.left}" y="${18 + 16 * i}" fill="${inks[i % inks.length]}">${escaped(name)}</text>`,
  );
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  const style = 'font-family="sans-serif" font-size="11"';
  const ground = `<rect width="${width}" height="${height}" fill="white"/>`;
  return `${head} ${style}>\n${ground}\n${names.join("")}\n${panels.join("\n")}\n</svg>\n`;
}

const legendHeight = (runs: readonly NamedRun[]): number => 10 + 16 * runs.length;

/** A text within SVG. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
