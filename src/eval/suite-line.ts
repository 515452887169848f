/** What a benchmark of a suite comes to in one line, with the parts that training texts hold and do not hold. */
import { type Figure, primaryOf, type Report } from "../metrics/report.ts";
import { differenceName } from "./contamination.ts";

/** A figure in a suite's line. */
interface LineFigure {
  readonly value: number;
  readonly interval: readonly [number, number] | null;
}

/** The line of a benchmark: what programs read of it. */
export interface SuiteLine extends LineFigure {
  readonly name: string;
  readonly metric: string;
  readonly n: number;
  readonly unparsed: number | null;
  readonly protocol: string;
  /** Of what training texts do not hold and of what they do, where that was looked for; without a value where n is 0. */
  readonly clean?: { readonly n: number } & Partial<LineFigure>;
  readonly contaminated?: { readonly n: number } & Partial<LineFigure>;
  /** The second of these less the first. */
  readonly difference?: LineFigure;
}

/** The primary figure, its parts, and what they depend on. @throws DataError where the report lacks its primary figure. */
export function suiteLine(name: string, report: Report): SuiteLine {
  const { examples, failed, hash } = report;
  const primary = primaryOf(report, name);
  return {
    name,
    metric: primary.name,
    ...lineFigure(primary),
    n: examples,
    unparsed: failed ?? null,
    protocol: hash,
    ...partsOf(report, primary.name),
  };
}

const lineFigure = ({ value, interval }: Figure): LineFigure => ({
  value,
  interval: interval === undefined ? null : [interval.low, interval.high],
});

/** The parts of a report, where what was seen in training was looked for. */
export function partsOf(
  { figures }: Pick<Report, "figures">,
  primary: string,
): Pick<SuiteLine, "clean" | "contaminated" | "difference"> {
  const named = (name: string): Figure | undefined => figures.find((one) => one.name === name);
  const part = (verdict: "clean" | "contaminated"): SuiteLine["clean"] => {
    const [examples, found] = [named(`${verdict}_examples`), named(`${verdict}_${primary}`)];
    return examples && { ...(found && lineFigure(found)), n: examples.value };
  };
  const [clean, contaminated, difference] = [part("clean"), part("contaminated"), named(differenceName)];
  return {
    ...(clean && { clean }),
    ...(contaminated && { contaminated }),
    ...(difference && { difference: lineFigure(difference) }),
  };
}
