/** The Sankey of what flows through the stages: a lane for each source, and what every stage takes out of it. */
import { escapeHtml } from "../../io/markup.ts";
import type { Amount } from "../work/marker.ts";
import type { CorpusSummary } from "../summary.ts";
import { percent, short, whole } from "./html.ts";
import { inks } from "./style.ts";

interface Node {
  readonly id: string;
  readonly label: string;
  /** Which source, or -1 for what was dropped. */
  readonly lane: number;
}
interface Link {
  readonly source: string;
  readonly target: string;
  readonly value: number;
  readonly lane: number;
  readonly isDropped: boolean;
}

type Unit = "documents" | "words";

const width = 960;
const laneHeight = 44;

/** Nodes and links of d3-sankey; stages that drop nothing are left out. */
function graphOf({ sources, stages }: CorpusSummary, unit: Unit): { nodes: Node[]; links: Link[]; columns: number } {
  const nodes: Node[] = [];
  const links: Link[] = [];
  const shown = stages.filter((stage) => stage.out[unit] < stage.in[unit]);
  const at = sources.map(({ name, read }, lane) => {
    if (read[unit] > 0) nodes.push({ id: name, label: `${name} ${short(read[unit])}`, lane });
    return { id: name, value: read[unit] };
  });
  for (const [i, stage] of shown.entries()) {
    const gone = `dropped-${i}`;
    const lost = stage.in[unit] - stage.out[unit];
    nodes.push({ id: gone, label: `${stage.name} −${short(lost)}`, lane: -1 });
    for (const [lane, { name }] of sources.entries()) {
      const before = at[lane]!;
      const out: Amount | undefined = stage.bySource[name]?.out;
      if (before.value === 0) continue;
      const after = out === undefined ? before.value : out[unit];
      const id = `${name}-${i}`;
      const link = (target: string, value: number, isDropped: boolean): void => {
        if (value > 0) links.push({ source: before.id, target, value, lane, isDropped });
      };
      link(gone, before.value - after, true);
      link(id, after, false);
      if (after > 0) {
        const isLast = i === shown.length - 1;
        nodes.push({ id, label: isLast ? `${name} ${short(after)}` : "", lane });
      }
      at[lane] = { id, value: after };
    }
  }
  return { nodes, links, columns: shown.length };
}

/** The picture; a sentence where nothing was dropped. */
export async function flowPicture(summary: CorpusSummary, unit: Unit): Promise<string> {
  const { nodes, links, columns } = graphOf(summary, unit);
  if (columns === 0) return `<p>No stage dropped any ${unit}.</p>`;
  const { sankey, sankeyLinkHorizontal, sankeyLeft } = await import("d3-sankey");
  const lanes = summary.sources.filter(({ read }) => read[unit] > 0).length;
  const height = Math.max(260, (lanes + 1) * laneHeight);
  const layout = sankey<Node, Link>()
    .nodeId(({ id }) => id)
    .nodeAlign(sankeyLeft)
    // Lanes keep their order, and what is dropped goes below them.
    .nodeSort((a, b) => (a.lane < 0 ? inks + 1e6 : a.lane) - (b.lane < 0 ? inks + 1e6 : b.lane))
    .nodeWidth(9)
    .nodePadding(14)
    .extent([
      [170, 18],
      [width - 170, height - 38],
    ]);
  const graph = layout({ nodes: nodes.map((node) => ({ ...node })), links: links.map((link) => ({ ...link })) });
  const path = sankeyLinkHorizontal<Node, Link>();
  const flows = graph.links.map((link) => {
    const ink = link.isDropped ? "flow-dropped" : `flow${link.lane % inks}`;
    const { name } = summary.sources[link.lane]!;
    const said = `${name}: ${whole(link.value)} ${unit}${link.isDropped ? " dropped" : ""}`;
    return `<path class="flow ${ink}" d="${path(link) ?? ""}" stroke-width="${Math.max(1, link.width ?? 1).toFixed(1)}"><title>${escapeHtml(said)}</title></path>`;
  });
  const boxes = graph.nodes.map((node) => {
    const { x0 = 0, x1 = 0, y0 = 0, y1 = 0 } = node;
    const ink = node.lane < 0 ? "dropped" : `ink${node.lane % inks}`;
    const box = `<rect class="${ink}" x="${x0}" y="${y0.toFixed(1)}" width="${x1 - x0}" height="${Math.max(1, y1 - y0).toFixed(1)}"/>`;
    if (node.label === "") return box;
    // What was dropped has its name below, on two lines in turn, where columns are near.
    if (node.lane < 0) {
      const middle = ((x0 + x1) / 2).toFixed(1);
      const below = (y1 + 12 + 13 * ((node.depth ?? 0) % 2)).toFixed(1);
      return `${box}<text x="${middle}" y="${below}" text-anchor="middle">${escapeHtml(node.label)}</text>`;
    }
    // Sources have their names before them, where no flow is.
    const [x, anchor] = node.depth === 0 ? [x0 - 5, "end"] : [x1 + 4, "start"];
    const y = ((y0 + y1) / 2).toFixed(1);
    return `${box}<text x="${x}" y="${y}" dy=".35em" text-anchor="${anchor}">${escapeHtml(node.label)}</text>`;
  });
  const { sources } = summary;
  const [read, left] = [sources.reduce((sum, one) => sum + one.read[unit], 0), summary.stages.at(-1)!.out[unit]];
  const said = `Flow of ${unit}: ${whole(left)} of ${whole(read)} (${percent(left, read)}) are left after all stages.`;
  return `<figure><svg class="wide" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(said)}">
${flows.join("\n")}
${boxes.join("\n")}
</svg><figcaption>${escapeHtml(said)} Stages that dropped nothing are not drawn; repeats of the mixture neither.</figcaption></figure>`;
}
