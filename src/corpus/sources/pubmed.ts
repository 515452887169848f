/**
 * PubMed's records as documents, by the reader that imports have: title and abstract, with what selects and dates them.
 * Withdrawn records are deletions. Left out: affiliations, references, grants, chemicals, versions of a record but by order.
 */
import type { CorpusDocument, CorpusSection } from "../corpus-document.ts";
import { parseBlock, pubmedNames } from "../pubmed/reader.ts";
import type { Author, PubMedRecord } from "../pubmed/record.ts";
import { splitRecords } from "../xml/record-splitter.ts";
import { untilDamage } from "./damage.ts";
import { documentEvent, failureEvent, languageCode, metadata, section } from "./events.ts";
import type { SourceKind } from "./kind.ts";
import { rootName } from "./xml-records.ts";

const authorName = ({ fore, initials, last, collective }: Author): string =>
  collective ?? [fore ?? initials, last].filter((part) => part !== null).join(" ");

function abstractOf({ abstract, sections }: PubMedRecord): CorpusSection[] {
  if (sections.length === 0) return section("", "abstract", [abstract]);
  return sections.flatMap(({ label, text }) => section(label ?? "", "abstract", [text]));
}

const retractions = new Set(["RetractionIn", "PartialRetractionIn"]);

export function pubmedDocument(record: PubMedRecord, source: string): CorpusDocument {
  const { pmid, title, corrections, publicationTypes } = record;
  const isRetracted =
    publicationTypes.some(({ ui, name }) => ui === "D016441" || name === "Retracted Publication") ||
    corrections.some(({ type }) => retractions.has(type ?? ""));
  return {
    id: `pmid:${pmid}`,
    source,
    kind: "pubmed",
    title,
    sections: abstractOf(record),
    date: record.published,
    language: languageCode(record.languages[0]),
    licence: null,
    metadata: metadata({
      journal: record.journal ?? record.book,
      doi: record.doi,
      pmcid: record.pmcid,
      mesh: record.mesh.map(({ name }) => name),
      publicationTypes: publicationTypes.map(({ name }) => name),
      keywords: record.keywords,
      authors: record.authors.map(authorName),
      copyright: record.copyright,
      retracted: isRetracted ? "true" : "",
      // The first is what all others are.
      version: record.version > 1 ? String(record.version) : "",
    }),
  };
}

export const pubmed: SourceKind = {
  name: "pubmed",
  about: "PubMed XML: baseline, update files, exports",
  recognises: (head) => pubmedNames.records.concat(pubmedNames.sets).includes(rootName(head) ?? ""),
  async *read(input, { source }) {
    const { name } = input;
    const { chunks, isLost, throwDamage } = untilDamage(input);
    for await (const part of splitRecords(chunks(), pubmedNames)) {
      // That there are no records says less than why.
      if (isLost()) break;
      if (!("ranges" in part)) {
        yield failureEvent(name, part.message, part);
        continue;
      }
      for (const event of parseBlock(part, name)) {
        if (event.kind === "failure") yield event;
        else if (event.kind === "record") yield documentEvent(pubmedDocument(event.record, source), name, event);
        else for (const { pmid } of event.deletions) yield { kind: "deletion", id: `pmid:${pmid}` };
      }
    }
    throwDamage();
  },
};
