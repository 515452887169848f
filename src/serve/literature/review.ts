/**
 * A run of `galen extract` under review: where each document and its triples lie in the run's files, and what people
 * decided. Texts stay on disk; memory holds ids and the keys of triples.
 */
import { createReadStream, existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../../errors.ts";
import { joinDocument } from "../../extract/chunks.ts";
import type { Triple } from "../../extract/extract.ts";
import { decisionKey, isReviewed, trainingRelations, type Decision } from "../../extract/review-state.ts";
import { type Decisions, openDecisions } from "./decisions.ts";
import type { JointDecision, Review, ReviewDocument, ReviewedTriple, ReviewEntry, ReviewShow } from "./replies.ts";

/** The file that makes a folder a review's. */
export const reviewMark = "triples.jsonl";

interface Place {
  readonly id: string;
  readonly document: readonly [start: number, end: number];
  readonly triples: readonly [start: number, end: number];
  readonly keys: readonly string[];
}

interface Files {
  /** Sizes and times of the run's files. */
  readonly stamp: string;
  readonly places: readonly Place[];
  readonly byId: ReadonlyMap<string, number>;
  readonly task: string;
  readonly relations: readonly string[];
  readonly triples: number;
}

type Status = "open" | "conflicts" | "reviewed";

export interface LiveReview {
  readonly decisions: Decisions;
  entry(name: string): Promise<ReviewEntry>;
  review(name: string, show: ReviewShow): Promise<Review>;
  has(id: string): Promise<boolean>;
  /** Undefined where there is none with this id. */
  document(id: string, show: ReviewShow): Promise<ReviewDocument | undefined>;
  /** Lines of a relation task's training data: of documents that are reviewed without disagreement. */
  training(): AsyncGenerator<string>;
}

/** Lines of a file with the bytes that they take. */
async function* linesOf(path: string): AsyncGenerator<{ text: string; start: number; end: number }> {
  let rest: Buffer[] = [];
  let start = 0;
  let at = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let i = chunk.indexOf(10); i >= 0; i = chunk.indexOf(10, from)) {
      const text = Buffer.concat([...rest, chunk.subarray(from, i)]).toString("utf8");
      yield { text, start, end: at + i };
      rest = [];
      from = i + 1;
      start = at + from;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    at += chunk.length;
  }
}

const keyOf = ({ head, relation, tail }: Triple): string =>
  decisionKey({ head, relation, tail, original: { head: head.name, relation, tail: tail.name } });

async function readFiles(folder: string, stamp: string): Promise<Files> {
  const places: Place[] = [];
  const relations = new Set<string>();
  let task = "";
  let triples = 0;
  const lines = linesOf(join(folder, reviewMark));
  let next = await lines.next();
  for await (const { text, start, end } of linesOf(join(folder, "documents.jsonl"))) {
    const { id } = JSON.parse(text) as { id: string };
    const keys: string[] = [];
    let [first, last] = [0, 0];
    for (; next.done !== true; next = await lines.next()) {
      const triple = JSON.parse(next.value.text) as Triple;
      if (triple.document !== id) break;
      if (keys.length === 0) first = next.value.start;
      last = next.value.end;
      keys.push(keyOf(triple));
      relations.add(triple.relation);
      task = triple.task;
    }
    triples += keys.length;
    places.push({ id, document: [start, end], triples: [first, last], keys });
  }
  const byId = new Map(places.map(({ id }, i) => [id, i]));
  return { stamp, places, byId, task, relations: [...relations].sort(), triples };
}

async function stampOf(folder: string): Promise<string> {
  const of = async (name: string): Promise<string> => {
    const path = join(folder, name);
    if (!existsSync(path))
      throw new DataError(`${path}: expected a file of galen extract, got none`, {
        hint: "name the folder that galen extract made",
      });
    const { size, mtimeMs } = await stat(path);
    return `${size} ${mtimeMs}`;
  };
  return `${await of(reviewMark)} ${await of("documents.jsonl")}`;
}

