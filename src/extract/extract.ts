/**
 * Mining a literature: documents → triples, one JSON line each, with where both names stand in the original text.
 * Documents are read in windows, sorted by length within each, and answered group by group; the journal makes a run
 * resumable group by group. Files: triples.jsonl, documents.jsonl (those with triples, or all), journal.jsonl.
 */
import * as z from "zod";
import { inputFingerprints, modelFingerprint } from "../io/fingerprint.ts";
import { openJournal } from "../io/journal.ts";
import { inWindows, type Items, ranges } from "../io/streams.ts";
import { ConfigError } from "../errors.ts";
import { hubSourceOf } from "../hub/index.ts";
import type { Document } from "../corpus/documents.ts";
import type { Relation } from "../metrics/hard-match.ts";
import { findName, type Range, searchable } from "../tasks/places.ts";
import type { Benchmark } from "../tasks/benchmark.ts";
import {
  decodingOf,
  type Prediction,
  type PredictOptions,
  predictSources,
  type TunedModel,
  wholeSentences,
} from "../soft-prompts/predict.ts";
import { type JoinedText, chunksOf, joinDocument, type Place, placeIn } from "./chunks.ts";
import { placePair } from "./ground.ts";
import { required } from "../schema.ts";

export interface Mention {
  /** As generated. */
  readonly name: string;
  /** Where it stands, with the text there; null: not in the text. */
  readonly at: (Place & { readonly text: string }) | null;
}

/** A line of triples.jsonl. */
export interface Triple {
  readonly document: string;
  readonly head: Mention;
  readonly tail: Mention;
  readonly relation: string;
  /** The sentence that holds both mentions, or the two that hold one each; empty where neither was found. */
  readonly sentences: readonly string[];
  /** Mean log-probability of a token of the answer that stated it. */
  readonly score: number;
  /** The same of the tokens that state this triple; null where these are not found among the parts. */
  readonly tripleScore: number | null;
  readonly task: string;
  readonly decoder: Readonly<Record<string, unknown>>;
}

export interface ExtractOptions extends Omit<PredictOptions, "onProgress"> {
  readonly output: string;
  /** Go on where a run in `output` ended. */
  readonly resume?: boolean | undefined;
  /** Names of the inputs, so that a run is not resumed on others. */
  readonly inputs?: readonly string[] | undefined;
  /** Keep documents without triples too, for a review that adds what was missed. Those without text never. */
  readonly allDocuments?: boolean | undefined;
  /** Documents sorted by length together. Default 256. */
  readonly window?: number | undefined;
  /** Documents between two entries of the journal. Default 32. */
  readonly group?: number | undefined;
  readonly onProgress?: ((progress: ExtractProgress) => void) | undefined;
}

/** Counted over the whole run, kills included. */
export interface Counts {
  readonly documents: number;
  /** Documents without text. */
  readonly empty: number;
  /** Longer than the model takes, read in several windows. */
  readonly windowed: number;
  readonly triples: number;
  /** Triples whose two names stand in the text. */
  readonly grounded: number;
  readonly headsNotInText: number;
  readonly tailsNotInText: number;
  /** Answers that length or the repeat guard ended. */
  readonly unfinished: number;
}

const noCounts: Counts = {
  documents: 0,
  empty: 0,
  windowed: 0,
  triples: 0,
  grounded: 0,
  headsNotInText: 0,
  tailsNotInText: 0,
  unfinished: 0,
};

const count = z.int().min(0);

/** The last group of documents done. */
const groupSchema = z.object({
  window: count,
  group: count,
  /** Id of the window's first document, against resuming on other input. */
  first: z.string(),
  counts: z.object({
    documents: count,
    empty: count,
    windowed: count,
    triples: count,
    grounded: count,
    headsNotInText: count,
    tailsNotInText: count,
    unfinished: count,
  }),
});
type Group = z.infer<typeof groupSchema>;

export interface ExtractProgress extends Counts {
  /** Documents of this call alone, and the seconds that they took. */
  readonly now: number;
  readonly seconds: number;
}

export interface ExtractResult extends ExtractProgress {
  /** True where `signal` ended the run; what is done is kept. */
  readonly stopped: boolean;
}

const extractFiles = ["triples.jsonl", "documents.jsonl"] as const;

/**
 * Mines documents into `output`: triples.jsonl and documents.jsonl. Aborting ends the run in order.
 * @throws ConfigError where the task is not one of relations, or `output` holds another run.
 */
