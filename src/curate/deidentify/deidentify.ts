/**
 * De-identification of a document: its texts as one, so that a name in one section is known in the next, and its record's own
 * fields. By rules alone it finds most of what there is, not all (`score.ts` measures how much on notes with labels): whether
 * the result may leave the house is for people to decide.
 */
import { createHmac } from "node:crypto";
import type { CorpusDocument, CorpusSection } from "../../corpus/corpus-document.ts";
import { ConfigError } from "../../errors.ts";
import { type Found, type IdentifierClass, isMention, maskOf } from "./classes.ts";
import { findIdentifiers, type FindOptions } from "./find.ts";
import { type Surrogates, surrogatesOf } from "./surrogate.ts";

export interface DeidentifyOptions extends FindOptions {
  /** "surrogate": something like it in its place; "mask": "[NAME]". */
  readonly mode: "surrogate" | "mask";
  /** Secret, of at least 16 bytes; "surrogate" needs one. With it record numbers become pseudonyms in either mode. */
  readonly key?: Uint8Array | undefined;
  /** Where each identifier stood in `wholeOf` the document, for review; default none. `originals` says what it was, too. */
  readonly report?: "none" | "spans" | "originals" | undefined;
}

export interface Deidentified {
  readonly document: CorpusDocument;
  /** In the original's `wholeOf`. */
  readonly found: readonly Found[];
  /** Of identifiers replaced, by class; mentions as "BIOMETRIC mention". */
  readonly counts: Readonly<Record<string, number>>;
}

/** In `metadata.deidentified` of every document that went through: how. */
export const markerOf = (mode: DeidentifyOptions["mode"], hasTagger: boolean): string =>
  `${mode}, rules 1${hasTagger ? ", tagger" : ""}`;

const gap = "\n\n";

/** Title, section titles and texts as one text, which offsets of `Found` count in. */
export function wholeOf({ title, sections }: CorpusDocument): string {
  return partsOf({ title, sections }).join(gap);
}

const partsOf = ({ title, sections }: Pick<CorpusDocument, "title" | "sections">): string[] => [
  title,
  ...sections.flatMap((section) => [section.title, section.text]),
];

/** Names in a record's fields: "patient-name", "provider". */
const nameField = /name|provider|physician|author|clinician|doctor/i;
/** Fields whose values are numbers of people, visits and records. */
const idField =
  /^(?:patient|encounter|visit|hadm|subject|person|note|row|account|mrn|provider|author|episode|stay|order|csn)$|(?:^|[-_ ])(?:id|mrn|number|no|key|csn)$|^(?:cg|hadm|subject|patient|note|stay|icustay|person|row|encounter)id$/i;
const placeField = /address|street|city|county|zip|postal|postcode|village|town/i;
const contactFields: readonly (readonly [RegExp, IdentifierClass])[] = [
  [placeField, "LOCATION"],
  [/phone|mobile|pager/i, "PHONE"],
  [/fax/i, "FAX"],
  [/e-?mail/i, "EMAIL"],
  [/ssn|social[-_ ]?security/i, "SSN"],
  [/insurance|policy|medicare|medicaid/i, "HEALTH_PLAN"],
];
const dateField = /date|time|admitted|discharged|born|birth|dob/i;

/** @throws ConfigError where surrogates are asked for without a key. */
export function deidentify(document: CorpusDocument, options: DeidentifyOptions): Deidentified {
  const { mode, key, report = "none" } = options;
  if (mode === "surrogate" && (key === undefined || key.length < 16)) {
    throw new ConfigError(
      `deidentify: expected a key of at least 16 bytes, got ${key === undefined ? "none" : key.length}`,
      {
        hint: "the same key gives the same surrogates: keep it as secret as the notes",
      },
    );
  }
  const surrogates = key === undefined ? undefined : surrogatesOf(key, patientOf(document));
  const parts = partsOf(document);
  const whole = parts.join(gap);
  const fromRecord = Object.entries(document.metadata).flatMap(([field, value]) =>
    nameField.test(field) ? value : [],
  );
  const all = findIdentifiers(whole, { ...options, known: [...(options.known ?? []), ...fromRecord] });
  const found = withinParts(all, parts);
  const replace = (one: Found): string =>
    mode === "mask" || surrogates === undefined ? maskOf(one.class) : surrogates.replace(whole, one);
  const [title = "", ...texts] = replacedParts(whole, parts, found, replace);
  const sections = document.sections.map((section, i): CorpusSection => ({
    ...section,
    title: texts[2 * i]!,
    text: texts[2 * i + 1]!,
  }));
  return {
    document: { ...document, ...fieldsOf(document, options, surrogates, { whole, found, report }), title, sections },
    found,
    counts: countsOf(found),
  };
}

