/**
 * The records of an XML file as trees, one at a time, for all kinds of XML but PubMed's: articles, trials, patents. A record
 * that is not UTF-8, not well-formed or too large is a failure, and the rest goes on. Named entities of (X)HTML and of ISO's
 * sets, which DTDs of articles and patents declare, stand for their characters; DTDs are never read.
 */
import { isUtf8 } from "node:buffer";
import { DataError } from "../../errors.ts";
import { type RecordNames, splitRecords } from "../xml/record-splitter.ts";
import { hasAllowedCharacters, type NamedCharacters } from "../xml/scan.ts";
import { parseXml, type XmlElement } from "../xml/tree.ts";
import { untilDamage } from "./damage.ts";
import { type FailureEvent, failureEvent, messageOf } from "./events.ts";
import type { SourceInput } from "./kind.ts";

/** Of ISO's Greek letters (isogrk1, isogrk2), whose names HTML does not have. */
const greek =
  "agr α bgr β ggr γ dgr δ egr ε zgr ζ eegr η thgr θ igr ι kgr κ lgr λ mgr μ ngr ν xgr ξ ogr ο pgr π rgr ρ sgr σ sfgr ς tgr τ ugr υ phgr φ khgr χ psgr ψ ohgr ω Agr Α Bgr Β Ggr Γ Dgr Δ Egr Ε Zgr Ζ EEgr Η THgr Θ Igr Ι Kgr Κ Lgr Λ Mgr Μ Ngr Ν Xgr Ξ Ogr Ο Pgr Π Rgr Ρ Sgr Σ Tgr Τ Ugr Υ PHgr Φ KHgr Χ PSgr Ψ OHgr Ω".split(
    " ",
  );

const named = /&([A-Za-z][A-Za-z0-9.]*);/g;

/** Characters of the names of entities in `xml` beyond XML's own; undefined where there are none. */
async function namedCharacters(xml: string): Promise<NamedCharacters | undefined> {
  if (!/&(?!#|amp;|lt;|gt;|quot;|apos;)/.test(xml)) return undefined;
  const { decodeHTMLStrict } = await import("entities");
  const characters = Object.create(null) as Record<string, string>;
  for (const [reference, name] of xml.matchAll(named)) {
    const at = greek.indexOf(name!);
    const text = at >= 0 ? greek[at + 1]! : decodeHTMLStrict(reference);
    // Nothing that could be markup: in text "&LT;" would be "<" all the same, but XML has no such name.
    if (text !== reference && !/[<&]/.test(text)) characters[name!] = text;
  }
  return characters;
}

export interface XmlRecord {
  readonly kind: "record";
  readonly root: XmlElement;
  readonly offset: number;
  /** Of the file, from 1. */
  readonly number: number;
}

/** @throws what the bytes throw, once the records before it were given; the signal's reason. */
export async function* readXmlRecords(
  input: SourceInput,
  names: RecordNames,
  recordLimit: number = 32 << 20,
): AsyncGenerator<XmlRecord | FailureEvent> {
  const { name } = input;
  const { chunks, isLost, throwDamage } = untilDamage(input);
  let number = 0;
  for await (const part of splitRecords(chunks(), names, { recordLimit })) {
    // That there are no records says less than why.
    if (isLost()) break;
    if (!("ranges" in part)) {
      yield failureEvent(name, part.message, part);
      continue;
    }
    const { buffer, ranges } = part;
    const isValid = isUtf8(buffer);
    const isChecked = isValid && hasAllowedCharacters(buffer);
    for (let index = 0; index < ranges.length; index += 2) {
      const [start, end] = [ranges[index]!, ranges[index + 1]!];
      const offset = part.offset + start;
      number += 1;
      try {
        if (!isValid && !isUtf8(buffer.subarray(start, end))) throw new DataError("expected UTF-8, got other bytes");
        const xml = buffer.toString("utf8", start, end);
        yield { kind: "record", root: parseXml(xml, await namedCharacters(xml), isChecked), offset, number };
      } catch (error) {
        yield failureEvent(name, messageOf(error), { offset });
      }
    }
  }
  throwDamage();
}

/** Name of the root element of a file that begins with `head`; undefined where it is no XML. */
export function rootName(head: string): string | undefined {
  const prolog = /^\uFEFF?(?:\s|<\?[^]*?\?>|<!--[^]*?-->)*/.exec(head)![0];
  const rest = head.slice(prolog.length);
  return /^<(?:!DOCTYPE\s+)?(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)/.exec(rest)?.[1];
}
