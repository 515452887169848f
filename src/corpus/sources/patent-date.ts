/** Dates of the USPTO. */
import { partialDate } from "../pubmed/partial-date.ts";

/** "20050104" as "2005-01-04"; parts that are 00 are not known. */
export function patentDate(text: string): string | null {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(text.trim());
  return found === null ? null : partialDate(found[1]!, found[2], found[3]);
}
