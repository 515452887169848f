/**
 * A table of rows and cells, as HTML's model has it (tr, td, th, colspan, rowspan), as lines: cells parted by tabs, each text
 * once, empty cells where it spans columns or rows, so that columns keep their places.
 */
import { children, within, type XmlElement } from "../xml/tree.ts";

/** Spans beyond this are mistakes, or made to fill the memory. */
const mostSpan = 100;

const spanOf = (cell: XmlElement, name: string): number => {
  const value = Number(cell.attributes[name] ?? 1);
  return Number.isInteger(value) && value >= 1 ? Math.min(value, mostSpan) : 1;
};

/** @param rowName of CALS tables "row", whose cells are "entry". */
export function tableText(
  table: XmlElement,
  cellText: (cell: XmlElement) => string,
  rowName: "tr" | "row" = "tr",
): string {
  const cellNames = rowName === "tr" ? ["td", "th"] : ["entry"];
  /** By column, how many more rows its cell spans. */
  let spanned: number[] = [];
  const lines: string[] = [];
  for (const row of within(table, rowName)) {
    const cells: string[] = [];
    const next: number[] = [];
    const skip = (): void => {
      while ((spanned[cells.length] ?? 0) > 0) {
        next[cells.length] = spanned[cells.length]! - 1;
        cells.push("");
      }
    };
    for (const cell of children(row, ...cellNames)) {
      skip();
      const [columns, rows] = [spanOf(cell, "colspan"), spanOf(cell, "rowspan")];
      const text = cellText(cell);
      for (let i = 0; i < columns; i++) {
        next[cells.length] = rows - 1;
        cells.push(i === 0 ? text : "");
      }
    }
    skip();
    spanned = next;
    const line = cells.join("\t").replace(/\t+$/, "");
    if (/[^\t]/.test(line)) lines.push(line);
  }
  return lines.join("\n");
}
