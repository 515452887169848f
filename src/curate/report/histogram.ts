/** Bars of counts before curation and after it, side by side. */
import { escapeHtml } from "../../io/markup.ts";
import { short, whole } from "./html.ts";

const width = 460;
const height = 190;
const margin = { left: 40, right: 4, top: 8, bottom: 24 };

export interface Bars {
  readonly title: string;
  /** In the order of the axis. */
  readonly keys: readonly string[];
  /** What stands below a bar. */
  label(key: string): string;
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
}

/** The picture of two counts of the same keys. */
export async function histogram({ title, keys, label, before, after }: Bars): Promise<string> {
  if (keys.length === 0) return "";
  const { scaleBand, scaleLinear } = await import("d3-scale");
  const most = Math.max(...keys.map((key) => Math.max(before[key] ?? 0, after[key] ?? 0)));
  const x = scaleBand<string>()
    .domain([...keys])
    .range([margin.left, width - margin.right])
    .paddingInner(0.15);
  const y = scaleLinear()
    .domain([0, most])
    .nice(4)
    .range([height - margin.bottom, margin.top]);
  const grid = y.ticks(4).map((tick) => {
    const at = y(tick).toFixed(1);
    return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/><text class="quiet" x="${margin.left - 4}" y="${at}" dy=".32em" text-anchor="end">${short(tick)}</text>`;
  });
  const bars = keys.flatMap((key) => {
    const [old, now] = [before[key] ?? 0, after[key] ?? 0];
    const left = x(key)!;
    const bar = (value: number, kind: "before" | "after", from: number, size: number): string =>
      `<rect class="bar-${kind}" x="${from.toFixed(1)}" y="${y(value).toFixed(1)}" width="${size.toFixed(1)}" height="${(y(0) - y(value)).toFixed(1)}"/>`;
    const said = `${label(key)}: ${whole(old)} before, ${whole(now)} after`;
    const band = x.bandwidth();
    return [
      `<g><title>${escapeHtml(said)}</title>${bar(old, "before", left, band)}${bar(now, "after", left + band * 0.2, band * 0.6)}</g>`,
    ];
  });
  const every = Math.ceil(keys.length / 9);
  const labels = keys.flatMap((key, i) => {
    if (i % every !== 0) return [];
    const at = (x(key)! + x.bandwidth() / 2).toFixed(1);
    return [`<text class="quiet" x="${at}" y="${height - 8}" text-anchor="middle">${escapeHtml(label(key))}</text>`];
  });
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${grid.join("")}${bars.join("")}${labels.join("")}</svg><figcaption>${escapeHtml(title)}: wide grey bars before, narrow blue ones after</figcaption></figure>`;
}
