/**
 * Which PubMed records an import keeps. `ids`, `codes` and `keywords` select as in PaperETL: a record passes when any
 * of the lists given has it. Dates, languages, publication types and `hasAbstract` then restrict: all must hold.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../errors.ts";
import { readLines } from "../../io/lines.ts";
import { overlapsRange } from "./partial-date.ts";
import type { PubMedRecord } from "./record.ts";

export interface PubMedFilters {
  /** PMIDs, "PMID:" before them or not. */
  readonly ids?: readonly string[];
  /** MeSH descriptor UIs: D000818. */
  readonly codes?: readonly string[];
  /** Sought in title and abstract, upper and lower case alike, as parts of words too. */
  readonly keywords?: readonly string[];
  /** Publication date, inclusive, "2015", "2015-03" or "2015-03-07"; a date that may lie inside counts. */
  readonly from?: string;
  readonly to?: string;
  /** As PubMed writes them: eng, fre, ger. */
  readonly languages?: readonly string[];
  /** Names or UIs: "Randomized Controlled Trial", "D016449". */
  readonly publicationTypes?: readonly string[];
  /** True: only records with an abstract; false: only those without. */
  readonly hasAbstract?: boolean;
}

export type RecordPredicate = (record: PubMedRecord) => boolean;

function lowerSet(values: readonly string[]): Set<string> {
  return new Set(values.map((value) => value.trim().toLowerCase()));
}

/** "123", "PMID:123" or "PMID 123". @throws ConfigError for anything else, which no record would ever have. */
function pmidOf(text: string): number {
  const number = /^(?:PMID\s*:?\s*)?(\d{1,9})$/i.exec(text.trim())?.[1];
  if (number === undefined) throw new ConfigError(`filters.ids: expected PMIDs such as 123 or PMID:123, got "${text}"`);
  return Number(number);
}

function selection(filters: PubMedFilters): RecordPredicate[] {
  const selectors: RecordPredicate[] = [];
  if (filters.ids !== undefined) {
    const ids = new Set(filters.ids.map(pmidOf));
    selectors.push((record) => ids.has(record.pmid));
  }
  if (filters.codes !== undefined) {
    const codes = lowerSet(filters.codes);
    selectors.push((record) => record.mesh.some((heading) => codes.has(heading.ui?.toLowerCase() ?? "")));
  }
  if (filters.keywords !== undefined) {
    const keywords = [...lowerSet(filters.keywords)].filter((keyword) => keyword !== "");
    selectors.push((record) => {
      const text = `${record.title}\n${record.abstract}`.toLowerCase();
      return keywords.some((keyword) => text.includes(keyword));
    });
  }
  return selectors;
}

/** A year, a month that exists, or a day that exists. */
function isDate(text: string): boolean {
  const date = new Date(`${text}-01-01`.slice(0, 10));
  return /^\d{4}(-\d{2}){0,2}$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function restrictions(filters: PubMedFilters): RecordPredicate[] {
  const { from, to, hasAbstract } = filters;
  const rules: RecordPredicate[] = [];
  for (const [name, date] of Object.entries({ from, to })) {
    if (date !== undefined && !isDate(date)) {
      throw new ConfigError(
        `filters.${name} expected a date as 2015, 2015-03 or 2015-03-07, got ${JSON.stringify(date)}`,
      );
    }
  }
  if (from !== undefined || to !== undefined) {
    rules.push(({ published }) => published !== null && overlapsRange(published, from, to));
  }
  if (filters.languages !== undefined) {
    const languages = lowerSet(filters.languages);
    rules.push((record) => record.languages.some((language) => languages.has(language.toLowerCase())));
  }
  if (filters.publicationTypes !== undefined) {
    const types = lowerSet(filters.publicationTypes);
    rules.push((record) =>
      record.publicationTypes.some(
        ({ ui, name }) => types.has(name.toLowerCase()) || types.has(ui?.toLowerCase() ?? ""),
      ),
    );
  }
  if (hasAbstract !== undefined) rules.push((record) => (record.abstract !== "") === hasAbstract);
  return rules;
}

/**
 * One predicate for all of `filters`.
 * @throws ConfigError where a date or a PMID is not one.
 */
export function recordFilter(filters: PubMedFilters): RecordPredicate {
  const selectors = selection(filters);
  const rules = restrictions(filters);
  return (record) =>
    (selectors.length === 0 || selectors.some((selects) => selects(record))) && rules.every((holds) => holds(record));
}

/** A list with one entry a line; blank lines and lines that start with # do not count. @throws DataError. */
export async function readFilterList(path: string): Promise<string[]> {
  const entries: string[] = [];
  for await (const { text } of readLines(path)) {
    const entry = text.trim();
    if (entry !== "" && !entry.startsWith("#")) entries.push(entry);
  }
  return entries;
}

/** PaperETL's filter folder: the files `ids`, `codes` and `keywords`, those that exist. @throws DataError. */
export async function readFilterFolder(folder: string): Promise<PubMedFilters> {
  const names = (["ids", "codes", "keywords"] as const).filter((name) => existsSync(join(folder, name)));
  const lists = await Promise.all(names.map(async (name) => [name, await readFilterList(join(folder, name))] as const));
  return Object.fromEntries(lists);
}
