/**
 * XML as events, after XML 1.0 (fifth edition), namespaces left alone. Entities are never expanded: XML's own five, character
 * references, and the fixed characters that a caller names. A scanner of our own reads what most files consist of, elements,
 * attributes, text, comments and processing instructions, several times as fast as saxes; whatever else it meets, a mistake
 * above all, it leaves to saxes, which reads all of the text anew and says what is wrong.
 */
import { SaxesParser } from "saxes";
import { DataError } from "../../errors.ts";

export type Attributes = Readonly<Record<string, string | undefined>>;

/** Takes one text's events; it is asked for anew where a text is read anew. */
export interface XmlHandler {
  /** Whether text that comes now is of use: what is not is checked, but not handed over. */
  readonly takesText: boolean;
  open(name: string, attributes: Attributes): void;
  close(): void;
  /** Text comes in any number of pieces. */
  text(text: string): void;
  /** Where there is one, an element that holds nothing but text may come as this, in place of `open`, `text` and `close`. */
  leaf?(name: string, attributes: Attributes, text: string): void;
}

/** Characters by the names of entities, beyond XML's five. */
export type NamedCharacters = Readonly<Record<string, string>>;

const none: Attributes = Object.freeze({});
const noCharacters: NamedCharacters = Object.freeze(Object.create(null) as Record<string, string>);

/** By code, of ASCII: 1 may start a name, 2 may stand in one. */
const nameClass = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[A-Za-z_]/.test(character) ? 3 : /[-.:0-9]/.test(character) ? 2 : 0;
});

const isNamed = (code: number, bit: 1 | 2): boolean => code < 128 && (nameClass[code]! & bit) !== 0;
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 9;
/** What XML allows nowhere; U+0000 to U+001F but for tab and line ends. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/**
 * Whether UTF-8 has only characters that XML allows: so much faster than to look for others in a text that a block of records
 * is worth it. Four bytes at a time (Hacker's Delight, 6-1): the sign of a byte is set where it may be less than a space.
 */
export function hasAllowedCharacters(bytes: Buffer): boolean {
  const isAllowed = (byte: number): boolean => byte >= 32 || byte === 10 || byte === 9 || byte === 13;
  const first = Math.min(bytes.length, -bytes.byteOffset & 3);
  const count = (bytes.length - first) >> 2;
  const words = count === 0 ? new Int32Array() : new Int32Array(bytes.buffer, bytes.byteOffset + first, count);
  for (let at = 0; at < first; at++) if (!isAllowed(bytes[at]!)) return false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (((word - 0x20202020) & ~word & 0x80808080) === 0) continue;
    for (let i = 0; i < 4; i++) if (!isAllowed((word >>> (8 * i)) & 255)) return false;
  }
  for (let at = first + 4 * words.length; at < bytes.length; at++) if (!isAllowed(bytes[at]!)) return false;
  return !bytes.includes("\uFFFE") && !bytes.includes("\uFFFF");
}

function isCharacter(code: number): boolean {
  if (code < 0xd800) return code >= 32 || code === 9 || code === 10 || code === 13;
  return code >= 0xe000 && code <= 0x10ffff && code !== 0xfffe && code !== 0xffff;
}

/** References to characters that were met, without "&" and ";"; so many at most. */
const metReferences = new Map<string, string>(Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }));
const mostReferences = 4096;

/** What a reference without "&" and ";" stands for; undefined where it is none. */
function referenced(reference: string, characters: NamedCharacters): string | undefined {
  const met = metReferences.get(reference);
  if (met !== undefined) return met;
  const number = /^#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}))$/.exec(reference);
  if (number === null) return Object.hasOwn(characters, reference) ? characters[reference] : undefined;
  const code = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
  if (!isCharacter(code)) return undefined;
  const character = String.fromCodePoint(code);
  if (metReferences.size < mostReferences) metReferences.set(Buffer.from(reference).toString(), character);
  return character;
}

/** Text with its references replaced; undefined where one is none. */
function decoded(text: string, characters: NamedCharacters): string | undefined {
  let plain = "";
  let at = 0;
  for (let start = text.indexOf("&"); start >= 0; start = text.indexOf("&", at)) {
    const end = text.indexOf(";", start);
    const character = end < 0 || end - start > 40 ? undefined : referenced(text.slice(start + 1, end), characters);
    if (character === undefined) return undefined;
    plain += text.slice(at, start) + character;
    at = end + 1;
  }
  return plain + text.slice(at);
}

/**
 * Names that were met, by their length and their first and last characters: that a file has the same few again and again, so that
 * mostly no text is made for one. What is in a place of the table is looked at, so that a name that shares it costs a text.
 */
const metNames: string[] = [];
/** Characters of a name, or of all attributes of a tag, that are kept. */
const longestMet = 64;

