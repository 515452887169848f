/**
 * PubTator files (Wei et al. 2013), read and written: `id|t|title`, `id|a|abstract`, then tab-separated mentions
 * `id start end text type identifier` and relations `id type first second`; documents are separated by blank lines. Further
 * columns (scores, text of composite parts) are kept as they are.
 */
import { DataError } from "../errors.ts";

interface Mention {
  /** UTF-16 offsets into `title + " " + abstract`, where the file's own offsets count as given. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly type: string;
  /** Identifiers as written: "D003866", "MESH:D003866", "C467567|D003907", "-1"; empty where there is none. */
  readonly id: string;
  readonly rest: readonly string[];
}

interface PubTatorRelation {
  readonly type: string;
  readonly first: string;
  readonly second: string;
  readonly rest: readonly string[];
}

export interface PubTatorDocument {
  readonly id: string;
  readonly title: string;
  readonly abstract: string;
  readonly mentions: readonly Mention[];
  readonly relations: readonly PubTatorRelation[];
}

interface Draft {
  id: string;
  title: string;
  abstract: string;
  mentions: Mention[];
  relations: PubTatorRelation[];
}

function addLine(draft: Draft, columns: readonly string[], where: string): void {
  const [, a = "", b = "", c = "", type = "", id = "", ...rest] = columns;
  if (/^\d+$/.test(a) && /^\d+$/.test(b) && columns.length >= 5) {
    draft.mentions.push({ start: Number(a), end: Number(b), text: c, type, id, rest });
  } else if (!/^\d+$/.test(a) && columns.length >= 4) {
    draft.relations.push({ type: a, first: b, second: c, rest: columns.slice(4) });
  } else {
    throw new DataError(`${where}: expected a mention or a relation, got "${columns.join("\t").slice(0, 80)}"`);
  }
}

/** Documents in the file's order. @throws DataError that names the line. */
export function parsePubTator(text: string, where = "PubTator"): PubTatorDocument[] {
  const documents = new Map<string, Draft>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [, titled, part, words] = /^([^|\t]+)\|([ta])\|(.*)$/.exec(line) ?? [];
    const columns = line.split("\t");
    const id = titled ?? columns[0] ?? "";
    const draft = documents.get(id) ?? { id, title: "", abstract: "", mentions: [], relations: [] };
    documents.set(id, draft);
    if (part === "t") draft.title = words ?? "";
    else if (part === "a") draft.abstract = words ?? "";
    else addLine(draft, columns, `${where}:${i + 1}`);
  }
  return [...documents.values()];
}

/** The same documents as text, each followed by a blank line. */
export function formatPubTator(documents: readonly PubTatorDocument[]): string {
  const blocks = documents.map(({ id, title, abstract, mentions, relations }) => {
    const lines = [`${id}|t|${title}`, `${id}|a|${abstract}`];
    for (const one of mentions)
      lines.push([id, one.start, one.end, one.text, one.type, one.id, ...one.rest].join("\t"));
    for (const one of relations) lines.push([id, one.type, one.first, one.second, ...one.rest].join("\t"));
    return `${lines.join("\n")}\n\n`;
  });
  return blocks.join("");
}
