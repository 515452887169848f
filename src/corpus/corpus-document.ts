/**
 * One document of a corpus, whatever it was read from: a paper, an abstract, a trial's record, a patent, a note, a page. What a
 * kind of source has beyond these fields goes into `metadata`, under names that its reader lists.
 */

/** What a section is, so that a rule for prose need not judge a table. */
export const sectionKinds = ["abstract", "text", "table", "caption", "reference"] as const;
export type SectionKind = (typeof sectionKinds)[number];

export interface CorpusSection {
  /** As the source has it; "" where it has none. Of a section inside others, all titles: "Methods > Patients". */
  readonly title: string;
  readonly kind: SectionKind;
  /** Paragraphs with a blank line between them; rows of a table are lines, their cells parted by tabs. */
  readonly text: string;
}

export interface CorpusDocument {
  /** Unique in a corpus, with the kind of identifier where it has one: "pmid:123", "pmc:PMC123", "nct:NCT00000102". */
  readonly id: string;
  /** Of which source it is, as the pipeline names it; else the name of the input. */
  readonly source: string;
  /** Name of the reader: "jats", "clinical-notes". */
  readonly kind: string;
  readonly title: string;
  readonly sections: readonly CorpusSection[];
  /** Partial ISO date ("2015", "2015-03", "2015-03-07"), never more exact than the source; null where it has none. */
  readonly date: string | null;
  /** ISO 639-1 code ("en"), or null where the source does not say. */
  readonly language: string | null;
  /** SPDX identifier ("CC-BY-4.0") where it can be told, else the source's words; null where it does not say. */
  readonly licence: string | null;
  readonly metadata: Readonly<Record<string, string | readonly string[]>>;
}

/** Title and sections as one text, as models read it: a blank line between parts, a section's title as a line above it. */
export function wholeText({ title, sections }: Pick<CorpusDocument, "title" | "sections">): string {
  const parts = sections.map((section) =>
    section.title === "" ? section.text : `${section.title}\n\n${section.text}`,
  );
  return (title === "" ? parts : [title, ...parts]).join("\n\n");
}
