/** Amounts of plans as people read them: ranges, bytes, times. */
import type { Range } from "../plan/index.ts";

export const many = (value: number): string => Math.round(value).toLocaleString("en-US");
export const brief = (value: number): string => (value < 100 ? String(Number(value.toPrecision(2))) : many(value));
export const percent = (share: number): string => {
  const value = 100 * share;
  return `${value > 0 && value < 0.05 ? value.toPrecision(1) : Number(value.toFixed(1))} %`;
};

/** "168 to 216"; one number where both ends are. */
export function rangeText({ low, high }: Range, show: (value: number) => string = brief): string {
  return show(low) === show(high) ? show(low) : `${show(low)} to ${show(high)}`;
}

/** "828.1 GB": a GB is 1e9 bytes. */
export function storage(bytes: number): string {
  const [unit, size] = (
    [
      ["PB", 1e15],
      ["TB", 1e12],
      ["GB", 1e9],
      ["MB", 1e6],
      ["KB", 1e3],
    ] as const
  ).find(([, one]) => bytes >= one) ?? ["B", 1];
  const value = bytes / size;
  return `${value.toFixed(unit === "TB" || unit === "PB" || (unit === "GB" && value < 10) ? 2 : size === 1 ? 0 : 1)} ${unit}`;
}

/** "12 ms", "45 s", "3.5 h", "12 days". */
export function duration(seconds: number): string {
  if (seconds === 0) return "0 s";
  const [unit, size] = (
    [
      ["days", 172_800, 86_400],
      ["h", 7200, 3600],
      ["min", 120, 60],
      ["s", 0.1, 1],
      ["ms", 1e-4, 1e-3],
    ] as const
  )
    .map(([name, from, size]) => [name, size, seconds >= from] as const)
    .find(([, , isFrom]) => isFrom) ?? ["µs", 1e-6];
  return `${brief(seconds / size)} ${unit}`;
}

/** "38.0M", "1.20B", "4.00T"; undefined below a million. */
export function inMillions(value: number): string | undefined {
  const units = [
    ["T", 1e12],
    ["B", 1e9],
    ["M", 1e6],
  ] as const;
  const found = units.find(([, size]) => value >= size);
  return found === undefined ? undefined : `${(value / found[1]).toPrecision(3)}${found[0]}`;
}
