/**
 * Whatever inputs hold as documents of an index: PubMed's records with all that searches ask for, JSON lines and tables with
 * their own fields, plain texts. Headings of full texts are found by their form: short lines that end no sentence.
 */
import { type Forms, type ReadDocumentsOptions, readInputs } from "../corpus/documents.ts";
import type { PubMedRecord } from "../corpus/pubmed/record.ts";
import { splitSentences } from "../corpus/sentences.ts";
import { fieldsOf, lengthProblem, type Range } from "../corpus/text.ts";
import type { IndexedDocument, Section } from "./types.ts";

/** What an input says of an index: a document, or that one is withdrawn. */
export type Entry =
  | {
      readonly kind: "document";
      readonly document: IndexedDocument;
      /** The version that the source gives it: of two, the higher counts. */
      readonly version: number;
      /** PMIDs of documents that this one, a notice, says are retracted. */
      readonly retracts: readonly string[];
    }
  | { readonly kind: "deletion"; readonly id: string; readonly version: number | null };

type Part = { readonly label: string | null; readonly text: string };

/** Title and parts as one text with its sections. */
export function joined(title: string, parts: readonly Part[]): Pick<IndexedDocument, "title" | "text" | "sections"> {
  const all = [...(title === "" ? [] : [{ label: "TITLE", text: title }]), ...parts.filter(({ text }) => text !== "")];
  let text = "";
  const sections = all.map((part): Section => {
    if (text !== "") text += "\n\n";
    const start = text.length;
    text += part.text;
    return { label: part.label, start, end: text.length };
  });
  return { title, text, sections };
}

const recordFields = [
  "pmid",
  "version",
  "title",
  "abstract",
  "sections",
  "authors",
  "journal",
  "journalAbbreviation",
  "volume",
  "issue",
  "pages",
  "book",
  "published",
  "year",
  "doi",
  "pmcid",
  "languages",
  "publicationTypes",
  "keywords",
  "mesh",
  "corrections",
] as const satisfies readonly (keyof PubMedRecord)[];

/** A PubMed record as a document. */
export function documentOf(record: Pick<PubMedRecord, (typeof recordFields)[number]>, source: string): IndexedDocument {
  const { sections, abstract, authors, corrections, publicationTypes } = record;
  const types = publicationTypes.map(({ name }) => name);
  const parts = sections.length > 0 ? sections : [{ label: null, text: abstract }];
  return {
    id: String(record.pmid),
    ...joined(record.title, parts),
    date: record.published ?? (record.year === null ? null : String(record.year)),
    year: record.year,
    types,
    journal: record.journal ?? record.book,
    journalAbbreviation: record.journalAbbreviation,
    volume: record.volume,
    issue: record.issue,
    pages: record.pages,
    authors: authors.flatMap(({ last, initials, collective }) => {
      const name = collective ?? [last, initials].filter((one) => one !== null).join(" ");
      return name === "" ? [] : [name];
    }),
    mesh: record.mesh.map(({ name }) => name),
    keywords: record.keywords,
    language: record.languages[0] ?? null,
    doi: record.doi,
    pmcid: record.pmcid,
    retracted: types.includes("Retracted Publication") || corrections.some(({ type }) => type === "RetractionIn"),
    source,
    fields: {},
  };
}

const longestHeading = 80;
const isHeading = (line: string): boolean =>
  line.length <= longestHeading && /^[\p{Lu}\p{N}]/u.test(line) && !/[.?!:;,)\]]\s*$/.test(line);

/** A text as parts, each under its heading where there is one; the text itself stays as it is. */
function sectionsOf(text: string, offset: number): Section[] {
  const lines = [...text.matchAll(/[^\n]+/g)].filter(([line]) => line.trim() !== "");
  const sections: { label: string | null; start: number; end: number }[] = [];
  lines.forEach(({ 0: line, index }, i) => {
    const next = lines[i + 1]?.[0];
    // A heading stands above something that is none.
    const heading = next !== undefined && isHeading(line.trim()) && !isHeading(next.trim());
    const end = offset + index + line.trimEnd().length;
    const last = sections.at(-1);
    if (heading || last === undefined) {
      sections.push({ label: heading ? line.trim() : null, start: offset + index, end });
    } else last.end = end;
  });
  return sections;
}

const known = new Set(
  "id title text abstract date year types type journal journalAbbreviation volume issue pages authors mesh keywords language doi pmcid retracted source".split(
    " ",
  ),
);
/** Longer ones are texts, and no field's values. */
const longestValue = 1000;
const mostFields = 100;

const textIn = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** A list of texts, or texts in one with semicolons between them, as tables have them. */
function listIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((one) => typeof one === "string" && one !== "");
  return typeof value === "string" ? value.split(";").flatMap((one) => (one.trim() === "" ? [] : [one.trim()])) : [];
}

function ownFields(value: Readonly<Record<string, unknown>>): IndexedDocument["fields"] {
  const own = Object.entries(value).filter(
    ([name, one]) =>
      !known.has(name) &&
      ((typeof one === "string" && one.length <= longestValue) || Number.isFinite(one) || typeof one === "boolean"),
  );
  return Object.fromEntries(own.slice(0, mostFields)) as IndexedDocument["fields"];
}

