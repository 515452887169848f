/**
 * A tagger's entities as identifiers: any model of `galen train tagger` whose labels name classes of identifiers, as i2b2-2014
 * names them (PATIENT, DOCTOR, HOSPITAL, MEDICALRECORD) or as they are here. Long notes are tagged in parts that the model can read.
 */
import { ConfigError } from "../../errors.ts";
import { type Tagger, tagTexts } from "../../labellers.ts";
import type { Found, IdentifierClass } from "./classes.ts";

const names: Readonly<Record<IdentifierClass, string>> = {
  NAME: "NAME PATIENT DOCTOR STAFF HCW PERSON PER CLINICIAN RELATIVE",
  LOCATION: "LOCATION LOC GPE CITY STREET ZIP HOSPITAL COUNTY ADDRESS PATORG LOCATION-OTHER",
  DATE: "DATE HOLIDAY",
  AGE: "AGE",
  PHONE: "PHONE CONTACT PAGER",
  FAX: "FAX",
  EMAIL: "EMAIL",
  SSN: "SSN",
  MRN: "MRN MEDICALRECORD",
  HEALTH_PLAN: "HEALTH_PLAN HEALTHPLAN",
  ACCOUNT: "ACCOUNT",
  LICENCE: "LICENCE LICENSE",
  VEHICLE: "VEHICLE",
  DEVICE: "DEVICE",
  URL: "URL WEB",
  IP: "IP IPADDR",
  BIOMETRIC: "BIOMETRIC BIOID",
  PHOTO: "PHOTO",
  ID: "ID IDNUM USERNAME",
};
const classes = new Map(
  Object.entries(names).flatMap(([name, labels]) => labels.split(" ").map((label) => [label, name as IdentifierClass])),
);

/** Words of a part; models of 512 pieces read about 300. */
const partWords = 120;

/** @throws ConfigError where none of the tagger's labels is a class of identifiers. */
export function checkLabels({ labels }: Pick<Tagger, "labels">, where: string): void {
  const types = new Set(labels.map((label) => label.replace(/^[BIESLU]-/, "").toUpperCase()));
  if ([...types].some((type) => classes.has(type))) return;
  throw new ConfigError(
    `${where}: expected labels of identifiers such as B-NAME or B-LOCATION, got ${labels.slice(0, 6).join(", ")}`,
    {
      hint: '"galen train tagger" makes one of sentences that are labelled so',
    },
  );
}

/** What the tagger finds in each text; ages to 89, and years alone, are no identifiers. */
export async function findByTagger(tagger: Tagger, texts: readonly string[]): Promise<Found[][]> {
  const found: Found[][] = texts.map(() => []);
  let parts = texts.flatMap((text, of) => partsOf(text).map(([from, to]) => ({ of, from, to })));
  while (parts.length > 0) {
    const rest: typeof parts = [];
    let at = 0;
    const rows = parts.map(({ of, from, to }, i) => ({ id: String(i), text: texts[of]!.slice(from, to) }));
    for await (const { text, entities, words, unread } of tagTexts(tagger, rows)) {
      const { of, from, to } = parts[at++]!;
      for (const { type, start, end, text: said } of entities) {
        const name = classes.get(type.toUpperCase());
        if (name !== undefined && isIdentifier(name, said))
          found[of]!.push({ class: name, rule: "tagger", start: from + start, end: from + end });
      }
      if (unread === 0 || unread >= words.length) continue;
      rest.push({ of, from: from + startOfWord(text, words.length - unread), to });
    }
    parts = rest;
  }
  return found;
}

const isIdentifier = (name: IdentifierClass, text: string): boolean =>
  name === "AGE" ? Number(/\d+/.exec(text)?.[0] ?? 0) > 89 : name !== "DATE" || !/^(?:19|20)\d{2}$/.test(text);

/** Where words and marks, as `tagTexts` counts them, stand. */
function startOfWord(text: string, count: number): number {
  let left = count;
  for (const { index } of text.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)) if (left-- === 0) return index;
  return text.length;
}

/** Lines and sentences joined to parts of about 120 words. */
function partsOf(text: string): [start: number, end: number][] {
  const parts: [number, number][] = [];
  let [from, words] = [0, 0];
  for (const { index, 0: run } of text.matchAll(/\S+/g)) {
    words++;
    const end = index + run.length;
    const isEnd = /[.!?:]$/.test(run) || text[end] === "\n";
    if ((isEnd && words >= partWords / 2) || words >= partWords) {
      parts.push([from, end]);
      [from, words] = [end, 0];
    }
  }
  if (words > 0) parts.push([from, text.length]);
  return parts;
}
