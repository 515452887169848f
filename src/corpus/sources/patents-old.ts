/**
 * Patents of the USPTO in the XML of 2001 to 2004: grants as PATDOC (DTD ST32-US-Grant-025xml, whose tags are WIPO's INID
 * codes), applications as patent-application-publication (pap-v15, pap-v16).
 */
import type { CorpusDocument } from "../corpus-document.ts";
import { at, child, children, textAt, textOf, texts, within, type XmlElement } from "../xml/tree.ts";
import { metadata, section } from "./events.ts";
import type { SourceSettings } from "./kind.ts";
import { claimsOf, descriptionOf, patentParagraphs } from "./patent-text.ts";
import { patentDate } from "./patent-date.ts";

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join(" ");

/** Inventor or assignee in PARTY-US: a person's names, or an organisation's. */
function partyName(party: XmlElement): string {
  const name = within(party, "NAM")[0];
  return joined(textAt(name, "FNM"), textAt(name, "SNM")) || textAt(name, "ONM");
}

export function oldGrant(root: XmlElement, ownId: string, { source }: SourceSettings): CorpusDocument {
  const bibliography = child(root, "SDOBI");
  const [document, filing, technical, parties] = ["B100", "B200", "B500", "B700"].map((code) =>
    child(bibliography, code),
  );
  const number = textAt(document, "B110").replace(/^([A-Z]*)0+(?=\d)/, "$1");
  const kindCode = textAt(document, "B130");
  return {
    id: number === "" ? ownId : `us-patent:US${number}${kindCode}`,
    source,
    kind: "patents",
    title: textAt(technical, "B540"),
    sections: [
      ...children(root, "SDOAB").flatMap((one) => section("", "abstract", patentParagraphs(one))),
      ...children(root, "SDODE").flatMap((one) => descriptionOf(one)),
      ...children(root, "SDOCL").flatMap((one) => claimsOf(one)),
    ],
    date: patentDate(textAt(document, "B140")),
    language: "en",
    licence: null,
    metadata: metadata({
      documentType: "grant",
      number: number === "" ? "" : `US${number}${kindCode}`,
      applicationNumber: textAt(filing, "B210"),
      filed: patentDate(textAt(filing, "B220")),
      ipc: texts(children(child(technical, "B510"), "B511", "B512")),
      inventors: children(child(parties, "B720"), "B721").map(partyName),
      assignees: children(child(parties, "B730"), "B731").map(partyName),
    }),
  };
}

function personName(person: XmlElement): string {
  const name = child(person, "name");
  return joined(
    textAt(name, "given-name"),
    textAt(name, "middle-name"),
    textAt(name, "family-name"),
    textAt(name, "name-suffix"),
  );
}

export function oldApplication(root: XmlElement, ownId: string, { source }: SourceSettings): CorpusDocument {
  const bibliography = child(root, "subdoc-bibliographic-information");
  const document = child(bibliography, "document-id");
  const filing = child(bibliography, "domestic-filing-data");
  const technical = child(bibliography, "technical-information");
  const number = textAt(document, "doc-number");
  const kindCode = textAt(document, "kind-code");
  const classes = within(child(technical, "classification-ipc"), "ipc").map(textOf);
  return {
    id: number === "" ? ownId : `us-patent:US${number}${kindCode}`,
    source,
    kind: "patents",
    title: textAt(technical, "title-of-invention"),
    sections: [
      ...children(root, "subdoc-abstract").flatMap((one) => section("", "abstract", patentParagraphs(one))),
      ...children(root, "subdoc-description").flatMap((one) => descriptionOf(one)),
      ...children(root, "subdoc-claims").flatMap((one) => claimsOf(one)),
    ],
    date: patentDate(textAt(document, "document-date")),
    language: "en",
    licence: null,
    metadata: metadata({
      documentType: "application",
      number: number === "" ? "" : `US${number}${kindCode}`,
      applicationNumber: textOf(at(filing, "application-number", "doc-number")),
      filed: patentDate(textAt(filing, "filing-date")),
      ipc: classes,
      inventors: within(child(bibliography, "inventors"), "first-named-inventor", "inventor").map(personName),
      assignees: within(child(bibliography, "assignee"), "organization-name").map(textOf),
    }),
  };
}
