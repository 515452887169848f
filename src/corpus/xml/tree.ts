/**
 * XML elements as a tree, text and elements in their order, for formats of text. Names are without their namespace's prefix:
 * "mml:math" is "math"; attributes keep theirs. Limits keep the memory that a text takes within some ten times its size.
 */
import { DataError } from "../../errors.ts";
import { type Attributes, type NamedCharacters, readXml, type XmlHandler } from "./scan.ts";

export interface XmlElement {
  readonly name: string;
  readonly attributes: Attributes;
  readonly children: (XmlElement | string)[];
}

const depthLimit = 256;
/** The largest articles, with tables of thousands of rows, have some hundred thousand. */
const elementLimit = 2_000_000;

interface TreeHandler extends XmlHandler {
  root(): XmlElement;
}

function createTreeHandler(): TreeHandler {
  const top: XmlElement = { name: "", attributes: {}, children: [] };
  const open = [top];
  let current = top.children;
  let elements = 0;
  return {
    root: () => top.children[0] as XmlElement,
    takesText: true,
    open(name, attributes) {
      if (++elements > elementLimit) throw new DataError(`more than ${elementLimit} elements, the next <${name}>`);
      if (open.length > depthLimit) throw new DataError(`elements nested more than ${depthLimit} deep`);
      const colon = name.indexOf(":");
      const element = { name: colon < 0 ? name : name.slice(colon + 1), attributes, children: [] };
      current.push(element);
      open.push(element);
      current = element.children;
    },
    close() {
      open.pop();
      current = open[open.length - 1]!.children;
    },
    text(text) {
      if (open.length > 1) current.push(text);
    },
  };
}

/**
 * The root element of a document, or of one record of it.
 * @param isChecked as of \`readXml\`.
 * @throws DataError where it is not well-formed, names an unknown entity, or is beyond the limits.
 */
export function parseXml(xml: string, characters?: NamedCharacters, isChecked?: boolean): XmlElement {
  return readXml(xml, createTreeHandler, characters, isChecked).root();
}

/** The first child element of this name, or of the other one. */
export function child(element: XmlElement | undefined, name: string, other: string = name): XmlElement | undefined {
  if (element === undefined) return undefined;
  for (const one of element.children) {
    if (typeof one !== "string" && (one.name === name || one.name === other)) return one;
  }
  return undefined;
}

/** Child elements, those of one of these names where there are any names. */
export function children(element: XmlElement | undefined, ...names: readonly string[]): XmlElement[] {
  const found: XmlElement[] = [];
  if (element === undefined) return found;
  for (const one of element.children) {
    if (typeof one !== "string" && (names.length === 0 || names.includes(one.name))) found.push(one);
  }
  return found;
}

/** What stands at the end of a path of first children. */
export function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let found = element;
  for (const name of path) found = child(found, name);
  return found;
}

/** All elements of these names inside an element, outermost ones only, in order. */
export function within(element: XmlElement | undefined, ...names: readonly string[]): XmlElement[] {
  const found: XmlElement[] = [];
  const walk = (inside: XmlElement): void => {
    for (const one of inside.children) {
      if (typeof one === "string") continue;
      if (names.includes(one.name)) found.push(one);
      else walk(one);
    }
  };
  if (element !== undefined) walk(element);
  return found;
}

/** Runs of XML's white space as one space, none at the ends. */
export function clean(text: string): string {
  const plain = /[\n\t\r]| {2}/.test(text) ? text.replace(/[ \t\r\n]+/g, " ") : text;
  const start = plain.charCodeAt(0) === 32 ? 1 : 0;
  const end = plain.charCodeAt(plain.length - 1) === 32 ? plain.length - 1 : plain.length;
  return start === 0 && end === plain.length ? plain : plain.slice(start, end);
}

/** All text in an element, as it stands. */
export function rawText(element: XmlElement): string {
  let text = "";
  for (const one of element.children) text += typeof one === "string" ? one : rawText(one);
  return text;
}

/** All text in an element, cleaned; "" where there is no element. */
export function textOf(element: XmlElement | undefined): string {
  return element === undefined ? "" : clean(rawText(element));
}

/** Text of the element at the end of a path. */
export function textAt(element: XmlElement | undefined, ...path: readonly string[]): string {
  return textOf(at(element, ...path));
}

/** Texts of elements, without empty ones. */
export function texts(elements: readonly XmlElement[]): string[] {
  return elements.map(textOf).filter((text) => text !== "");
}
