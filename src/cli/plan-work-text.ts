/** Plans of curation, indexing and mining as people read them. */
import type { Constant, Range } from "../plan/index.ts";
import type { CorpusPlan, CorpusRates, DocumentPlan, DocumentRates } from "../plan/work/index.ts";
import { brief, duration, inMillions, many, percent, rangeText, storage } from "./amount-text.ts";

const hoursText = ({ low, high }: Range): string => rangeText({ low: 3600 * low, high: 3600 * high }, duration);

/** "38.0M", "4.00T". */
const large = (value: number): string => inMillions(value) ?? many(value);

function list(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(13)}${value}\n`).join("");
}

function measuredText({ measured, machine, samples }: CorpusRates | DocumentRates): string {
  const characters = samples.map((one) => one.characters);
  const sizes = rangeText({ low: Math.min(...characters), high: Math.max(...characters) }, storage);
  const several = samples.length === 1 ? "one sample" : `${samples.length} samples`;
  return `${several} of ${sizes} of text, ${measured.slice(0, 10)}, ${machine.processor}, ${machine.threads} threads, ${storage(machine.memory)}`;
}

function constantsText(constants: readonly Constant[]): string {
  const lines = constants.map(({ name, low, high, unit, basis, source }) => {
    const show = (value: number): string => {
      if (unit === "B") return storage(value);
      if (unit === "s") return duration(value);
      return unit === "share" ? percent(value) : brief(value);
    };
    const unitText = unit === "B" || unit === "s" || unit === "share" || unit === "" ? "" : ` ${unit}`;
    return `  ${basis.padEnd(10)}${name}: ${rangeText({ low, high }, show)}${unitText} (${source})\n`;
  });
  return `\nBy these constants\n${lines.join("")}`;
}

const warningsText = (warnings: readonly string[]): string =>
  warnings.length === 0 ? "" : `\nWhat to doubt\n${warnings.map((one) => `  - ${one}\n`).join("")}`;

/** `name`: of the pipeline. */
export function corpusPlanText(plan: CorpusPlan, name: string): string {
  const { cores, machines, amount, result, hours, coreHours, disk, memory, cost, steps, limits, rates } = plan;
  const rows: [string, string][] = [
    [
      "text",
      `${rangeText(amount.characters, storage)}, ${rangeText(amount.documents, large)} documents, ${rangeText(amount.tokens, large)} tokens; ${rangeText(amount.bytes, storage)} as it lies`,
    ],
    ["left", `${rangeText(result, storage)} of text at most`],
    ["time", hoursText(hours)],
    ["core hours", rangeText(coreHours)],
    ...(cost === undefined ? [] : [["cost", rangeText(cost)] as [string, string]]),
    ["disk", `${rangeText(disk, storage)} beside the sources, without --prune`],
    ["memory", `${rangeText(memory, storage)} a machine`],
    ["shards", many(amount.shards)],
    ["measured", measuredText(rates)],
  ];
  const width = Math.max(...steps.map((step) => step.name.length)) + 2;
  const table = steps.map(
    (step) =>
      `  ${step.name.padEnd(width)}${many(step.tasks).padStart(9)}  ${rangeText(step.coreHours).padEnd(20)}  ${hoursText(step.hours).padEnd(22)}  ${step.growth}\n`,
  );
  const head = `  ${"".padEnd(width)}${"tasks".padStart(9)}  ${"core hours".padEnd(20)}  ${"time".padEnd(22)}  grows\n`;
  const first = limits.slice(0, 5).map(({ name: what, value, limit, breaks, characters }) => {
    const shown = (number: number): string => (limit <= 1 ? percent(number) : many(number));
    const at = characters === null ? "" : `, reached at ${storage(characters)} of text`;
    return `  ${breaks ? "no " : "yes"}  ${what}: ${shown(value)} of ${shown(limit)}${at}\n`;
  });
  return [
    `${name} on ${many(cores)} ${cores === 1 ? "core" : "cores"} of ${many(machines)} ${machines === 1 ? "machine" : "machines"}\n`,
    list(rows),
    `\nSteps\n${head}${table.join("")}`,
    `\nWithin its limits\n${first.join("")}`,
    constantsText(plan.constants),
    warningsText(plan.warnings),
  ].join("");
}

export function documentPlanText(plan: DocumentPlan): string {
  const { job, machines, amount, rate, growth, hours, machineHours, disk, memory, cost, rates } = plan;
  const how = rates.model === null ? "by words alone" : `with ${rates.model}`;
  const rows: [string, string][] = [
    [
      "documents",
      `${rangeText(amount.documents, large)}, ${rangeText(amount.characters, storage)} of text; ${rangeText(amount.bytes, storage)} as it lies`,
    ],
    ["time", hoursText(hours)],
    ...(machines === 1 ? [] : [["machine hours", rangeText(machineHours)] as [string, string]]),
    ...(cost === undefined ? [] : [["cost", rangeText(cost)] as [string, string]]),
    [
      "rate",
      `${rangeText(rate)} documents a second and machine; time grew as the text to the power ${growth.toFixed(2)}`,
    ],
    ["disk", `${rangeText(disk, storage)} in all`],
    ["memory", `${rangeText(memory, storage)} a machine`],
    ["measured", measuredText(rates)],
  ];
  const title = job === "index" ? `An index ${how}, store ${rates.store}` : `Relations mined ${how}`;
  return [
    `${title}, on ${many(machines)} ${machines === 1 ? "machine" : "machines"} like the one that was measured\n`,
    list(rows),
    constantsText(plan.constants),
    warningsText(plan.warnings),
  ].join("");
}
