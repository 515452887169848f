/**
 * Documents into an index, window by window: what has not changed is left as it is, of what has, only changed passages are
 * embedded again. So the same call goes on where one was killed, and a second call with new files is an update.
 */
import { join, resolve } from "node:path";
import * as z from "zod";
import type { ReadDocumentsOptions } from "../corpus/documents.ts";
import { ConfigError } from "../errors.ts";
import { resolveModel } from "../hub/index.ts";
import { writeFileAtomically } from "../io/files.ts";
import { modelFingerprint } from "../io/fingerprint.ts";
import { readSettings } from "../io/json.ts";
import { readLines } from "../io/lines.ts";
import { type Embedder, loadEmbedder } from "../retrieval/embedder.ts";
import { unit } from "../retrieval/vector-similarity.ts";
import type { NetworkOptions } from "../runtime/network.ts";
import { required } from "../schema.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import { type Entry, passagesOf, readEntries, usualPassage } from "./documents.ts";
import type { IndexModel, StoreKind } from "./manifest.ts";
import { openStoreWriter } from "./open.ts";
import { passageText } from "./passages.ts";
import type { Passage, StoredDocument, StoreWriter } from "./store.ts";
import type { IndexedDocument } from "./types.ts";

export interface IndexProgress {
  /** Documents looked at. */
  readonly documents: number;
  /** What is done behind the last document. */
  readonly text?: string | undefined;
}

export interface IndexDocumentsOptions extends NetworkOptions, Omit<ReadDocumentsOptions, "limit"> {
  readonly output: string;
  /** Sentence Transformers directory, or its name; without it the index has words alone. */
  readonly model?: string | undefined;
  /** What keeps the index; one that is kept otherwise is moved. Default: what keeps it, else LanceDB for more than 32 MiB of
   * input, where it is installed. */
  readonly store?: StoreKind | undefined;
  /** Documents to take out, before anything is added. */
  readonly delete?: readonly string[] | undefined;
  /** A file of more of these, one a line, such as PubMed's deleted.pmids.gz. */
  readonly deleteList?: string | undefined;
  /** Told of passages that are longer than the model takes. */
  readonly onCut?: OnCut | undefined;
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

export interface IndexSummary {
  readonly store: StoreKind;
  /** In the index now. */
  readonly documents: number;
  readonly added: number;
  readonly changed: number;
  /** Read, and in the index as they are. */
  readonly unchanged: number;
  readonly deleted: number;
  /** Documents of this call under whose id it had read one before: the later counts. Among the first million. */
  readonly repeated: number;
  /** Passages that were embedded. */
  readonly embedded: number;
  readonly failures: number;
}

/** Documents that are looked up, embedded and kept together, or fewer long ones: enough to sort passages, little to lose. */
const window = { documents: 512, characters: 2 << 20 };
/** Identifiers that are remembered, to say which came twice. */
const mostSeen = 1_000_000;
/** Characters of a token of English, as WordPiece cuts it. */
const tokenCharacters = 4.4;

type Counts = { -readonly [Name in keyof Omit<IndexSummary, "documents" | "store">]: number };

interface Job {
  readonly store: StoreWriter;
  readonly embedder: Embedder | undefined;
  /** Characters of a passage. */
  readonly passage: number;
  readonly counts: Counts;
  /** PMIDs that a notice says are retracted, of this run and earlier ones. */
  readonly retracted: Set<string>;
  readonly onCut: OnCut | undefined;
}

/**
 * Adds what inputs hold to an index, made where there is none. Of a record that comes twice the higher version counts, of
 * equal ones the later; PubMed's withdrawals take documents out.
 * @throws ConfigError where another process writes to the index, or it was made with another model; the signal's reason
 * between two windows: what is kept by then stays.
 */
export async function indexDocuments(inputs: readonly string[], options: IndexDocumentsOptions): Promise<IndexSummary> {
  required("indexDocuments: inputs", inputs, "list of texts");
  const { output, model: source, store: kind, delete: named = [], deleteList, ...rest } = options;
  const { onCut, onProgress, onFailure, columns, signal, ...network } = rest;
  if (inputs.length === 0 && named.length === 0 && deleteList === undefined && kind === undefined) {
    throw new ConfigError("indexDocuments: expected inputs, documents to delete or a store to move to, got none");
  }
  const folder = source === undefined ? undefined : await resolveModel(source);
  await using embedder = folder === undefined ? undefined : await loadEmbedder(folder, network);
  const model: IndexModel | null | undefined =
    embedder === undefined
      ? inputs.length === 0
        ? undefined
        : null
      : { source: placeOf(source!, folder!), fingerprint: await modelFingerprint(folder!), width: embedder.width };
  const most = embedder === undefined ? Infinity : embedder.folder.maxTokens * tokenCharacters;
  const wanted = { model, passage: Math.floor(Math.min(usualPassage, most)), store: kind, inputs };
  const { store, manifest } = await openStoreWriter(output, wanted);
  await using _ = store;
  const counts: Counts = { added: 0, changed: 0, unchanged: 0, deleted: 0, repeated: 0, embedded: 0, failures: 0 };
  const notices = join(output, "retractions.json");
  const retracted = new Set(await readRetractions(notices));
  const job: Job = { store, embedder, passage: manifest.passage, counts, retracted, onCut };
  const listed = deleteList === undefined ? [] : await identifiersIn(deleteList, signal);
  counts.deleted += await store.delete([...new Set([...named, ...listed])]);

  let looked = 0;
  const take = async (entries: readonly Entry[]): Promise<void> => {
    const before = retracted.size;
    for (const entry of entries) if (entry.kind === "document") for (const id of entry.retracts) retracted.add(id);
    // First who is retracted: documents that come later, in whatever run, are marked by it.
    if (retracted.size > before) await writeFileAtomically(notices, `${JSON.stringify([...retracted].sort())}\n`);
    await putWindow(job, entries);
    await markRetracted(job, entries);
    looked += entries.length;
    onProgress?.({ documents: looked });
  };
  const failed: ReadDocumentsOptions["onFailure"] =
    onFailure === undefined
      ? undefined
      : (failure) => {
          counts.failures += 1;
          onFailure(failure);
        };
  if (inputs.length > 0) {
    const read = readEntries(inputs, { columns, signal, onFailure: failed });
    for await (const entries of newestIn(read, () => (counts.repeated += 1))) {
      signal?.throwIfAborted();
      await take(entries);
    }
  }
  // Also where nothing has changed: a run that was killed may have left it undone.
  await store.optimise((text) => onProgress?.({ documents: looked, text }));
  return { store: manifest.store, documents: await store.count(), ...counts };
}

/** The lines of a file that are not empty. */
async function identifiersIn(path: string, signal: AbortSignal | undefined): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of readLines(path, { signal })) if (text.trim() !== "") found.push(text.trim());
  return found;
}

