/**
 * The exact store's documents on disk: a folder of segments, and `segments.json`, which says which of them count. A segment
 * is written whole before its name stands there, so that a process that is killed loses what it had not yet said it kept,
 * and nothing else. Segments are JSON lines, with their vectors beside them as float32.
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { readLines } from "../io/lines.ts";
import type { Change, ExactLog } from "./exact.ts";
import type { StoredDocument } from "./store.ts";

/** Changes in a segment, so that none is larger than memory. */
const segmentChanges = 5000;
const hint = "the index is damaged: make it again with galen index";

const listSchema = z.object({
  /** Segments of an earlier generation are gone. */
  generation: z.int().nonnegative(),
  /** So many segments were written at once; those behind them are changes. */
  ordered: z.int().nonnegative(),
  segments: z.array(z.string().regex(/^\d{1,9}-\d{1,9}$/)),
});
type Segments = z.output<typeof listSchema>;

const textOrNull = z.string().nullable();
const place = z.int().nonnegative();
const putLine = z.object({
  document: z.object({
    id: z.string(),
    title: z.string(),
    text: z.string(),
    sections: z.array(z.object({ label: textOrNull, start: place, end: place })),
    date: textOrNull,
    year: z.int().nullable(),
    types: z.array(z.string()),
    journal: textOrNull,
    journalAbbreviation: textOrNull,
    volume: textOrNull,
    issue: textOrNull,
    pages: textOrNull,
    authors: z.array(z.string()),
    mesh: z.array(z.string()),
    keywords: z.array(z.string()),
    language: textOrNull,
    doi: textOrNull,
    pmcid: textOrNull,
    retracted: z.boolean(),
    source: z.string(),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  /** Start and end of each. */
  passages: z.array(z.tuple([place, place])),
});
const lineSchema = z.union([putLine, z.object({ delete: z.string() })]);

/** @param width numbers in a vector; 0: passages have none. */
export async function openExactFiles(folder: string, width: number): Promise<ExactLog> {
  const path = join(folder, "segments.json");
  const list = async (): Promise<Segments> => {
    const there = await stat(path).catch(() => undefined);
    return there === undefined ? { generation: 0, ordered: 0, segments: [] } : readJson(path, listSchema, hint);
  };
  const keep = (next: Segments): Promise<void> => writeFileAtomically(path, `${JSON.stringify(next)}\n`);
  let known: Segments = { generation: -1, ordered: 0, segments: [] };

  /** Writes changes as segments of a generation, behind those there are. */
  const write = async ({ segments, ...list }: Segments, changes: Iterable<Change>): Promise<Segments> => {
    const names = [...segments];
    for (const some of inParts(changes, segmentChanges)) {
      const name = `${list.generation}-${names.length}`;
      await writeSegment(folder, name, width, some);
      names.push(name);
    }
    return { ...list, segments: names };
  };

  return {
    async *read() {
      for (let tries = 0; ; tries++) {
        const now = await list();
        const again = now.generation !== known.generation;
        const found: Change[] = [];
        try {
          for (const name of again ? now.segments : now.segments.slice(known.segments.length)) {
            for (const change of await readSegment(folder, name, width)) found.push(change);
          }
        } catch (error) {
          // A writer that puts all in order removes the segments that it has put in order.
          if (tries > 9 || (await list()).generation === now.generation) throw error;
          continue;
        }
        const first = known.generation === -1;
        known = now;
        if (again && !first) yield { kind: "clear" };
        yield* found;
        return;
      }
    },
    async append(changes) {
      const next = await write(await list(), changes);
      await keep(next);
      known = next;
    },
    async rewrite(changes) {
      const { generation, ordered, segments: before } = await list();
      if (before.length === ordered) return;
      const written = await write({ generation: generation + 1, ordered: 0, segments: [] }, changes);
      const next = { ...written, ordered: written.segments.length };
      await keep(next);
      known = next;
      await removeOthers(folder, next.segments);
    },
    async [Symbol.asyncDispose]() {},
  };
}

function* inParts<T>(items: Iterable<T>, most: number): Generator<T[]> {
  let part: T[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < most) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

async function removeOthers(folder: string, kept: readonly string[]): Promise<void> {
  const names = new Set(kept.flatMap((name) => [`${name}.jsonl`, `${name}.f32`]));
  for (const name of await readdir(folder)) {
    if (/^\d+-\d+\.(jsonl|f32)$/.test(name) && !names.has(name)) await rm(join(folder, name), { force: true });
  }
}

function lineOf(change: Change): string {
  if (change.kind === "clear") return "";
  if (change.kind === "delete") return `${JSON.stringify({ delete: change.id })}\n`;
  const { document, passages } = change.stored;
  return `${JSON.stringify({ document, passages: passages.map(({ start, end }) => [start, end]) })}\n`;
}

async function writeSegment(folder: string, name: string, width: number, changes: readonly Change[]): Promise<void> {
  const passages = changes.flatMap((change) => (change.kind === "put" ? change.stored.passages : []));
  if (width > 0 && passages.length > 0) {
    const data = new Float32Array(passages.length * width);
    passages.forEach(({ vector }, i) => {
      if (vector?.length !== width) {
        throw new DataError(`${folder}: expected vectors of ${width} numbers, got ${vector?.length ?? "none"}`);
      }
      data.set(vector, i * width);
    });
    await writeFileAtomically(join(folder, `${name}.f32`), new Uint8Array(data.buffer));
  }
  await writeFileAtomically(join(folder, `${name}.jsonl`), changes.map(lineOf).join(""));
}

async function readSegment(folder: string, name: string, width: number): Promise<Change[]> {
  const path = join(folder, `${name}.jsonl`);
  const changes: ({ kind: "delete"; id: string } | { kind: "put"; stored: StoredDocument })[] = [];
  // A document's text may be as long as any document that is read, and its characters be escaped.
  for await (const { text, number } of readLines(path, { limit: 64 << 20 })) {
    const found = lineSchema.safeParse(valueOf(text));
    const isWrong = (): DataError =>
      new DataError(`${path}:${number}: expected a document of the index, got something else`, { hint });
    if (!found.success) throw isWrong();
    if ("delete" in found.data) {
      changes.push({ kind: "delete", id: found.data.delete });
      continue;
    }
    const { document, passages } = found.data;
    const isWithin = ([start, end]: readonly [number, number]): boolean => start <= end && end <= document.text.length;
    if (!passages.every(isWithin)) throw isWrong();
    changes.push({ kind: "put", stored: { document, passages: passages.map(([start, end]) => ({ start, end })) } });
  }
  if (width > 0) await addVectors(join(folder, `${name}.f32`), width, changes);
  return changes;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function addVectors(
  path: string,
  width: number,
  changes: ({ kind: "delete"; id: string } | { kind: "put"; stored: StoredDocument })[],
): Promise<void> {
  const count = changes.reduce((sum, one) => sum + (one.kind === "put" ? one.stored.passages.length : 0), 0);
  if (count === 0) return;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new DataError(`${path}: expected the vectors of the segment beside it, got no readable file`, {
      hint,
      cause,
    });
  });
  if (bytes.byteLength !== count * width * Float32Array.BYTES_PER_ELEMENT) {
    throw new DataError(`${path}: expected ${count} vectors of ${width} numbers, got ${bytes.byteLength} bytes`, {
      hint,
    });
  }
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  let next = 0;
  for (const change of changes) {
    if (change.kind !== "put") continue;
    const passages = change.stored.passages.map((passage) => {
      const vector = data.subarray(next * width, (next + 1) * width);
      next += 1;
      return { ...passage, vector };
    });
    change.stored = { document: change.stored.document, passages };
  }
}
