/**
 * The text of a JATS article (ANSI/NISO Z39.96; NLM's DTDs 2.x and 3.0 before it) as sections: paragraphs, lists, quotations
 * and footnotes as text; tables, figures' captions and boxes behind the text of the section that they stand in, so that no
 * sentence is cut by them; references. A formula is taken once, as TeX where there is TeX. Left out: graphics, media,
 * supplementary material, labels of sections, items and formulas.
 */
import type { CorpusSection, SectionKind } from "../corpus-document.ts";
import { at, child, children, clean, textAt, textOf, within, type XmlElement } from "../xml/tree.ts";
import { section } from "./events.ts";
import { formulaIn } from "./formula-text.ts";
import { tableText } from "./table-text.ts";

/** Ends the paragraph that it stands in. */
const blocks = new Set(
  "list def-list disp-quote verse-group preformat code statement speech p disp-formula-group fn-group question-wrap".split(
    " ",
  ),
);
/** Stands beside the text. */
const floats = new Set("table-wrap table-wrap-group fig fig-group boxed-text chem-struct-wrap".split(" "));
const leftOut = new Set(
  (
    "supplementary-material inline-supplementary-material media graphic inline-graphic inline-media object-id label title " +
    "sec-meta alt-text long-desc permissions processing-meta index-term xref-group attrib-group subtitle"
  ).split(" "),
);
const formulas = new Set("disp-formula inline-formula alternatives math tex-math chem-struct".split(" "));

function formulaText(element: XmlElement): string {
  return formulaIn(element) ?? inline(within(element, "textual-form")[0] ?? element);
}

/** Text of an element with what stands in its lines. */
export function inline(element: XmlElement): string {
  let text = "";
  for (const one of element.children) {
    if (typeof one === "string") text += one;
    else if (one.name === "break") text += " ";
    else if (formulas.has(one.name)) text += formulaText(one);
    else if (!leftOut.has(one.name) && !floats.has(one.name) && one.name !== "fn") text += inline(one);
  }
  return text;
}

export function inlineText(element: XmlElement | undefined): string {
  return element === undefined ? "" : clean(inline(element));
}

interface Gathered {
  readonly paragraphs: string[];
  readonly beside: CorpusSection[];
}

const under = (path: string, title: string): string =>
  path === "" || title === "" ? path || title : `${path} > ${title}`;

/** The runs of text in a paragraph, cut where a list or another block stands in it. */
function gatherParagraph(paragraph: XmlElement, path: string, found: Gathered): void {
  let run = "";
  const notes: XmlElement[] = [];
  const flush = (): void => {
    found.paragraphs.push(clean(run));
    run = "";
  };
  const walk = (element: XmlElement): void => {
    for (const one of element.children) {
      if (typeof one === "string") run += one;
      else if (one.name === "break") run += " ";
      else if (one.name === "disp-formula") run += ` ${formulaText(one)} `;
      else if (formulas.has(one.name)) run += formulaText(one);
      else if (one.name === "fn") notes.push(one);
      else if (floats.has(one.name)) gatherFloat(one, path, found);
      else if (blocks.has(one.name)) {
        flush();
        gather([one], path, found);
      } else if (!leftOut.has(one.name)) walk(one);
    }
  };
  walk(paragraph);
  flush();
  for (const note of notes) gather(children(note), path, found);
}

function gatherFloat(element: XmlElement, path: string, found: Gathered): void {
  if (element.name === "boxed-text") {
    found.beside.push(...sectionsOf(element, path, "text"));
    return;
  }
  if (element.name.endsWith("-group")) {
    const title = under(path, inlineText(child(element, "label")));
    found.beside.push(...section(title, "caption", captionOf(element)));
    for (const one of children(element)) if (floats.has(one.name)) gatherFloat(one, path, found);
    return;
  }
  const title = under(path, inlineText(child(element, "label")));
  found.beside.push(...section(title, "caption", [...captionOf(element), ...footOf(element)]));
  for (const table of within(element, "table"))
    found.beside.push(...section(title, "table", [tableText(table, cellText)]));
}

const cellText = (cell: XmlElement): string => {
  const parts: string[] = [];
  const found: Gathered = { paragraphs: parts, beside: [] };
  gatherParagraph(cell, "", found);
  return parts.filter((part) => part !== "").join(" ");
};

