/**
 * Articles in JATS: PMC's open-access files and article sets, Europe PMC's bulk files, bioRxiv, medRxiv, PLOS and others.
 * Licence, dates, identifiers, journal, authors and links to retractions come from article-meta. Sub-articles and responses
 * (translations, decision letters, answers of authors) are documents of their own where their types are asked for. Left out:
 * translated abstracts, affiliations, author notes, funding but for its statement.
 */
import type { CorpusDocument, CorpusSection } from "../corpus-document.ts";
import { partialDate } from "../pubmed/partial-date.ts";
import type { RecordNames } from "../xml/record-splitter.ts";
import { at, child, children, textAt, textOf, texts, within, type XmlElement } from "../xml/tree.ts";
import { documentEvent, languageCode, metadata, numberedId } from "./events.ts";
import { inlineText, referencesOf, sectionsOf } from "./jats-body.ts";
import type { SourceKind, SourceSettings } from "./kind.ts";
import { licenceOf } from "./licence.ts";
import { readXmlRecords, rootName } from "./xml-records.ts";

const names: RecordNames = { format: "JATS", records: ["article"], sets: ["pmc-articleset", "articles"] };

/** Kinds of date, the best first: when the article itself appeared. */
const dateTypes = ["epub", "pub", "epub-ppub", "ppub", "collection", "pmc-release"];

function dateOf(meta: XmlElement | undefined): string | null {
  const dates = children(meta, "pub-date").flatMap((one) => {
    const date = partialDate(textAt(one, "year") || null, textAt(one, "month"), textAt(one, "day"));
    const rank = dateTypes.indexOf(one.attributes["pub-type"] ?? one.attributes["date-type"] ?? "");
    return date === null ? [] : [{ date, rank: rank < 0 ? dateTypes.length : rank }];
  });
  return dates.toSorted((a, b) => a.rank - b.rank)[0]?.date ?? null;
}

/** The licence by its address, by ALI's reference, in words, and of what kind it is called. */
function licenceTexts(meta: XmlElement | undefined): string[] {
  const permissions = child(meta, "permissions");
  const licences = [...children(permissions, "license"), ...children(meta, "license")];
  const addresses = (element: XmlElement): string[] =>
    within(element, "ext-link", "uri").map((link) => link.attributes["xlink:href"] ?? textOf(link));
  return [
    ...licences.map((one) => one.attributes["xlink:href"] ?? ""),
    ...within(permissions, "license_ref").map(textOf),
    ...licences.flatMap(addresses),
    ...within(permissions, "license")
      .flatMap((one) => within(one, "License", "license"))
      .map((one) => one.attributes["rdf:resource"] ?? ""),
    ...licences.map(textOf),
    ...licences.map((one) => one.attributes["license-type"] ?? ""),
    ...texts(children(permissions, "copyright-statement")),
  ];
}

function authorsOf(meta: XmlElement | undefined): string[] {
  return children(meta, "contrib-group")
    .flatMap((group) => children(group, "contrib"))
    .filter(({ attributes }) => (attributes["contrib-type"] ?? "author") === "author")
    .map((contrib) => {
      const name = child(contrib, "name") ?? at(contrib, "name-alternatives", "name");
      if (name !== undefined)
        return [textAt(name, "given-names"), textAt(name, "surname")].filter((part) => part !== "").join(" ");
      return textAt(contrib, "string-name") || textAt(contrib, "collab");
    });
}

function abstractsOf(meta: XmlElement | undefined): CorpusSection[] {
  return children(meta, "abstract").flatMap((one) => sectionsOf(one, "", "abstract"));
}

/** What stands behind the article: acknowledgements, appendices, notes, glossaries, references. */
function backOf(back: XmlElement | undefined): CorpusSection[] {
  return children(back).flatMap((one) => {
    if (one.name === "ref-list") return referencesOf(one, "");
    if (one.name === "app-group") return children(one, "app").flatMap((app) => sectionsOf(app, "", "text"));
    return sectionsOf(one, "", "text");
  });
}

/** Links to the article that this one retracts, or is retracted by: "retracted-article 10.1/x". */
function relatedOf(meta: XmlElement | undefined): string[] {
  return children(meta, "related-article", "related-object").map((one) => {
    const type = one.attributes["related-article-type"] ?? one.attributes["link-type"] ?? "related";
    return [type, one.attributes["xlink:href"] ?? textOf(one)].join(" ").trim();
  });
}

function articleOf(root: XmlElement, ownId: string, { source }: SourceSettings): CorpusDocument {
  const document = documentOf(root, at(root, "front", "article-meta"), ownId, source);
  const { pmcid, doi, pmid } = document.metadata;
  const [scheme, known] = Object.entries({ pmc: pmcid, doi, pmid }).find(([, id]) => id !== undefined) ?? [];
  return known === undefined ? document : { ...document, id: `${scheme}:${String(known)}` };
}

