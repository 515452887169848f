/**
 * HTML as sections: linkedom makes the tree (no script runs, nothing is loaded), Readability (Firefox's reader view) finds the
 * main content where a page is asked for, and headings, paragraphs, lists, tables and captions become sections. Left out:
 * navigation, forms, scripts, styles, what is hidden.
 */
import { DataError } from "../../errors.ts";
import type { CorpusSection, SectionKind } from "../corpus-document.ts";
import { clean, type XmlElement } from "../xml/tree.ts";
import { section } from "./events.ts";
import { tableText } from "./table-text.ts";

/** Of the DOM what is used here. */
interface DomNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly childNodes: ArrayLike<DomNode>;
  getAttribute?(name: string): string | null;
}

const elementNode = 1;
const textNode = 3;
const depthLimit = 256;
const elementLimit = 300_000;
/** Of a page that has main content: what Readability takes for an article. */
const leastCharacters = 500;

const skipped = new Set(
  (
    "SCRIPT STYLE NOSCRIPT TEMPLATE NAV SVG IFRAME OBJECT CANVAS AUDIO VIDEO BUTTON SELECT INPUT TEXTAREA DIALOG HEAD MENU " +
    "MAP LINK META BASE"
  ).split(" "),
);
/** What a page has around its content, where Readability finds none. */
const chrome = new Set("HEADER FOOTER ASIDE FORM".split(" "));
const inlines = new Set(
  (
    "A ABBR ACRONYM B BDI BDO BIG CITE CODE DATA DEL DFN EM FONT I IMG INS KBD LABEL MARK Q S SAMP SMALL SPAN STRIKE STRONG SUB SUP " +
    "TIME TT U VAR WBR RUBY RT RP"
  ).split(" "),
);

const nodesOf = (node: DomNode): DomNode[] => Array.from(node.childNodes);
const nameOf = (node: DomNode): string => node.nodeName.toUpperCase();

/** @throws DataError beyond the limits, before anything walks the tree in depth. */
function checkSize(root: DomNode): void {
  let level = [root];
  let elements = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthLimit) throw new DataError(`elements nested more than ${depthLimit} deep`);
    elements += level.length;
    if (elements > elementLimit) throw new DataError(`more than ${elementLimit} elements`);
    level = level.flatMap((node) => nodesOf(node).filter(({ nodeType }) => nodeType === elementNode));
  }
}

function isHidden(node: DomNode): boolean {
  const has = (name: string): string | null => node.getAttribute?.(name) ?? null;
  return has("hidden") !== null || has("aria-hidden") === "true" || /display:\s*none/i.test(has("style") ?? "");
}

/** The DOM's table as the elements that `tableText` takes. */
function asElement(node: DomNode): XmlElement {
  const attributes: Record<string, string> = {};
  for (const name of ["colspan", "rowspan"]) {
    const value = node.getAttribute?.(name);
    if (typeof value === "string") attributes[name] = value;
  }
  const children: (XmlElement | string)[] = [];
  for (const one of nodesOf(node)) {
    if (one.nodeType === textNode) children.push(one.textContent ?? "");
    else if (one.nodeType === elementNode && !skipped.has(nameOf(one))) children.push(asElement(one));
  }
  return { name: node.nodeName.toLowerCase(), attributes, children };
}

/** Text with a space where an element that is no inline one ends. */
function cellText(element: XmlElement): string {
  const walk = (one: XmlElement): string =>
    one.children
      .map((part) =>
        typeof part === "string" ? part : inlines.has(part.name.toUpperCase()) ? walk(part) : ` ${walk(part)} `,
      )
      .join("");
  return clean(walk(element).replaceAll("\u00a0", " "));
}

