/**
 * PubMed's field tags, short and long, and how the words before each become conditions on what an index holds. Lists after
 * PubMed's own help ("Search field tags"). Left out: subsets and filters, which are PubMed's own lists of records, and all
 * that rests on a vocabulary: MeSH terms and publication types are the ones named, without narrower ones.
 */
import type { Condition, ValueField, WordField } from "./store.ts";

export type Tag =
  | { readonly kind: "words"; readonly field: WordField; readonly also?: readonly ValueField[] }
  | { readonly kind: "value"; readonly field: ValueField }
  | { readonly kind: "dates" }
  | { readonly kind: "everything" }
  | { readonly kind: "own"; readonly name: string };

export interface Known {
  readonly tag: Tag;
  /** What this index does otherwise than PubMed. */
  readonly note?: string;
}

const title: Tag = { kind: "words", field: "title" };
const text: Tag = { kind: "words", field: "text" };
const value = (field: ValueField): Tag => ({ kind: "value", field });
const unknownHere = "the index does not have this field: read as words of the text";
const narrower = "the descriptor itself: narrower ones are not searched";

/** Names of tags, in lower case, short before long, → what they ask for. */
const table: readonly (readonly [names: string, tag: Tag, note?: string])[] = [
  ["ti, title", title],
  ["ab, abstract", { kind: "words", field: "abstract" }],
  ["tiab, title/abstract", text],
  ["tw, text word, text words", { ...text, also: ["mesh", "keyword"] }],
  ["all, all fields", { ...text, also: ["mesh", "keyword", "author", "journal", "type", "id", "doi"] }],
  ["au, author", value("author")],
  ["1au, author - first", value("author"), "any author: which one is the first is not looked at"],
  ["lastau, author - last", value("author"), "any author: which one is the last is not looked at"],
  ["ta, jour, journal", value("journal")],
  ["mh, mesh, mesh terms", value("mesh"), narrower],
  ["mh:noexp, mesh:noexp, mesh terms:noexp", value("mesh")],
  ["majr, mesh major topic", value("mesh"), "major topics are not marked in the index: read as [mh]"],
  ["majr:noexp, mesh major topic:noexp", value("mesh"), "major topics are not marked in the index: read as [mh]"],
  ["ot, other term", value("keyword")],
  ["pt, publication type", value("type")],
  ["la, lang, language", value("language")],
  ["dp, pdat, date - publication, publication date", { kind: "dates" }],
  ["edat, crdt, dcom, lr, date - entry, date - create", { kind: "dates" }, "read as the date of publication"],
  ["pmid, uid", value("id")],
  ["doi, aid, lid, article identifier, location id", value("doi")],
  ["source", value("source")],
  ["ad, affiliation", text, unknownHere],
  ["sh, mesh subheading", text, unknownHere],
  ["nm, supplementary concept", text, unknownHere],
  ["rn, ec/rn number", text, unknownHere],
  ["ps, personal name as subject", text, unknownHere],
  ["gr, grants and funding", text, unknownHere],
];

const tags = new Map(
  table.flatMap(([names, tag, note]) =>
    names.split(", ").map((name): [string, Known] => [name, note === undefined ? { tag } : { tag, note }]),
  ),
);

/** The short names, for hints. */
export const shortTags: string = "[ti] [ab] [tiab] [tw] [all] [au] [ta] [mh] [majr] [ot] [pt] [la] [dp] [pmid] [doi]";

/** What a tag asks for; undefined where there is none of that name. Of another field of the documents: `[field:arm]`. */
export function tagOf(name: string): Known | undefined {
  const lower = name.trim().replace(/\s+/g, " ").toLowerCase();
  if (lower === "sb") return { tag: { kind: "everything" } };
  const own = /^\s*field:\s*(.+?)\s*$/i.exec(name);
  if (own !== null) return { tag: { kind: "own", name: own[1]! } };
  // "[ti:~2]", words near one another.
  const near = /^(ti|title|tiab|title\/abstract):~\d+$/.exec(lower);
  if (near === null) return tags.get(lower);
  return { ...tags.get(near[1]!)!, note: "how near the words are is not looked at: all of them, anywhere" };
}

/** How a field is written in a query that is spelled out. */
export const spelledTags: Readonly<Record<WordField | ValueField, string>> = {
  text: "tiab",
  title: "ti",
  abstract: "ab",
  id: "pmid",
  type: "pt",
  journal: "ta",
  mesh: "mh:noexp",
  keyword: "ot",
  language: "la",
  author: "au",
  doi: "doi",
  source: "source",
};

