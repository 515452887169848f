/** A plan as people read it. */
import type { Constant, Plan, RanksOnPaper } from "../plan/index.ts";
import { brief, duration, inMillions, many, percent, rangeText, storage } from "./amount-text.ts";
import { bestLayouts, gigabytes, memoryBars, nameOf } from "./plan-picture.ts";

/** "38.0M", "4.00T". */
const large = (value: number): string => inMillions(value) ?? value.toPrecision(3);

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
      `${rangeText(plan.days)}, where 6 N are ${rangeText({ low: utilisation.low, high: utilisation.high }, percent)} of the dense peak (N all weights; attention and recomputation left out)`,
    ],
    ["hours", `${rangeText(plan.acceleratorHours, many)} of an accelerator`],
    [
      "energy",
      `${rangeText(plan.megawattHours)} MWh, ${brief(plan.wattsEach)} W an accelerator with its share of the building`,
    ],
    ...(plan.cost === undefined ? [] : [["cost", rangeText(plan.cost, many)] as [string, string]]),
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
    `\n${many(accelerators.count)} ranks on paper, nothing of it run\n`,
    ...ranksRows(plan.ranks).map(([name, value]) => `  ${name.padEnd(14)}${value}\n`),
    "  by these constants:\n",
    ...plan.ranks.constants.map((one) => `    ${one.basis.padEnd(11)}${constantText(one)}\n`),
    ...(warnings.length === 0 ? [] : ["\nWhat to doubt\n", ...warnings.map((one) => `  - ${one}\n`)]),
  ].join("");
}

function ranksRows({ hosts, startUp, checkpoint, data, update, interruptions }: RanksOnPaper): [string, string][] {
  const latency = `${rangeText(update.latencySeconds, duration)} of latency in ${many(update.collectives)} collectives`;
  return [
    [
      "start",
      `${rangeText(startUp.seconds, duration)} on ${many(hosts)} ${hosts === 1 ? "host" : "hosts"}: ${storage(startUp.weightsBytes)} of start weights, read once to once a host; resumed from a checkpoint ${rangeText(startUp.resumeSeconds, duration)}`,
    ],
    [
      "checkpoint",
      `${storage(checkpoint.bytesOfRank)} a rank, ${rangeText(checkpoint.seconds, duration)} each, every ${many(checkpoint.every)} updates (${rangeText(checkpoint.secondsBetween, duration)}): ${rangeText(checkpoint.share, percent)} of the time`,
    ],
    [
      "data",
      `${rangeText(data.tokensPerSecond, many)} tokens a second, ${rangeText(data.bytesPerSecond, storage)}/s in ${rangeText(data.readsPerSecond)} reads; order of examples ${storage(data.orderBytes)}; tokens, if each came once, ${storage(data.tokenBytes)}`,
    ],
    [
      "an update",
      `${rangeText(update.seconds, duration)}; a rank sends ${storage(update.shardBytes)} of shards, with ${latency}`,
    ],
    [
      "interruptions",
      `${rangeText(interruptions.expected)}, ${rangeText(interruptions.hoursEach)} h each, ${rangeText(interruptions.share, percent)} of the time; least is lost with a checkpoint every ${rangeText(checkpoint.bestSeconds, duration)}`,
    ],
  ];
}

function constantText({ name, low, high, unit, source }: Constant): string {
  const show = (value: number): string => {
    if (unit === "B/s") return `${storage(value)}/s`;
    return unit === "s" ? duration(value) : `${Number(value.toPrecision(2))} ${unit}`;
  };
  return `${name}: ${rangeText({ low, high }, show)} (${source})`;
}
