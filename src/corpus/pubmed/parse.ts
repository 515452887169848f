/**
 * One PubMed XML record (PubmedArticle, PubmedBookArticle or a deletion list) to plain data, after NLM's PubMed DTD.
 * Well-formedness is checked (`xml/scan.ts`); only XML's five entities and character references are known, so nothing expands.
 * Inline markup (i, b, sub, sup, MathML) adds no spaces; runs of XML white space become one space.
 */
import { DataError } from "../../errors.ts";
import { type Attributes, readXml, type XmlHandler } from "../xml/scan.ts";
import { medlinePartialDate, partialDate } from "./partial-date.ts";
import type * as record from "./record.ts";

interface Element {
  readonly name: string;
  readonly attributes: Attributes;
  readonly children: Element[];
  text: string;
}

/** Elements with element content that is read; every other element is text, its markup dropped. */
const containers = new Set(
  (
    "PubmedArticle MedlineCitation DateCreated DateCompleted DateRevised Article Journal JournalIssue PubDate " +
    "Pagination Abstract OtherAbstract AuthorList Author AffiliationInfo ArticleDate GrantList Grant " +
    "PublicationTypeList ChemicalList Chemical MeshHeadingList MeshHeading KeywordList CommentsCorrectionsList " +
    "CommentsCorrections PubmedData History PubMedPubDate ArticleIdList ReferenceList Reference PubmedBookArticle " +
    "BookDocument Book Publisher ContributionDate PubmedBookData DeleteCitation DeleteDocument"
  ).split(" "),
);
/** Subtrees that no field uses. */
const skipped = new Set(
  (
    "MedlineJournalInfo DataBankList InvestigatorList PersonalNameSubjectList GeneSymbolList SupplMeshList " +
    "GeneralNote SpaceFlightMission ObjectList Sections ItemList LocationLabel"
  ).split(" "),
);

/** What one record of the file says. */
export type ParsedRecord =
  | { readonly kind: "record"; readonly record: record.PubMedRecord }
  | { readonly kind: "deletions"; readonly deletions: readonly record.Deletion[] };

const depthLimit = 256;
/** The largest records, papers with thousands of authors, have some tens of thousands. */
const elementLimit = 500_000;

interface TreeHandler extends XmlHandler {
  readonly root: Element;
}

/** What stands in an element whose content is text. */
const noChildren: Element[] = [];
Object.freeze(noChildren);

/** Gathers the elements that fields are read from. @throws DataError beyond the limits. */
function createTreeHandler(): TreeHandler {
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open: Element[] = [root];
  let top = root;
  let insideText = 0;
  let insideSkipped = 0;
  let elements = 0;
  const count = (name: string): void => {
    if (++elements > elementLimit) throw new DataError(`more than ${elementLimit} elements, the next <${name}>`);
    if (insideSkipped >= depthLimit || insideText >= depthLimit || open.length >= depthLimit) {
      throw new DataError(`elements nested more than ${depthLimit} deep`);
    }
  };
  return {
    root,
    takesText: false,
    open(name, attributes) {
      count(name);
      if (insideSkipped > 0) insideSkipped++;
      else if (insideText > 0) insideText++;
      else if (skipped.has(name)) insideSkipped = 1;
      else {
        const isText = !containers.has(name);
        const element = { name, attributes, children: isText ? noChildren : [], text: "" };
        top.children.push(element);
        open.push(element);
        top = element;
        if (isText) {
          insideText = 1;
          this.takesText = true;
        }
      }
    },
    close() {
      if (insideSkipped > 0) insideSkipped--;
      else if (insideText > 1) insideText--;
      else {
        insideText = 0;
        this.takesText = false;
        open.pop();
        top = open[open.length - 1]!;
      }
    },
    text(text) {
      top.text = top.text === "" ? text : top.text + text;
    },
    leaf(name, attributes, text) {
      count(name);
      if (insideSkipped > 0) return;
      if (insideText > 0) top.text += text;
      else if (!containers.has(name)) {
        if (!skipped.has(name)) top.children.push({ name, attributes, children: noChildren, text });
      } else top.children.push({ name, attributes, children: [], text: "" });
    },
  } as TreeHandler & { takesText: boolean };
}

