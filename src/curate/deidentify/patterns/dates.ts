/**
 * Dates but for bare years: 45 CFR 164.514(b)(2)(i)(C). Each form finds itself and can be written again so many days later, in
 * the same form. Times of day, durations, days after an operation and years alone stay. Of "03/04/2012" the first number is the
 * month, as in the United States, unless it cannot be.
 */
import { dayNumber, dayOf, monthNumber, months, ordinalEnd, ordinals, weekdays, writtenLike } from "../calendar.ts";
import type { Found } from "../classes.ts";

type Groups = Readonly<Record<string, string | undefined>>;

interface DateForm {
  readonly rule: string;
  /** The whole match is the date, its parts named groups. */
  readonly pattern: RegExp;
  readonly check?: (groups: Groups, text: string, start: number, end: number) => boolean;
  /** The same date `days` later; undefined where it is no date. */
  readonly shift: (groups: Groups, days: number, text: string) => string | undefined;
}

const month =
  "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)";
const day = "(?:0?[1-9]|[12]\\d|3[01])";
const year = "(?:1[89]\\d{2}|20\\d{2})";
const weekday = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const ordinalWord = ordinals.toReversed().join("|").replaceAll(" ", "[ -]");

/** A year of two digits, as it is meant in notes of this time: 1935 to 2034. */
const fullYear = (text: string): number => {
  const number = Number(text);
  return text.length > 2 ? number : number < 35 ? 2000 + number : 1900 + number;
};
const padded = (number: number, like: string): string =>
  like.length > 1 ? String(number).padStart(like.length, "0") : String(number);
const yearLike = (number: number, like: string): string =>
  like.length > 2 ? String(number) : String(number).slice(-2);

/** In a year of 365 days: a date without its year comes back after one. */
const anyYear = 2001;

/** A month's middle, moved, is in the month meant. */
function shiftedMonth(yearNumber: number, monthNumber: number, days: number): { year: number; month: number } {
  return dayOf(dayNumber(yearNumber, monthNumber, 15)! + days);
}

function shiftNumeric({ a, b, y, s, s2 = s }: Groups, days: number): string | undefined {
  const [first, second] = [Number(a), Number(b)];
  // With dots the day comes first, as in Europe.
  const isDayFirst = s === "." ? second <= 12 : first > 12;
  const at = dayNumber(fullYear(y!), isDayFirst ? second : first, isDayFirst ? first : second);
  if (at === undefined) return undefined;
  const to = dayOf(at + days);
  const [left, right] = isDayFirst ? [to.day, to.month] : [to.month, to.day];
  return `${padded(left, a!)}${s}${padded(right, b!)}${s2}${yearLike(to.year, y!)}`;
}

