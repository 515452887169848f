/**
 * Description and claims of a patent in any of the USPTO's schemas: headings by level, paragraphs, lists, tables (CALS),
 * formulas. Left out: numbers of paragraphs, drawings, images of formulas and structures, sequence listings.
 */
import type { CorpusSection } from "../corpus-document.ts";
import { clean, textOf, type XmlElement } from "../xml/tree.ts";
import { section } from "./events.ts";
import { formulaIn } from "./formula-text.ts";
import { tableText } from "./table-text.ts";

/** Names in lower case: the schemas of until 2004 have the same words in capitals, or shorter ones. */
const lower = ({ name }: XmlElement): string => name.toLowerCase();
const headings = new Set(["heading", "h"]);
const paragraphs = new Set(["p", "para", "paragraph"]);
const tables = new Set(["tables", "table", "table-us"]);
const formulas = new Set(["maths", "math", "mathematics", "math-us"]);
const items = new Set(["li", "dd", "dt", "list-item"]);
const leftOut = new Set([
  "number",
  "img",
  "image",
  "emi",
  "us-chemistry",
  "chemistry",
  "chem-us",
  "sequence-list",
  "us-sequence-list-doc",
  "program-listing-deposit",
]);

const elementsOf = (element: XmlElement): XmlElement[] =>
  element.children.filter((one): one is XmlElement => typeof one !== "string");

const cellText = (cell: XmlElement): string => textOf(cell);

/** Its rows and entries in the names that `tableText` takes, spans as HTML has them. */
function asRows(element: XmlElement): XmlElement {
  const name = lower(element);
  const { namest, nameend, morerows } = element.attributes;
  const [first, last] = [namest, nameend].map((column) => Number(/\d+$/.exec(column ?? "")?.[0]));
  const attributes = {
    colspan: first! <= last! ? String(last! - first! + 1) : undefined,
    rowspan: morerows === undefined ? undefined : String(Number(morerows) + 1),
  };
  return {
    name: name === "row" ? "tr" : name === "entry" ? "td" : name,
    attributes,
    children: element.children.map((one) => (typeof one === "string" ? one : asRows(one))),
  };
}

interface Gathered {
  readonly paragraphs: string[];
  readonly tables: string[];
}

/** The runs of text in a paragraph, cut at items of lists; tables stand beside them. */
function gatherParagraph(paragraph: XmlElement, found: Gathered): void {
  let run = "";
  const flush = (): void => {
    found.paragraphs.push(clean(run));
    run = "";
  };
  const walk = (element: XmlElement): void => {
    for (const one of element.children) {
      if (typeof one === "string") {
        run += one;
        continue;
      }
      const name = lower(one);
      if (name === "br") run += " ";
      else if (formulas.has(name)) run += ` ${formulaIn(one) ?? textOf(one)} `;
      else if (tables.has(name)) found.tables.push(tableText(asRows(one), cellText));
      else if (items.has(name) || paragraphs.has(name)) {
        flush();
        walk(one);
        flush();
      } else if (!leftOut.has(name)) walk(one);
    }
  };
  walk(paragraph);
  flush();
}

/** Paragraphs of an abstract. */
export function patentParagraphs(element: XmlElement): string[] {
  const found: Gathered = { paragraphs: [], tables: [] };
  gatherParagraph(element, found);
  return found.paragraphs;
}

/** A description's sections, under the headings around them. */
export function descriptionOf(description: XmlElement): CorpusSection[] {
  const sections: CorpusSection[] = [];
  const titles: { readonly level: number; readonly title: string }[] = [];
  let found: Gathered = { paragraphs: [], tables: [] };
  const close = (): void => {
    const title = titles.map((one) => one.title).join(" > ");
    sections.push(...section(title, "text", found.paragraphs));
    sections.push(...found.tables.flatMap((table) => section(title, "table", [table])));
    found = { paragraphs: [], tables: [] };
  };
  const walk = (element: XmlElement): void => {
    for (const one of elementsOf(element)) {
      const name = lower(one);
      if (headings.has(name)) {
        close();
        const level = Number(one.attributes["level"] ?? one.attributes["lvl"] ?? one.attributes["LVL"] ?? 1) || 1;
        while (titles.length > 0 && titles.at(-1)!.level >= level) titles.pop();
        const title = textOf(one);
        if (title !== "") titles.push({ level, title });
      } else if (paragraphs.has(name)) gatherParagraph(one, found);
      else if (tables.has(name)) found.tables.push(tableText(asRows(one), cellText));
      else if (!leftOut.has(name)) walk(one);
    }
  };
  walk(description);
  close();
  return sections;
}

/** A claim's text; its steps are lines. */
function claimText(claim: XmlElement): string {
  const lines: string[] = [];
  let run = "";
  const flush = (): void => {
    lines.push(clean(run));
    run = "";
  };
  const walk = (element: XmlElement): void => {
    for (const one of element.children) {
      if (typeof one === "string") {
        run += one;
        continue;
      }
      const name = lower(one);
      if (["claim-text", "clmstep", "para", "p"].includes(name)) {
        flush();
        walk(one);
        flush();
      } else if (formulas.has(name)) run += ` ${formulaIn(one) ?? textOf(one)} `;
      else if (name === "br") run += " ";
      else if (!leftOut.has(name)) walk(one);
    }
  };
  walk(claim);
  flush();
  return lines.filter((line) => line !== "").join("\n");
}

/** Claims, each a paragraph. */
export function claimsOf(claims: XmlElement): CorpusSection[] {
  const found: string[] = [];
  const walk = (element: XmlElement): void => {
    for (const one of elementsOf(element)) {
      if (["claim", "clm"].includes(lower(one))) found.push(claimText(one));
      else walk(one);
    }
  };
  walk(claims);
  return section("Claims", "text", found);
}
