/** A plan as people read it. */
import type { Plan, Range } from "../plan/index.ts";
import { bestLayouts, gigabytes, memoryBars, nameOf } from "./plan-picture.ts";

const many = (value: number): string => Math.round(value).toLocaleString("en-US");
const brief = (value: number): string => (value < 100 ? value.toPrecision(2) : many(value));
const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** "168 to 216"; one number where both ends are. */
function range({ low, high }: Range, show: (value: number) => string = brief): string {
  return show(low) === show(high) ? show(low) : `${show(low)} to ${show(high)}`;
}

function large(value: number): string {
  const [unit, size] = (
    [
      ["T", 1e12],
      ["B", 1e9],
      ["M", 1e6],
    ] as const
  ).find(([, one]) => value >= one) ?? ["", 1];
  return `${(value / size).toPrecision(3)}${unit}`;
}

function storage(bytes: number): string {
  return bytes >= 1e12 ? `${(bytes / 1e12).toFixed(2)} TB` : gigabytes(bytes);
}

/** Columns of a terminal: the bars' room. */
export function planText(plan: Plan, columns: number): string {
  const { accelerators, memory, layouts, checkpoints, warnings, utilisation } = plan;
  const best = layouts.find((layout) => layout.memory === memory)!;
  const rows: [string, string][] = [
    ["parameters", `${many(plan.parameters)}, from the recipe's own graph`],
    ["tokens", `${large(plan.tokens)}: ${many(plan.updates)} updates of ${many(plan.tokensPerUpdate)}`],
    [
      "operations",
      `${plan.flops.toExponential(2)} (6 N a token); attention's ${plan.attentionFlops.toExponential(1)} (12 · layers · width · row) beside them`,
    ],
    [
      "days",
      `${range(plan.days)}, where 6 N are ${range({ low: utilisation.low, high: utilisation.high }, percent)} of the dense peak (N all weights; attention and recomputation left out)`,
    ],
    ["hours", `${range(plan.acceleratorHours, many)} of an accelerator`],
    [
      "energy",
      `${range(plan.megawattHours)} MWh, ${brief(plan.wattsEach)} W an accelerator with its share of the building`,
    ],
    ...(plan.cost === undefined ? [] : [["cost", range(plan.cost, many)] as [string, string]]),
    [
      "checkpoints",
      `${storage(checkpoints.bytes)} each, ${many(checkpoints.written)} written, ${checkpoints.kept} kept; the model in half precision ${storage(checkpoints.modelBytes)}`,
    ],
    ["source", accelerators.source],
  ];
  const chosen = best.feasible ? `the quickest layout, ${nameOf(best)}` : `the smallest layout, ${nameOf(best)}`;
  const table = bestLayouts(plan).map((layout) => {
    const { computing, sharding, tensorParallel } = layout.seconds;
    const seconds = `an update: ${brief(computing)} s of computing, ${brief(sharding)} s for shards, ${brief(tensorParallel)} s for tensor parallelism`;
    const mark = layout.feasible ? "yes" : "no ";
    return `  ${mark}  ${nameOf(layout)}\n       ${layout.reason ?? `${gigabytes(layout.memory.total)}; ${seconds}`}\n`;
  });
  return [
    `${plan.recipe} on ${many(accelerators.count)} ${accelerators.name}\n`,
    ...rows.map(([name, value]) => `${name.padEnd(13)}${value}\n`),
    `\nMemory of one rank, ${chosen}\n`,
    memoryBars(memory, columns),
    `  of ${gigabytes(memory.usable)} to be had; on the host ${gigabytes(memory.host)}\n`,
    "\nLayouts\n",
    ...table,
    ...(warnings.length === 0 ? [] : ["\nWhat to doubt\n", ...warnings.map((one) => `  - ${one}\n`)]),
  ].join("");
}