export async function extractDocuments(
  tuned: TunedModel,
  documents: Items<Document>,
  options: ExtractOptions,
): Promise<ExtractResult> {
  required("extractDocuments: tuned", tuned, "object");
  required("extractDocuments: documents", documents, "stream");
  required("extractDocuments: options", options, "object");
  required("extractDocuments: output", options.output, "text");
  const { task, model } = tuned;
  checkTask(tuned);
  const { window = 256, group = 32 } = options;
  const decoding = decodingOf(tuned, { ...options, repeatGuard: options.repeatGuard ?? true });
  const settings = {
    model: hubSourceOf(model.folder) ?? model.folder,
    weights: await modelFingerprint(model.folder),
    task: task.name,
    version: task.version,
    decoder: { ...decoding, maxNewTokens: options.maxNewTokens },
    inputs: await inputFingerprints(options.inputs ?? []),
    window,
    group,
    // Absent where it is false, so that runs from before it are resumed.
    allDocuments: options.allDocuments === true ? true : undefined,
  };
  const resume = options.resume ?? false;
  await using journal = await openJournal(options.output, extractFiles, { settings, entry: groupSchema, resume });
  const { last } = journal;
  const started = performance.now();
  let counts = last?.counts ?? noCounts;
  let now = 0;
  const state = (): ExtractProgress => ({ ...counts, now, seconds: (performance.now() - started) / 1000 });
  const answer = (texts: readonly string[]): Promise<Prediction[]> =>
    predictSources(tuned, texts, { ...options, repeatGuard: decoding.repeatGuard, onProgress: undefined });

  try {
    for await (const { part, ...place } of groupsOf(tuned, documents, { window, group, last, where: options.output })) {
      options.signal?.throwIfAborted();
      const answers = await answer(part.flatMap(({ sources }) => sources));
      const found = part.map((one) => triplesOf(one, answers.splice(0, one.sources.length), task, settings.decoder));
      counts = addCounts(counts, part, found);
      now += part.length;
      const lines = [found.flatMap(({ triples }) => triples), documentsOf(part, found, options.allDocuments === true)];
      const written = lines.map((values) => values.map((value) => `${JSON.stringify(value)}\n`).join(""));
      await journal.append(written, { ...place, counts });
      options.onProgress?.(state());
    }
  } catch (error) {
    if (options.signal?.aborted !== true || error !== options.signal.reason) throw error;
    return { ...state(), stopped: true };
  }
  return { ...state(), stopped: false };
}

/** What is read of a document. */
type Read = Pick<Document, "id" | "title" | "text">;

/**
 * Triples of documents in memory, a list for each, as `extractDocuments` writes them.
 * @throws ConfigError where the task is not one of relations.
 */
export async function extractTriples(
  tuned: TunedModel,
  documents: readonly Read[],
  options: Omit<PredictOptions, "onProgress"> = {},
): Promise<Triple[][]> {
  required("extractTriples: tuned", tuned, "object");
  required("extractTriples: documents", documents, "list");
  checkTask(tuned);
  const decoding = decodingOf(tuned, { ...options, repeatGuard: options.repeatGuard ?? true });
  const decoder = { ...decoding, maxNewTokens: options.maxNewTokens };
  const part = documents.map((document) => prepare(document, tuned));
  const sources = part.flatMap((one) => one.sources);
  const answers = await predictSources(tuned, sources, { ...options, repeatGuard: decoding.repeatGuard });
  return part.map((one) => triplesOf(one, answers.splice(0, one.sources.length), tuned.task, decoder).triples);
}

function checkTask({ task }: TunedModel): void {
  if (task.extracts === "relations") return;
  throw new ConfigError(
    `${task.name}: expected a task of relations, got one of ${task.extracts ?? "labels or answers"}`,
    { hint: "galen predict answers for single texts" },
  );
}

interface Grouping {
  readonly window: number;
  readonly group: number;
  /** What is done already. */
  readonly last: Group | undefined;
  /** Names the run in errors. */
  readonly where: string;
}

/** Documents in groups of like length, those of a window sorted together; without what is done. */
async function* groupsOf(
  tuned: TunedModel,
  documents: Items<Document>,
  { window: size, group: count, last, where }: Grouping,
): AsyncGenerator<Omit<Group, "counts"> & { readonly part: readonly Prepared[] }> {
  let window = -1;
  for await (const read of inWindows(documents, size)) {
    window += 1;
    if (last !== undefined && window < last.window) continue;
    const resumed = last !== undefined && window === last.window;
    const first = read[0]!.id;
    if (resumed && first !== last.first) {
      throw new ConfigError(`${where}: expected document ${last.first} at this place of the input, got ${first}`, {
        hint: "a run is resumed on the same inputs",
      });
    }
    const prepared = read.map((document) => prepare(document, tuned)).sort((a, b) => b.longest - a.longest);
    for (const [start, end] of ranges(prepared.length, count)) {
      const group = start / count;
      if (resumed && group <= last.group) continue;
      yield { window, group, first, part: prepared.slice(start, end) };
    }
  }
}