/** A name of the hub as it is, a path from wherever the index is used. */
function placeOf(source: string, folder: string): string {
  return folder === source ? resolve(source) : source;
}

async function readRetractions(path: string): Promise<readonly string[]> {
  return (await readSettings(path, z.array(z.string()))) ?? [];
}

/** Windows of entries in which each document comes once, and none after a higher version of it. */
async function* newestIn(entries: AsyncIterable<Entry>, onRepeated: () => void): AsyncGenerator<Entry[]> {
  const versions = new Map<string, number>();
  const seen = new Set<string>();
  let some = new Map<string, Entry>();
  let characters = 0;
  for await (const entry of entries) {
    const id = entry.kind === "document" ? entry.document.id : entry.id;
    const version = entry.version ?? Infinity;
    if (version < (versions.get(id) ?? 1)) continue;
    if (entry.kind === "document") {
      if (seen.has(id)) onRepeated();
      else if (seen.size < mostSeen) seen.add(id);
    }
    // What was withdrawn may come again.
    if (entry.kind === "document" && version > 1) versions.set(id, version);
    some.delete(id);
    some.set(id, entry);
    characters += entry.kind === "document" ? entry.document.text.length : 0;
    if (some.size < window.documents && characters < window.characters) continue;
    yield [...some.values()];
    some = new Map();
    characters = 0;
  }
  if (some.size > 0) yield [...some.values()];
}

async function putWindow(job: Job, entries: readonly Entry[]): Promise<void> {
  const { store, counts, retracted } = job;
  const gone = entries.flatMap((entry) => (entry.kind === "deletion" ? [entry.id] : []));
  if (gone.length > 0) counts.deleted += await store.delete(gone);
  const documents = entries.flatMap((entry): IndexedDocument[] => {
    if (entry.kind !== "document") return [];
    const { document } = entry;
    return [retracted.has(document.id) ? { ...document, retracted: true } : document];
  });
  const there = await store.get(documents.map(({ id }) => id));
  const isSame = (document: IndexedDocument, i: number): boolean =>
    there[i] !== undefined && canonical(there[i].document) === canonical(document);
  const fresh = documents.filter((document, i) => !isSame(document, i));
  const old = new Map(there.flatMap((one) => (one === undefined ? [] : [[one.document.id, one] as const])));
  if (fresh.length > 0) await store.put(await withPassages(job, fresh, old));
  counts.unchanged += documents.length - fresh.length;
  for (const { id } of fresh) counts[old.has(id) ? "changed" : "added"] += 1;
}

/** The same for the same document, in whatever order its fields are. */
function canonical(document: IndexedDocument): string {
  const sorted = (value: object): [string, unknown][] =>
    Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(sorted({ ...document, fields: sorted(document.fields) }));
}

/** Documents with their passages; vectors are kept where a document's text is what it was. */
async function withPassages(
  { embedder, passage, counts, onCut }: Job,
  documents: readonly IndexedDocument[],
  old: ReadonlyMap<string, StoredDocument>,
): Promise<StoredDocument[]> {
  const ranges = documents.map((document) => passagesOf(document, passage));
  if (embedder === undefined) {
    return documents.map((document, i) => ({ document, passages: ranges[i]!.map(([start, end]) => ({ start, end })) }));
  }
  const known = documents.map(({ id, text }) => {
    const before = old.get(id);
    return before?.document.text === text ? before.passages : undefined;
  });
  const texts = documents.flatMap((document, i) =>
    known[i] === undefined ? ranges[i]!.map((range) => passageText(document, { start: range[0], end: range[1] })) : [],
  );
  const vectors = await embedder.embed(texts, { role: "document", ...(onCut === undefined ? {} : { onCut }) });
  counts.embedded += texts.length;
  let next = 0;
  return documents.map((document, i) => {
    const passages =
      known[i] ?? ranges[i]!.map(([start, end]): Passage => ({ start, end, vector: unit(vectors[next++]!) }));
    return { document, passages };
  });
}

/** Marks documents of the index that are retracted by notices in these entries. */
async function markRetracted({ store, counts }: Job, entries: readonly Entry[]): Promise<void> {
  const ids = [...new Set(entries.flatMap((entry) => (entry.kind === "document" ? entry.retracts : [])))];
  if (ids.length === 0) return;
  const found = (await store.get(ids)).flatMap((one) => (one === undefined || one.document.retracted ? [] : [one]));
  if (found.length === 0) return;
  await store.put(found.map(({ document, passages }) => ({ document: { ...document, retracted: true }, passages })));
  counts.changed += found.length;
}
