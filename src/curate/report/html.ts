/** Small parts of the report's page: every text that comes from documents goes through `escapeHtml`. */
import { escapeHtml } from "../../io/markup.ts";

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** "1.2 M", "34 k": for labels. */
export function short(value: number): string {
  for (const [size, unit] of [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value < 10 * size ? 1 : 0)}${unit}`;
  }
  return whole(value);
}

/** A share as text: "12 %", "–" of nothing. */
export function percent(part: number, of: number): string {
  if (of === 0) return "–";
  const share = (100 * part) / of;
  if (share > 0 && share < 0.1) return "< 0.1 %";
  if (share > 99 && share < 100) return `${Math.min(99.9, share).toFixed(1)} %`;
  return `${share.toFixed(share < 10 ? 1 : 0)} %`;
}

export interface Column {
  readonly name: string;
  readonly number?: true;
}

/** A table; cells are HTML. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const classOf = ({ number }: Column): string => (number === true ? ' class="number"' : "");
  const head = columns.map((column) => `<th${classOf(column)} scope="col">${escapeHtml(column.name)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => `<td${classOf(columns[i]!)}>${cell}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table><caption>${escapeHtml(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}
