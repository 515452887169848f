/**
 * What a stage did to a shard, counted document by document, with a few examples of each rule. Which ones are shown depends on
 * their ids alone, so that it is the same however the work was cut. Of notes that nobody has de-identified, and of what
 * de-identification changed, no words are shown.
 */
import { charactersOf } from "../../corpus/document-shards.ts";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { wordsOf } from "./count-words.ts";
import { type Amount, type Example, noAmount, plus, type StageMarker } from "./marker.ts";
import type { Outcome } from "../stage.ts";

/** Examples of a rule that a shard keeps. */
const examplesEach = 3;
const shownCharacters = 480;

/** Whether a document's words may stand in a report. */
export function isShowable({ kind, metadata }: CorpusDocument): boolean {
  return kind !== "clinical-notes" || metadata["deidentified"] !== undefined;
}

/** A few of many things, those whose ids come first by a hash. */
export function createSample<T>(size: number): { offer(id: string, make: () => T): void; taken(): T[] } {
  const held: { readonly order: number; readonly id: string; readonly item: T }[] = [];
  const isBefore = (order: number, id: string, other: (typeof held)[number]): boolean =>
    order < other.order || (order === other.order && id < other.id);
  return {
    offer(id, make) {
      const order = orderOf(id);
      const last = held.at(-1);
      if (held.length === size && last !== undefined && !isBefore(order, id, last)) return;
      const at = held.findIndex((other) => isBefore(order, id, other));
      held.splice(at < 0 ? held.length : at, 0, { order, id, item: make() });
      if (held.length > size) held.pop();
    },
    taken: () => held.map(({ item }) => item),
  };
}

function orderOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

interface Rule {
  documents: number;
  words: number;
  times: number;
  readonly examples: ReturnType<typeof createSample<Example>>;
}

export interface Tally {
  /** Counts what became of a document. */
  add(before: CorpusDocument, outcome: Outcome): void;
  marker(dropped: readonly number[], file: StageMarker["file"]): StageMarker;
}

export function createTally(): Tally {
  let [into, out]: [Amount, Amount] = [noAmount, noAmount];
  const rules = { drops: new Map<string, Rule>(), changes: new Map<string, Rule>() };
  const kept = createSample<Example>(examplesEach);
  const ruleOf = (kind: keyof typeof rules, name: string): Rule => {
    let rule = rules[kind].get(name);
    if (rule === undefined) {
      rule = { documents: 0, words: 0, times: 0, examples: createSample<Example>(examplesEach) };
      rules[kind].set(name, rule);
    }
    return rule;
  };
  return {
    add(before, outcome) {
      const words = wordsOf(before);
      into = plus(into, { documents: 1, words, characters: charactersOf(before) });
      if (!outcome.keep) {
        const rule = ruleOf("drops", outcome.rule);
        rule.documents += 1;
        rule.words += words;
        rule.examples.offer(before.id, () => ({ ...exampleOf(before), detail: outcome.detail }));
        return;
      }
      const after = outcome.document ?? before;
      out = plus(out, { documents: 1, words: wordsOf(after), characters: charactersOf(after) });
      for (const [name, times] of Object.entries(outcome.changes ?? {})) {
        if (times === 0) continue;
        const rule = ruleOf("changes", name);
        rule.documents += 1;
        rule.times += times;
        rule.examples.offer(before.id, () => changeOf(before, after));
      }
      kept.offer(after.id, () => exampleOf(after));
    },
    marker(dropped, file) {
      const inOrder = (map: Map<string, Rule>): [string, Rule][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      const drops = inOrder(rules.drops).map(([name, { documents, words, examples }]) => {
        return [name, { documents, words, examples: examples.taken() }];
      });
      const changes = inOrder(rules.changes).map(([name, { documents, times, examples }]) => {
        return [name, { times, documents, examples: examples.taken() }];
      });
      return {
        in: into,
        out,
        drops: Object.fromEntries(drops) as StageMarker["drops"],
        changes: Object.fromEntries(changes) as StageMarker["changes"],
        kept: kept.taken(),
        dropped: [...dropped],
        ...(file === undefined ? {} : { file }),
      };
    },
  };
}

const cut = (text: string): string => (text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`);

/** The beginning of what a document says. */
export function excerpt({ sections }: CorpusDocument): string {
  return cut(sections.map(({ text }) => text).join("\n\n"));
}

function exampleOf(document: CorpusDocument): Example {
  const { id, title } = document;
  return isShowable(document) ? { id, title: cut(title), text: excerpt(document) } : { id, title: "" };
}

/** The first place that a change touched, before and after it. */
function changeOf(before: CorpusDocument, after: CorpusDocument): Example {
  const { id } = after;
  if (!isShowable(after)) return { id, title: "" };
  const hides = !isShowable(before);
  const [old, now] = [before, after].map(({ title, sections }) => [title, ...sections.map(({ text }) => text)]);
  const first = now!.findIndex((text, i) => text !== old![i]);
  // What was only counted has no place to show.
  if (first < 0) return { id, title: cut(after.title) };
  const i = first;
  const [from, to] = [old![i] ?? "", now![i] ?? ""];
  let at = 0;
  while (at < from.length && at < to.length && from[at] === to[at]) at += 1;
  const start = Math.max(0, at - shownCharacters / 4);
  const part = (text: string): string => (start > 0 ? "…" : "") + cut(text.slice(start));
  if (hides) return { id, title: cut(after.title), after: part(to) };
  return { id, title: cut(after.title), text: part(from), after: part(to) };
}