function captionOf(element: XmlElement): string[] {
  return children(element, "caption").flatMap((caption) => [
    inlineText(child(caption, "title")),
    ...paragraphsOf(children(caption)),
  ]);
}

/** Notes below a table, each a paragraph, with the mark that refers to it. */
function footOf(element: XmlElement): string[] {
  return children(element, "table-wrap-foot").flatMap((foot) => paragraphsOf(children(foot)));
}

/** Text of blocks alone. */
export function paragraphsOf(elements: readonly XmlElement[]): string[] {
  const found: Gathered = { paragraphs: [], beside: [] };
  gather(elements, "", found);
  return found.paragraphs.filter((paragraph) => paragraph !== "");
}

function gather(elements: readonly XmlElement[], path: string, found: Gathered): void {
  for (const one of elements) {
    if (floats.has(one.name)) gatherFloat(one, path, found);
    else if (one.name === "disp-formula" || one.name === "tex-math") found.paragraphs.push(formulaText(one));
    else if (one.name === "def-item") {
      const term = inlineText(child(one, "term"));
      const meaning = paragraphsOf(children(one, "def")).join(" ");
      found.paragraphs.push([term, meaning].filter((text) => text !== "").join(": "));
    } else if (one.name === "ref-list") found.beside.push(...referencesOf(one, path));
    else if (one.name === "sec") found.beside.push(...sectionsOf(one, path, "text"));
    else if (leftOut.has(one.name)) continue;
    else if (one.name !== "p" && children(one).some(({ name }) => isBlock(name))) gather(children(one), path, found);
    else gatherParagraph(one, path, found);
  }
}

const isBlock = (name: string): boolean =>
  blocks.has(name) || floats.has(name) || ["list-item", "def-item", "sec", "fn", "ref-list"].includes(name);

/** A section and those inside it, under the titles of those around it. */
export function sectionsOf(element: XmlElement, path: string, kind: SectionKind): CorpusSection[] {
  const own = inlineText(child(element, "title") ?? at(element, "caption", "title"));
  const title = under(path, own);
  const found: Gathered = { paragraphs: [], beside: [] };
  gather(
    children(element).filter(({ name }) => name !== "sec" && name !== "caption"),
    title,
    found,
  );
  return [
    ...section(title, kind, found.paragraphs),
    ...found.beside,
    ...children(element, "sec").flatMap((one) => sectionsOf(one, title, kind)),
  ];
}

const nameOf = (element: XmlElement): string =>
  [textAt(element, "surname"), textAt(element, "given-names"), textAt(element, "suffix")]
    .filter((part) => part !== "")
    .join(" ");

/** A citation that holds fields and no words between them, in one line. */
function citationFields(citation: XmlElement): string {
  const names = within(citation, "name", "string-name", "collab", "etal").map((one) =>
    one.name === "name" ? nameOf(one) : one.name === "etal" ? "et al" : textOf(one),
  );
  const parts: string[] = [];
  for (const one of children(citation)) {
    if (["person-group", "name", "string-name", "collab", "etal", "pub-id", "object-id", "label"].includes(one.name))
      continue;
    const text = inlineText(one);
    if (text !== "") parts.push(one.name === "lpage" && parts.length > 0 ? `${parts.pop()!}-${text}` : text);
  }
  return [names.join(", "), ...parts].filter((part) => part !== "").join(". ");
}

function referenceText(reference: XmlElement): string {
  const citations = within(reference, "mixed-citation", "element-citation", "citation", "nlm-citation");
  if (citations.length === 0) return inlineText(reference);
  // The same one in two forms stands in citation-alternatives.
  const some = child(reference, "citation-alternatives") === undefined ? citations : citations.slice(0, 1);
  return some
    .map((one) => {
      const hasWords = one.children.some((part) => typeof part === "string" && part.trim() !== "");
      return hasWords ? inlineText(one) : citationFields(one);
    })
    .join(" ");
}

/** References, each a paragraph; lists inside lists are sections of their own. */
export function referencesOf(list: XmlElement, path: string): CorpusSection[] {
  const title = under(path, inlineText(child(list, "title")) || "References");
  return [
    ...section(title, "reference", children(list, "ref").map(referenceText)),
    ...children(list, "ref-list").flatMap((one) => referencesOf(one, title)),
  ];
}
