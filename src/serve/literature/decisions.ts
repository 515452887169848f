/**
 * What several people decide on mined relations, in one file of JSON lines that is only appended to, under a lock, so
 * that servers and people may share it. The last line of each person on each triple holds; nothing is ever overwritten.
 */
import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { ConfigError, DataError } from "../../errors.ts";
import { decisionKey } from "../../extract/review-state.ts";
import { writing } from "../../io/files.ts";
import { lockBeside } from "../../io/lock.ts";
import { checked } from "../../schema.ts";
import type { JointDecision, PersonDecision } from "./replies.ts";

const text = z.string().trim().min(1).max(2000);
export const personSchema: z.ZodString = z.string().trim().min(1).max(80);
const place = z.object({ field: z.enum(["title", "text"]), start: z.int().min(0), end: z.int().min(0) });
const mention = z.object({ name: text, at: place.nullable() });

/** On one triple; null takes back what the person said. */
export const decisionSchema = z.object({
  document: z.string().min(1).max(1000),
  original: z.object({ head: text, relation: text, tail: text }).nullable(),
  head: mention,
  tail: mention,
  relation: text,
  decision: z.enum(["accept", "reject"]).nullable(),
});
/** That a document states no relation, or no longer. */
export const noneSchema = z.object({ document: z.string().min(1).max(1000), none: z.boolean() });

const signed = { person: personSchema, at: z.iso.datetime() };
const lineSchema = z.union([decisionSchema.extend(signed), noneSchema.extend(signed)]);
type Line = z.infer<typeof lineSchema>;
export type NewDecision = z.infer<typeof decisionSchema> | z.infer<typeof noneSchema>;

interface OfDocument {
  /** By the triple's key, then by person; a person's newest is last. */
  readonly decisions: Map<string, Map<string, PersonDecision>>;
  readonly none: Map<string, string>;
}

/** Decisions as they are now; `refresh` takes in what was appended since, here or by another process. */
export interface Decisions {
  refresh(): Promise<void>;
  /** Appends what a person says, all of it or nothing. @throws ConfigError where another process keeps the file locked. */
  append(person: string, said: readonly NewDecision[]): Promise<void>;
  of(document: string): readonly JointDecision[];
  none(document: string): readonly { readonly person: string; readonly at: string }[];
  people(): readonly string[];
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

/** @param path the file; it need not exist yet. */
export function openDecisions(path: string): Decisions {
  const documents = new Map<string, OfDocument>();
  const people = new Set<string>();
  let read = 0;
  let number = 0;
  let queue: Promise<unknown> = Promise.resolve();
  /** One after another: each sees what the one before has read or written. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = queue.then(act, act);
    queue = next.catch(() => undefined);
    return next;
  };

  function apply(line: Line): void {
    const { person, at, document } = line;
    people.add(person);
    const own = documents.get(document) ?? { decisions: new Map(), none: new Map() };
    documents.set(document, own);
    if ("none" in line) {
      own.none.delete(person);
      if (line.none) own.none.set(person, at);
      return;
    }
    const key = decisionKey(line);
    const by = own.decisions.get(key) ?? new Map<string, PersonDecision>();
    own.decisions.set(key, by);
    by.delete(person);
    if (line.decision !== null) by.set(person, { ...line, decision: line.decision });
  }

  async function readOn(): Promise<void> {
    const size = existsSync(path) ? (await stat(path)).size : 0;
    if (size < read) {
      documents.clear();
      people.clear();
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
      if (line.trim() !== "") apply(lineOf(line, `${path}:${number}`));
    }
    read += end;
  }

  async function write(person: string, said: readonly NewDecision[]): Promise<void> {
    const at = new Date().toISOString();
    await appendLines(path, said.map((one) => `${JSON.stringify({ person, at, ...one })}\n`).join(""));
    await readOn();
  }

  return {
    refresh: () => inTurn(readOn),
    append: (person, said) => inTurn(() => write(person, said)),
    of: (document) => [...(documents.get(document)?.decisions ?? [])].flatMap(([key, by]) => jointOf(key, by)),
    none: (document) => [...(documents.get(document)?.none ?? [])].map(([person, at]) => ({ person, at })),
    people: () => [...people].sort(),
  };
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

function lineOf(line: string, where: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new DataError(`${where}: expected JSON, got ${(cause as Error).message}`, { cause });
  }
  return checked(lineSchema, value, where, DataError);
}

function jointOf(key: string, people: ReadonlyMap<string, PersonDecision>): JointDecision[] {
  const by = [...people.values()];
  if (by.length === 0) return [];
  const says = new Set(
    by.map(({ decision, head, relation, tail }) =>
      decision === "reject" ? "reject" : JSON.stringify([head.name, relation, tail.name]),
    ),
  );
  return [{ key, by, conflict: says.size > 1 }];
}
