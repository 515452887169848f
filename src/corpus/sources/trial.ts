/**
 * A record of ClinicalTrials.gov as both of its forms hold it, the XML of until 2024 and the JSON of API version 2, and the
 * document that it makes. Left out: locations but for their countries, contacts, links, references, oversight, documents.
 */
import type { CorpusDocument, CorpusSection } from "../corpus-document.ts";
import { partialDate } from "../pubmed/partial-date.ts";
import { clean } from "../xml/tree.ts";
import { metadata, section } from "./events.ts";

export interface Group {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** A row of results: what is measured, and the value of each group by its id. */
export interface ResultRow {
  readonly title: string;
  readonly values: ReadonlyMap<string, string>;
}

/** An outcome's results, baseline characteristics, or events: paragraphs and a table. */
export interface ResultPart {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly groups: readonly Group[];
  readonly rows: readonly ResultRow[];
  /** Behind the table's groups. */
  readonly analyses: readonly string[];
}

export interface Trial {
  readonly nct: string;
  readonly briefTitle: string;
  readonly officialTitle: string;
  readonly acronym: string;
  readonly summary: string;
  readonly description: string;
  readonly outcomes: readonly {
    readonly type: string;
    readonly measure: string;
    readonly timeFrame: string;
    readonly description: string;
  }[];
  readonly arms: readonly { readonly label: string; readonly type: string; readonly description: string }[];
  readonly interventions: readonly { readonly type: string; readonly name: string; readonly description: string }[];
  readonly population: string;
  readonly criteria: string;
  readonly results: readonly ResultPart[];
  /** As the record writes it: "November 4, 1999", "1999-11-04". */
  readonly firstPosted: string;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
}

/** Paragraphs of text whose lines are wrapped: blank lines part them. */
export function wrappedParagraphs(text: string): string[] {
  return text
    .replace(/\r\n?/g, "\n")
    .split(/\n[ \t]*\n/)
    .map(clean)
    .filter((paragraph) => paragraph !== "");
}

/** "November 4, 1999", "July 1977" or "1999-11-04" as a partial ISO date. */
export function trialDate(text: string): string | null {
  const iso = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$/.exec(text.trim());
  if (iso !== null) return partialDate(iso[1]!, iso[2], iso[3]);
  const words = /^([A-Za-z]+)(?: (\d{1,2}),)? (\d{4})$/.exec(clean(text));
  return words === null ? null : partialDate(words[3]!, words[1], words[2]);
}

/** "A: b" where there are both. */
export function labelled(label: string, text: string): string {
  return [label, text].filter((part) => part !== "").join(": ");
}

/** "Label: text"; "" where there is no text. */
export function named(label: string, text: string): string {
  return text === "" ? "" : labelled(label, text);
}

/** "Drug use [2 years]", and what is said of it. */
function outcomeText({ measure, timeFrame, description }: Trial["outcomes"][number]): string {
  return labelled(timeFrame === "" ? measure : `${measure} [${timeFrame}]`, description);
}

function outcomeSections(outcomes: Trial["outcomes"]): CorpusSection[] {
  return ["Primary", "Secondary", "Other"].flatMap((type) =>
    section(`${type} Outcome Measures`, "text", outcomes.filter((one) => one.type === type).map(outcomeText)),
  );
}

/** Results as sections; what a group is, is said once. */
function resultSections(results: readonly ResultPart[]): CorpusSection[] {
  const said = new Set<string>();
  return results.flatMap(({ title, paragraphs, groups, rows, analyses }) => {
    const described = groups
      .filter(({ description }) => description !== "")
      .map((group) => labelled(group.title, group.description))
      .filter((text) => !said.has(text) && said.add(text));
    const heading = ["", ...groups.map((group) => group.title)].join("\t");
    const lines = rows.map((row) => [row.title, ...groups.map(({ id }) => row.values.get(id) ?? "")].join("\t"));
    return [
      ...section(`Results > ${title}`, "text", [...paragraphs, ...described, ...analyses]),
      ...(lines.length === 0 ? [] : section(`Results > ${title}`, "table", [[heading, ...lines].join("\n")])),
    ];
  });
}

export function trialDocument(trial: Trial, ownId: string, source: string): CorpusDocument {
  const { nct, briefTitle, officialTitle, arms, interventions, population, criteria } = trial;
  return {
    id: nct === "" ? ownId : `nct:${nct}`,
    source,
    kind: "clinicaltrials",
    title: briefTitle || officialTitle,
    sections: [
      ...section("Official Title", "text", officialTitle === briefTitle || briefTitle === "" ? [] : [officialTitle]),
      ...section("Brief Summary", "abstract", wrappedParagraphs(trial.summary)),
      ...section("Detailed Description", "text", wrappedParagraphs(trial.description)),
      ...outcomeSections(trial.outcomes),
      ...section(
        "Arms",
        "text",
        arms.map((arm) => labelled(arm.type === "" ? arm.label : `${arm.label} (${arm.type})`, arm.description)),
      ),
      ...section(
        "Interventions",
        "text",
        interventions.map((one) => labelled(labelled(one.type, one.name), one.description)),
      ),
      ...section("Study Population", "text", wrappedParagraphs(population)),
      ...section("Eligibility Criteria", "text", wrappedParagraphs(criteria)),
      ...resultSections(trial.results),
    ],
    date: trialDate(trial.firstPosted),
    language: "en",
    licence: null,
    metadata: metadata({ nct, acronym: trial.acronym, ...trial.fields }),
  };
}