/** What stands under a node, headings as titles of what follows them. */
function sectionsOf(root: DomNode, leavesChrome: boolean): CorpusSection[] {
  const found: CorpusSection[] = [];
  /** Titles of the headings around, by their level. */
  const titles: string[] = [];
  let paragraphs: string[] = [];
  let run = "";
  const flush = (): void => {
    paragraphs.push(clean(run.replaceAll("\u00a0", " ")));
    run = "";
  };
  const close = (): void => {
    flush();
    found.push(...section(titles.filter((title) => title !== "").join(" > "), "text", paragraphs));
    paragraphs = [];
  };
  const beside = (kind: SectionKind, text: string): void => {
    const title = titles.filter((one) => one !== "").join(" > ");
    close();
    found.push(...section(title, kind, [text]));
  };
  const walk = (node: DomNode): void => {
    if (node.nodeType === textNode) run += node.textContent ?? "";
    if (node.nodeType !== elementNode) return;
    const name = nameOf(node);
    if (skipped.has(name) || (leavesChrome && chrome.has(name)) || isHidden(node)) return;
    const level = /^H([1-6])$/.exec(name)?.[1];
    if (level !== undefined) {
      close();
      titles.length = Math.min(titles.length, Number(level) - 1);
      while (titles.length < Number(level) - 1) titles.push("");
      titles.push(clean(node.textContent ?? ""));
    } else if (name === "BR") run += "\n";
    else if (name === "TABLE") {
      const caption = nodesOf(node).find((one) => nameOf(one) === "CAPTION");
      if (caption !== undefined) beside("caption", clean(caption.textContent ?? ""));
      beside("table", tableText(asElement(node), cellText));
    } else if (name === "FIGCAPTION") beside("caption", clean(node.textContent ?? ""));
    else if (name === "PRE") {
      flush();
      paragraphs.push((node.textContent ?? "").trim());
    } else if (inlines.has(name)) nodesOf(node).forEach(walk);
    else {
      flush();
      nodesOf(node).forEach(walk);
      flush();
    }
  };
  walk(root);
  close();
  return found;
}

interface Parsed {
  readonly document: Document;
  readonly root: DomNode;
}

/** Node has no DOM; of the types of one only what Readability takes is needed. */
type Document = ConstructorParameters<typeof import("@mozilla/readability").Readability>[0];

/** Elements that end where others begin, or have no end. */
const selfEnding =
  /^(?:p|li|t[drh]|thead|tbody|tfoot|d[dt]|option|optgroup|colgroup|area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|rb|rt|rtc|rp)$/i;

/** @throws DataError where tags open far more than they close: parsing them takes time that grows with their square. */
function checkDepth(html: string): void {
  let depth = 0;
  for (const [, end, name] of html.matchAll(/<(\/?)([A-Za-z][\w-]*)/g)) {
    if (selfEnding.test(name!)) continue;
    depth = end === "/" ? Math.max(0, depth - 1) : depth + 1;
    if (depth > 4 * depthLimit) throw new DataError(`elements nested more than ${depthLimit} deep`);
  }
}

async function parse(html: string): Promise<Parsed> {
  checkDepth(html);
  const { parseHTML } = await import("linkedom");
  const { document } = parseHTML(html) as unknown as { document: Document & { documentElement: DomNode | null } };
  const root = document.documentElement as DomNode | null;
  if (root === null) throw new DataError("expected HTML, got no element");
  checkSize(root);
  return { document, root };
}

/** All text of a fragment or a page, without main content being sought: of notes and attachments. */
export async function htmlSections(html: string): Promise<CorpusSection[]> {
  // Fragments get the elements around them that a parser of pages would give them.
  const whole = /<html[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`;
  return sectionsOf((await parse(whole)).root, false);
}

export interface Page {
  readonly title: string;
  readonly language: string | null;
  readonly published: string | null;
  readonly site: string | null;
  readonly byline: string | null;
  readonly sections: readonly CorpusSection[];
}

/** A page's main content. @throws DataError where it is no HTML or beyond the limits. */
export async function readPage(html: string): Promise<Page> {
  const whole = /<html[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`;
  const { document, root } = await parse(whole);
  const { Readability } = await import("@mozilla/readability");
  const language = root.getAttribute?.("lang") ?? root.getAttribute?.("xml:lang") ?? null;
  const heads = nodesOf(root)
    .filter((node) => nameOf(node) === "HEAD")
    .flatMap(nodesOf);
  const heading = clean(heads.find((node) => nameOf(node) === "TITLE")?.textContent ?? "");
  const bare = sectionsOf(root, true);
  const article = new Readability(document, { serializer: (node) => node, maxElemsToParse: elementLimit }).parse();
  // Of little text it takes what stands around it, too.
  const content =
    (article?.length ?? 0) < leastCharacters ? undefined : (article?.content as DomNode | null | undefined);
  const main = content === null || content === undefined ? [] : sectionsOf(content, false);
  return {
    title: clean(article?.title ?? "") || heading,
    language: language ?? article?.lang ?? null,
    published: article?.publishedTime ?? null,
    site: article?.siteName ?? null,
    byline: article?.byline ?? null,
    sections: main.length === 0 ? bare : main,
  };
}
