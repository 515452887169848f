/**
 * Synthetic clinical notes whose identifiers are known: templates of several kinds of notes, written for these tests, filled with
 * made-up people, places, dates and numbers by a seed. `developed` ones are what rules were mended by
 * and the linear model is trained on; `heldOut` ones are what it is measured on. Nobody in them is real.
 */
import { type Random, random } from "../../src/tensor/random.ts";
import type { Found, IdentifierClass } from "../../src/curate/deidentify/classes.ts";
import { isDea, isNpi, isVin } from "../../src/curate/deidentify/patterns/check-digits.ts";
import { developed, heldOut } from "./clinical-templates.ts";

export interface SyntheticNote {
  readonly id: string;
  readonly text: string;
  readonly gold: readonly Pick<Found, "class" | "start" | "end">[];
}

const list = (text: string): readonly string[] => text.split(" ");
const women = list(
  "Mary Linda Susan Karen Rosa Guadalupe Priya Aisha Fatima Mei Ingrid Siobhan Latoya Tamika Svetlana Yuki Rose Grace Hope Joy Chioma Adaeze Parisa Nguyet Leilani Brenda Heather Tiffany Olga Beatriz",
);
const men = list(
  "James Robert Michael William David Mark Frank Bill Jose Juan Mohammed Ahmed Wei Hiroshi Sanjay Dmitri Kwame Oluwaseun Lars Giovanni Patrick Desmond Tyrone Jamal Ravi Kenji Art Grant Chance Emeka",
);
const surnames = list(
  "Smith Johnson Garcia Nguyen Kim Patel Okonkwo Adeyemi Szczepanski Kowalczyk O'Brien McDonald Rodriguez Hernandez Chen Wong Tanaka Yamamoto Singh Gupta Khan Al-Rashid Haddad Ivanova Petrov Johansson Schmidt Müller Rossi Fernandez Silva Washington Jefferson Young King Bell Foley Parkinson Rose May Rice Brown White Black Long Park Stone Hill Banks Wood Kaplan Goldberg Cohen Fitzgerald Gallagher Murphy Smith-Jones Garcia-Lopez Begay Yazzie Kealoha Tran Pham Castellanos Papadopoulos Vandenberg Oyelaran Thistlewood Quigley Abernathy Mbeki Zhou Cruz",
);
const cities = [
  ["Springfield", "IL"],
  ["Worcester", "MA"],
  ["Albuquerque", "NM"],
  ["Cedar Rapids", "IA"],
  ["Boise", "ID"],
  ["Chattanooga", "TN"],
  ["Fort Wayne", "IN"],
  ["St. Paul", "MN"],
  ["Tacoma", "WA"],
  ["Little Rock", "AR"],
  ["Duluth", "MN"],
  ["Salinas", "CA"],
] as const;
const stateNames: Readonly<Record<string, string>> = {
  IL: "Illinois",
  MA: "Massachusetts",
  NM: "New Mexico",
  IA: "Iowa",
  ID: "Idaho",
  TN: "Tennessee",
  IN: "Indiana",
  MN: "Minnesota",
  WA: "Washington",
  AR: "Arkansas",
  CA: "California",
};
const streetNames = list(
  "Maple Oak Washington Sycamore Birchwood Elm Lincoln Kensington Juniper Hawthorne Prospect Chestnut",
);
const streetKinds = list("Street Avenue Road Lane Drive Blvd Ave St Court Way");
const hospitals = [
  "St. Mary's Hospital",
  "Mercy Medical Center",
  "Lakeview General Hospital",
  "Good Samaritan Hospital",
  "Brookhaven Clinic",
  "Northfield Community Hospital",
  "Riverside Methodist Hospital",
  "Whitmore Rehabilitation Center",
];
const months = list("January February March April May June July August September October November December");
const holidays = ["Thanksgiving", "Christmas", "Labor Day", "Memorial Day", "New Year's Eve", "Halloween", "Easter"];
const weekdays = list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday");

interface Person {
  readonly first: string;
  readonly last: string;
  readonly middle: string;
  readonly isWoman: boolean;
}

const pick = <T>(from: readonly T[], draw: Random): T => from[draw.integer(from.length)]!;
const digits = (count: number, draw: Random): string =>
  Array.from({ length: count }, () => draw.integer(10))
    .join("")
    .replace(/^0/, "3");
const upper = (count: number, draw: Random): string =>
  Array.from({ length: count }, () => pick([..."ABCDEFGHJKLMNPRSTUVWXYZ"], draw)).join("");
const two = (number: number): string => String(number).padStart(2, "0");

function person(draw: Random): Person {
  const isWoman = draw.next() < 0.5;
  return {
    first: pick(isWoman ? women : men, draw),
    last: pick(surnames, draw),
    middle: pick([..."ABCDEFGHJKLMNPRSTW"], draw),
    isWoman,
  };
}

