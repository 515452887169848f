/**
 * What several people decide on mined relations, in one file of JSON lines that servers and people may share. The last
 * line of each person on each triple holds; nothing is ever overwritten.
 */
import * as z from "zod";
import { decisionKey } from "../../extract/review-state.ts";
import { openSharedLines } from "../../io/shared-lines.ts";
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

/** @param path the file; it need not exist yet. */
export function openDecisions(path: string): Decisions {
  const documents = new Map<string, OfDocument>();
  const people = new Set<string>();

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

  const lines = openSharedLines(path, lineSchema, {
    apply,
    clear() {
      documents.clear();
      people.clear();
    },
  });
  return {
    refresh: lines.refresh,
    append(person, said) {
      const at = new Date().toISOString();
      return lines.append(said.map((one) => ({ person, at, ...one })));
    },
    of: (document) => [...(documents.get(document)?.decisions ?? [])].flatMap(([key, by]) => jointOf(key, by)),
    none: (document) => [...(documents.get(document)?.none ?? [])].map(([person, at]) => ({ person, at })),
    people: () => [...people].sort(),
  };
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