/** An article, or a sub-article, which says less of itself. */
function documentOf(root: XmlElement, meta: XmlElement | undefined, id: string, source: string): CorpusDocument {
  const journal = at(root, "front", "journal-meta");
  const ids = children(meta, "article-id");
  const idOf = (...types: string[]): string =>
    textOf(ids.find(({ attributes }) => types.includes(attributes["pub-id-type"] ?? "")));
  const [pmid, doi] = [idOf("pmid"), idOf("doi")];
  const digits = idOf("pmc", "pmcid").replace(/^PMC/i, "");
  const pmcid = /^\d+(?:\.\d+)?$/.test(digits) ? `PMC${digits}` : "";
  const type = root.attributes["article-type"] ?? "";
  const title = child(meta, "title-group");
  const heading = [inlineText(child(title, "article-title")), inlineText(child(title, "subtitle"))];
  const related = relatedOf(meta);
  const isRetracted =
    type === "retracted-article" ||
    /^\W*(?:retracted|withdrawn)\b/i.test(heading[0]!) ||
    related.some((one) => /^retract(?:ion-forward|ed-by)\b/.test(one));
  return {
    id,
    source,
    kind: "jats",
    title: heading.filter((part) => part !== "").join(": "),
    sections: [
      ...abstractsOf(meta),
      ...children(root, "body").flatMap((body) => sectionsOf(body, "", "text")),
      ...children(root, "back").flatMap(backOf),
      ...children(root, "floats-group", "floats-wrap").flatMap((group) => sectionsOf(group, "", "text")),
    ],
    date: dateOf(meta),
    language: languageCode(root.attributes["xml:lang"]),
    licence: licenceOf(licenceTexts(meta)),
    metadata: metadata({
      doi,
      pmid,
      pmcid,
      journal: textOf(within(journal, "journal-title")[0]) || textAt(journal, "journal-id"),
      authors: authorsOf(meta),
      articleType: type,
      subjects: within(child(meta, "article-categories"), "subject").map(textOf),
      keywords: children(meta, "kwd-group").flatMap((group) => texts(within(group, "kwd"))),
      related,
      funding: texts(within(meta, "funding-statement")),
      retracted: isRetracted ? "true" : "",
    }),
  };
}

/** What is none of the article's own text: a document where its type is asked for, else of its type alone. */
function* subArticlesOf(
  root: XmlElement,
  parent: CorpusDocument,
  { source, subArticles = [] }: SourceSettings,
): Generator<CorpusDocument | { readonly leftOut: string }> {
  for (const [i, part] of children(root, "sub-article", "response").entries()) {
    const type = part.attributes["article-type"] ?? part.attributes["response-type"] ?? part.name;
    const id = `${parent.id}/${part.attributes["id"] ?? `${part.name}-${i + 1}`}`;
    const meta = child(part, "front-stub") ?? at(part, "front", "article-meta");
    const own = documentOf(part, meta, id, source);
    const inherited = Object.entries(parent.metadata).filter(([key]) => key === "journal" || key === "retracted");
    const document: CorpusDocument = {
      ...own,
      date: own.date ?? parent.date,
      language: own.language ?? parent.language,
      licence: own.licence ?? parent.licence,
      metadata: { ...Object.fromEntries(inherited), ...own.metadata, articleType: type, partOf: parent.id },
    };
    yield subArticles.includes("all") || subArticles.includes(type) ? document : { leftOut: type.slice(0, 80) };
    yield* subArticlesOf(part, document, { source, subArticles });
  }
}

export const jats: SourceKind = {
  name: "jats",
  about: "articles in JATS XML: PMC, Europe PMC, bioRxiv, medRxiv, PLOS",
  recognises: (head) => {
    const root = rootName(head);
    if (root === "pmc-articleset") return true;
    return (
      (root === "article" || root === "articles") && /<(?:[\w-]+:)?(?:front|article-meta|journal-meta)[\s>]/.test(head)
    );
  },
  async *read(input, settings) {
    for await (const record of readXmlRecords(input, names)) {
      if (record.kind === "failure") {
        yield record;
        continue;
      }
      const article = articleOf(record.root, numberedId(input.scope, record.number), settings);
      yield documentEvent(article, input.name, record);
      for (const part of subArticlesOf(record.root, article, settings)) {
        if ("leftOut" in part) yield { kind: "left-out", type: part.leftOut };
        else yield documentEvent(part, input.name, record);
      }
    }
  },
};