function child(element: Element | undefined, name: string): Element | undefined {
  if (element === undefined) return undefined;
  for (const candidate of element.children) if (candidate.name === name) return candidate;
  return undefined;
}

function children(element: Element | undefined, name: string): Element[] {
  return element === undefined ? [] : element.children.filter((candidate) => candidate.name === name);
}

/** Runs of XML white space as one space, none at the ends. */
function clean(text: string): string {
  const plain = /[\n\t\r]| {2}/.test(text) ? text.replace(/[ \t\r\n]+/g, " ") : text;
  const start = plain.charCodeAt(0) === 32 ? 1 : 0;
  const end = plain.charCodeAt(plain.length - 1) === 32 ? plain.length - 1 : plain.length;
  return start === 0 && end === plain.length ? plain : plain.slice(start, end);
}

function textOf(element: Element | undefined): string | null {
  return element === undefined ? null : clean(element.text) || null;
}

function textAt(element: Element | undefined, name: string): string | null {
  return textOf(child(element, name));
}

function texts(elements: Element[]): string[] {
  return elements.map((element) => clean(element.text)).filter((text) => text !== "");
}

function dateOf(element: Element | undefined): string | null {
  return partialDate(textAt(element, "Year"), textAt(element, "Month"), textAt(element, "Day"));
}

function pmidOf(element: Element | undefined): { pmid: number; version: number | null } {
  const text = textOf(element);
  if (text === null || !/^\d{1,9}$/.test(text) || Number(text) === 0) {
    throw new DataError(
      `PMID expected a number of 1 to 9 digits, got ${text === null ? "none" : JSON.stringify(text)}`,
    );
  }
  const version = element?.attributes["Version"];
  return { pmid: Number(text), version: version !== undefined && /^\d{1,4}$/.test(version) ? Number(version) : null };
}

function sectionsOf(abstract: Element | undefined): record.AbstractSection[] {
  return children(abstract, "AbstractText").flatMap((element) => {
    const text = clean(element.text);
    const { Label, NlmCategory } = element.attributes;
    return text === "" ? [] : [{ label: Label || null, category: NlmCategory || null, text }];
  });
}

function otherAbstractsOf(citation: Element): record.OtherAbstract[] {
  return children(citation, "OtherAbstract").flatMap((element) => {
    const text = texts(children(element, "AbstractText")).join("\n");
    const { Type, Language } = element.attributes;
    return text === "" ? [] : [{ type: Type || null, language: Language || null, text }];
  });
}

