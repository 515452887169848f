/**
 * Partial ISO dates from PubMed's date elements: no month or day is ever invented. An impossible part (month 13,
 * 31 February) and everything after it is left out. Seasons and MedlineDate ranges keep the year, and the month only
 * where the text names a single one.
 */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function monthNumber(text: string): number | null {
  if (/^\d{1,2}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= 12 ? number : null;
  }
  const index = months.indexOf(text.slice(0, 3).toLowerCase());
  return index < 0 || !/^[A-Za-z]+\.?$/.test(text) ? null : index + 1;
}

/** "2015", "2015-03" or "2015-03-07" from the text of Year, Month and Day; null without a four-digit year. */
export function partialDate(year: string | null, month?: string | null, day?: string | null): string | null {
  if (year === null || !/^\d{4}$/.test(year)) return null;
  const monthValue = month ? monthNumber(month) : null;
  if (monthValue === null) return year;
  const prefix = `${year}-${String(monthValue).padStart(2, "0")}`;
  if (!day || !/^\d{1,2}$/.test(day)) return prefix;
  const dayValue = Number(day);
  const leap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  const last = monthValue === 2 && !leap ? 28 : days[monthValue - 1]!;
  return dayValue >= 1 && dayValue <= last ? `${prefix}-${String(dayValue).padStart(2, "0")}` : prefix;
}

/**
 * The part of a MedlineDate that is certain: "1975 Jun 15-22" is "1975-06"; "1998 Dec-1999 Jan", "1984-85 Jan" and
 * "1978 Dec-79" are a year.
 */
export function medlinePartialDate(text: string): string | null {
  const years = text.match(/\b\d{4}\b/g) ?? [];
  const year = years[0];
  if (year === undefined) return null;
  // The last year of a range, in two digits or one.
  const goesOn = /\d{4}\s*[-–/]\s*\d{1,2}\b/.test(text) || /[A-Za-z]\.?\s*[-–/]\s*\d{2}$/.test(text.trim());
  const named = text.match(/[A-Za-z]+/g)?.filter((word) => monthNumber(word) !== null) ?? [];
  return years.length === 1 && named.length === 1 && !goesOn ? partialDate(year, named[0]) : year;
}

/** True where the partial `date` may lie in [from, to], both partial and inclusive: "2015" overlaps "2015-03". */
export function overlapsRange(date: string, from: string | undefined, to: string | undefined): boolean {
  const afterStart = from === undefined || date.slice(0, from.length) >= from.slice(0, date.length);
  const beforeEnd = to === undefined || date.slice(0, to.length) <= to.slice(0, date.length);
  return afterStart && beforeEnd;
}