function nameAt(xml: string, start: number, end: number): string {
  const place = ((end - start) * 61 + xml.charCodeAt(start) * 7 + xml.charCodeAt(end - 1) * 31) & 1023;
  const met = metNames[place];
  if (met !== undefined && met.length === end - start && xml.startsWith(met, start)) return met;
  const name = xml.slice(start, end);
  // A text of its own, not a part of `xml`, which would be kept for it.
  if (name.length <= longestMet) metNames[place] = Buffer.from(name, "latin1").toString("latin1");
  return name;
}

/** Attributes by how they are written, of tags that were met; so many at most, of so many characters. */
const metAttributes = new Map<string, Attributes>();
const mostMet = 4096;

/** Attributes of a tag from `at` on, and where they end: at ">" or "/"; undefined where something is not plain. */
function attributesAt(
  xml: string,
  at: number,
  characters: NamedCharacters,
): { attributes: Attributes; end: number } | undefined {
  const end = xml.indexOf(">", at);
  if (end < 0) return undefined;
  // What was met up to a ">" has no open quote there: the tag ends with it.
  const written = end - at <= longestMet ? xml.slice(at, end) : "";
  const met = metAttributes.get(written);
  if (met !== undefined) return { attributes: met, end };
  const found = parseAttributes(xml, at, characters);
  if (found?.end === end && written !== "" && !written.includes("&")) {
    // One file's are of no use to the next.
    if (metAttributes.size === mostMet) metAttributes.clear();
    // Of a text of its own: parts of \`xml\` would keep all of it.
    const own = Buffer.from(`${written}>`).toString();
    metAttributes.set(own.slice(0, -1), parseAttributes(own, 0, characters)!.attributes);
  }
  return found;
}

function parseAttributes(
  xml: string,
  at: number,
  characters: NamedCharacters,
): { attributes: Attributes; end: number } | undefined {
  const attributes: Record<string, string> = {};
  for (;;) {
    const before = at;
    while (isSpace(xml.charCodeAt(at))) at++;
    const first = xml.charCodeAt(at);
    if (first === 62 || first === 47) return { attributes, end: at };
    if (at === before || !isNamed(first, 1)) return undefined;
    const start = at;
    while (isNamed(xml.charCodeAt(at), 2)) at++;
    const name = nameAt(xml, start, at);
    while (isSpace(xml.charCodeAt(at))) at++;
    if (xml.charCodeAt(at++) !== 61) return undefined;
    while (isSpace(xml.charCodeAt(at))) at++;
    const quote = xml.charCodeAt(at++);
    if (quote !== 34 && quote !== 39) return undefined;
    const end = xml.indexOf(quote === 34 ? '"' : "'", at);
    if (end < 0 || name === "__proto__" || Object.hasOwn(attributes, name)) return undefined;
    const raw = xml.slice(at, end);
    // A line end in a value is a space: rare, and left to saxes.
    if (/[<\t\n]/.test(raw)) return undefined;
    const value = raw.includes("&") ? decoded(raw, characters) : raw;
    if (value === undefined) return undefined;
    attributes[name] = value;
    at = end + 1;
  }
}

/** The end of a comment, a CDATA section or a processing instruction at `at`; -1 where it is not plain. */
function endOfSpecial(xml: string, at: number, handler: XmlHandler, isInside: boolean): number {
  if (xml.charCodeAt(at + 1) === 63) {
    let nameEnd = at + 2;
    if (!isNamed(xml.charCodeAt(nameEnd), 1)) return -1;
    while (isNamed(xml.charCodeAt(nameEnd), 2)) nameEnd++;
    const end = xml.indexOf("?>", nameEnd);
    const isPlain = end === nameEnd || isSpace(xml.charCodeAt(nameEnd));
    const name = xml.slice(at + 2, nameEnd);
    return end < 0 || !isPlain || name.includes(":") || name.toLowerCase() === "xml" ? -1 : end + 2;
  }
  if (xml.startsWith("<!--", at)) {
    const end = xml.indexOf("--", at + 4);
    return end < 0 || xml.charCodeAt(end + 2) !== 62 ? -1 : end + 3;
  }
  if (!isInside || !xml.startsWith("<![CDATA[", at)) return -1;
  const end = xml.indexOf("]]>", at + 9);
  if (end < 0) return -1;
  if (handler.takesText) handler.text(xml.slice(at + 9, end));
  return end + 3;
}

/** Where the text from `at` to `end` is one, and given to the handler; false where it is not plain. */
function givesText(
  xml: string,
  at: number,
  end: number,
  hasReference: boolean,
  handler: XmlHandler,
  characters: NamedCharacters,
): boolean {
  if (!hasReference) {
    if (handler.takesText) handler.text(xml.slice(at, end));
    return true;
  }
  const text = decoded(xml.slice(at, end), characters);
  if (text === undefined) return false;
  if (handler.takesText) handler.text(text);
  return true;
}

