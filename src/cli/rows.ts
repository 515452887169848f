/** Rows of whole numbers on a command line: commas between numbers, semicolons between rows. */
import { UsageError } from "../errors.ts";

/** @throws UsageError that names the option. */
export function parseRows(option: string, text: string): number[][] {
  return text.split(";").map((row) =>
    row.split(",").map((item) => {
      if (/^\s*\d+\s*$/.test(item)) return Number(item);
      throw new UsageError(
        `${option}: expected whole numbers with commas between, such as 2,9,33, got "${item.trim()}"`,
      );
    }),
  );
}
