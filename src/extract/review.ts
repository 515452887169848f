/**
 * A page for reviewing a run's triples: one HTML file without external resources, mentions highlighted, accept and
 * reject by keyboard, decisions kept by the browser and saved as JSON, reviewed documents as training data (JSON lines
 * of a relation task). Texts are data in the page, never markup.
 */
import { join } from "node:path";
import { writeFileAtomically } from "../checkpoints/files.ts";
import { readLinesOf } from "../checkpoints/journal.ts";
import { joinDocument } from "./chunks.ts";
import type { Triple } from "./extract.ts";
import { reviewScript } from "./review-script.ts";
import { reviewStyle } from "./review-style.ts";

export interface ReviewDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Documents of a page: more make a page that opens slowly. */
const mostDocuments = 1000;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!);

/** JSON that ends no script element and holds no line separator of old JavaScript. */
const inlineJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The page of documents and their triples; `name` tells runs apart in the browser's memory. */
export function reviewPage(
  name: string,
  documents: readonly ReviewDocument[],
  triples: readonly Triple[],
  omitted = 0,
): string {
  const byDocument = new Map<string, Triple[]>();
  for (const triple of triples) byDocument.set(triple.document, [...(byDocument.get(triple.document) ?? []), triple]);
  const shown = documents.map(({ id, title, text }) => ({
    id,
    title,
    text,
    joined: joinDocument({ title, text }).text,
    triples: (byDocument.get(id) ?? []).map(({ head, tail, relation, sentences, score }) => ({
      head,
      tail,
      relation,
      sentences,
      score,
    })),
  }));
  const task = triples[0]?.task ?? "";
  const data = { name, task, omitted, documents: shown };
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Review: ${escapeHtml(name)}</title>
<style>${reviewStyle}</style>
</head>
<body>
<script type="application/json" id="data">${inlineJson(data)}</script>
<div id="app"></div>
<script>${reviewScript}</script>
</body>
</html>
`;
}

/** Writes review.html beside a run's triples.jsonl and documents.jsonl. */
export async function writeReview(folder: string, name: string, most: number = mostDocuments): Promise<void> {
  const documents: ReviewDocument[] = [];
  let omitted = 0;
  for await (const document of readLinesOf<ReviewDocument>(join(folder, "documents.jsonl"))) {
    if (documents.length < most) documents.push(document);
    else omitted += 1;
  }
  const wanted = new Set(documents.map(({ id }) => id));
  const triples: Triple[] = [];
  for await (const triple of readLinesOf<Triple>(join(folder, "triples.jsonl"))) {
    if (wanted.has(triple.document)) triples.push(triple);
  }
  await writeFileAtomically(join(folder, "review.html"), reviewPage(name, documents, triples, omitted));
}
