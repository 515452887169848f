/** Tables as text that spreadsheets open: no text within them is computed. */

export type Cell = string | number | boolean | null;

/** A cell as text; one that a spreadsheet would take for a formula, behind white space or quotes too, begins with an apostrophe. */
export function cellText(value: Cell): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  return /^[\t\r\n]|^[\s"]*(?:[=@]|[+-](?!\d+(?:\.\d+)?$))/.test(value) ? `'${value}` : value;
}

/** Rows as CSV (RFC 4180). */
export function csvOf(rows: Iterable<readonly Cell[]>): string {
  const quoted = (value: Cell): string => {
    const text = cellText(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return Array.from(rows, (row) => `${row.map(quoted).join(",")}\r\n`).join("");
}
