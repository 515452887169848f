/**
 * What may go with what: names that stand beside one name in the index's documents, each with how often they do, how often
 * chance would have it (log-likelihood ratio, Dunning 1993; pointwise mutual information), whether mined relations or
 * indexers knew it, and the sentences that say both. What a model proposes and no document has together is ungrounded.
 */
import * as z from "zod";
import { streamJsonLines } from "../io/json.ts";
import { splitSentences } from "../corpus/sentences.ts";
import type { IndexedDocument, SearchIndex } from "../search/types.ts";
import { wordsOf } from "../search/words.ts";
import { findName, searchable } from "../tasks/places.ts";
import { namesOf, readWanted, type Wanted } from "./names.ts";
import { cite } from "./quote.ts";
import { canAnswer } from "./sentence.ts";
import type { Citation } from "./types.ts";

/** Two names that a run of `galen extract` found related. */
export interface KnownRelation {
  readonly head: string;
  readonly tail: string;
  readonly relation: string;
}

export interface Hypothesis {
  readonly name: string;
  /** Documents that have both, and the name at all. */
  readonly together: number;
  readonly withName: number;
  /** How many would have both if they had nothing to do with each other. */
  readonly expected: number;
  /** G²; above 10.8 chance would do it once in a thousand. Negative where they avoid each other. */
  readonly logLikelihood: number;
  /** log2 of together over expected; null without any. */
  readonly mutualInformation: number | null;
  /** Who said so already: mined relations, or indexers that filed a document under both. */
  readonly known: readonly ("relation" | "mesh")[];
  readonly from: readonly ("documents" | "relations" | "model")[];
  /** Sentences with both names. */
  readonly examples: readonly Citation[];
}

export interface Hypotheses extends Wanted {
  readonly question: string;
  /** Documents in the index, and those with the anchor. */
  readonly documents: number;
  readonly withAnchor: number;
  /** Together in documents more often than by chance, and in a sentence (or proposed by others); by log-likelihood. */
  readonly grounded: readonly Hypothesis[];
  /** Proposed by a model, and nowhere together: no fact, an idea. */
  readonly ungrounded: readonly Hypothesis[];
  readonly notes: readonly string[];
}

