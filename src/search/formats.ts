/** Results of a search as text for a terminal, JSON lines, CSV (RFC 4180), RIS and BibTeX. */
import { type Cell, csvOf } from "../io/cells.ts";
import { oneLine, toBibtex, toRis } from "./citations.ts";
import type { Facets, Hit, IndexedDocument, SearchResult } from "./types.ts";

export type SearchFormat = "text" | "json" | "csv" | "ris" | "bibtex";
export const searchFormats: readonly SearchFormat[] = ["text", "json", "csv", "ris", "bibtex"];

export interface FormatOptions {
  /** Columns of text; default 100. */
  readonly width?: number | undefined;
  /** Marks words of the query, for a terminal. Default false. */
  readonly colour?: boolean | undefined;
  /** Of the first hit; default 1. */
  readonly first?: number | undefined;
}

/** What a result looks like in a format; `documents` are those of its hits, in their order, which RIS and BibTeX write. */
export function formatted(
  format: SearchFormat,
  result: SearchResult,
  documents: readonly (IndexedDocument | undefined)[],
  options: FormatOptions = {},
): string {
  const found = documents.filter((one) => one !== undefined);
  switch (format) {
    case "text":
      return toText(result, options);
    case "json":
      return result.hits.map((hit) => `${JSON.stringify(hit)}\n`).join("");
    case "csv":
      return toCsv(result.hits, documents);
    case "ris":
      return found.map(toRis).join("");
    case "bibtex":
      return toBibtex(found).join("");
  }
}

const columns = "id,score,title,year,journal,authors,types,doi,retracted,passage,start,end".split(",");

function toCsv(hits: readonly Hit[], documents: readonly (IndexedDocument | undefined)[]): string {
  const rows = hits.map((hit, i) => {
    const { id, score, title, year, journal, authors, types, retracted, passage, start, end } = hit;
    const doi = documents[i]?.doi ?? "";
    return [id, score, title, year, journal, authors.join("; "), types.join("; "), doi, retracted, passage, start, end];
  });
  return csvOf([columns, ...rows.map((row) => row.map(asText))]);
}

/** A text of signs and digits alone is a text too, and no number. */
const asText = (value: Cell): Cell => (typeof value === "string" && /^[+-]/.test(value) ? `'${value}` : value);

/** Of a passage so many characters are shown. */
const shownPassage = 500;

function toText({ hits, total, facets, understood, mode }: SearchResult, options: FormatOptions): string {
  const { first = 1 } = options;
  const matched =
    total === null ? "" : `${total.toLocaleString("en")} ${total === 1 ? "document matches" : "documents match"}, `;
  const head = `${matched}${hits.length} shown (${mode}): ${oneLine(understood)}\n\n`;
  return (
    head +
    hits.map((hit, i) => hitText(hit, first + i, options)).join("\n") +
    (facets === undefined ? "" : facetsText(facets))
  );
}

function hitText(hit: Hit, number: number, { width = 100, colour = false }: FormatOptions): string {
  const { id, title, score, year, journal, types, authors, retracted, start, end } = hit;
  const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[22m` : text);
  const who = authors.length > 3 ? `${authors[0]} et al.` : authors.join(", ");
  const about = [who, journal, year, types.join(", ")].filter((one) => one !== null && one !== "").join(" · ");
  const lines = [
    `${String(number).padStart(3)}. ${bold(oneLine(title) || "(no title)")}`,
    ...(retracted ? [`     ${colour ? "\u001b[31mRETRACTED\u001b[39m" : "RETRACTED"}`] : []),
    ...(about === "" ? [] : [`     ${oneLine(about)}`]),
    `     ${oneLine(id)}  [${start}, ${end})  ${score.toPrecision(4)}`,
  ];
  const shown = wrapped(marked(hit), Math.max(20, width - 5), colour);
  return `${[...lines, ...shown.map((line) => `     ${line}`)].join("\n")}\n`;
}

interface Piece {
  readonly text: string;
  readonly isMarked: boolean;
}

/** The passage, or as much of it as is shown around its first word of the query, cut where words of it begin and end. */
function marked({ passage: whole, title, start: first, end, highlights }: Hit): Piece[] {
  // A passage that begins with the title goes on behind it: the title stands above.
  const behind = title !== "" && whole.startsWith(title) ? whole.slice(title.length).trimStart() : whole;
  const [passage, start] = [behind, first + whole.length - behind.length];
  const inside = highlights
    .filter(([from, to]) => from >= start && to <= end)
    .map(([from, to]) => [from - start, to - start] as const);
  let from = passage.length <= shownPassage ? 0 : Math.max(0, (inside[0]?.[0] ?? 0) - 100);
  if (from > 0) from = passage.indexOf(" ", from) + 1 || from;
  const cut = passage.lastIndexOf(" ", from + shownPassage);
  const to = from + shownPassage >= passage.length || cut <= from ? Math.min(passage.length, from + shownPassage) : cut;
  const pieces: Piece[] = from > 0 ? [{ text: "… ", isMarked: false }] : [];
  let at = from;
  for (const [begin, stop] of inside) {
    if (begin < at || stop > to) continue;
    pieces.push(
      { text: passage.slice(at, begin), isMarked: false },
      { text: passage.slice(begin, stop), isMarked: true },
    );
    at = stop;
  }
  pieces.push({ text: passage.slice(at, to), isMarked: false });
  return to < passage.length ? [...pieces, { text: " …", isMarked: false }] : pieces;
}

/** Lines of at most `width` characters; marks are not counted. */
function wrapped(pieces: readonly Piece[], width: number, colour: boolean): string[] {
  const lines: string[] = [];
  let [line, length] = ["", 0];
  let [word, wordLength] = ["", 0];
  const endWord = (): void => {
    if (wordLength === 0) return;
    if (length > 0 && length + 1 + wordLength > width) {
      lines.push(line);
      [line, length] = [word, wordLength];
    } else [line, length] = [length === 0 ? word : `${line} ${word}`, length + (length === 0 ? 0 : 1) + wordLength];
    [word, wordLength] = ["", 0];
  };
  for (const { text, isMarked } of pieces) {
    // Control characters are white space here: a text may hold what a terminal would obey.
    for (const part of text.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, " ").split(/(\s+)/)) {
      if (/^\s/.test(part)) endWord();
      else if (part !== "") {
        word += isMarked && colour ? `\u001b[33m${part}\u001b[39m` : part;
        wordLength += part.length;
      }
    }
  }
  endWord();
  return length > 0 ? [...lines, line] : lines;
}

function facetsText(facets: Facets): string {
  const lines = (["years", "types", "journals", "mesh", "languages"] as const).flatMap((name) => {
    const values = name === "years" ? facets.years.slice(-10) : facets[name].slice(0, 10);
    return values.length === 0
      ? []
      : [`${name}: ${values.map(({ value, count }) => `${oneLine(value)} (${count})`).join(", ")}`];
  });
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}
