/** Months, days and their names, as notes write them; days are counted since 1970 in the proleptic Gregorian calendar. */

export const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;
export const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

const ones = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
const teens = "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth";
/** Days of a month in words: "first" to "thirty first". */
export const ordinals: readonly string[] = [
  ...ones,
  ...teens.split(" "),
  "twentieth",
  ...ones.map((one) => `twenty ${one}`),
  "thirtieth",
  "thirty first",
];

/** 1 to 12 by a name or its first three letters or more; undefined where it is none. */
export function monthNumber(name: string): number | undefined {
  const lower = name.toLowerCase().replace(".", "");
  const at = lower.length < 3 ? -1 : months.findIndex((month) => month.toLowerCase().startsWith(lower.slice(0, 3)));
  return at < 0 ? undefined : at + 1;
}

/** Days since 1970-01-01; undefined where the calendar has no such day. */
export function dayNumber(year: number, month: number, day: number): number | undefined {
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  return time.getUTCMonth() === month - 1 && time.getUTCDate() === day ? time.getTime() / 86_400_000 : undefined;
}

export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export function dayOf(number: number): Day {
  const time = new Date(number * 86_400_000);
  return { year: time.getUTCFullYear(), month: time.getUTCMonth() + 1, day: time.getUTCDate() };
}

/** Written as `like` is: capitals, small letters, as many letters. */
export function writtenLike(like: string, full: string): string {
  const plain = like.replace(".", "");
  const isShort = plain.length < 5 && !months.concat().some((month) => month.toLowerCase() === plain.toLowerCase());
  const cut = isShort ? full.slice(0, 3) : full;
  const cased =
    plain === plain.toUpperCase() ? cut.toUpperCase() : plain === plain.toLowerCase() ? cut.toLowerCase() : cut;
  return like.endsWith(".") ? `${cased}.` : cased;
}

/** 1st, 2nd, 3rd, 4th. */
export function ordinalEnd(day: number): string {
  if (day % 100 >= 11 && day % 100 <= 13) return "th";
  return ["th", "st", "nd", "rd"][day % 10] ?? "th";
}
