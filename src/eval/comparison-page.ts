/**
 * A comparison of models as one HTML page without scripts or anything from elsewhere: a picture of scores with their
 * intervals, and the table. Texts are escaped, the only style is the page's own, in light and in dark.
 */
import { escapeHtml } from "../io/markup.ts";
import { staticPage } from "../io/static-page.ts";
import { required } from "../schema.ts";
import type { Comparison } from "./compare.ts";
import { comparisonColumns, comparisonNotes, comparisonRows } from "./comparison-text.ts";
import { pageStyle } from "./comparison-style.ts";
import { showValue } from "./print.ts";

/** Models beyond so many share colours, but not always the mark. */
const inks = 7;

/** In units of the picture, about a pixel each. */
const width = 420;
const lineHeight = 16;
const headHeight = 24;
const gap = 10;
const margin = { left: 8, right: 12, top: 6, bottom: 26 };

type Scales = typeof import("d3-scale");
type Shapes = typeof import("d3-shape");

/** The whole page. d3-scale and d3-shape are loaded with the first one. */
export async function comparisonPage(comparison: Comparison): Promise<string> {
  required("comparisonPage: comparison", comparison, "object");
  const [scales, shapes] = await Promise.all([import("d3-scale"), import("d3-shape")]);
  const names = comparison.models.map(({ label }) => label);
  const title = `${names.join(", ")}: compared`;
  const main = `<h1>${names.length} models compared</h1>
${legendOf(comparison, shapes)}
${pictureOf(comparison, scales, shapes)}
${tableOf(comparison)}
${comparisonNotes(comparison)
  .map((note) => `<p class="note">${escapeHtml(note)}</p>`)
  .join("\n")}`;
  return staticPage({ title, style: pageStyle, main });
}

/** The mark of a model: a shape, so that it is told apart without colour, too. */
function markOf(model: number, { symbol, symbolsFill }: Shapes): string {
  const path = symbol(symbolsFill[model % symbolsFill.length], 42)() ?? "";
  return `class="ink${model % inks}" d="${path}"`;
}

function legendOf({ models }: Comparison, shapes: Shapes): string {
  const items = models.map(({ label, model, folder }, i) => {
    const mark = `<svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><path ${markOf(i, shapes)}/></svg>`;
    const path = model === label ? folder : model;
    return `<li>${mark}<b>${escapeHtml(label)}</b> <span>${escapeHtml(path)}</span></li>`;
  });
  return `<ul class="legend">${items.join("")}</ul>`;
}

/** A scale of shares from 0 to 1, over what there is to be seen. */
function pictureOf({ models, benchmarks }: Comparison, { scaleLinear }: Scales, shapes: Shapes): string {
  // Figures that are no shares have no place on the scale.
  const drawn = benchmarks.filter(({ unit, cells }) => unit === undefined && cells.some((cell) => cell !== null));
  if (drawn.length === 0) return "";
  const ends = drawn.flatMap(({ cells }) =>
    cells.flatMap((cell) =>
      cell === null ? [] : [cell.interval?.low ?? cell.value, cell.interval?.high ?? cell.value],
    ),
  );
  const x = scaleLinear()
    .domain([Math.min(...ends), Math.max(...ends)])
    .nice(5)
    .range([margin.left, width - margin.right]);
  const groupHeight = headHeight + models.length * lineHeight + gap;
  const bottom = margin.top + drawn.length * groupHeight;
  const ticks = x.ticks(5).map((value) => {
    const at = x(value).toFixed(1);
    const text = `<text class="tick" x="${at}" y="${bottom + 16}">${Math.round(100 * value)}</text>`;
    return `<path class="grid" d="M${at},${margin.top}V${bottom}"/>${text}`;
  });
  const groups = drawn.map(({ name, metric, cells }, row) => {
    const head = `<text y="15"><tspan class="name">${escapeHtml(name)}</tspan> <tspan class="quiet">${escapeHtml(metric)}</tspan></text>`;
    const marks = cells.map((cell, model) => {
      const y = headHeight + (model + 0.5) * lineHeight;
      if (cell === null) {
        const mark = `<path ${markOf(model, shapes)} transform="translate(${margin.left + 5},${y})"/>`;
        return `<g>${mark}<text class="quiet" x="${margin.left + 16}" y="${y + 4}">missing</text></g>`;
      }
      const about = `${models[model]!.label}: ${showValue(cell.value)}`;
      const { interval } = cell;
      const [from, to] = interval === undefined ? [] : [x(interval.low).toFixed(1), x(interval.high).toFixed(1)];
      const bar = from === undefined ? "" : `<path class="bar line${model % inks}" d="M${from},${y}H${to}"/>`;
      const mark = `<path ${markOf(model, shapes)} transform="translate(${x(cell.value).toFixed(1)},${y})"/>`;
      return `<g><title>${escapeHtml(about)}</title>${bar}${mark}</g>`;
    });
    return `<g transform="translate(0,${margin.top + row * groupHeight})">${head}${marks.join("")}</g>`;
  });
  const label = `Scores of ${models.length} models on ${drawn.length} benchmarks with their intervals; the table below has the figures.`;
  return `<svg class="picture" role="img" aria-label="${label}" viewBox="0 0 ${width} ${bottom + margin.bottom}">
${ticks.join("")}
${groups.join("\n")}
</svg>`;
}

function tableOf(comparison: Comparison): string {
  const all = comparisonRows(comparison);
  const columns = comparisonColumns(all);
  const heads = columns.map(([, title]) => `<th scope="col">${escapeHtml(title)}</th>`);
  const rows = all.map((row) => {
    const measure = row.measure === "" ? "" : `<span class="quiet">${escapeHtml(row.measure)}</span>`;
    const cells = columns.map(([field, title]) => {
      const text = escapeHtml(row[field]);
      if (field === "benchmark") return `<th scope="row">${text}${measure}</th>`;
      // Why there is no difference stands in place of the figures.
      const isWhy = row.p === "" && row.difference !== "";
      if (isWhy && field === "difference") return `<td class="why" colspan="3">${text}</td>`;
      if (isWhy && (field === "p" || field === "smallest")) return "";
      if (text === "") return "<td></td>";
      const ranges = text.replace(/\[[^\]]*\]|\d+ unread/g, '<span class="range">$&</span>');
      return `<td data-title="${escapeHtml(title)}">${field === "model" ? text : ranges}</td>`;
    });
    return `<tr${row.benchmark === "" ? "" : ' class="first"'}>${cells.join("")}</tr>`;
  });
  return `<table>
<thead><tr>${heads.join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}