/** A number that its check digit agrees with. */
function checked(make: () => string, isRight: (value: string) => boolean): string {
  for (;;) {
    const value = make();
    if (isRight(value)) return value;
  }
}

const names: Readonly<Record<string, (one: Person) => string>> = {
  N: ({ first, last }) => `${first} ${last}`,
  F: ({ first }) => first,
  L: ({ last }) => last,
  LF: ({ first, last }) => `${last}, ${first}`,
  LFM: ({ first, last, middle }) => `${last}, ${first} ${middle}`,
  FML: ({ first, last, middle }) => `${first} ${middle}. ${last}`,
  C: ({ first, last }) => `${last}, ${first}`.toUpperCase(),
  CN: ({ first, last }) => `${first} ${last}`.toUpperCase(),
  I: ({ first, last }) => `${first[0]}.${last[0]}.`,
  FI: ({ first, last }) => `${first[0]}. ${last}`,
};

const day = (draw: Random): [number, number, number] => [
  1995 + draw.integer(29),
  1 + draw.integer(12),
  1 + draw.integer(28),
];

/** Slots by their names: class and value. */
const values: Readonly<Record<string, readonly [IdentifierClass, (draw: Random) => string]>> = {
  DATE: [
    "DATE",
    (draw) => {
      const [y, m, d] = day(draw);
      return pick(
        [
          `${m}/${d}/${y}`,
          `${two(m)}/${two(d)}/${y}`,
          `${m}/${d}/${String(y).slice(2)}`,
          `${y}-${two(m)}-${two(d)}`,
          `${two(m)}-${two(d)}-${y}`,
        ],
        draw,
      );
    },
  ],
  LONG: [
    "DATE",
    (draw) => {
      const [y, m, d] = day(draw);
      const month = months[m - 1]!;
      return pick(
        [
          `${month} ${d}, ${y}`,
          `${d} ${month} ${y}`,
          `${month.slice(0, 3)} ${d}, ${y}`,
          `${two(d)}-${month.slice(0, 3)}-${y}`,
          `${month} ${d}${["st", "nd", "rd"][d - 1] ?? (d === 21 ? "st" : d === 22 ? "nd" : d === 23 ? "rd" : "th")}, ${y}`,
        ],
        draw,
      );
    },
  ],
  MD: ["DATE", (draw) => `${pick(months, draw)} ${1 + draw.integer(28)}`],
  MY: ["DATE", (draw) => `${pick(months, draw)} ${1995 + draw.integer(29)}`],
  NMD: ["DATE", (draw) => `${1 + draw.integer(12)}/${13 + draw.integer(15)}`],
  NMY: ["DATE", (draw) => `${two(1 + draw.integer(12))}/${1995 + draw.integer(29)}`],
  MON: [
    "DATE",
    (draw) =>
      pick(
        months.filter((month) => month !== "May" && month !== "March"),
        draw,
      ),
  ],
  WD: ["DATE", (draw) => pick(weekdays, draw)],
  HOL: ["DATE", (draw) => pick(holidays, draw)],
  AGE: ["AGE", (draw) => String(90 + draw.integer(13))],
  PHONE: [
    "PHONE",
    (draw) => {
      const [a, b, c] = [
        `${2 + draw.integer(8)}${digits(2, draw)}`,
        `${2 + draw.integer(8)}${digits(2, draw)}`,
        digits(4, draw),
      ];
      return pick([`(${a}) ${b}-${c}`, `${a}-${b}-${c}`, `${a}.${b}.${c}`, `1-${a}-${b}-${c}`, `${a} ${b} ${c}`], draw);
    },
  ],
  FAX: ["FAX", (draw) => `(${2 + draw.integer(8)}${digits(2, draw)}) ${digits(3, draw)}-${digits(4, draw)}`],
  EMAIL: [
    "EMAIL",
    (draw) =>
      `${pick(men, draw).toLowerCase()}.${digits(2, draw)}@${pick(["example.com", "mail.example.org", "hospital.example.edu"], draw)}`,
  ],
  SSN: ["SSN", (draw) => `${digits(3, draw)}-${digits(2, draw)}-${digits(4, draw)}`],
  MRN: [
    "MRN",
    (draw) =>
      pick(
        [
          digits(7, draw),
          digits(8, draw),
          `${upper(1, draw)}${digits(6, draw)}`,
          `${digits(3, draw)}-${digits(2, draw)}-${digits(2, draw)}`,
        ],
        draw,
      ),
  ],
  PLAN: ["HEALTH_PLAN", (draw) => pick([`${upper(3, draw)}${digits(9, draw)}`, digits(10, draw)], draw)],
  ACCT: ["ACCOUNT", (draw) => pick([digits(9, draw), `${digits(4, draw)}-${digits(5, draw)}`], draw)],
  DEA: ["LICENCE", (draw) => checked(() => `${pick([..."ABFM"], draw)}${upper(1, draw)}${digits(7, draw)}`, isDea)],
  NPI: ["LICENCE", (draw) => checked(() => `1${digits(9, draw)}`, isNpi)],
  LIC: ["LICENCE", (draw) => `${upper(1, draw)}${digits(7, draw)}`],
  VIN: [
    "VEHICLE",
    (draw) =>
      checked(
        () =>
          `1${upper(3, draw).replace(/[OQI]/g, "H")}${digits(4, draw)}${digits(1, draw)}${upper(2, draw).replace(/[OQI]/g, "H")}${digits(6, draw)}`,
        isVin,
      ),
  ],
  PLATE: [
    "VEHICLE",
    (draw) => pick([`${upper(3, draw)}-${digits(4, draw)}`, `${upper(3, draw)} ${digits(3, draw)}`], draw),
  ],
  SERIAL: [
    "DEVICE",
    (draw) =>
      pick([`${upper(3, draw)}${digits(6, draw)}`, `${digits(4, draw)}-${upper(2, draw)}${digits(3, draw)}`], draw),
  ],
  URL: [
    "URL",
    (draw) =>
      pick(
        [`https://portal.example.org/patients/${digits(5, draw)}`, `www.example-family-${digits(2, draw)}.com/blog`],
        draw,
      ),
  ],
  IP: ["IP", (draw) => `${192 + draw.integer(20)}.${draw.integer(256)}.${draw.integer(256)}.${draw.integer(256)}`],
  ID: [
    "ID",
    (draw) =>
      pick(
        [`S-${two(draw.integer(24))}-${digits(5, draw)}`, `${upper(2, draw)}${digits(8, draw)}`, digits(9, draw)],
        draw,
      ),
  ],
  CITY: ["LOCATION", (draw) => pick(cities, draw)[0]],
  STREET: [
    "LOCATION",
    (draw) =>
      `${1 + draw.integer(9000)} ${pick(["", "", "N. ", "West "], draw)}${pick(streetNames, draw)} ${pick(streetKinds, draw)}`,
  ],
  HOSP: ["LOCATION", (draw) => pick(hospitals, draw)],
  COUNTY: ["LOCATION", (draw) => `${pick(["Hampden", "Cook", "Maricopa", "Kern", "Jackson"], draw)} County`],
};

