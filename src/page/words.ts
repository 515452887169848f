/** How numbers, names and dates are written on the page. */

const count = new Intl.NumberFormat("en-US");

/** "1,204". */
export const counted = (value: number): string => count.format(value);

/** "1 document", "1,204 documents". */
export const several = (value: number, one: string, many: string = `${one}s`): string =>
  `${counted(value)} ${value === 1 ? one : many}`;

/** "Smith J, Doe A, Roe B, et al." */
export function authorLine(authors: readonly string[], most: number = 3): string {
  return authors.length > most ? `${authors.slice(0, most).join(", ")}, et al.` : authors.join(", ");
}

export const percent = (share: number): string => `${Math.round(100 * share)}\u00a0%`;

/** A loss or a rate, with as many digits as say something. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001) return value.toExponential(2);
  return size < 1000 ? value.toPrecision(4) : counted(Math.round(value));
}

/** A moment of ISO 8601 in the reader's own time. */
export function moment(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime())
    ? iso
    : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const unit = Math.min(4, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** unit).toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}