const languages: Readonly<Record<string, string>> = Object.fromEntries(
  "afrikaans afr af, albanian alb sq, arabic ara ar, bulgarian bul bg, catalan cat ca, chinese chi zh, croatian hrv hr, czech cze cs, danish dan da, dutch dut nl, english eng en, estonian est et, finnish fin fi, french fre fr, german ger de, greek gre el, hebrew heb he, hungarian hun hu, icelandic ice is, indonesian ind id, italian ita it, japanese jpn ja, korean kor ko, latvian lav lv, lithuanian lit lt, norwegian nor no, persian per fa, polish pol pl, portuguese por pt, romanian rum ro, russian rus ru, serbian srp sr, slovak slo sk, slovenian slv sl, spanish spa es, swedish swe sv, thai tha th, turkish tur tr, ukrainian ukr uk, vietnamese vie vi"
    .split(", ")
    .map((line) => [line.split(" ")[0]!, line]),
);

/** Of a language's English name its codes, MEDLINE's of three letters and that of two; of all else what it is. */
export function languageCodes(name: string): readonly string[] {
  const line = Object.hasOwn(languages, name.toLowerCase()) ? languages[name.toLowerCase()] : undefined;
  return line === undefined ? [name] : line.split(" ").slice(1);
}

/** As authors stand in an index: "Smith, J.A." is "Smith JA". */
export function authorName(name: string): string {
  return name
    .replace(/[.,;]+/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/(?<=\s\p{Lu}{1,2}) (?=\p{Lu}{1,2}$)/u, "");
}

/** Between hyphens and slashes alike: year, month, day. */
const dateForm = String.raw`\d{4}(?:[/-]\d{1,2}){0,2}`;
const rangeForm = new RegExp(String.raw`(?:^|\s)(${dateForm})?(\s*:\s*)?(${dateForm})?$`);
const relativeForm = /(?:^|\s)last (\d{1,4}) (year|month|day)s?$/i;

export interface DateRange {
  /** Where in the text the range begins: words before it are not its own. */
  readonly at: number;
  readonly condition: Extract<Condition, { kind: "dates" }>;
}

/** A range at the end of a text, "2019", "2019/03:2021", "2019:" or "last 5 years"; what is wrong with it, as text. */
export function datesOf(text: string, today: Date): DateRange | string {
  const relative = relativeForm.exec(text);
  if (relative !== null) {
    const [from, count] = [new Date(today), Number(relative[1])];
    if (relative[2]!.toLowerCase() === "year") from.setUTCFullYear(from.getUTCFullYear() - count);
    else if (relative[2]!.toLowerCase() === "month") from.setUTCMonth(from.getUTCMonth() - count);
    else from.setUTCDate(from.getUTCDate() - count);
    return { at: relative.index, condition: { kind: "dates", first: from.toISOString().slice(0, 10), last: null } };
  }
  const found = rangeForm.exec(text);
  if (found === null || (found[1] === undefined && found[3] === undefined)) {
    return `expected a date or a range such as 2019, 2019/03 or 2019:2024, got "${text}"`;
  }
  const [, one, colon, other] = found;
  const first = isoDate(one);
  const last = isoDate(colon === undefined ? (one ?? other) : other);
  const wrong = [first, last].find((date) => date?.startsWith("!"));
  if (wrong) return `expected a date such as 2019/03/07, got "${wrong.slice(1)}"`;
  // PubMed's "3000" is an open end, and a year before printing an open beginning.
  return rangeOf(
    found.index,
    first !== null && first < "1001" ? null : first,
    last !== null && last >= "3000" ? null : last,
  );
}

function rangeOf(at: number, first: string | null, last: string | null): DateRange | string {
  if (first !== null && last !== null && first.slice(0, last.length) > last) {
    return `expected the earlier date first, got "${slashed(first)}:${slashed(last)}"`;
  }
  return { at, condition: { kind: "dates", first, last } };
}

/** "2019/3" is "2019-03"; with "!" before it what is no date. */
function isoDate(date: string | undefined): string | null {
  if (date === undefined) return null;
  const [year = "", month, day] = date.split(/[/-]/);
  const right = (month === undefined || isWithin(month, 12)) && (day === undefined || isWithin(day, 31));
  return right
    ? [year, month, day].flatMap((one) => (one === undefined ? [] : [one.padStart(2, "0")])).join("-")
    : `!${date}`;
}

const isWithin = (part: string, most: number): boolean => Number(part) >= 1 && Number(part) <= most;

const slashed = (date: string): string => date.replaceAll("-", "/");

/** A range as it is written before [dp]. */
export function spelledDates({ first, last }: { readonly first: string | null; readonly last: string | null }): string {
  if (first !== null && first === last) return slashed(first);
  return `${slashed(first ?? "1000")}:${slashed(last ?? "3000")}`;
}
