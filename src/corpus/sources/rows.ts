/**
 * Rows of others as documents: JSON lines, a JSON list, CSV, TSV, Parquet. Identifier, title, text, abstract, date, language
 * and licence by usual names or those that settings give; sections of a document that Galen wrote; every other scalar and list
 * of scalars becomes metadata. Structures are left out.
 */
import type { CorpusSection, SectionKind } from "../corpus-document.ts";
import { sectionKinds } from "../corpus-document.ts";
import {
  createOwnIds,
  documentEvent,
  failureEvent,
  languageCode,
  messageOf,
  type Metadata,
  section,
} from "./events.ts";
import type { SourceEvent, SourceKind } from "./kind.ts";
import { licenceOf } from "./licence.ts";
import {
  checkColumns,
  createFieldReader,
  type Fields,
  isJsonHead,
  isParquetHead,
  readRowValues,
  rowDate,
  type UsualNames,
} from "./row-values.ts";

const usual: UsualNames = {
  id: ["id", "_id", "doc_id", "docid", "document_id", "uuid", "identifier", "pmid", "pmcid", "nct_id", "doi"],
  title: ["title", "headline", "heading"],
  abstract: ["abstract"],
  text: ["text", "body", "body_text", "content", "contents", "full_text", "fulltext", "document", "passage", "article"],
  sections: ["sections"],
  date: ["date", "published", "publication_date", "pub_date", "publish_time", "created", "year"],
  language: ["language", "lang"],
  licence: ["license", "licence"],
  metadata: ["metadata"],
};

/** Identifiers that say of themselves what they are, or by their column. */
const globalId = /^(?:pmid|pmc|doi|nct|us-patent):/;
const prefixes: Readonly<Record<string, string>> = { pmid: "pmid:", pmcid: "pmc:", nct_id: "nct:", doi: "doi:" };

function idOf(fields: Fields, line: number, ownId: (id: string) => string): string {
  const id = fields.text("id");
  if (id === "") return ownId(String(line));
  const prefix = prefixes[fields.column("id")!.toLowerCase()];
  if (globalId.test(id)) return id;
  return prefix === undefined ? ownId(id) : prefix + id;
}

const textOf = (value: unknown): string =>
  typeof value === "string"
    ? value.replace(/\r\n?/g, "\n").trim()
    : Array.isArray(value)
      ? value
          .map(textOf)
          .filter((text) => text !== "")
          .join("\n\n")
      : "";

/** Sections as a corpus document has them, or lists of { title or heading, text }. */
function sectionsOf(value: unknown): CorpusSection[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null) return section("", "text", [textOf(one)]);
    const { title, heading, kind, text } = one as Readonly<Record<string, unknown>>;
    const known = sectionKinds.includes(kind as SectionKind) ? (kind as SectionKind) : "text";
    return section(textOf(title) || textOf(heading), known, [textOf(text)]);
  });
}

interface Reading {
  readonly name: string;
  readonly source: string;
  ownId(id: string): string;
}

function rowEvent(fields: Fields, line: number, { name, source, ownId }: Reading): SourceEvent {
  const [date, licence] = [fields.text("date"), fields.text("licence")];
  const id = idOf(fields, line, ownId);
  const text = textOf(fields.value("text"));
  const sections = [
    ...section("", "abstract", [textOf(fields.value("abstract"))]),
    ...section("", "text", [text]),
    ...sectionsOf(fields.value("sections")),
  ];
  if (sections.length === 0 && fields.column("text") === undefined && fields.column("abstract") === undefined) {
    return failureEvent(
      name,
      `expected a column of text, got none of ${usual["text"]!.slice(0, 4).join(", ")}, abstract`,
      { line },
    );
  }
  const iso = rowDate(date);
  const inner = fields.value("metadata");
  const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  const kept: Metadata = {
    ...(isObject ? createFieldReader({})(inner as Record<string, unknown>).rest() : {}),
    ...fields.rest(),
    ...(iso === null && date !== "" ? { date } : {}),
  };
  const spoken = fields.text("language");
  const language = languageCode(spoken);
  if (language === null && spoken !== "") kept["language"] = spoken;
  return documentEvent(
    {
      id,
      source,
      kind: "rows",
      title: fields.text("title").replace(/\s+/g, " "),
      sections,
      date: iso,
      language,
      licence: licenceOf([licence]),
      metadata: kept,
    },
    name,
    { line },
  );
}

/** Whether a first line names columns, one of text among them. */
function isTableHead(head: string): boolean {
  const line = head.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0]!;
  const cells = line.split(/[,\t;|]/).map((cell) =>
    cell
      .trim()
      .replace(/^"(.*)"$/, "$1")
      .toLowerCase(),
  );
  const known = new Set([...usual["text"]!, ...usual["abstract"]!]);
  return cells.length > 1 && cells.some((cell) => known.has(cell));
}

export const rows: SourceKind = {
  name: "rows",
  about: "rows of JSON lines, a JSON list, CSV, TSV or Parquet, one document each",
  recognises: (head, name) =>
    isParquetHead(head) || isJsonHead(head) || /\.(?:csv|tsv)(?:\.gz|\.zst)?$/i.test(name) || isTableHead(head),
  async *read(input, settings) {
    const fieldsOf = createFieldReader(usual, settings.columns);
    const reading = { name: input.name, source: settings.source, ownId: createOwnIds(input.scope) };
    let isChecked = false;
    for await (const row of readRowValues(input)) {
      if (row.kind === "failure") {
        yield row;
        continue;
      }
      if (!isChecked) checkColumns(settings.columns, row.value);
      isChecked = true;
      try {
        yield rowEvent(fieldsOf(row.value), row.line, reading);
      } catch (error) {
        yield failureEvent(input.name, messageOf(error), { line: row.line });
      }
    }
  },
};