/** "2019", "2019-05" or "2019-05-01" of what stands there; null for another form. */
function dateIn(value: unknown): string | null {
  const text = typeof value === "number" ? String(value) : textIn(value);
  return /^\d{4}(-\d{2}(-\d{2})?)?(?=$|T)/.exec(text ?? "")?.[0] ?? null;
}

/** What a text says of itself: nothing. */
export const noMetadata: Omit<IndexedDocument, "id" | "title" | "text" | "sections" | "source"> = {
  date: null,
  year: null,
  types: [],
  journal: null,
  journalAbbreviation: null,
  volume: null,
  issue: null,
  pages: null,
  authors: [],
  mesh: [],
  keywords: [],
  language: null,
  doi: null,
  pmcid: null,
  retracted: false,
  fields: {},
};

function plain(id: string, title: string, text: string, source: string): IndexedDocument {
  const head = joined(title, []);
  const separator = head.text === "" ? "" : "\n\n";
  return {
    id,
    title,
    text: text === "" ? head.text : `${head.text}${separator}${text}`,
    sections: [...head.sections, ...sectionsOf(text, head.text.length + separator.length)],
    ...noMetadata,
    source,
  };
}

function objectDocument(
  value: Readonly<Record<string, unknown>>,
  source: string,
  line: number,
): IndexedDocument | string {
  const fields = fieldsOf(value);
  if (typeof fields === "string") return fields;
  const { id = `${source}:${line}`, title, text } = fields;
  const date = dateIn(value["date"]) ?? dateIn(value["year"]);
  return {
    ...plain(id, title, text, textIn(value["source"]) ?? source),
    date,
    year: date === null ? null : Number(date.slice(0, 4)),
    types: listIn(value["types"] ?? value["type"]),
    journal: textIn(value["journal"]),
    journalAbbreviation: textIn(value["journalAbbreviation"]),
    volume: textIn(value["volume"]),
    issue: textIn(value["issue"]),
    pages: textIn(value["pages"]),
    authors: listIn(value["authors"]),
    mesh: listIn(value["mesh"]),
    keywords: listIn(value["keywords"]),
    language: textIn(value["language"]),
    doi: textIn(value["doi"]),
    pmcid: textIn(value["pmcid"]),
    retracted: value["retracted"] === true || value["retracted"] === "true",
    fields: ownFields(value),
  };
}

const entry = (document: IndexedDocument): Entry => ({ kind: "document", document, version: 1, retracts: [] });

const forms: Forms<Entry> = {
  fields: recordFields,
  record(record, source): Entry | string {
    const document = documentOf(record, source);
    const tooLong = lengthProblem("title and abstract", document.text.length);
    if (tooLong !== undefined) return tooLong;
    const notices = record.corrections.filter(({ type, pmid }) => type === "RetractionOf" && pmid !== null);
    return { kind: "document", document, version: record.version, retracts: notices.map(({ pmid }) => String(pmid)) };
  },
  deletion: ({ pmid, version }): Entry => ({ kind: "deletion", id: String(pmid), version }),
  object(value, source, line): Entry | string {
    const document = objectDocument(value, source, line);
    return typeof document === "string" ? document : entry(document);
  },
  text: (text, source): Entry => entry(plain(source, "", text, source)),
};

/**
 * What inputs say of an index, in their order: files, folders and dataset folders, "-" for JSON lines on stdin.
 * @throws DataError as `readDocuments`.
 */
export function readEntries(
  paths: readonly string[],
  options: Omit<ReadDocumentsOptions, "limit"> = {},
): AsyncGenerator<Entry> {
  return readInputs(paths, forms, options);
}

/** Characters of a passage where no model says how much it reads: a title and abstract as a rule. */
export const usualPassage = 2000;

/**
 * The passages of a document: the whole of it where it is hardly longer than `most` characters; else windows of whole
 * sentences, each beginning with the last sentence of the one before, so that what two sentences say together is in one.
 */
export function passagesOf(
  { text, sections }: Pick<IndexedDocument, "text" | "sections">,
  most = usualPassage,
): Range[] {
  if (text.length <= 1.25 * most) return text.trim() === "" ? [] : [[0, text.length]];
  const sentences = sections.flatMap(({ start, end }) =>
    splitSentences(text.slice(start, end)).flatMap(([from, to]) => cut(text, start + from, start + to, most)),
  );
  const passages: Range[] = [];
  for (let first = 0; first < sentences.length;) {
    let next = first + 1;
    while (next < sentences.length && sentences[next]![1] - sentences[first]![0] <= most) next++;
    passages.push([sentences[first]![0], sentences[next - 1]![1]]);
    if (next === sentences.length) break;
    const [from, to] = sentences[next - 1]!;
    const again = next - 1 > first && to - from <= most / 4 && sentences[next]![1] - from <= most;
    first = again ? next - 1 : next;
  }
  return passages;
}

/** A sentence that is longer than a passage in parts of whole words. */
function cut(text: string, start: number, end: number, most: number): Range[] {
  const parts: Range[] = [];
  let from = start;
  while (end - from > most) {
    const space = text.lastIndexOf(" ", from + most);
    const to = space > from ? space : from + most;
    parts.push([from, to]);
    from = space > from ? space + 1 : to;
  }
  return from < end ? [...parts, [from, end]] : parts;
}