async function slice(path: string, [start, end]: readonly [number, number]): Promise<string> {
  await using file = await open(path, "r");
  const bytes = Buffer.alloc(end - start);
  await file.read(bytes, 0, bytes.length, start);
  return bytes.toString("utf8");
}

async function textOf(folder: string, { document }: Place): Promise<{ title: string; text: string }> {
  const { title, text } = JSON.parse(await slice(join(folder, "documents.jsonl"), document)) as ReviewDocument;
  return { title, text };
}

async function triplesOf(folder: string, { triples, keys }: Place): Promise<ReviewedTriple[]> {
  if (keys.length === 0) return [];
  const lines = (await slice(join(folder, reviewMark), triples)).split("\n");
  return lines.map((line) => {
    const { head, tail, relation, sentences, score, tripleScore } = JSON.parse(line) as Triple;
    return { head, tail, relation, sentences, score, tripleScore };
  });
}

/** What the last person said, as training takes it; of a disagreement nothing is taken. */
const agreed = (joint: readonly JointDecision[]): Record<string, Decision> =>
  Object.fromEntries(joint.filter(({ conflict }) => !conflict).map(({ key, by }) => [key, by.at(-1)!]));

/** @param folder of a run of `galen extract`; its decisions lie in it, in decisions.jsonl. */
export function openReview(folder: string): LiveReview {
  const decisions = openDecisions(join(folder, "decisions.jsonl"));
  let files: Promise<Files> | undefined;
  let known = "";
  const read = async (): Promise<Files> => {
    await decisions.refresh();
    const stamp = await stampOf(folder);
    if (files === undefined || known !== stamp) {
      known = stamp;
      files = readFiles(folder, stamp);
      files.catch(() => (files = undefined));
    }
    return files;
  };
  const statusOf = ({ id, keys }: Place): Status => {
    const joint = decisions.of(id);
    if (joint.some(({ conflict }) => conflict)) return "conflicts";
    return isReviewed(keys, agreed(joint), decisions.none(id).length > 0) ? "reviewed" : "open";
  };
  const shows = (place: Place, show: ReviewShow): boolean => show === "all" || statusOf(place) === show;

  async function entry(name: string): Promise<ReviewEntry> {
    const { places, triples } = await read();
    const conflicts = places.reduce((sum, { id }) => sum + decisions.of(id).filter((one) => one.conflict).length, 0);
    const reviewed = places.filter((place) => statusOf(place) === "reviewed").length;
    return { name, documents: places.length, triples, reviewed, conflicts, people: decisions.people() };
  }

  async function document(id: string, show: ReviewShow): Promise<ReviewDocument | undefined> {
    const { places, byId } = await read();
    const at = byId.get(id);
    if (at === undefined) return undefined;
    const place = places[at]!;
    const shown = places.flatMap((one, i) => (shows(one, show) ? [i] : []));
    const before = shown.filter((i) => i < at);
    const placeAmong = shown.includes(at) ? before.length + 1 : null;
    const next = shown.find((i) => i > at);
    return {
      id,
      ...(await textOf(folder, place)),
      triples: await triplesOf(folder, place),
      decisions: decisions.of(id),
      none: decisions.none(id),
      place: placeAmong,
      of: shown.length,
      next: next === undefined ? null : places[next]!.id,
      previous: before.length === 0 ? null : places[before.at(-1)!]!.id,
    };
  }

  return {
    decisions,
    entry,
    document,
    has: async (id) => (await read()).byId.has(id),
    async review(name, show) {
      const { places, task, relations } = await read();
      const first = places.find((place) => shows(place, show));
      return { ...(await entry(name)), task, relations, first: first?.id ?? null };
    },
    async *training() {
      const { places } = await read();
      for (const place of places) {
        if (statusOf(place) !== "reviewed") continue;
        const { id } = place;
        const { text } = joinDocument(await textOf(folder, place));
        const relations = trainingRelations(Object.values(agreed(decisions.of(id))));
        yield `${JSON.stringify({ id, text, relations })}\n`;
      }
    },
  };
}
