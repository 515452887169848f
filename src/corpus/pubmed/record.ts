/**
 * One PubMed record as plain data, after NLM's PubMed DTD of 1 January 2025 (https://dtd.nlm.nih.gov/ncbi/pubmed/).
 * Dates are partial ISO ("2015", "2015-03", "2015-03-07") and never more exact than the source. Left out:
 * data banks, investigators, general notes, figures and object lists, hours and minutes.
 */

export interface AbstractSection {
  readonly label: string | null;
  /** NlmCategory: BACKGROUND, OBJECTIVE, METHODS, RESULTS, CONCLUSIONS or UNASSIGNED. */
  readonly category: string | null;
  readonly text: string;
}

export interface OtherAbstract {
  readonly type: string | null;
  readonly language: string | null;
  readonly text: string;
}

export interface Author {
  readonly last: string | null;
  readonly fore: string | null;
  readonly initials: string | null;
  readonly suffix: string | null;
  /** Name of a group; the personal fields are then null. */
  readonly collective: string | null;
  /** Sixteen digits in groups of four, without the address. */
  readonly orcid: string | null;
  readonly affiliations: readonly string[];
}

export interface HistoryDate {
  /** PubStatus: received, accepted, epublish, pubmed, medline, entrez ... */
  readonly status: string | null;
  readonly date: string | null;
}

export interface NamedConcept {
  readonly ui: string | null;
  readonly name: string;
}

export interface MeshQualifier extends NamedConcept {
  readonly major: boolean;
}

export interface MeshHeading extends NamedConcept {
  /** MajorTopicYN of the descriptor itself; a heading is also major through its qualifiers. */
  readonly major: boolean;
  readonly qualifiers: readonly MeshQualifier[];
}

export interface Chemical extends NamedConcept {
  /** CAS number or EC number; "0" where NLM gives none. */
  readonly registryNumber: string | null;
}

export interface Reference {
  readonly citation: string | null;
  readonly pmid: string | null;
  readonly doi: string | null;
  readonly pmcid: string | null;
}

/** CommentsCorrections: retractions, errata, comments, updates. */
export interface Correction {
  /** RefType: RetractionIn, RetractionOf, ErratumIn, CommentOn ... */
  readonly type: string | null;
  readonly source: string | null;
  readonly pmid: number | null;
  readonly note: string | null;
}

export interface Grant {
  readonly id: string | null;
  readonly acronym: string | null;
  readonly agency: string | null;
  readonly country: string | null;
}

export interface PubMedRecord {
  readonly pmid: number;
  readonly version: number;
  readonly kind: "article" | "book";
  /** MEDLINE, PubMed-not-MEDLINE, In-Process ...; null for books. */
  readonly status: string | null;
  readonly title: string;
  readonly vernacularTitle: string | null;
  /** The sections' texts, one a line, without their labels; "" where the record has no abstract. */
  readonly abstract: string;
  /** Of a structured abstract; [] where the abstract is one part without a label. */
  readonly sections: readonly AbstractSection[];
  readonly otherAbstracts: readonly OtherAbstract[];
  readonly copyright: string | null;
  readonly authors: readonly Author[];
  readonly journal: string | null;
  readonly journalAbbreviation: string | null;
  readonly issn: string | null;
  readonly volume: string | null;
  readonly issue: string | null;
  readonly pages: string | null;
  readonly book: string | null;
  readonly publisher: string | null;
  readonly isbn: string | null;
  /** Date of the issue or book, else of the first electronic publication, as exact as the source gives it. */
  readonly published: string | null;
  readonly year: number | null;
  readonly season: string | null;
  /** The issue's date as text where the source has no structured one: "1998 Dec-1999 Jan". */
  readonly medlineDate: string | null;
  /** ArticleDate: the first electronic publication. */
  readonly electronic: string | null;
  readonly created: string | null;
  readonly completed: string | null;
  readonly revised: string | null;
  readonly history: readonly HistoryDate[];
  readonly doi: string | null;
  readonly pmcid: string | null;
  readonly pii: string | null;
  readonly languages: readonly string[];
  readonly publicationTypes: readonly NamedConcept[];
  readonly keywords: readonly string[];
  readonly mesh: readonly MeshHeading[];
  readonly chemicals: readonly Chemical[];
  readonly references: readonly Reference[];
  readonly corrections: readonly Correction[];
  readonly grants: readonly Grant[];
  readonly conflicts: string | null;
}

/** A record that NLM withdrew. */
export interface Deletion {
  readonly pmid: number;
  /** The version withdrawn; null: all of them. */
  readonly version: number | null;
}

/** Something in a source that could not be read; the rest of the source was. */
export interface ReadFailure {
  readonly source: string;
  /** Byte position in the uncompressed stream, where known. */
  readonly offset: number | null;
  /** Line number from 1, for line-based formats. */
  readonly line: number | null;
  readonly message: string;
}