/** What is the same for all notes of a patient; else the document stands alone. */
function patientOf({ id, metadata }: CorpusDocument): string {
  const patient = metadata["patient"] ?? metadata["patient-id"] ?? metadata["subject"];
  return typeof patient === "string" && patient !== "" ? `patient ${patient}` : `document ${id}`;
}

/** An identifier across two parts is one in each. */
function withinParts(all: readonly Found[], parts: readonly string[]): Found[] {
  const result: Found[] = [];
  let [at, part] = [0, 0];
  for (const one of all) {
    while (part < parts.length - 1 && one.start >= at + parts[part]!.length + gap.length)
      at += parts[part++]!.length + gap.length;
    const end = at + parts[part]!.length;
    if (one.end <= end) {
      result.push(one);
      continue;
    }
    if (one.start < end) result.push({ ...one, end });
    const next = end + gap.length;
    if (one.end > next) result.push({ ...one, start: Math.max(one.start, next) });
  }
  return result;
}

function replacedParts(
  whole: string,
  parts: readonly string[],
  found: readonly Found[],
  replace: (one: Found) => string,
): string[] {
  let [offset, next] = [0, 0];
  return parts.map((part) => {
    const end = offset + part.length;
    const pieces: string[] = [];
    let at = offset;
    for (; next < found.length && found[next]!.start < end; next++) {
      const one = found[next]!;
      if (isMention(one)) continue;
      pieces.push(whole.slice(at, one.start), replace(one));
      at = one.end;
    }
    pieces.push(whole.slice(at, end));
    offset = end + gap.length;
    return pieces.join("");
  });
}

function countsOf(found: readonly Found[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of found) {
    const name: IdentifierClass | `${IdentifierClass} mention` = isMention(one) ? `${one.class} mention` : one.class;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

interface Report {
  readonly whole: string;
  readonly found: readonly Found[];
  readonly report: "none" | "spans" | "originals";
}

/** Id, date and metadata: numbers become pseudonyms, dates move, names go, and a marker says how. */
function fieldsOf(
  document: CorpusDocument,
  { mode, key, more }: DeidentifyOptions,
  surrogates: Surrogates | undefined,
  { whole, found, report }: Report,
): Pick<CorpusDocument, "id" | "date" | "metadata"> {
  const metadata: Record<string, string | readonly string[]> = {};
  const pseudonym = (kind: string, value: string): string =>
    key === undefined ? maskOf("ID") : surrogatesOf(key, "").pseudonym(kind, value);
  const inField = (field: string, value: string): string => {
    if (nameField.test(field)) return maskOf("NAME");
    if (idField.test(field)) return pseudonym(field, value);
    const contact = contactFields.find(([pattern]) => pattern.test(field));
    if (contact !== undefined) return value === "" ? value : maskOf(contact[1]);
    if (/(?:^|[-_ ])age(?:$|[-_ ])/i.test(field)) return Number.parseFloat(value) > 89 ? "90+" : value;
    if (dateField.test(field)) return movedDate(value, mode, surrogates);
    const inside = findIdentifiers(value).filter((one) => !isMention(one));
    return replacedParts(value, [value], inside, (one) =>
      mode === "mask" || surrogates === undefined ? maskOf(one.class) : surrogates.replace(value, one),
    )[0]!;
  };
  for (const [field, value] of Object.entries(document.metadata)) {
    if (field === "identifiers" || field === "deidentified") continue;
    metadata[field] = typeof value === "string" ? inField(field, value) : value.map((one) => inField(field, one));
  }
  metadata["deidentified"] = markerOf(mode, more !== undefined);
  if (report !== "none") {
    metadata["identifiers"] = found.map(
      ({ class: name, start, end, rule }) =>
        `${name} ${start} ${end} ${rule}${report === "originals" ? ` ${whole.slice(start, end)}` : ""}`,
    );
  }
  const [, prefix = ""] = /^([a-z-]{2,20}:)?/.exec(document.id)!;
  return {
    id:
      key === undefined
        ? document.id
        : prefix + createHmac("sha256", key).update(`id ${document.id}`).digest("hex").slice(0, 16),
    date: document.date === null ? null : movedDate(document.date, mode, surrogates).slice(0, document.date.length),
    metadata,
  };
}

/** A year in mode "mask"; a partial date moved and as exact as it was; what is none is masked. */
function movedDate(value: string, mode: string, surrogates: Surrogates | undefined): string {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/.exec(value);
  if (match === null) return maskOf("DATE");
  if (mode === "mask" || surrogates === undefined || match[2] === undefined) return match[1]!;
  const time = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3] ?? 15) + surrogates.days));
  return time.toISOString().slice(0, match[3] === undefined ? 7 : 10);
}
