/**
 * PDF files of papers as documents (unpdf, which is Mozilla's pdf.js): text in reading order, without running heads. A file
 * without text, as scanners make them, is refused with what to do. Nothing in a file is run: no script, no font program.
 */
import { DataError } from "../../errors.ts";
import { lengthProblem, textLimit } from "../text.ts";
import { documentEvent, languageCode, metadata } from "./events.ts";
import { wholeBytes } from "./json-values.ts";
import type { SourceKind } from "./kind.ts";
import { linesOf, type Piece } from "./pdf-layout.ts";
import { paperOf, type PdfPage, withoutLigatures } from "./pdf-text.ts";
import { rowDate } from "./row-values.ts";

const byteLimit = 128 << 20;
const pageLimit = 3000;
/** Pieces of text on a page: a drawing of many labels has some thousand. */
const pieceLimit = 50_000;
/** Characters on a page, on average: fewer have scans, with their stamps and page numbers. */
const leastCharacters = 40;

interface TextItem {
  readonly str: string;
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
}

/** A piece that is set from left to right; undefined for others. */
function pieceOf(item: object): Piece | undefined {
  if (!("str" in item)) return undefined;
  const { str, transform, width, height } = item as TextItem;
  const [a = 0, b = 0, , d = 0, x = 0, y = 0] = transform;
  if (a <= 0 || Math.abs(b) > 0.1 * a) return undefined;
  return { text: withoutLigatures(str), x, y, width, height: height > 0 ? height : Math.abs(d) };
}

interface Read {
  readonly pages: PdfPage[];
  readonly info: Readonly<Record<string, unknown>>;
  readonly language: string | null;
}

async function readPdf(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Read> {
  const { getDocumentProxy } = await import("unpdf");
  const pdf = await getDocumentProxy(bytes, { isEvalSupported: false, verbosity: 0, stopAtErrors: false });
  try {
    if (pdf.numPages > pageLimit) throw new DataError(`expected at most ${pageLimit} pages, got ${pdf.numPages}`);
    const pages: PdfPage[] = [];
    let characters = 0;
    for (let number = 1; number <= pdf.numPages; number++) {
      signal?.throwIfAborted();
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      if (items.length > pieceLimit)
        throw new DataError(`page ${number}: expected at most ${pieceLimit} pieces of text, got ${items.length}`);
      const pieces = items.map(pieceOf).filter((piece) => piece !== undefined);
      characters += pieces.reduce((sum, { text }) => sum + text.trim().length, 0);
      if (characters > textLimit) throw new DataError(lengthProblem("text", characters)!);
      const [, , , top = 800] = page.view;
      pages.push({ height: top, lines: linesOf(pieces) });
      page.cleanup();
    }
    if (characters < leastCharacters * pages.length) {
      throw new DataError(`expected text, got ${pages.length} pages of images: make them text by OCR first (ocrmypdf)`);
    }
    const found = await pdf.getMetadata().catch(() => undefined);
    const info = (found?.info ?? {}) as Readonly<Record<string, unknown>>;
    return { pages, info, language: typeof info["Language"] === "string" ? info["Language"] : null };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

/** "D:20150307120000Z" */
const pdfDate = (text: string): string | null => rowDate(/^D:(\d{8})/.exec(text)?.[1] ?? "");

export const pdf: SourceKind = {
  name: "pdf",
  about: "papers in PDF that have text in them",
  recognises: (head) => head.slice(0, 1024).includes("%PDF-"),
  async *read(input, { source }) {
    const bytes = await wholeBytes(input, byteLimit);
    let read: Read;
    try {
      read = await readPdf(new Uint8Array(bytes), input.signal);
    } catch (cause) {
      input.signal?.throwIfAborted();
      if (cause instanceof DataError) throw cause;
      const { name, message } = cause as Error;
      const got = name === "PasswordException" ? "one with a password" : `a damaged one (${message.split("\n")[0]!})`;
      throw new DataError(`expected a PDF that can be read, got ${got}`, { cause });
    }
    const { title, sections } = paperOf(read.pages);
    const text = (name: string): string => (typeof read.info[name] === "string" ? read.info[name].trim() : "");
    yield documentEvent(
      {
        id: input.scope,
        source,
        kind: "pdf",
        title: title || text("Title"),
        sections,
        date: pdfDate(text("CreationDate")),
        language: languageCode(read.language),
        licence: null,
        metadata: metadata({
          authors: text("Author"),
          subject: text("Subject"),
          keywords: text("Keywords"),
          pages: String(read.pages.length),
        }),
      },
      input.name,
    );
  },
};
