/** What readers say of a file: documents that are within the limits, and failures that name their place. */
import { DataError } from "../../errors.ts";
import type { CorpusDocument, CorpusSection, SectionKind } from "../corpus-document.ts";
import { textLimit } from "../text.ts";
import type { SourceEvent } from "./kind.ts";

export type FailureEvent = Extract<SourceEvent, { kind: "failure" }>;

/** Where in a file something stands. */
export interface Place {
  readonly offset?: number | undefined;
  readonly line?: number | undefined;
}

export function failureEvent(source: string, message: string, { offset, line }: Place = {}): FailureEvent {
  return { kind: "failure", failure: { source, offset: offset ?? null, line: line ?? null, message } };
}

/** The first line of what was thrown. @throws what is no DataError: a bug is none of the file's. */
export function messageOf(error: unknown): string {
  if (error instanceof DataError) return error.message.split("\n")[0]!;
  throw error;
}

/** The document as an event; a failure where it has no text, or more than tokenizers take. */
export function documentEvent(document: CorpusDocument, input: string, place: Place = {}): SourceEvent {
  const { id, title, sections } = document;
  let characters = title.length;
  for (const section of sections) characters += section.title.length + section.text.length + 4;
  if (characters === 0) return failureEvent(input, `${id}: expected text, got none`, place);
  if (characters <= textLimit) return { kind: "document", document };
  const message = `${id}: expected at most ${textLimit} characters, got ${characters}: make several documents of it`;
  return failureEvent(input, message, place);
}

/** A section of paragraphs, in a list for `flatMap`; none where there is no text. */
export function section(title: string, kind: SectionKind, paragraphs: readonly string[]): CorpusSection[] {
  const text = paragraphs.filter((paragraph) => paragraph !== "").join("\n\n");
  return text === "" ? [] : [{ title, kind, text }];
}

export type Metadata = Record<string, string | readonly string[]>;

/** Without what is empty; of lists each value once. */
export function metadata(values: Readonly<Record<string, string | null | undefined | readonly string[]>>): Metadata {
  const kept: Metadata = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") {
      if (value !== "") kept[name] = value;
    } else if (value !== null && value !== undefined) {
      const some = [...new Set(value.filter((one) => one !== ""))];
      if (some.length > 0) kept[name] = some;
    }
  }
  return kept;
}

/** Identifiers of a file's own that are kept in mind: of more, a second one of the same name is not told from the first. */
const mostIds = 4_000_000;

/** Identifiers of a file's own as the corpus's: "notes:17", and "notes:17#2" where the file has 17 twice. */
export function createOwnIds(scope: string): (id: string) => string {
  const counts = new Map<string, number>();
  return (id) => {
    const times = (counts.get(id) ?? 0) + 1;
    if (times > 1 || counts.size < mostIds) counts.set(id, times);
    return times === 1 ? `${scope}:${id}` : `${scope}:${id}#${times}`;
  };
}

/** Identifier of the so-manieth document of a file that has no identifiers. */
export function numberedId(scope: string, number: number): string {
  return number === 1 ? scope : `${scope}#${number}`;
}

/** ISO 639-1 for "en", "eng", "fre" or "en-GB"; null where it is none. */
export function languageCode(text: string | null | undefined): string | null {
  if (text === null || text === undefined || !/^[A-Za-z]{2,3}(?:[-_].*)?$/.test(text.trim())) return null;
  const [code] = Intl.getCanonicalLocales(text.trim().slice(0, 3).replace(/[-_]$/, ""));
  return code?.length === 2 ? code : null;
}