function shiftNamed(groups: Groups, days: number): string | undefined {
  const { m, d, d2, y, w } = groups;
  const from = y === undefined ? anyYear : fullYear(y.replace(/['’]/, ""));
  const at = dayNumber(from, monthNumber(m!)!, Number(d));
  const to = at === undefined ? undefined : dayOf(at + days);
  if (to === undefined) return undefined;
  const th = (like: string | undefined, number: number): string => (like === undefined ? "" : ordinalEnd(number));
  const name = writtenLike(m!, months[to.month - 1]!);
  const dayText = `${padded(to.day, d!)}${th(groups["th"], to.day)}`;
  let last = "";
  if (d2 !== undefined) {
    const length = Number(d2) - Number(d);
    const until = dayOf(at! + days + length);
    const other = until.month === to.month ? "" : `${writtenLike(m!, months[until.month - 1]!)} `;
    last = `${groups["range"]}${other}${until.day}`;
  }
  const yearText =
    y === undefined
      ? ""
      : `${groups["ys"]}${y.startsWith("'") || y.startsWith("’") ? y[0]! : ""}${yearLike(to.year, y.replace(/['’]/, ""))}`;
  const weekText = w === undefined ? "" : `${shiftWeekday(w, days)}${groups["ws"]}`;
  return groups["order"] === "day"
    ? `${weekText}${dayText}${groups["ms"]}${name}${yearText}`
    : `${weekText}${name}${groups["ms"]}${dayText}${last}${yearText}`;
}

function shiftWeekday(name: string, days: number): string {
  const at = weekdays.findIndex((one) => one.toLowerCase().startsWith(name.toLowerCase().slice(0, 3)));
  const to = weekdays[(((at + days) % 7) + 7) % 7]!;
  const isShort = !/day$/i.test(name);
  const cut = isShort ? to.slice(0, 3) : to;
  const cased = name === name.toUpperCase() ? cut.toUpperCase() : name === name.toLowerCase() ? cut.toLowerCase() : cut;
  return name.endsWith(".") ? `${cased}.` : cased;
}

/** Fixed days, and about when the moveable ones are; some only where they are no other thing ("Christmas disease"). */
const holidays: readonly (readonly [name: string, month: number, day: number])[] = [
  ["New Year['’]?s(?: Eve| Day)?", 1, 1],
  ["(?:Martin Luther King|MLK)(?:,? Jr\\.?)?(?:['’]s)?(?: Birthday| Day)", 1, 18],
  ["Groundhog Day", 2, 2],
  ["Valentine['’]?s(?: Day)?", 2, 14],
  ["Presidents?['’]?s? Day", 2, 18],
  ["St\\.? Patrick['’]?s Day", 3, 17],
  ["(?:Palm Sunday|Good Friday|Easter(?: Sunday)?|Passover)", 4, 10],
  ["Mother['’]?s Day", 5, 11],
  ["Memorial Day", 5, 28],
  ["Father['’]?s Day", 6, 18],
  ["Juneteenth", 6, 19],
  ["(?:Fourth of July|4th of July|Independence Day)", 7, 4],
  ["Labor Day", 9, 4],
  ["(?:Rosh Hashanah?|Yom Kippur)", 9, 25],
  ["Columbus Day", 10, 11],
  ["Halloween", 10, 31],
  ["Veterans['’]? Day", 11, 11],
  ["Thanksgiving(?: Day)?", 11, 25],
  ["Hanukkah|Chanukah", 12, 12],
  ["Christmas(?: Eve| Day)?(?! disease| tree| factor)|Xmas", 12, 25],
  ["Ramadan|Diwali|Kwanzaa|Eid", 12, 1],
];

function shiftHoliday(text: string, days: number): string | undefined {
  const holiday = holidays.find(([source]) => new RegExp(`^(?:${source})$`).test(text));
  if (holiday === undefined) return undefined;
  const to = dayOf(dayNumber(anyYear, holiday[1], holiday[2])! + days);
  return `${months[to.month - 1]} ${to.day}`;
}

const seasons = ["winter", "spring", "summer", "fall"];

/** Names of months that are other words too are dates where they begin with a capital. */
const isMonthWord = ({ m }: Groups): boolean => !/^(?:may|mar|march|sept|jan|dec)\.?$/.test(m ?? "");
const isNumeric = ({ a, b }: Groups): boolean => Number(a) <= 12 || Number(b) <= 12;
const before = String.raw`(?<=\b(?:on|since|until|till|til|through|thru|dated|dates?|as of|last|next|seen|scheduled|admitted|discharged|starting|beginning|effective|performed|done|DOS|DOA|DOD|DOB|D|T|DD|DT|R|visit|labs|appointment|appt|follow-up|followup|f\/u|return|rtc)(?:[:;]? |:)|\d[/-]\d{1,4},? (?:and|&|to|through|or) |\bbetween )`;

export const dateForms: readonly DateForm[] = [
  {
    rule: "iso",
    pattern: new RegExp(
      `(?<![\\d/.-])(?<y>${year})(?<s>[-/.])(?<m>0?[1-9]|1[0-2])\\k<s>(?<d>${day})(?!\\d|[-/]\\d|\\.\\d)`,
      "g",
    ),
    shift({ y, s, m, d }, days) {
      const at = dayNumber(Number(y), Number(m), Number(d));
      const to = at === undefined ? undefined : dayOf(at + days);
      return to && `${to.year}${s}${padded(to.month, m!)}${s}${padded(to.day, d!)}`;
    },
  },
  {
    rule: "numeric",
    pattern: new RegExp(
      `(?<![\\d/.A-Za-z-]|\\d-)(?<a>${day})(?<s>[/-])(?<b>${day})\\k<s>(?<y>${year}|\\d{2})(?![\\d%]|[/-]\\d|\\.\\d)`,
      "g",
    ),
    check: isNumeric,
    shift: shiftNumeric,
  },
  {
    rule: "dotted",
    pattern: new RegExp(`(?<![\\d.A-Za-z])(?<a>${day})(?<s>\\.)(?<b>${day})\\.(?<y>${year})(?!\\d|\\.\\d)`, "g"),
    check: isNumeric,
    shift: shiftNumeric,
  },
  {
    rule: "compact",
    pattern: new RegExp(
      `(?<![\\d.A-Za-z-])(?<y>19\\d{2}|20[0-3]\\d)(?<m>0[1-9]|1[0-2])(?<d>0[1-9]|[12]\\d|3[01])(?=(?:[01]\\d|2[0-3])[0-5]\\d(?:[0-5]\\d)?(?!\\d)|(?![\\d-]))`,
      "g",
    ),
    shift({ y, m, d }, days) {
      const at = dayNumber(Number(y), Number(m), Number(d));
      const to = at === undefined ? undefined : dayOf(at + days);
      return to && `${to.year}${padded(to.month, m!)}${padded(to.day, d!)}`;
    },
  },
  {
    rule: "month-day",
    pattern: new RegExp(
      `(?:(?<w>${weekday}|(?:Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun)\\.?)(?<ws>,? (?:the )?))?\\b(?<m>${month}\\.?)(?<ms>[ -]{1,2}(?:the )?|(?<=\\.))(?<d>${day})(?<th>st|nd|rd|th)?(?:(?<range> ?[-–] ?| to | through )(?<d2>${day})(?:st|nd|rd|th)?(?![\\d/:]))?(?![\\d%:/]|\\.\\d| ?(?:mg|mcg|tablets?|ml|cc|units?|times|days|weeks|hours)\\b)(?:(?<ys>,? (?:of )?|, ?|-)(?<y>${year}|['’]\\d{2}(?!\\d)))?`,
      "gi",
    ),
    check: (groups) => groups["y"] !== undefined || isMonthWord(groups),
    shift: shiftNamed,
  },
  {
    rule: "day-month",
    pattern: new RegExp(
      `(?:(?<w>${weekday})(?<ws>,? (?:the )?))?(?<![\\d./:-])(?<d>${day})(?<th>st|nd|rd|th)?(?<ms>[ -]?(?:day )?(?:of )?|/)(?<m>${month}\\.?)(?![a-z])(?:(?<ys>,? ?|-|/)(?<y>${year}(?!\\d)|['’]?\\d{2}(?![\\d/:.%])))?(?<order>)`,
      "gi",
    ),
    check: (groups) =>
      (groups["y"]?.length === 4 || isMonthWord(groups)) &&
      !(groups["ms"] === "" && groups["y"] === undefined && groups["th"] === undefined),
    shift: (groups, days) => shiftNamed({ ...groups, order: "day" }, days),
  },
  {
    rule: "month-ordinal",
    pattern: new RegExp(`\\b(?<m>${month})(?<ms>,? (?:the )?)(?<n>${ordinalWord})\\b`, "gi"),
    shift({ m, ms, n }, days) {
      const at = ordinals.indexOf(n!.toLowerCase().replace("-", " ")) + 1;
      const from = dayNumber(anyYear, monthNumber(m!)!, at);
      const to = from === undefined ? undefined : dayOf(from + days);
      return to && `${writtenLike(m!, months[to.month - 1]!)}${ms}${ordinals[to.day - 1]}`;
    },
  },
  {
    rule: "ordinal-month",
    pattern: new RegExp(`\\b(?<n>${ordinalWord})(?<ms> (?:day )?of )(?<m>${month})\\b`, "gi"),
    shift({ m, ms, n }, days) {
      const at = ordinals.indexOf(n!.toLowerCase().replace("-", " ")) + 1;
      const from = dayNumber(anyYear, monthNumber(m!)!, at);
      const to = from === undefined ? undefined : dayOf(from + days);
      return to && `${ordinals[to.day - 1]}${ms}${writtenLike(m!, months[to.month - 1]!)}`;
    },
  },
  {
    rule: "month-year",
    pattern: new RegExp(
      `\\b(?<m>${month}\\.?)(?<ms>,? (?:of )?(?:the year )?|[-/])(?<y>${year}|['’]\\d{2})(?!\\d)`,
      "gi",
    ),
    shift({ m, ms, y }, days) {
      const digits = y!.replace(/['’]/, "");
      const to = shiftedMonth(fullYear(digits), monthNumber(m!)!, days);
      return `${writtenLike(m!, months[to.month - 1]!)}${ms}${y!.slice(0, y!.length - digits.length)}${yearLike(to.year, digits)}`;
    },
  },
  {
    rule: "numeric-month-year",
    pattern: new RegExp(
      `(?<![\\d/.,A-Za-z-])(?<m>0?[1-9]|1[0-2])(?<s>[/-])(?<y>${year})(?![\\d/%-]|\\.\\d| ?(?:mg|ml))`,
      "g",
    ),
    shift({ m, s, y }, days) {
      const to = shiftedMonth(Number(y), Number(m), days);
      return `${padded(to.month, m!)}${s}${to.year}`;
    },
  },
  {
    rule: "month-of-century",
    // 10/99, where the second number is no day, or behind "in".
    pattern:
      /(?:(?<=\b(?:in|by|on|since|until|from|to|through|around|before|after|during|early|late|of|last|MI|CVA|CABG|test|surgery|done)[ (]|[(,] ?)(?<m>0?[1-9]|1[0-2])\/(?<y>3[2-9]|[4-9]\d)|(?<=\b(?:in|since|of) )(?<m2>0?[1-9]|1[0-2])\/(?<y2>0\d))(?![\d/%]|\.\d|th| ?(?:mm|cm|inch|strength|on the|of\b|points|mg|ml|beats|pack))/g,
    shift({ m, y, m2 = m, y2 = y }, days) {
      const to = shiftedMonth(fullYear(y2!), Number(m2), days);
      return `${padded(to.month, m2!)}/${yearLike(to.year, y2!)}`;
    },
  },
  {
    rule: "numeric-range",
    pattern: new RegExp(
      `(?<![\\d/.A-Za-z-])(?<m>0?[1-9]|1[0-2])/(?<d>${day})(?<range> ?[-–] ?| to | through )(?<m2>0?[1-9]|1[0-2])/(?<d2>${day})(?![\\d/%]|-? ?(?:inch|in\\b|cm|mm))`,
      "g",
    ),
    // Strength and murmurs have ranges too: 4/5 to 5/5.
    check: ({ d, d2 }) => d !== d2 && (Number(d) > 10 || Number(d2) > 10),
    shift({ m, d, range, m2, d2 }, days) {
      const [from, until] = [dayNumber(anyYear, Number(m), Number(d)), dayNumber(anyYear, Number(m2), Number(d2))];
      if (from === undefined || until === undefined) return undefined;
      const [a, b] = [dayOf(from + days), dayOf(until + days)];
      return `${padded(a.month, m!)}/${padded(a.day, d!)}${range}${padded(b.month, m2!)}/${padded(b.day, d2!)}`;
    },
  },
  {
    rule: "numeric-day",
    pattern: new RegExp(
      `${before}(?<m>0?[1-9]|1[0-2])(?<s>[/-])(?<d>${day})(?![\\d/%-]|\\.\\d| ?(?:of\\b|dose|strength|tab|hour|cup|pill|inch|cm|mm|mg|ml|pain|scale|day|week|month|year))`,
      "gi",
    ),
    check: ({ s, d }) => s === "/" || Number(d) > 12,
    shift({ m, s, d }, days) {
      const at = dayNumber(anyYear, Number(m), Number(d));
      const to = at === undefined ? undefined : dayOf(at + days);
      return to && `${padded(to.month, m!)}${s}${padded(to.day, d!)}`;
    },
  },
  {
    rule: "day-of-month",
    pattern:
      /(?<=\b(?:on|until|by|since|before|after|through) the )(?<d>[1-9]|[12]\d|3[01])(?<th>st|nd|rd|th)\b(?= (?:and|at|to|of (?:this|last|next|the) month)\b|[.,;)]|$)/gm,
    check: ({ d }) => Number(d) > 12,
    shift({ d }, days) {
      const { day: to } = dayOf(dayNumber(anyYear, 1, Number(d))! + days);
      return `${to}${ordinalEnd(to)}`;
    },
  },
  {
    rule: "season",
    pattern: new RegExp(
      `\\b(?<n>[Ss]pring|[Ss]ummer|[Ff]all|[Aa]utumn|[Ww]inter)(?<ms> (?:of )?)(?<y>${year})(?!\\d)`,
      "g",
    ),
    shift({ n, ms, y }, days) {
      const at = seasons.indexOf(n!.toLowerCase().replace("autumn", "fall"));
      const to = shiftedMonth(Number(y), at * 3 + 1, days);
      const name = seasons[Math.floor((to.month % 12) / 3)]!;
      return `${n![0] === n![0]!.toUpperCase() ? name[0]!.toUpperCase() + name.slice(1) : name}${ms}${to.year}`;
    },
  },
  {
    rule: "month",
    pattern:
      /\b(?<m>January|February|April|June|July|August|September|October|November|December|(?<=\b(?:in|last|since|until|till|of|early|late|mid|this|next|by|from|through|during|and|or|to|mid-)[ -]?)(?:(?:May|March)\b|(?:Jan|Feb|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?))(?![a-z'’-])/g,
    shift({ m }, days) {
      return writtenLike(m!, months[shiftedMonth(anyYear, monthNumber(m!)!, days).month - 1]!);
    },
  },
  {
    rule: "weekday",
    pattern: new RegExp(
      `\\b(?<w>(?:${weekday}|${weekday.toLowerCase()}|${weekday.toUpperCase()})(?=s?\\b)|(?<=\\b(?:on|next|last|this|until|by|every) )(?:Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun)\\b\\.?)`,
      "g",
    ),
    shift: ({ w }, days) => shiftWeekday(w!, days),
  },
  {
    rule: "holiday",
    pattern: new RegExp(`\\b(?:${holidays.map(([source]) => source).join("|")})(?![a-z])`, "g"),
    shift: (_, days, text) => shiftHoliday(text, days),
  },
];

/** Dates in a text, of each form. */
export function findDates(text: string): Found[] {
  const found: Found[] = [];
  dateForms.forEach(({ pattern, check, shift, rule }) => {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const groups = match.groups ?? {};
      const [start, end] = [match.index, match.index + match[0].length];
      if (check !== undefined && !check(groups, text, start, end)) continue;
      if (shift(groups, 0, match[0]) !== undefined) found.push({ class: "DATE", start, end, rule });
    }
  });
  return found;
}

/** The date that stands at `found`, so many days later and in the same form; undefined where it cannot be told. */
export function shiftedDate(text: string, { rule, start, end }: Found, days: number): string | undefined {
  for (const form of dateForms) {
    if (form.rule !== rule) continue;
    form.pattern.lastIndex = start;
    const match = form.pattern.exec(text);
    if (match?.index === start && match[0].length === end - start)
      return form.shift(match.groups ?? {}, days, match[0]);
  }
  return undefined;
}
