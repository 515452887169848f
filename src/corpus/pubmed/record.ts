/**
 * One PubMed record as plain data, after NLM's PubMed DTD of 1 January 2025 (https://dtd.nlm.nih.gov/ncbi/pubmed/).
 * Dates are partial ISO ("2015", "2015-03", "2015-03-07") and never more exact than the source. Left out:
 * data banks, investigators, general notes, figures and object lists, hours and minutes.
 */

export interface AbstractSection {
  label: string | null;
  /** NlmCategory: BACKGROUND, OBJECTIVE, METHODS, RESULTS, CONCLUSIONS or UNASSIGNED. */
  category: string | null;
  text: string;
}

export interface OtherAbstract {
  type: string | null;
  language: string | null;
  text: string;
}

export interface Author {
  last: string | null;
  fore: string | null;
  initials: string | null;
  suffix: string | null;
  /** Name of a group; the personal fields are then null. */
  collective: string | null;
  /** Sixteen digits in groups of four, without the address. */
  orcid: string | null;
  affiliations: string[];
}

export interface HistoryDate {
  /** PubStatus: received, accepted, epublish, pubmed, medline, entrez ... */
  status: string | null;
  date: string | null;
}

export interface NamedConcept {
  ui: string | null;
  name: string;
}

export interface MeshQualifier extends NamedConcept {
  major: boolean;
}

export interface MeshHeading extends NamedConcept {
  /** MajorTopicYN of the descriptor itself; a heading is also major through its qualifiers. */
  major: boolean;
  qualifiers: MeshQualifier[];
}

export interface Chemical extends NamedConcept {
  /** CAS number or EC number; "0" where NLM gives none. */
  registryNumber: string | null;
}

export interface Reference {
  citation: string | null;
  pmid: string | null;
  doi: string | null;
  pmcid: string | null;
}

/** CommentsCorrections: retractions, errata, comments, updates. */
export interface Correction {
  /** RefType: RetractionIn, RetractionOf, ErratumIn, CommentOn ... */
  type: string | null;
  source: string | null;
  pmid: number | null;
  note: string | null;
}

export interface Grant {
  id: string | null;
  acronym: string | null;
  agency: string | null;
  country: string | null;
}

export interface PubMedRecord {
  pmid: number;
  version: number;
  kind: "article" | "book";
  /** MEDLINE, PubMed-not-MEDLINE, In-Process ...; null for books. */
  status: string | null;
  title: string;
  vernacularTitle: string | null;
  /** The sections' texts, one a line, without their labels; "" where the record has no abstract. */
  abstract: string;
  /** Of a structured abstract; [] where the abstract is one part without a label. */
  sections: AbstractSection[];
  otherAbstracts: OtherAbstract[];
  copyright: string | null;
  authors: Author[];
  journal: string | null;
  journalAbbreviation: string | null;
  issn: string | null;
  volume: string | null;
  issue: string | null;
  pages: string | null;
  book: string | null;
  publisher: string | null;
  isbn: string | null;
  /** Date of the issue or book, as exact as the source gives it. */
  published: string | null;
  year: number | null;
  season: string | null;
  /** The issue's date as text where the source has no structured one: "1998 Dec-1999 Jan". */
  medlineDate: string | null;
  /** ArticleDate: the first electronic publication. */
  electronic: string | null;
  created: string | null;
  completed: string | null;
  revised: string | null;
  history: HistoryDate[];
  doi: string | null;
  pmcid: string | null;
  pii: string | null;
  languages: string[];
  publicationTypes: NamedConcept[];
  keywords: string[];
  mesh: MeshHeading[];
  chemicals: Chemical[];
  references: Reference[];
  corrections: Correction[];
  grants: Grant[];
  conflicts: string | null;
}

/** A record that NLM withdrew. */
export interface Deletion {
  pmid: number;
  /** The version withdrawn; null: all of them. */
  version: number | null;
}

/** Something in a source that could not be read; the rest of the source was. */
export interface ReadFailure {
  source: string;
  /** Byte position in the uncompressed stream, where known. */
  offset: number | null;
  /** Line number from 1, for line-based formats. */
  line: number | null;
  message: string;
}
