/**
 * The exact store's file: JSON lines that are only appended to. A commit is a group of lines and, after them, one that says
 * how many and their hash; what has none behind it was being written when a process ended, and counts for nothing.
 * `exact.json` names the file, so that another takes its place by one rename.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { writeAtomically, writeFileAtomically, writing } from "../io/files.ts";
import { digest } from "../io/fingerprint.ts";
import { readJson } from "../io/json.ts";
import type { Change, ExactLog } from "./exact.ts";
import { changeOfLine, lineOfChange } from "./exact-codec.ts";

const pointerName = "exact.json";
const pointerSchema = z.strictObject({ generation: z.int().min(1) });
const nameOf = (generation: number): string => `documents-${generation}.jsonl`;
const isFile = (name: string): boolean => /^documents-\d+\.jsonl/.test(name);
const commitSchema = z.strictObject({ commit: z.int().min(0), sha256: z.string() });
const commitStart = Buffer.from('{"commit":');
const chunkBytes = 4 << 20;
/** Changes of a commit, when a file is written anew. */
const groupSize = 512;
const damaged = { hint: "the file was changed or damaged: make the index again" };

interface Group {
  readonly changes: readonly Change[];
  /** Bytes of the file up to its end. */
  readonly end: number;
}

async function* linesFrom(file: FileHandle, position: number): AsyncGenerator<{ line: Buffer; end: number }> {
  let parts: Buffer[] = [];
  for (let at = position; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) return;
    const chunk = buffer.subarray(0, bytesRead);
    let start = 0;
    for (let feed = chunk.indexOf(10); feed >= 0; feed = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, feed));
      yield { line: parts.length === 1 ? parts[0]! : Buffer.concat(parts), end: at + feed + 1 };
      parts = [];
      start = feed + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
    at += bytesRead;
  }
}

/** Whole commits from `position` on. @throws DataError for one that is not what was written. */
async function* groupsFrom(path: string, file: FileHandle, position: number): AsyncGenerator<Group> {
  let lines: Buffer[] = [];
  for await (const { line, end } of linesFrom(file, position)) {
    if (!line.subarray(0, commitStart.length).equals(commitStart)) {
      lines.push(line);
      continue;
    }
    const hash = createHash("sha256");
    for (const one of lines) hash.update(one).update("\n");
    const wanted = commitSchema.safeParse(jsonOf(line));
    if (!wanted.success || wanted.data.commit !== lines.length || wanted.data.sha256 !== digest(hash)) {
      throw new DataError(`${path}: byte ${end}: expected a commit of the lines before it, got another's`, damaged);
    }
    yield { changes: lines.map((one) => changeOfLine(one.toString("utf8"))), end };
    lines = [];
  }
}

function jsonOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    return undefined;
  }
}

function textOfGroup(changes: readonly Change[]): string {
  const lines = changes.filter((one) => one.kind !== "clear").map((one) => `${lineOfChange(one)}\n`);
  const sha256 = digest(createHash("sha256").update(lines.join("")));
  return `${lines.join("")}${JSON.stringify({ commit: lines.length, sha256 })}\n`;
}

async function readPointer(folder: string): Promise<number> {
  return (await readJson(join(folder, pointerName), pointerSchema, damaged.hint)).generation;
}

/** An empty one; what was there before it is nobody's any more. */
export async function createExactLog(folder: string): Promise<void> {
  await writeFileAtomically(join(folder, nameOf(1)), "");
  await writeFileAtomically(join(folder, pointerName), `${JSON.stringify({ generation: 1 })}\n`);
}

/**
 * Opens the file in `folder`. A writer, of which there is one at a time, cuts off what no commit ends.
 * @throws DataError where it is missing or damaged.
 */
export async function openExactLog(folder: string, { write }: { readonly write: boolean }): Promise<ExactLog> {
  let generation = 0;
  let file: FileHandle | undefined;
  let position = 0;
  let changes = 0;
  const path = (): string => join(folder, nameOf(generation));

  /** Opens what the pointer names, unless it is open. @returns whether it is another than before. */
  async function follow(): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const named = await readPointer(folder);
      if (named === generation && file !== undefined) return false;
      try {
        const opened = await open(join(folder, nameOf(named)), write ? "r+" : "r");
        await file?.close();
        [file, generation, position, changes] = [opened, named, 0, 0];
        return true;
      } catch (cause) {
        // Between the pointer and the file another may have taken its place.
        if (attempt < 3) continue;
        throw new DataError(`${join(folder, nameOf(named))}: expected the documents of the index, got no such file`, {
          ...damaged,
          cause,
        });
      }
    }
  }

  async function* read(): AsyncGenerator<Change> {
    if (await follow()) yield { kind: "clear" };
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const group of groupsFrom(path(), file!, position)) {
          yield* group.changes;
          changes += group.changes.length;
          position = group.end;
        }
        return;
      } catch (error) {
        // A commit may be one that is just being written over what a killed process left.
        if (attempt === 2 || write || !(error instanceof DataError)) throw error;
      }
    }
  }

  async function append(some: readonly Change[]): Promise<void> {
    const bytes = Buffer.from(textOfGroup(some));
    await writing(path(), async () => {
      // A write that failed, on a full disk, may have left a part.
      await file!.truncate(position);
      for (let done = 0; done < bytes.length;) {
        done += (await file!.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
      }
      await file!.datasync();
    });
    position += bytes.length;
    changes += some.length;
  }

  async function rewrite(all: Iterable<Change>): Promise<void> {
    const next = generation + 1;
    let count = 0;
    await writeAtomically(join(folder, nameOf(next)), async (temporary) => {
      await using target = await open(temporary, "w");
      let group: Change[] = [];
      for (const one of all) {
        group.push(one);
        count += 1;
        if (group.length < groupSize) continue;
        await target.appendFile(textOfGroup(group));
        group = [];
      }
      if (group.length > 0) await target.appendFile(textOfGroup(group));
    });
    await writeFileAtomically(join(folder, pointerName), `${JSON.stringify({ generation: next })}\n`);
    const old = path();
    await follow();
    [position, changes] = [(await file!.stat()).size, count];
    await rm(old, { force: true });
  }

  await follow();
  if (write) {
    for (const name of await readdir(folder)) {
      if (isFile(name) && name !== nameOf(generation)) await rm(join(folder, name), { force: true });
    }
  }
  // The first `read` gives everything after a "clear".
  await file!.close();
  [file, generation] = [undefined, 0];
  return {
    read,
    append,
    rewrite,
    get changes() {
      return changes;
    },
    async [Symbol.asyncDispose]() {
      await file?.close();
      file = undefined;
    },
  };
}