/** ORCID is written bare, as an address, or with a space or a missing hyphen. */
function orcidOf(author: Element): string | null {
  for (const identifier of children(author, "Identifier")) {
    if (identifier.attributes["Source"] !== "ORCID") continue;
    const compact = clean(identifier.text)
      .replace(/^.*orcid\.org\//i, "")
      .replace(/[-\s]/g, "");
    if (/^\d{15}[\dXx]$/.test(compact)) return compact.toUpperCase().replace(/(.{4})(?=.)/g, "$1-");
  }
  return null;
}

function authorsOf(list: Element | undefined): record.Author[] {
  return children(list, "Author").map((author) => ({
    last: textAt(author, "LastName"),
    fore: textAt(author, "ForeName"),
    initials: textAt(author, "Initials"),
    suffix: textAt(author, "Suffix"),
    collective: textAt(author, "CollectiveName"),
    orcid: orcidOf(author),
    // Before 2015 the DTD had Affiliation directly in Author.
    affiliations: texts([
      ...children(author, "AffiliationInfo").flatMap((info) => children(info, "Affiliation")),
      ...children(author, "Affiliation"),
    ]),
  }));
}

function concept(element: Element): record.NamedConcept {
  return { ui: element.attributes["UI"] || null, name: clean(element.text) };
}

function meshOf(citation: Element): record.MeshHeading[] {
  const major = (element: Element): boolean => element.attributes["MajorTopicYN"] === "Y";
  return children(child(citation, "MeshHeadingList"), "MeshHeading").flatMap((heading) => {
    const descriptor = child(heading, "DescriptorName");
    if (descriptor === undefined) return [];
    const qualifiers = children(heading, "QualifierName").map((item) => ({ ...concept(item), major: major(item) }));
    return [{ ...concept(descriptor), major: major(descriptor), qualifiers }];
  });
}

function chemicalsOf(citation: Element): record.Chemical[] {
  return children(child(citation, "ChemicalList"), "Chemical").flatMap((chemical) => {
    const name = child(chemical, "NameOfSubstance");
    return name === undefined ? [] : [{ ...concept(name), registryNumber: textAt(chemical, "RegistryNumber") }];
  });
}

function articleId(list: Element | undefined, type: string): string | null {
  return textOf(children(list, "ArticleId").find((id) => id.attributes["IdType"] === type));
}

/** Reference lists nest in some records. */
function referencesOf(parent: Element | undefined): record.Reference[] {
  return children(parent, "ReferenceList").flatMap((list) => [
    ...children(list, "Reference").map((reference) => {
      const ids = child(reference, "ArticleIdList");
      return {
        citation: textAt(reference, "Citation"),
        pmid: articleId(ids, "pubmed"),
        doi: articleId(ids, "doi"),
        pmcid: articleId(ids, "pmc"),
      };
    }),
    ...referencesOf(list),
  ]);
}

function correctionsOf(citation: Element): record.Correction[] {
  return children(child(citation, "CommentsCorrectionsList"), "CommentsCorrections").map((item) => {
    const pmid = textAt(item, "PMID");
    return {
      type: item.attributes["RefType"] || null,
      source: textAt(item, "RefSource"),
      pmid: pmid !== null && /^\d{1,9}$/.test(pmid) ? Number(pmid) : null,
      note: textAt(item, "Note"),
    };
  });
}

function grantsOf(parent: Element | undefined): record.Grant[] {
  return children(child(parent, "GrantList"), "Grant").map((grant) => ({
    id: textAt(grant, "GrantID"),
    acronym: textAt(grant, "Acronym"),
    agency: textAt(grant, "Agency"),
    country: textAt(grant, "Country"),
  }));
}

/** The issue's or book's date; `electronic`, the first publication's, where there is none. */
function publicationDate(
  date: Element | undefined,
  electronic: string | null,
): Pick<record.PubMedRecord, "published" | "year" | "season" | "medlineDate"> {
  const medlineDate = textAt(date, "MedlineDate");
  const published = dateOf(date) ?? (medlineDate === null ? null : medlinePartialDate(medlineDate)) ?? electronic;
  const year = published === null ? null : Number(published.slice(0, 4));
  return { published, year, season: textAt(date, "Season"), medlineDate };
}

function pagesOf(parent: Element | undefined): string | null {
  const pagination = child(parent, "Pagination");
  const medline = textAt(pagination, "MedlinePgn");
  if (medline !== null) return medline;
  const start = textAt(pagination, "StartPage");
  const end = textAt(pagination, "EndPage");
  return start === null || end === null || start === end ? start : `${start}-${end}`;
}

/** What articles and books keep in the same place. */
function shared(citation: Element, body: Element | undefined, data: Element | undefined) {
  const { pmid, version } = pmidOf(child(citation, "PMID"));
  const abstract = child(body, "Abstract");
  const parts = sectionsOf(abstract);
  const structured = parts.length > 1 || parts.some(({ label, category }) => label !== null || category !== null);
  return {
    pmid,
    version: version ?? 1,
    status: citation.attributes["Status"] || null,
    vernacularTitle: textAt(body, "VernacularTitle"),
    abstract: parts.map(({ text }) => text).join("\n"),
    sections: structured ? parts : [],
    otherAbstracts: otherAbstractsOf(citation),
    copyright: textAt(abstract, "CopyrightInformation"),
    pages: pagesOf(body),
    created: dateOf(child(citation, "DateCreated")),
    completed: dateOf(child(citation, "DateCompleted")),
    revised: dateOf(child(citation, "DateRevised")),
    history: children(child(data, "History"), "PubMedPubDate").map((date) => ({
      status: date.attributes["PubStatus"] || null,
      date: dateOf(date),
    })),
    languages: texts(children(body, "Language")),
    keywords: children(citation, "KeywordList").flatMap((list) => texts(children(list, "Keyword"))),
    mesh: meshOf(citation),
    chemicals: chemicalsOf(citation),
    corrections: correctionsOf(citation),
    grants: grantsOf(body),
    conflicts: textAt(citation, "CoiStatement"),
  };
}

function electronicId(body: Element | undefined, type: string): string | null {
  const ids = children(body, "ELocationID").filter((id) => id.attributes["EIdType"] === type);
  return textOf(ids.find((id) => id.attributes["ValidYN"] !== "N"));
}

function articleOf(root: Element): record.PubMedRecord {
  const citation = child(root, "MedlineCitation");
  const article = child(citation, "Article");
  if (citation === undefined || article === undefined) {
    throw new DataError("PubmedArticle expected MedlineCitation with Article, got neither or one");
  }
  const data = child(root, "PubmedData");
  const ids = child(data, "ArticleIdList");
  const journal = child(article, "Journal");
  const issue = child(journal, "JournalIssue");
  const electronic = dateOf(child(article, "ArticleDate"));
  return {
    ...shared(citation, article, data),
    kind: "article",
    title: textAt(article, "ArticleTitle") ?? "",
    authors: authorsOf(child(article, "AuthorList")),
    journal: textAt(journal, "Title"),
    journalAbbreviation: textAt(journal, "ISOAbbreviation"),
    issn: textAt(journal, "ISSN"),
    volume: textAt(issue, "Volume"),
    issue: textAt(issue, "Issue"),
    book: null,
    publisher: null,
    isbn: null,
    ...publicationDate(child(issue, "PubDate"), electronic),
    electronic,
    doi: articleId(ids, "doi") ?? electronicId(article, "doi"),
    pmcid: articleId(ids, "pmc"),
    pii: articleId(ids, "pii") ?? electronicId(article, "pii"),
    publicationTypes: children(child(article, "PublicationTypeList"), "PublicationType").map(concept),
    references: referencesOf(data),
  };
}

function bookOf(root: Element): record.PubMedRecord {
  const document = child(root, "BookDocument");
  const book = child(document, "Book");
  if (document === undefined) throw new DataError("PubmedBookArticle expected BookDocument, got none");
  const data = child(root, "PubmedBookData");
  const ids = child(document, "ArticleIdList");
  const authors = children(document, "AuthorList");
  const electronic = dateOf(child(document, "ContributionDate"));
  return {
    ...shared(document, document, data),
    kind: "book",
    title: textAt(document, "ArticleTitle") ?? textAt(book, "BookTitle") ?? "",
    authors: (authors.length > 0 ? authors : children(book, "AuthorList")).flatMap(authorsOf),
    journal: null,
    journalAbbreviation: null,
    issn: null,
    volume: textAt(book, "Volume"),
    issue: null,
    book: textAt(book, "BookTitle"),
    publisher: textAt(child(book, "Publisher"), "PublisherName"),
    isbn: textAt(book, "Isbn"),
    ...publicationDate(child(book, "PubDate"), electronic),
    electronic,
    doi: articleId(ids, "doi"),
    pmcid: articleId(ids, "pmc"),
    pii: articleId(ids, "bookaccession"),
    publicationTypes: children(document, "PublicationType").map(concept),
    references: referencesOf(document),
  };
}

/**
 * Parses one record's XML, from its start tag to its end tag.
 * @param isChecked whether its bytes were looked at by \`hasAllowedCharacters\`, and have no others.
 * @throws DataError where it is not well-formed, uses an entity that XML does not define, has no PMID, or is too deep or
 * too large.
 */
export function parseRecord(xml: string, isChecked: boolean = false): ParsedRecord {
  const root = readXml(xml, createTreeHandler, undefined, isChecked).root.children[0]!;
  switch (root.name) {
    case "PubmedArticle":
      return { kind: "record", record: articleOf(root) };
    case "PubmedBookArticle":
      return { kind: "record", record: bookOf(root) };
    case "DeleteCitation":
    case "DeleteDocument":
      return { kind: "deletions", deletions: children(root, "PMID").map(pmidOf) };
    default:
      throw new DataError(`expected PubmedArticle, PubmedBookArticle or DeleteCitation, got ${root.name}`);
  }
}
