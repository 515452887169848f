/**
 * Patents of the USPTO: grants and applications in XML of 2005 to today (us-patent-grant, us-patent-application, v4.x), and in
 * that of 2001 to 2004 (PATDOC, patent-application-publication, after WIPO's ST.32 and ST.36's forerunner). A weekly file is
 * many documents after one another, each with its own XML declaration; sequence listings and the like between them are
 * left out, as are drawings, chemistry files and citations.
 */
import type { CorpusDocument, CorpusSection } from "../corpus-document.ts";
import type { RecordNames } from "../xml/record-splitter.ts";
import { at, child, children, textAt, texts, within, type XmlElement } from "../xml/tree.ts";
import { documentEvent, metadata, numberedId, section } from "./events.ts";
import type { SourceKind, SourceSettings } from "./kind.ts";
import { patentDate } from "./patent-date.ts";
import { claimsOf, descriptionOf, patentParagraphs } from "./patent-text.ts";
import { oldApplication, oldGrant } from "./patents-old.ts";
import { readXmlRecords, rootName } from "./xml-records.ts";

const names: RecordNames = {
  format: "USPTO patent",
  // Sequence listings stand between documents, and are none.
  records: ["us-patent-grant", "us-patent-application", "PATDOC", "patent-application-publication", "sequence-cwu"],
  sets: ["us-patent-grants", "us-patent-applications"],
};

/** "G06F 17/30" of a CPC or IPC class in its parts. */
function symbolOf(one: XmlElement): string {
  const part = (name: string): string => textAt(one, name);
  const group = [part("main-group"), part("subgroup")].filter((text) => text !== "").join("/");
  return [`${part("section")}${part("class")}${part("subclass")}`, group].filter((text) => text !== "").join(" ");
}

const personName = (person: XmlElement): string => {
  const book = child(person, "addressbook");
  const name = [textAt(book, "first-name"), textAt(book, "middle-name"), textAt(book, "last-name")].filter(
    (part) => part !== "",
  );
  return name.length === 0 ? textAt(book, "orgname") || textAt(person, "orgname") : name.join(" ");
};

function peopleOf(bibliography: XmlElement | undefined): { inventors: string[]; assignees: string[] } {
  // Until 2012 inventors were applicants.
  const parties = child(bibliography, "us-parties") ?? child(bibliography, "parties");
  const inventors = within(parties, "inventor").map(personName);
  const applicants = within(parties, "applicant", "us-applicant").filter(
    (one) => (one.attributes["app-type"] ?? "") === "applicant-inventor",
  );
  const assignees = within(child(bibliography, "assignees"), "assignee").map(
    (one) => textAt(one, "addressbook", "orgname") || textAt(one, "orgname") || personName(one),
  );
  return { inventors: inventors.length > 0 ? inventors : applicants.map(personName), assignees };
}

function classesOf(bibliography: XmlElement | undefined): { cpc: string[]; ipc: string[] } {
  const old = within(bibliography, "classification-ipc").flatMap((one) =>
    texts(children(one, "main-classification", "further-classification")),
  );
  return {
    cpc: within(child(bibliography, "classifications-cpc"), "classification-cpc").map(symbolOf),
    ipc: [...within(child(bibliography, "classifications-ipcr"), "classification-ipcr").map(symbolOf), ...old],
  };
}

function patentOf(root: XmlElement, ownId: string, { source }: SourceSettings): CorpusDocument {
  const bibliography = child(root, "us-bibliographic-data-grant", "us-bibliographic-data-application");
  const publication = at(bibliography, "publication-reference", "document-id");
  const application = at(bibliography, "application-reference", "document-id");
  const number = textAt(publication, "doc-number").replace(/^0+(?=\d)/, "");
  const kindCode = textAt(publication, "kind");
  const abstracts: CorpusSection[] = children(root, "abstract").flatMap((one) =>
    section("", "abstract", patentParagraphs(one)),
  );
  const { cpc, ipc } = classesOf(bibliography);
  const { inventors, assignees } = peopleOf(bibliography);
  return {
    id: number === "" ? ownId : `us-patent:US${number}${kindCode}`,
    source,
    kind: "patents",
    title: textAt(bibliography, "invention-title"),
    sections: [
      ...abstracts,
      ...children(root, "description").flatMap((one) => descriptionOf(one)),
      ...children(root, "claims").flatMap((one) => claimsOf(one)),
    ],
    date: patentDate(textAt(publication, "date")),
    language: (root.attributes["lang"] ?? "EN").toLowerCase() === "en" ? "en" : null,
    licence: null,
    metadata: metadata({
      documentType: root.name === "us-patent-grant" ? "grant" : "application",
      number: number === "" ? "" : `US${number}${kindCode}`,
      applicationNumber: textAt(application, "doc-number"),
      filed: patentDate(textAt(application, "date")),
      applicationType: child(bibliography, "application-reference")?.attributes["appl-type"],
      cpc,
      ipc,
      inventors,
      assignees,
    }),
  };
}

const documentOf = (root: XmlElement, ownId: string, settings: SourceSettings): CorpusDocument =>
  root.name === "PATDOC"
    ? oldGrant(root, ownId, settings)
    : root.name === "patent-application-publication"
      ? oldApplication(root, ownId, settings)
      : patentOf(root, ownId, settings);

export const patents: SourceKind = {
  name: "patents",
  about: "patents of the USPTO: grants and applications in XML, many in one file",
  recognises: (head) => names.records.concat(names.sets).includes(rootName(head) ?? ""),
  async *read(input, settings) {
    for await (const record of readXmlRecords(input, names)) {
      if (record.kind === "failure") yield record;
      else if (record.root.name !== "sequence-cwu") {
        yield documentEvent(
          documentOf(record.root, numberedId(input.scope, record.number), settings),
          input.name,
          record,
        );
      }
    }
  },
};
