/** A page of HTML as a document: its main content, title and language. */
import { isUtf8 } from "node:buffer";
import { DataError } from "../../errors.ts";
import { documentEvent, languageCode, metadata } from "./events.ts";
import { readPage } from "./html-text.ts";
import { wholeBytes } from "./json-values.ts";
import type { SourceKind } from "./kind.ts";
import { licenceOf } from "./licence.ts";
import { rowDate } from "./row-values.ts";
import { rootName } from "./xml-records.ts";

/** Of a page. */
const byteLimit = 16 << 20;

/** Text in the encoding that a page declares, else UTF-8. @throws DataError where the bytes are none. */
export function decodedHtml(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8").replace(/^\uFEFF/, "");
  const start = bytes.subarray(0, 1024).toString("latin1");
  const declared = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(start)?.[1];
  try {
    return new TextDecoder(declared ?? (bytes[0] === 0xff ? "utf-16le" : "utf-8"), { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`expected ${declared ?? "UTF-8"}, got other bytes`, { cause });
  }
}

export const html: SourceKind = {
  name: "html",
  about: "pages of HTML, of which the main content is taken",
  recognises: (head, name) =>
    /^html$/i.test(rootName(head) ?? "") || (/\.x?html?(?:\.gz|\.zst)?$/i.test(name) && head.includes("<")),
  async *read(input, { source }) {
    const page = await readPage(decodedHtml(await wholeBytes(input, byteLimit)));
    const { title, language, published, site, byline, sections } = page;
    const address = /<link[^>]+rel=["']?(?:license|copyright)["']?[^>]+href=["']([^"']+)/i.exec(input.head)?.[1];
    yield documentEvent(
      {
        id: input.scope,
        source,
        kind: "html",
        title,
        sections,
        date: published === null ? null : rowDate(published),
        language: languageCode(language),
        licence: address === undefined ? null : licenceOf([address]),
        metadata: metadata({ site, authors: byline }),
      },
      input.name,
    );
  },
};
