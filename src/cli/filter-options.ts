/** What the commands that search an index narrow it down by. */
import { UsageError } from "../errors.ts";
import type { Filters } from "../search/index.ts";
import type { Option } from "./command.ts";

export const filterOptions = {
  year: { type: "text", hint: "YEARS", about: "2019, 2019:2024, 2019: or :2024" },
  type: { type: "text", hint: "NAME", many: "repeat", about: 'Publication type, "Randomized Controlled Trial"' },
  journal: { type: "text", hint: "NAME", many: "repeat", about: "Journal, its name or abbreviation" },
  mesh: { type: "text", hint: "NAME", many: "repeat", about: "MeSH descriptor" },
  language: { type: "text", hint: "NAME", many: "repeat", about: "eng, or english" },
  source: { type: "text", hint: "NAME", many: "repeat", about: "File or dataset that was indexed" },
  field: { type: "text", hint: "NAME=VALUE", many: "repeat", about: "A field of the documents' own" },
  "no-retracted": { type: "flag", about: "Without retracted documents" },
} as const satisfies Readonly<Record<string, Option>>;

interface Values {
  readonly year: string | undefined;
  readonly type: readonly string[];
  readonly journal: readonly string[];
  readonly mesh: readonly string[];
  readonly language: readonly string[];
  readonly source: readonly string[];
  readonly field: readonly string[];
  readonly "no-retracted": boolean;
}

/** `filterOptions` as searches take them. @throws UsageError for years that are none, and a field without a value. */
export async function filtersOf(values: Values): Promise<Filters> {
  const { languageCodes } = await import("../search/index.ts");
  const some = (list: readonly string[]): readonly string[] | undefined => (list.length === 0 ? undefined : list);
  return {
    years: yearsOf(values.year),
    types: some(values.type),
    journals: some(values.journal),
    mesh: some(values.mesh),
    languages: some(values.language.flatMap(languageCodes)),
    sources: some(values.source),
    fields: values.field.length === 0 ? undefined : Object.fromEntries(values.field.map(fieldOf)),
    retracted: values["no-retracted"] ? false : undefined,
  };
}

function yearsOf(text: string | undefined): Filters["years"] {
  if (text === undefined) return undefined;
  const found = /^(\d{4})?(:)?(\d{4})?$/.exec(text);
  const [, first, colon, last] = found ?? [];
  const isRange = colon !== undefined && (first !== undefined || last !== undefined);
  if (!isRange && (first === undefined || last !== undefined)) {
    throw new UsageError(`--year: expected 2019, 2019:2024, 2019: or :2024, got "${text}"`);
  }
  const years = [first, isRange ? last : first].map((one) => (one === undefined ? null : Number(one)));
  if (years[0] !== null && years[1] !== null && years[0]! > years[1]!) {
    throw new UsageError(`--year: expected the earlier year first, got "${text}"`);
  }
  return [years[0]!, years[1]!];
}

function fieldOf(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--field: expected NAME=VALUE, got "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
