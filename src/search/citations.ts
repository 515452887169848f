/**
 * Documents as references: RIS (Research Information Systems' format, as EndNote, Zotero and Mendeley read it) and BibTeX.
 * Values stand on one line and hold no control characters; in BibTeX what TeX would take for a command is escaped.
 */
import { titleOf } from "./passages.ts";
import type { IndexedDocument } from "./types.ts";

/** Text on one line, without what a terminal or a format would obey. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();

/** Identifiers of records of PubMed, which have publication types, are PMIDs; a number in a file of one's own is none. */
const isPmid = ({ id, types }: IndexedDocument): boolean => types.length > 0 && /^[1-9]\d{0,7}$/.test(id);

interface Name {
  readonly last: string;
  /** "J. A."; empty: a group's name. */
  readonly initials: string;
}

/** "Smith JA", as PubMed lists authors; whatever does not end in initials is a name as a whole. */
function nameOf(author: string): Name {
  const found = /^(.+) (\p{Lu}{1,4})$/u.exec(oneLine(author));
  if (found === null) return { last: oneLine(author), initials: "" };
  return { last: found[1]!, initials: [...found[2]!].map((letter) => `${letter}.`).join(" ") };
}

/** "1123-8" is from 1123 to 1128. */
function pagesOf(pages: string): readonly [first: string, last: string | undefined] {
  const found = /^\s*([^\s\-–,;]+)\s*[-–]\s*([^\s\-–,;]+)\s*$/.exec(pages);
  if (found === null) return [oneLine(pages), undefined];
  const [first, last] = [found[1]!, found[2]!];
  const isShort = /^\d+$/.test(last) && last.length < first.length;
  return [first, isShort ? first.slice(0, first.length - last.length) + last : last];
}

/** The abstract: what is not the title. */
function abstractOf(document: IndexedDocument): string {
  const title = titleOf(document);
  const sections = document.sections.filter((one) => one !== title);
  return sections.map(({ start, end }) => document.text.slice(start, end)).join(" ");
}

const retraction = "Retracted publication";

/** One document in RIS, lines ended as the format asks. */
export function toRis(document: IndexedDocument): string {
  const { id, title, date, journal, journalAbbreviation, volume, issue, pages, authors, doi, mesh, keywords } =
    document;
  const [first, last] = pages === null ? [] : pagesOf(pages);
  const [year = "", month = "", day = ""] = date?.split("-") ?? [];
  const lines: readonly (readonly [tag: string, value: string | null | undefined])[] = [
    ["TY", journal === null ? "GEN" : "JOUR"],
    ["ID", id],
    ["TI", title],
    ...authors.map((author) => {
      const { last: name, initials } = nameOf(author);
      return ["AU", initials === "" ? name : `${name}, ${initials}`] as const;
    }),
    ["PY", year],
    ["DA", year === "" ? null : `${year}/${month}/${day}/`],
    ["T2", journal],
    ["J2", journalAbbreviation],
    ["VL", volume],
    ["IS", issue],
    ["SP", first],
    ["EP", last],
    ["DO", doi],
    ["AN", isPmid(document) ? id : null],
    ["DB", isPmid(document) ? "PubMed" : null],
    ["UR", isPmid(document) ? `https://pubmed.ncbi.nlm.nih.gov/${id}/` : null],
    ["LA", document.language],
    ...[...new Set([...mesh, ...keywords])].map((word) => ["KW", word] as const),
    ["M3", document.types.join("; ")],
    ["N1", document.retracted ? retraction : null],
    ["AB", abstractOf(document)],
  ];
  const written = lines.flatMap(([tag, value]) => {
    const text = oneLine(value ?? "");
    return text === "" ? [] : [`${tag}  - ${text}`];
  });
  return `${[...written, "ER  - "].join("\r\n")}\r\n\r\n`;
}

