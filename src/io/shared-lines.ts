/**
 * A file of JSON lines that is only appended to, under a lock, so that several processes may share it: nothing is ever
 * overwritten, and what was appended is on disk before anybody is told so.
 */
import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import type * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { checked, parsedJson } from "../schema.ts";
import { writing } from "./files.ts";
import { lockBeside } from "./lock.ts";

/** What is made of the lines, one after another. */
export interface Reader<Line> {
  apply(line: Line): void;
  /** The file has become shorter: it is read anew. */
  clear(): void;
}

export interface SharedLines {
  /** Reads what was appended since, here or by another process. @throws DataError that names the line. */
  refresh(): Promise<void>;
  /** Appends all of them or none, and reads them. @throws ConfigError where another process keeps the file locked. */
  append(lines: readonly object[]): Promise<void>;
}

/** @param path need not exist yet. */
export function openSharedLines<S extends z.ZodType>(
  path: string,
  schema: S,
  { apply, clear }: Reader<z.output<S>>,
): SharedLines {
  let read = 0;
  let number = 0;
  let queue: Promise<unknown> = Promise.resolve();
  /** One after another: each sees what the one before has read or written. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = queue.then(act, act);
    queue = next.catch(() => undefined);
    return next;
  };

  async function readOn(): Promise<void> {
    const size = existsSync(path) ? (await stat(path)).size : 0;
    if (size < read) {
      clear();
      read = number = 0;
    }
    if (size === read) return;
    await using file = await open(path, "r");
    const bytes = Buffer.alloc(size - read);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, read);
    // What follows the last end of line is still being written.
    const end = bytes.subarray(0, bytesRead).lastIndexOf(10) + 1;
    for (const line of bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1)) {
      number += 1;
      const where = `${path}:${number}`;
      if (line.trim() !== "") apply(checked(schema, parsedJson(line, where), where, DataError));
    }
    read += end;
  }

  return {
    refresh: () => inTurn(readOn),
    append: (lines) =>
      inTurn(async () => {
        await appendLines(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
        await readOn();
      }),
  };
}

const lockTries = 50;
const lockWaitMs = 100;

async function locked(path: string): Promise<AsyncDisposable> {
  for (let i = 0; ; i++) {
    try {
      return await lockBeside(path);
    } catch (error) {
      if (!(error instanceof ConfigError) || i === lockTries) throw error;
      await wait(lockWaitMs);
    }
  }
}

/** Appends whole lines under the lock, and waits until they are on disk. */
async function appendLines(path: string, lines: string): Promise<void> {
  const lock = await locked(path);
  try {
    await writing(path, async () => {
      await using file = await open(path, "a+");
      const { size } = await file.stat();
      const last = Buffer.alloc(1);
      if (size > 0) await file.read(last, 0, 1, size - 1);
      // A killed writer may have left half a line: nobody has read it, and nothing may run into it.
      if (size > 0 && last[0] !== 10) await file.truncate(await wholeLines(file, size));
      await file.appendFile(lines);
      await file.sync();
    });
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

/** Bytes up to the last end of line. */
async function wholeLines(file: Awaited<ReturnType<typeof open>>, size: number): Promise<number> {
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0, size, 0);
  return bytes.lastIndexOf(10) + 1;
}
