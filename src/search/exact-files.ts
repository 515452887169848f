/**
 * The exact store's documents on disk: a folder of segments (`segments.ts`), and `segments.json`, which says which of them
 * count. A segment is written whole before its name stands there, so that a process that is killed loses what it had not yet
 * said it kept, and nothing else.
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { readJson } from "../io/json.ts";
import { readLines } from "../io/lines.ts";
import { inParts } from "../io/streams.ts";
import type { Change, ExactLog } from "./exact.ts";
import { withWords, wordsFile } from "./segment-words.ts";
import {
  changeOf,
  damaged,
  lineOf,
  longestLine,
  noVectors,
  type SegmentChange,
  type Segments,
  segmentsSchema,
  withVectors,
} from "./segments.ts";

/** Changes in a segment, so that none is larger than memory. */
const segmentChanges = 5000;

/** @param width numbers in a vector; 0: passages have none. */
export async function openExactFiles(folder: string, width: number): Promise<ExactLog> {
  const path = join(folder, "segments.json");
  let read: { readonly state: string; readonly list: Segments } | undefined;
  const list = async (): Promise<Segments> => {
    const there = await stat(path, { bigint: true }).catch(() => undefined);
    if (there !== undefined) {
      // The file is never written to: another takes its place.
      const state = `${there.ino} ${there.mtimeNs} ${there.size}`;
      if (read?.state !== state) read = { state, list: await readJson(path, segmentsSchema, damaged) };
      return read.list;
    }
    if (known.segments.length === 0) return { generation: 0, ordered: 0, segments: [] };
    throw new DataError(
      `${folder}: expected the index that was opened, got none: it was removed, or another store keeps it`,
      {
        hint: "open it again",
      },
    );
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

async function removeOthers(folder: string, kept: readonly string[]): Promise<void> {
  const names = new Set(kept.flatMap((name) => [`${name}.jsonl`, `${name}.f32`, `${name}.words`]));
  for (const name of await readdir(folder)) {
    if (/^\d+-\d+\.(jsonl|f32|words)$/.test(name) && !names.has(name)) await rm(join(folder, name), { force: true });
  }
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
  const words = wordsFile(changes);
  if (words !== undefined) await writeFileAtomically(join(folder, `${name}.words`), words);
  await writeFileAtomically(join(folder, `${name}.jsonl`), changes.map(lineOf).join(""));
}

async function readSegment(folder: string, name: string, width: number): Promise<readonly Change[]> {
  const path = join(folder, `${name}.jsonl`);
  const changes: SegmentChange[] = [];
  for await (const { text, number } of readLines(path, { limit: longestLine })) {
    changes.push(changeOf(text, `${path}:${number}`));
  }
  const vectors = join(folder, `${name}.f32`);
  const found = await withVectors(changes, width, vectors, () =>
    readFile(vectors).catch((cause: unknown) => {
      throw noVectors(vectors, cause);
    }),
  );
  const words = join(folder, `${name}.words`);
  return withWords(found, await readFile(words).catch(() => undefined), words);
}