interface Prepared {
  readonly document: Read;
  readonly joined: JoinedText;
  readonly chunks: readonly Range[];
  /** What the model reads, one a chunk. */
  readonly sources: readonly string[];
  /** Tokens of the longest. */
  readonly longest: number;
}

function prepare(document: Read, { task, layout }: TunedModel): Prepared {
  const joined = joinDocument(document);
  const sourceOf = (text: string): string => task.source(task.exampleOf(document.id, text));
  const tokensOf = (text: string): number => layout.tokenizer.encodeIds(sourceOf(text)).length - 1;
  const chunks = chunksOf(joined, layout.truncation.maxSourceTokens, tokensOf);
  const sources = chunks.map(([start, end]) => sourceOf(joined.text.slice(start, end)));
  return { document, joined, chunks, sources, longest: Math.max(0, ...sources.map(tokensOf)) };
}

interface Found {
  readonly triples: Triple[];
  readonly unfinished: number;
}

function triplesOf(
  { document, joined, chunks }: Prepared,
  answers: readonly Prediction[],
  task: Benchmark,
  decoder: Readonly<Record<string, unknown>>,
): Found {
  const triples = new Map<string, Triple>();
  answers.forEach(({ answer, text, score, parts, tokens, complete }, i) => {
    const [start, end] = chunks[i]!;
    const part = searchable(joined.text.slice(start, end));
    const whole = complete || decoder["copyOnly"] === true; // copied names are whole already
    const kept = (whole ? answer : task.parse(endsWhole(text) ? text : wholeSentences(text))) as readonly Relation[];
    const own = new Map(
      parts.flatMap((one) => {
        const found = task.parse(one.text) as readonly Relation[];
        return found.map((relation) => [keyOf(relation), one.score] as const);
      }),
    );
    for (const { head, tail, relation } of kept) {
      if (head === "" || tail === "") continue;
      const key = keyOf({ head, tail, relation });
      const mean = score / Math.max(1, tokens);
      if ((triples.get(key)?.score ?? -Infinity) >= mean) continue;
      const within = (ranges: Range[]): Range[] => ranges.map(([a, b]) => [a + start, b + start]);
      const places = placePair(within(findName(head, part)), within(findName(tail, part)), joined.sentences);
      triples.set(key, {
        document: document.id,
        head: mentionOf(head, places.head, joined),
        tail: mentionOf(tail, places.tail, joined),
        relation: relation === "" ? "related" : relation,
        sentences: places.sentences.map(([a, b]) => joined.text.slice(a, b)),
        score: rounded(mean),
        tripleScore: own.has(key) ? rounded(own.get(key)!) : null,
        task: task.name,
        decoder,
      });
    }
  });
  return { triples: [...triples.values()], unfinished: answers.filter(({ complete }) => !complete).length };
}

/** Lines of documents.jsonl. */
function documentsOf(part: readonly Prepared[], found: readonly Found[], all: boolean): object[] {
  return part
    .filter(({ chunks }, i) => found[i]!.triples.length > 0 || (all && chunks.length > 0))
    .map(({ document: { id, title, text } }) => ({ id, title, text }));
}

const keyOf = ({ head, tail, relation }: Relation): string => JSON.stringify([head, tail, relation]);
const rounded = (score: number): number => Number(score.toFixed(4));

/** An answer that was cut off may end within a sentence. */
const endsWhole = (text: string): boolean => /\.\s*$/.test(text);

function mentionOf(name: string, range: Range | undefined, joined: JoinedText): Mention {
  const place = range === undefined ? undefined : placeIn(joined, range);
  return { name, at: place === undefined ? null : { ...place, text: joined.text.slice(...range!) } };
}

function addCounts(counts: Counts, part: readonly Prepared[], found: readonly Found[]): Counts {
  const triples = found.flatMap((one) => one.triples);
  const count = <T>(items: readonly T[], is: (item: T) => boolean): number => items.filter(is).length;
  return {
    documents: counts.documents + part.length,
    empty: counts.empty + count(part, ({ chunks }) => chunks.length === 0),
    windowed: counts.windowed + count(part, ({ chunks }) => chunks.length > 1),
    triples: counts.triples + triples.length,
    grounded: counts.grounded + count(triples, ({ head, tail }) => head.at !== null && tail.at !== null),
    headsNotInText: counts.headsNotInText + count(triples, ({ head }) => head.at === null),
    tailsNotInText: counts.tailsNotInText + count(triples, ({ tail }) => tail.at === null),
    unfinished: counts.unfinished + found.reduce((sum, one) => sum + one.unfinished, 0),
  };
}
