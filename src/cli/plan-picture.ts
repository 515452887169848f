/** Memory of one rank as bars: of characters, or as an SVG file in which each layout has one. */
import { memoryParts, type Plan, type PlannedLayout, type RankMemory } from "../plan/index.ts";
import { escaped, inks } from "./charts.ts";

export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`;

/** The best of each tensor parallelism and recomputation: the quickest, or where none fits, that of the least memory. */
export function bestLayouts({ layouts }: Plan): PlannedLayout[] {
  const best = new Map<string, PlannedLayout>();
  for (const layout of layouts) {
    const key = `${layout.tensorParallel} ${layout.recomputation}`;
    const known = best.get(key);
    const smaller = known !== undefined && !known.feasible && layout.memory.total < known.memory.total;
    if (known === undefined || smaller) best.set(key, layout);
  }
  return [...best.values()].sort(
    (a, b) => a.tensorParallel - b.tensorParallel || b.recomputation.localeCompare(a.recomputation),
  );
}

export function nameOf({ fsdp, tensorParallel, recomputation, microBatch }: PlannedLayout): string {
  const again = recomputation === "full" ? ", layers computed again" : "";
  return `FSDP ${fsdp} × tensor parallel ${tensorParallel}, micro-batch ${microBatch}${again}`;
}

/** A line for each part, the longest as wide as there is room for, and for what is left. */
export function memoryBars(memory: RankMemory, width: number): string {
  const { usable, total } = memory;
  const free: [string, number][] = total <= usable ? [["free", usable - total]] : [];
  const rows: [string, number][] = [...memoryParts.map((name): [string, number] => [name, memory[name]]), ...free];
  const room = Math.max(10, width - 30);
  const most = Math.max(usable, total);
  return rows
    .map(([name, bytes]) => {
      const size = Math.max(bytes > 0 ? 1 : 0, Math.round((room * bytes) / most));
      const bar = (name === "free" ? "░" : "█").repeat(size);
      return `  ${name.padEnd(12)}${gigabytes(bytes).padStart(9)}  ${bar}\n`;
    })
    .join("");
}

const frame = { width: 1000, left: 420, right: 24, top: 64, bar: 18, row: 30 };

/** A stacked bar for each of `bestLayouts`, with a line at what the accelerator has for it. */
export async function svgMemory(plan: Plan): Promise<string> {
  const { scaleLinear } = await import("d3-scale");
  const layouts = bestLayouts(plan);
  const { usable } = plan.memory;
  // Beyond twice what there is, a bar ends at the edge with its figure beside its name.
  const most = Math.min(2 * usable, Math.max(usable * 1.05, ...layouts.map(({ memory }) => memory.total)));
  const x = scaleLinear()
    .domain([0, most / 1e9])
    .range([frame.left, frame.width - frame.right])
    .clamp(true);
  const bottom = frame.top + layouts.length * frame.row;
  const bars = layouts.map((layout, i) => {
    const y = frame.top + i * frame.row;
    let sum = 0;
    const parts = memoryParts.map((name, part) => {
      const [from, to] = [x(sum / 1e9), x((sum += layout.memory[name]) / 1e9)];
      const title = `<title>${escaped(`${name} ${gigabytes(layout.memory[name])}`)}</title>`;
      return `<rect x="${from.toFixed(1)}" y="${y}" width="${(to - from).toFixed(1)}" height="${frame.bar}" fill="${inks[part]}">${title}</rect>`;
    });
    const label = `${nameOf(layout)}: ${gigabytes(layout.memory.total)}`;
    const ink = layout.feasible ? "black" : "#999";
    return `<text x="${frame.left - 8}" y="${y + 13}" text-anchor="end" fill="${ink}">${escaped(label)}</text>${parts.join("")}`;
  });
  const ticks = x.ticks(6).map((value) => {
    const at = x(value).toFixed(1);
    return `<path d="M${at},${frame.top - 4}V${bottom}" stroke="#ddd"/><text x="${at}" y="${bottom + 14}" text-anchor="middle">${value} GB</text>`;
  });
  const legend = memoryParts.map(
    (name, i) =>
      `<rect x="${16 + i * 110}" y="30" width="10" height="10" fill="${inks[i]}"/><text x="${30 + i * 110}" y="39">${name}</text>`,
  );
  const limit = `<path d="M${x(usable / 1e9).toFixed(1)},${frame.top - 10}V${bottom}" stroke="black" stroke-dasharray="4 3"/>`;
  const { count, name } = plan.accelerators;
  const title = `${plan.recipe} on ${count} ${name}: memory of one rank; dashed: what it has`;
  const height = bottom + 28;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${height}" width="${frame.width}" height="${height}" font-family="sans-serif" font-size="11">`;
  const ground = `<rect width="${frame.width}" height="${height}" fill="white"/><text x="16" y="18" font-weight="bold">${escaped(title)}</text>`;
  return [head, ground, ...legend, ...ticks, ...bars, limit, "</svg>\n"].join("\n");
}
