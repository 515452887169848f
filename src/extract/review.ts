/**
 * A page for reviewing a run's triples: one HTML file without external resources, mentions highlighted, accept, reject,
 * change and add by keyboard, decisions kept by the browser, saved and loaded as JSON, reviewed documents as training
 * data (JSON lines of a relation task). Texts are data in the page, never markup.
 */
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { streamOwnLines } from "../io/json.ts";
import { escapeHtml } from "../io/markup.ts";
import { joinDocument } from "./chunks.ts";
import type { Mention, Triple } from "./extract.ts";
import { reviewScript } from "./review-script.ts";
import { reviewStyle } from "./review-style.ts";
import { required } from "../schema.ts";

interface ReviewDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Bytes of a page's data: about 10,000 abstracts; more documents go into further pages. */
const mostBytes = 32 << 20;

/** JSON that ends no script element and holds no line separator of old JavaScript. */
const inlineJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A document as the page holds it. */
type Shown = ReviewDocument & {
  /** Between title and text where they are one. */
  readonly separator: string;
  readonly triples: readonly Pick<Triple, "head" | "tail" | "relation" | "sentences" | "score" | "tripleScore">[];
};

function shownOf({ id, title, text }: ReviewDocument, triples: readonly Triple[]): Shown {
  const { text: joined, titleLength, textStart } = joinDocument({ title, text });
  const kept = triples.map(({ head, tail, relation, sentences, score, tripleScore }) => {
    const mention = ({ name, at }: Mention): Mention => ({ name, at });
    return { head: mention(head), tail: mention(tail), relation, sentences, score, tripleScore };
  });
  return { id, title, text, separator: joined.slice(titleLength, textStart), triples: kept };
}

interface PageData {
  /** Distinguishes runs in the browser's memory; the parts of a run share it. */
  readonly name: string;
  readonly task: string;
  /** Relations to choose from. */
  readonly relations: readonly string[];
  /** File names of all parts, and which of them this is. */
  readonly pages: readonly string[];
  readonly page: number;
}

/** A page; `documents` are JSON, ready to be put into a script element. */
function pageOf(data: PageData, documents: readonly string[]): string {
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  const json = `${inlineJson(data).slice(0, -1)},"documents":[${documents.join(",\n")}]}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Review: ${escapeHtml(data.name)}</title>
<style>${reviewStyle}</style>
</head>
<body>
<script type="application/json" id="data">${json}</script>
<div id="app"></div>
<script>${reviewScript}</script>
</body>
</html>
`;
}

/** Every document with its triples: both files hold documents in the same order, one window of memory at a time. */
async function* reviewed(folder: string): AsyncGenerator<{ document: ReviewDocument; triples: Triple[] }> {
  const lines = streamOwnLines<Triple>(join(folder, "triples.jsonl"));
  let next = await lines.next();
  for await (const document of streamOwnLines<ReviewDocument>(join(folder, "documents.jsonl"))) {
    const triples: Triple[] = [];
    for (; next.done !== true && next.value.document === document.id; next = await lines.next())
      triples.push(next.value);
    yield { document, triples };
  }
}

/** Sizes of the parts, in documents, and what they have in common. */
async function plan(folder: string, most: number): Promise<{ parts: number[]; task: string; relations: string[] }> {
  const parts: number[] = [];
  const relations = new Set<string>();
  let task = "";
  let bytes = Infinity;
  for await (const { document, triples } of reviewed(folder)) {
    const size = Buffer.byteLength(inlineJson(shownOf(document, triples)));
    if (bytes + size > most) {
      parts.push(0);
      bytes = 0;
    }
    bytes += size;
    parts[parts.length - 1]! += 1;
    for (const one of triples) relations.add(one.relation);
    task = triples[0]?.task ?? task;
  }
  return { parts: parts.length === 0 ? [0] : parts, task, relations: [...relations].sort() };
}

/**
 * Writes review.html beside a run's triples.jsonl and documents.jsonl, and review-2.html … where its data would be
 * larger than `most` bytes.
 * @returns the files' names.
 */
export async function writeReview(folder: string, name: string, most: number = mostBytes): Promise<string[]> {
  required("writeReview: folder", folder, "text");
  required("writeReview: name", name, "text");
  const { parts, task, relations } = await plan(folder, most);
  const pages = parts.map((_, i) => (i === 0 ? "review.html" : `review-${i + 1}.html`));
  const documents = reviewed(folder);
  for (const [page, count] of parts.entries()) {
    const shown: string[] = [];
    while (shown.length < count) {
      const { document, triples } = (await documents.next()).value!;
      shown.push(inlineJson(shownOf(document, triples)));
    }
    await writeFileAtomically(join(folder, pages[page]!), pageOf({ name, task, relations, pages, page }, shown));
  }
  return pages;
}