export interface HypothesesOptions {
  /** Most names. Default 20. */
  readonly limit?: number | undefined;
  readonly relations?: readonly KnownRelation[] | undefined;
  /** Names in texts, of a tagger; default: by their shapes. */
  readonly names?: ((texts: readonly string[]) => Promise<readonly (readonly string[])[]>) | undefined;
  /** Continuations of the question by a model. */
  readonly continuations?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

const line = z.looseObject({
  head: z.looseObject({ name: z.string() }),
  tail: z.looseObject({ name: z.string() }),
  relation: z.string(),
});

/** Relations of a `triples.jsonl` of `galen extract`. @throws DataError that names the line. */
export async function readRelations(path: string): Promise<KnownRelation[]> {
  const found: KnownRelation[] = [];
  for await (const { head, tail, relation } of streamJsonLines(path, line)) {
    found.push({ head: head.name, tail: tail.name, relation });
  }
  return found;
}

/** Documents with the anchor whose names are read, and names whose documents are counted. */
const mostRead = 1000;
const mostCounted = 100;
const mostExamples = 3;

/**
 * Names that go with the one in the question.
 * @throws UsageError for a question of another form.
 */
export async function hypotheses(
  index: SearchIndex,
  question: string,
  options: HypothesesOptions = {},
): Promise<Hypotheses> {
  const { limit = 20, relations = [], continuations = [], signal } = options;
  const wanted = readWanted(question);
  const { anchor, kind } = wanted;
  const documents = await index.count();
  const { total, ids } = await withNames(index, [anchor], mostRead, signal);
  const stored = (await index.documents(ids)).filter((one) => one !== undefined);
  const read = stored.filter(({ retracted }) => !retracted);
  const names = options.names ?? (async (texts) => texts.map((text) => namesOf(kind, text)));
  const lists = await names(read.map(({ text }) => text));
  const candidates = createCandidates(anchor);
  lists.forEach((list) => candidates.add("documents", list));
  candidates.add(
    "relations",
    relations.flatMap((one) => partnerOf(one, anchor)),
  );
  continuations.forEach((text) => candidates.add("model", namesIn(kind, text)));
  const found: Hypothesis[] = [];
  for (const { name, from } of candidates.best(mostCounted)) {
    signal?.throwIfAborted();
    const withName = (await withNames(index, [name], 1, signal)).total;
    const together = (await withNames(index, [anchor, name], 1, signal)).total;
    const known = knownBy(name, anchor, relations, read);
    const examples = together === 0 ? [] : examplesOf(read, anchor, name);
    found.push({ name, from, withName, together, known, examples, ...chance(together, total, withName, documents) });
  }
  // A full text's methods name what its introduction does not speak of: together is in one sentence, or somebody said so.
  const isSaid = ({ examples, from }: Hypothesis): boolean =>
    examples.length > 0 || from.some((one) => one !== "documents");
  const grounded = found.filter((one) => one.together > 0 && one.logLikelihood > 0 && isSaid(one));
  const left = read.length < stored.length ? [`retracted, left out: ${stored.length - read.length} documents`] : [];
  const some = total > ids.length ? [`names were read in ${ids.length} of ${total} documents with ${anchor}`] : [];
  return {
    question,
    ...wanted,
    documents,
    withAnchor: total,
    grounded: grounded.sort((a, b) => b.logLikelihood - a.logLikelihood).slice(0, limit),
    ungrounded: found.filter((one) => one.together === 0 && one.from.includes("model")).slice(0, limit),
    notes: [...left, ...some, ...(total === 0 ? [`no document names ${anchor}`] : [])],
  };
}

async function withNames(index: SearchIndex, names: readonly string[], limit: number, signal: AbortSignal | undefined) {
  const query = names.map((name) => `"${name.replaceAll('"', " ")}"`).join(" AND ");
  const { total, hits } = await index.search(query, { mode: "text", limit, signal });
  return { total: total ?? hits.length, ids: hits.map(({ id }) => id) };
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function partnerOf({ head, tail }: KnownRelation, anchor: string): string[] {
  if (same(head, anchor)) return [tail];
  return same(tail, anchor) ? [head] : [];
}

/** Names of a continuation: of their kind, else the items of its list. */
function namesIn(kind: Wanted["kind"], text: string): string[] {
  const found = namesOf(kind, text);
  const items = text.split(/[,;.]|\band\b|\bor\b/).map((item) => item.trim());
  return found.length > 0 ? found : items.filter((item) => item !== "" && item.split(" ").length <= 4).slice(0, 10);
}

function createCandidates(anchor: string) {
  const counts = new Map<string, { name: string; count: number; from: Set<Hypothesis["from"][number]> }>();
  // Searches do not tell "APOE" from "APOs".
  const stemmed = (name: string): string => wordsOf(name).join(" ");
  const own = stemmed(anchor);
  return {
    add(from: Hypothesis["from"][number], names: readonly string[]): void {
      for (const name of names) {
        const key = name.toLowerCase();
        if (key.length < 2 || stemmed(name) === own) continue;
        const one = counts.get(key) ?? { name, count: 0, from: new Set() };
        one.count += 1;
        one.from.add(from);
        counts.set(key, one);
      }
    },
    /** All that a model or relations propose, then those in most documents. */
    best(limit: number): { readonly name: string; readonly from: Hypothesis["from"] }[] {
      const weight = (one: { count: number; from: Set<string> }): number =>
        one.count + (one.from.size > 1 || !one.from.has("documents") ? 1e6 : 0);
      const ordered = [...counts.values()].sort((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1));
      return ordered.slice(0, limit).map(({ name, from }) => ({ name, from: [...from] }));
    },
  };
}

function knownBy(
  name: string,
  anchor: string,
  relations: readonly KnownRelation[],
  documents: readonly IndexedDocument[],
): Hypothesis["known"] {
  const related = relations.some((one) => partnerOf(one, anchor).some((partner) => same(partner, name)));
  const has = (mesh: readonly string[], word: string): boolean =>
    mesh.some((heading) => findName(word, searchable(heading)).length > 0);
  const filed = documents.some(({ mesh }) => has(mesh, name) && has(mesh, anchor));
  return [...(related ? (["relation"] as const) : []), ...(filed ? (["mesh"] as const) : [])];
}

/** "AD: Alzheimer's disease; AIC: Akaike Information Criterion; …" */
const abbreviations = /(?:[\p{Lu}\d-]{2,}: [^;:]+; ){2}/u;

function examplesOf(documents: readonly IndexedDocument[], anchor: string, name: string): Citation[] {
  const found: Citation[] = [];
  for (const document of documents) {
    if (!document.text.toLowerCase().includes(name.toLowerCase())) continue;
    const both = splitSentences(document.text).find(([start, end]) => {
      const text = document.text.slice(start, end);
      // A trial called MORE is in no sentence that says "more".
      if (/^\p{Lu}+$/u.test(name) && !text.includes(name)) return false;
      const words = searchable(text);
      const both = findName(anchor, words).length > 0 && findName(name, words).length > 0;
      return both && !abbreviations.test(text) && canAnswer({ text, section: null });
    });
    if (both !== undefined) found.push(cite(document, ...both));
    if (found.length === mostExamples) break;
  }
  return found;
}

/** Of a table of documents with both, with the anchor, with the name, and all. */
export function chance(
  together: number,
  withAnchor: number,
  withName: number,
  documents: number,
): Pick<Hypothesis, "expected" | "logLikelihood" | "mutualInformation"> {
  const expected = documents === 0 ? 0 : (withAnchor * withName) / documents;
  const cells = [
    [together, withAnchor, withName],
    [withAnchor - together, withAnchor, documents - withName],
    [withName - together, documents - withAnchor, withName],
    [documents - withAnchor - withName + together, documents - withAnchor, documents - withName],
  ] as const;
  const sum = cells.reduce(
    (total, [seen, row, column]) => total + (seen <= 0 ? 0 : seen * Math.log((seen * documents) / (row * column))),
    0,
  );
  const mutualInformation = together === 0 || expected === 0 ? null : Math.log2(together / expected);
  return { expected, logLikelihood: (together < expected ? -2 : 2) * sum, mutualInformation };
}
