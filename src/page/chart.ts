/** Curves over updates by uPlot, in the page's colours, redrawn when points come, the width changes or it gets dark. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { RunPoint } from "../serve/literature/replies.ts";
import { html } from "./html.ts";
import { counted, figure } from "./words.ts";

export interface Curve {
  readonly name: string;
  /** Which of the inks. */
  readonly ink: number;
  readonly points: readonly RunPoint[];
}

/** Colours that the colour-blind can tell apart (Okabe and Ito 2008), lighter ones on a dark page. */
const inks = {
  light: ["#0072b2", "#d55e00", "#009e73", "#a8578a", "#8a6100", "#56b4e9"],
  dark: ["#56b4e9", "#e69f00", "#2fcf9f", "#dd98bd", "#f0e442", "#9ecbff"],
};
const dashes = [[], [6, 4], [2, 3], [10, 4, 2, 4]];
const dark = matchMedia("(prefers-color-scheme: dark)");

export function inkOf(i: number): string {
  const list = dark.matches ? inks.dark : inks.light;
  return list[i % list.length]!;
}

/** uPlot's columns: all updates in order, and each curve's value there or null. */
export function columnsOf(curves: readonly Curve[]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(curves.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const places = new Map(steps.map((step, i) => [step, i]));
  const rows = curves.map(({ points }) => {
    const row: (number | null)[] = Array.from({ length: steps.length }, () => null);
    for (const { step, value } of points) row[places.get(step)!] = value;
    return row;
  });
  return [steps, ...rows];
}

/** "0.002", "5e-4": as short as it can be. */
function tickOf(value: number): string {
  const short = Number(value.toPrecision(6));
  return short !== 0 && Math.abs(short) < 0.001
    ? short.toExponential()
    : short.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

const height = 240;

function draw(place: HTMLElement, curves: readonly Curve[]): uPlot {
  const style = getComputedStyle(place);
  const [ink, line] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")];
  const axis = {
    stroke: ink,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: "12px system-ui",
  };
  return new uPlot(
    {
      width: place.clientWidth,
      height,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? counted(tick) : "")) },
        { ...axis, size: 64, values: (_, ticks) => ticks.map(tickOf) },
      ],
      series: [
        {},
        ...curves.map(({ name, ink: i, points }) => ({
          label: name,
          stroke: inkOf(i),
          width: 1.75,
          dash: dashes[i % dashes.length]!,
          spanGaps: true,
          points: { show: points.length < 30 },
        })),
      ],
    },
    columnsOf(curves) as uPlot.AlignedData,
    place,
  );
}

export function Chart({ title, curves }: { readonly title: string; readonly curves: readonly Curve[] }): VNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [look, setLook] = useState(0);
  const series = JSON.stringify(curves.map(({ name, points }) => [name, points.length < 30]));
  useEffect(() => {
    const again = (): void => setLook((n) => n + 1);
    dark.addEventListener("change", again);
    const sizes = new ResizeObserver(() => {
      plot.current?.setSize({ width: place.current!.clientWidth, height });
    });
    sizes.observe(place.current!);
    return () => {
      dark.removeEventListener("change", again);
      sizes.disconnect();
    };
  }, []);
  useEffect(() => {
    const made = draw(place.current!, curves);
    plot.current = made;
    return () => made.destroy();
  }, [series, look]);
  useEffect(() => {
    plot.current?.setData(columnsOf(curves) as uPlot.AlignedData);
  }, [curves.map(({ points }) => points.length).join()]);
  const said = curves.map(({ name, points }) => {
    const end = points.at(-1);
    return end === undefined
      ? `${name}: none yet`
      : `${name}: ${figure(points[0]!.value)} at update ${points[0]!.step}, ${figure(end.value)} at ${end.step}`;
  });
  return html`<figure class="chart">
    <figcaption>${title}</figcaption>
    <div class="plot" ref=${place} role="img" aria-label=${`${title}. ${said.join(". ")}`}></div>
  </figure>`;
}
