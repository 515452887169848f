/**
 * GROBID's TEI of papers: header (title, authors, DOI, date, licence), abstract, body, notes, figures, tables and the list of
 * references. Sections in GROBID's files are flat: their numbers tell what stands inside what, where they have some.
 */
import type { CorpusDocument, CorpusSection } from "../corpus-document.ts";
import type { RecordNames } from "../xml/record-splitter.ts";
import { at, child, children, clean, rawText, textAt, textOf, texts, within, type XmlElement } from "../xml/tree.ts";
import { documentEvent, languageCode, metadata, numberedId, section } from "./events.ts";
import type { SourceKind, SourceSettings } from "./kind.ts";
import { licenceOf } from "./licence.ts";
import { rowDate } from "./row-values.ts";
import { tableText } from "./table-text.ts";
import { readXmlRecords, rootName } from "./xml-records.ts";

const names: RecordNames = { format: "TEI", records: ["TEI"], sets: ["teiCorpus"] };

const personName = (person: XmlElement): string => {
  const name = child(person, "persName");
  return [...texts(children(name, "forename")), textAt(name, "surname")].filter((part) => part !== "").join(" ");
};

/** Paragraphs, formulas and items of a list of elements. */
function paragraphsOf(elements: readonly XmlElement[]): string[] {
  return elements.flatMap((one) => {
    if (["head", "figure", "note", "div", "listBibl"].includes(one.name)) return [];
    if (one.name === "list") return children(one, "item").map(textOf);
    // A label of an equation stands beside it.
    if (one.name === "formula")
      return [
        clean(
          one.children
            .map((part) => (typeof part === "string" ? part : part.name === "label" ? " " : rawText(part)))
            .join(""),
        ),
      ];
    return [textOf(one)];
  });
}

function figureOf(figure: XmlElement): CorpusSection[] {
  const title = textAt(figure, "head") || textAt(figure, "label");
  const table = within(figure, "table")[0];
  const asRows = (element: XmlElement): XmlElement => ({
    ...element,
    children: element.children.map((one) =>
      typeof one === "string"
        ? one
        : asRows({
            ...one,
            name: one.name === "row" ? "tr" : one.name === "cell" ? "td" : one.name,
            attributes: { colspan: one.attributes["cols"], rowspan: one.attributes["rows"] },
          }),
    ),
  });
  return [
    ...section(title, "caption", [textAt(figure, "figDesc"), ...texts(children(figure, "note"))]),
    ...(table === undefined ? [] : section(title, "table", [tableText(asRows(table), textOf)])),
  ];
}

/** Sections of a body: "2.1" is inside "2". */
function bodyOf(body: XmlElement | undefined): CorpusSection[] {
  const around: { readonly number: string; readonly title: string }[] = [];
  const sectionOf = (div: XmlElement, path: string): CorpusSection[] => {
    const head = child(div, "head");
    const number = (head?.attributes["n"] ?? "").replace(/\.$/, "");
    const isInside = (one: { readonly number: string }): boolean => number.startsWith(`${one.number}.`);
    while (around.length > 0 && !isInside(around.at(-1)!)) around.pop();
    const own = textOf(head);
    const title = [path, ...around.map((one) => one.title), own].filter((part) => part !== "").join(" > ");
    if (number !== "") around.push({ number, title: own });
    return [
      ...section(title, "text", paragraphsOf(children(div))),
      ...children(div, "figure").flatMap(figureOf),
      ...children(div, "div").flatMap((one) => sectionOf(one, title)),
    ];
  };
  const bare = children(body).filter(({ name }) => name !== "div");
  return [
    ...section("", "text", paragraphsOf(bare)),
    ...children(body, "div").flatMap((div) => sectionOf(div, "")),
    ...children(body, "figure").flatMap(figureOf),
    ...section("Notes", "text", texts(children(body, "note"))),
  ];
}

/** A reference in one line: the text as it was printed, where GROBID kept it. */
function referenceText(bibl: XmlElement): string {
  const raw = children(bibl, "note").find(({ attributes }) => attributes["type"] === "raw_reference");
  if (raw !== undefined) return textOf(raw);
  const titles = within(bibl, "title").map(textOf);
  const authors = within(bibl, "author").map((one) => personName(one) || textOf(one));
  const imprint = within(bibl, "imprint")[0];
  const scopes = children(imprint, "biblScope").map(
    (one) =>
      textOf(one) || [one.attributes["from"], one.attributes["to"]].filter((page) => page !== undefined).join("-"),
  );
  const date = child(imprint, "date");
  return [authors.join(", "), ...titles, ...scopes, date?.attributes["when"] ?? textOf(date)]
    .filter((part) => part !== "")
    .join(". ");
}

function paperOf(root: XmlElement, ownId: string, { source }: SourceSettings): CorpusDocument {
  const header = child(root, "teiHeader");
  const file = child(header, "fileDesc");
  const publication = child(file, "publicationStmt");
  const bibl = at(file, "sourceDesc", "biblStruct");
  const date = [...children(publication, "date"), ...within(child(bibl, "monogr"), "date")].map(
    (one) => one.attributes["when"] ?? textOf(one),
  );
  const availability = child(publication, "availability");
  const licences = within(availability, "licence", "license", "ref").flatMap((one) => [
    one.attributes["target"] ?? "",
    textOf(one),
  ]);
  const doi = textOf(within(bibl, "idno").find(({ attributes }) => attributes["type"] === "DOI"));
  const abstract = at(header, "profileDesc", "abstract");
  const body = at(root, "text", "body");
  const back = at(root, "text", "back");
  const parts = children(back, "div").filter(({ attributes }) => attributes["type"] !== "references");
  return {
    id: doi === "" ? ownId : `doi:${doi}`,
    source,
    kind: "tei",
    title: textOf(at(file, "titleStmt", "title")),
    sections: [
      ...section(
        "",
        "abstract",
        paragraphsOf([
          ...children(abstract).filter((one) => one.name !== "div"),
          ...children(abstract, "div").flatMap((div) => children(div)),
        ]),
      ),
      ...bodyOf(body),
      ...parts.flatMap((part) =>
        bodyOf({ ...part, children: children(part, "div").length > 0 ? part.children : [{ ...part, name: "div" }] }),
      ),
      ...section("References", "reference", within(back, "biblStruct").map(referenceText)),
    ],
    date: rowDate(date.find((one) => one !== "") ?? ""),
    language: languageCode(child(root, "text")?.attributes["xml:lang"] ?? header?.attributes["xml:lang"]),
    licence: licenceOf([...licences, availability?.attributes["status"] === "restricted" ? "" : textOf(availability)]),
    metadata: metadata({
      doi,
      authors: within(child(bibl, "analytic"), "author").map(personName),
      journal: textOf(children(child(bibl, "monogr"), "title")[0]),
      keywords: texts(within(header, "term")),
    }),
  };
}

export const tei: SourceKind = {
  name: "tei",
  about: "papers in GROBID's TEI XML",
  recognises: (head) => ["TEI", "teiCorpus"].includes(rootName(head) ?? ""),
  async *read(input, settings) {
    for await (const record of readXmlRecords(input, names)) {
      if (record.kind === "failure") yield record;
      else {
        yield documentEvent(paperOf(record.root, numberedId(input.scope, record.number), settings), input.name, record);
      }
    }
  },
};