const special: Readonly<Record<string, string>> = {
  "\\": String.raw`\textbackslash{}`,
  "~": String.raw`\textasciitilde{}`,
  "^": String.raw`\textasciicircum{}`,
};

const escaped = (text: string): string =>
  oneLine(text).replace(/[\\{}$&#%_~^]/g, (mark) => special[mark] ?? `\\${mark}`);

/** Without accents, letters and digits alone. */
const plain = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/[øØ]/g, "o")
    .replace(/[łŁ]/g, "l")
    .replace(/ß/g, "ss")
    .replace(/[^A-Za-z0-9]/g, "");

const small = new Set("a an and as at by for from in is of on or the to with".split(" "));

function keyOf({ authors, year, title, id }: IndexedDocument): string {
  const name = plain(nameOf(authors[0] ?? "").last);
  const word = title
    .split(/[^\p{L}\p{N}]+/u)
    .map(plain)
    .find((one) => one.length > 1 && !small.has(one.toLowerCase()));
  const key = `${name}${year ?? ""}${word?.toLowerCase() ?? ""}`;
  return /^[A-Za-z]/.test(key) ? key.slice(0, 60) : `ref${plain(id).slice(0, 40)}`;
}

/** After "a" to "z" come "aa", "ab", as of columns of a table. */
function letters(number: number): string {
  const rest = Math.floor(number / 26) - 1;
  return (rest < 0 ? "" : letters(rest)) + String.fromCharCode(97 + (number % 26));
}

function bibtexAuthors(authors: readonly string[]): string {
  const names = authors.map((author) => {
    const { last, initials } = nameOf(author);
    return initials === "" ? `{${escaped(last)}}` : `${escaped(last)}, ${initials}`;
  });
  return names.join(" and ");
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** Documents as BibTeX's entries; keys are author, year and a word of the title, "Smith2019aspirin", and no two alike. */
export function toBibtex(documents: readonly IndexedDocument[]): string[] {
  const keys = new Set<string>();
  return documents.map((document) => {
    const base = keyOf(document);
    let key = base;
    for (let i = 0; keys.has(key.toLowerCase()); i++) key = base + letters(i);
    keys.add(key.toLowerCase());
    return entryOf(document, key);
  });
}

function entryOf(document: IndexedDocument, key: string): string {
  const { title, authors, journal, year, date, volume, issue, pages, doi, pmcid } = document;
  const [first, last] = pages === null ? [] : pagesOf(pages);
  const month = months[Number(date?.split("-")[1] ?? 0) - 1];
  const text = (value: string | null | undefined): string | undefined => {
    const one = escaped(value ?? "");
    return one === "" ? undefined : `{${one}}`;
  };
  const fields: readonly (readonly [name: string, value: string | undefined])[] = [
    // The second pair keeps a style from changing "DNA" to "dna".
    ["title", text(title) && `{${text(title)}}`],
    ["author", authors.length === 0 ? undefined : `{${bibtexAuthors(authors)}}`],
    ["journal", text(journal)],
    ["year", year === null ? undefined : `{${year}}`],
    ["month", month],
    ["volume", text(volume)],
    ["number", text(issue)],
    ["pages", text(first) && `{${escaped(first!)}${last === undefined ? "" : `--${escaped(last)}`}}`],
    // Read as it stands, by the packages that make links of it.
    ["doi", doi === null ? undefined : `{${oneLine(doi).replace(/[\\{}%#\s]/g, encodeURIComponent)}}`],
    ["pmid", isPmid(document) ? `{${document.id}}` : undefined],
    ["pmcid", text(pmcid)],
    ["language", text(document.language)],
    ["keywords", text([...new Set([...document.mesh, ...document.keywords])].join(", "))],
    ["note", document.retracted ? `{${retraction}}` : undefined],
    ["abstract", text(abstractOf(document))],
  ];
  const written = fields.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name} = ${value}`]));
  return `@${journal === null ? "misc" : "article"}{${key},\n${written.join(",\n")}\n}\n\n`;
}