/** A template with its slots filled; people P (patient), D, E, G (clinicians), R, S (relatives) are the same throughout. */
export function filled(id: string, template: string, draw: Random): SyntheticNote {
  const people: Record<string, Person> = {};
  const [town, state] = pick(cities, draw);
  for (const who of "PDEGRS") people[who] = person(draw);
  const gold: { class: IdentifierClass; start: number; end: number }[] = [];
  let text = "";
  let at = 0;
  const add = (name: IdentifierClass, value: string): void => {
    gold.push({ class: name, start: text.length, end: text.length + value.length });
    text += value;
  };
  const { isWoman } = people["P"]!;
  const plain: Readonly<Record<string, string>> = {
    STATE: state,
    STATENAME: stateNames[state]!,
    YEARS: String(20 + draw.integer(65)),
    SEX: isWoman ? "female" : "male",
    HE: isWoman ? "She" : "He",
    he: isWoman ? "she" : "he",
    HIS: isWoman ? "her" : "his",
    MR: isWoman ? pick(["Ms.", "Mrs."], draw) : "Mr.",
  };
  for (const { index, 0: slot, 1: name } of template.matchAll(/\{(\w+)\}/g)) {
    text += template.slice(at, index);
    at = index + slot.length;
    const [who, form] = [people[name![0]!], names[name!.slice(1)]];
    if (plain[name!] !== undefined) text += plain[name!];
    else if (name === "TOWN") add("LOCATION", town);
    else if (name === "ZIP") add("LOCATION", `${6 + draw.integer(3)}${digits(4, draw)}`);
    else if (values[name!] !== undefined) add(values[name!]![0], values[name!]![1](draw));
    else if (who !== undefined && form !== undefined) add("NAME", form(who));
    else throw new Error(`no slot ${slot}`);
  }
  return { id, text: text + template.slice(at), gold };
}

/** `times` notes of each template. */
export function syntheticNotes(kind: "developed" | "heldOut", seed: number, times: number): SyntheticNote[] {
  const templates = kind === "developed" ? developed : heldOut;
  return templates.flatMap((template, i) =>
    Array.from({ length: times }, (_, time) => filled(`${kind}-${i}-${time}`, template, random(seed, i, time))),
  );
}