/** Where the text of an element from `at` on ends, if the element's end tag stands there; -1 where it does not. */
function leafEnd(xml: string, at: number, name: string): number {
  const first = xml.charCodeAt(at);
  // Where elements hold elements, these or a line end come first.
  if (first === 60 || first === 10) return -1;
  const end = xml.indexOf("<", at);
  const isOwn = end > 0 && xml.charCodeAt(end + 1) === 47 && xml.charCodeAt(end + 2 + name.length) === 62;
  return isOwn && xml.startsWith(name, end + 2) ? end : -1;
}

/** Gives `handler` the events of `xml`, whose lines end in line feeds; false: something in it is not plain. */
function scanPlain(xml: string, handler: XmlHandler, characters: NamedCharacters): boolean {
  const open: string[] = [];
  const mayEndSection = xml.includes("]]>");
  let ampersand = -2;
  let at = 0;
  let isRootSeen = false;
  while (at < xml.length) {
    const tag = xml.charCodeAt(at) === 60 ? at : xml.indexOf("<", at);
    const textEnd = tag < 0 ? xml.length : tag;
    if (textEnd > at) {
      if (ampersand !== -1 && ampersand < at) ampersand = xml.indexOf("&", at);
      if (mayEndSection && xml.slice(at, textEnd).includes("]]>")) return false;
      if (open.length === 0) {
        if (/[^ \n\t]/.test(xml.slice(at, textEnd))) return false;
      } else if (!givesText(xml, at, textEnd, ampersand !== -1 && ampersand < textEnd, handler, characters))
        return false;
    }
    if (tag < 0) break;
    const code = xml.charCodeAt(tag + 1);
    if (code === 47) {
      const name = open.pop();
      if (name === undefined || !xml.startsWith(name, tag + 2)) return false;
      at = tag + 2 + name.length;
      while (isSpace(xml.charCodeAt(at))) at++;
      if (xml.charCodeAt(at++) !== 62) return false;
      handler.close();
    } else if (code === 33 || code === 63) {
      at = endOfSpecial(xml, tag, handler, open.length > 0);
      if (at < 0) return false;
    } else {
      if (!isNamed(code, 1) || (isRootSeen && open.length === 0)) return false;
      isRootSeen = true;
      at = tag + 2;
      while (isNamed(xml.charCodeAt(at), 2)) at++;
      const name = nameAt(xml, tag + 1, at);
      let attributes = none;
      if (xml.charCodeAt(at) !== 62) {
        const found = attributesAt(xml, at, characters);
        if (found === undefined) return false;
        ({ attributes, end: at } = found);
      }
      const leaf = handler.leaf === undefined || xml.charCodeAt(at) === 47 ? -1 : leafEnd(xml, at + 1, name);
      if (leaf >= 0) {
        if (ampersand !== -1 && ampersand < at) ampersand = xml.indexOf("&", at);
        let text: string | undefined = xml.slice(at + 1, leaf);
        if (mayEndSection && text.includes("]]>")) return false;
        if (ampersand !== -1 && ampersand < leaf) text = decoded(text, characters);
        if (text === undefined) return false;
        handler.leaf!(name, attributes, text);
        at = leaf + 3 + name.length;
        continue;
      }
      handler.open(name, attributes);
      if (xml.charCodeAt(at) === 47) {
        if (xml.charCodeAt(++at) !== 62) return false;
        handler.close();
      } else open.push(name);
      at += 1;
    }
  }
  return isRootSeen && open.length === 0;
}

/** As `readXml`, by saxes alone. */
export function readBySaxes(xml: string, handler: XmlHandler, characters: NamedCharacters = noCharacters): void {
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  Object.assign(parser.ENTITIES, characters);
  parser.on("opentag", ({ name, attributes }) => handler.open(name, attributes));
  parser.on("closetag", () => handler.close());
  const onText = (text: string): void => {
    if (handler.takesText) handler.text(text);
  };
  parser.on("text", onText);
  parser.on("cdata", onText);
  parser.on("error", (error) => {
    throw new DataError(`not well-formed XML: ${error.message.replace(/^\d+:\d+: /, "")}`);
  });
  parser.write(xml).close();
}

/**
 * Gives a handler the events of one document or element.
 * @param isChecked whether `hasAllowedCharacters` was so of the bytes that it comes from.
 * @returns the handler that had all of them.
 * @throws DataError where the text is not well-formed or names an entity that is not known; what the handler throws.
 */
export function readXml<Handler extends XmlHandler>(
  xml: string,
  createHandler: () => Handler,
  characters: NamedCharacters = noCharacters,
  isChecked: boolean = false,
): Handler {
  const first = createHandler();
  const text = xml.includes("\r") ? xml.replace(/\r\n?/g, "\n") : xml;
  if ((isChecked || !forbidden.test(text)) && scanPlain(text, first, characters)) return first;
  const second = createHandler();
  readBySaxes(xml, second, characters);
  return second;
}
