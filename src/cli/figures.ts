/** Figures with intervals as lines for people. */
import type { Interval } from "../metrics/bootstrap.ts";

interface Report {
  readonly hash: string;
  readonly figures: Readonly<Record<string, { readonly value: number; readonly interval?: Interval }>>;
}

/** `name  value  (95 %: low to high)`, and the protocol's hash. */
export function describeFigures({ figures, hash }: Report, facts: readonly (readonly [string, string])[]): string {
  const rows = Object.entries(figures).map(([name, { value, interval }]) => {
    const range = interval === undefined ? "" : `  (95 %: ${interval.low.toFixed(4)} to ${interval.high.toFixed(4)})`;
    return [name, `${value.toFixed(4)}${range}`] as const;
  });
  const lines = [...rows, ...facts, ["protocol", hash] as const];
  const width = Math.max(14, ...lines.map(([name]) => name.length + 2));
  return lines.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join("");
}
