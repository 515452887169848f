/**
 * Copy-constrained decoding: an answer is the task's sentences, and the names in it are runs of whole words of the
 * source. An automaton over tokens says what may follow; a name is left where its text stands in the source and the
 * task's parser would read that very name. microsoft/BioGPT's constrained_generator.py, which the idea is from, allows
 * the source's tokens in any order instead, so that its names are made of pieces.
 */
import type { Processor } from "../generate/index.ts";
import type { AnswerForm, AnswerPart } from "../tasks/benchmark.ts";
import { findName, type Searchable, searchable } from "../tasks/places.ts";
import { answerOf } from "../tasks/relations.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";

/** Most tokens of a name: more than any name of the benchmarks has. */
const longestName = 64;

/** Processor and judge of the answers to one source. */
export interface CopyOnly {
  readonly process: Processor;
  /** Whether all tokens after the prompt make a whole answer. */
  isWhole(ids: readonly number[]): boolean;
}

/** A part of the answer: words, in one of several wordings, or a name. */
interface Part {
  readonly options: readonly (readonly number[])[];
  /** Of a name: what stands before it, which says how its first word is cut into tokens; and its place among the names. */
  readonly name?: { readonly before: string; readonly place: number } | undefined;
  readonly next: readonly number[];
}

/** A way of reading the answer so far: `ids[at]` may come next. */
interface Reading {
  readonly part: number;
  readonly ids: readonly number[];
  readonly at: number;
  /** Of a name: the source token that it begins with, and the one that follows `ids`. */
  readonly start: number;
  readonly following: number;
}

interface State {
  readonly readings: readonly Reading[];
  readonly allowed: ReadonlySet<number>;
  readonly next: Map<number, State>;
}

/**
 * @param prompt tokens before the answer. @param kept tokens of the source that the prompt has, those that a tokenizer
 * puts before every text left out.
 */
export function copyOnly(
  form: AnswerForm,
  tokenizer: Tokenizer,
  { source, kept, prompt }: { readonly source: string; readonly kept: number; readonly prompt: number },
): CopyOnly {
  const end = tokenizer.special.eos!;
  const names = createNames(form, tokenizer, source, kept);
  const parts = partsOf(form, tokenizer, end);
  const stateOf = (readings: readonly Reading[]): State => {
    const allowed = new Set(readings.map(({ ids, at }) => ids[at]!));
    return { readings, allowed: allowed.size === 0 ? new Set([end]) : allowed, next: new Map() };
  };
  // A part is begun once a state however many readings lead to it: a name may stand in many places.
  const beginnings = new Map<number, readonly Reading[]>();
  const beginningsOf = (part: number): readonly Reading[] => {
    let found = beginnings.get(part);
    if (found !== undefined) return found;
    const { options, name } = parts[part]!;
    found =
      name === undefined
        ? options.flatMap((ids) => (ids.length === 0 ? [] : [{ part, ids, at: 0, start: -1, following: -1 }]))
        : names.starts(name.place).map((start) => {
            const { ids, following } = names.firstWord(start, name.before);
            return { part, ids, at: 0, start, following };
          });
    beginnings.set(part, found);
    return found;
  };
  const begin = (part: number, readings: Reading[], begun: Set<number>): void => {
    if (begun.has(part)) return;
    begun.add(part);
    for (const one of beginningsOf(part)) readings.push(one);
    if (parts[part]!.options.some(({ length }) => length === 0)) follow(part, readings, begun);
  };
  const follow = (part: number, readings: Reading[], begun: Set<number>): void => {
    for (const next of parts[part]!.next) begin(next, readings, begun);
  };
  const step = (reading: Reading, readings: Reading[], begun: Set<number>): void => {
    const { part, ids, at, start, following } = reading;
    if (at + 1 < ids.length) {
      readings.push({ ...reading, at: at + 1 });
      return;
    }
    const { name } = parts[part]!;
    if (name === undefined) {
      follow(part, readings, begun);
      return;
    }
    if (names.isEnd(name.place, start, following)) follow(part, readings, begun);
    if (names.hasEnd(name.place, start, following + 1))
      readings.push({ ...reading, ids: [names.idAt(following)], at: 0, following: following + 1 });
  };
  const advance = (state: State, id: number): State => {
    let next = state.next.get(id);
    if (next === undefined) {
      const readings: Reading[] = [];
      const begun = new Set<number>();
      for (const one of state.readings) if (one.ids[one.at] === id) step(one, readings, begun);
      next = stateOf(readings);
      state.next.set(id, next);
    }
    return next;
  };
  const none = form.none === undefined ? [] : [[...startOf(tokenizer, form.none), end]];
  const first: Reading[] = [];
  if (!form.sentence.some(isName) || names.starts(0).length > 0) begin(0, first, new Set());
  const root = stateOf([
    ...first,
    ...none.map((ids) => ({ part: parts.length - 1, ids, at: 0, start: -1, following: -1 })),
  ]);
  const stateAfter = (ids: readonly number[]): State => {
    let state = root;
    for (let i = prompt; i < ids.length; i++) state = advance(state, ids[i]!);
    return state;
  };
  return {
    process(ids, scores): void {
      const { allowed } = stateAfter(ids);
      const kept = [...allowed].map((id) => [id, scores[id]!] as const);
      scores.fill(-Infinity);
      for (const [id, score] of kept) scores[id] = score;
    },
    isWhole(ids): boolean {
      if (ids.at(-1) !== end) return false;
      return stateAfter(ids.slice(0, -1)).readings.some(({ ids: expected, at }) => expected[at] === end);
    },
  };
}

const isName = (part: AnswerPart): boolean => typeof part === "object" && "name" in part;

/** Ids of a text at the beginning. */
function startOf(tokenizer: Tokenizer, text: string): number[] {
  const { before, after } = tokenizer.frame;
  const ids = tokenizer.encodeIds(text);
  return ids.slice(before.length, ids.length - after.length);
}

/** Words come again and again: of how many the tokens are remembered. */
const remembered = 1 << 17;
const wordsOf = new WeakMap<Tokenizer, Map<string, { readonly ids: readonly number[]; readonly text: string }>>();

/** A word's ids as it is written behind `before`, and the text that these alone are decoded to. */
function wordBehind(tokenizer: Tokenizer, before: string, word: string): { ids: readonly number[]; text: string } {
  let words = wordsOf.get(tokenizer);
  if (words === undefined || words.size > remembered) wordsOf.set(tokenizer, (words = new Map()));
  const key = `${before}\n${word}`;
  let found = words.get(key);
  if (found === undefined) {
    const ids = added(tokenizer, before, word);
    words.set(key, (found = { ids, text: tokenizer.decode(ids, { skipSpecialTokens: true }).trim() }));
  }
  return found;
}

/** Ids that `text` adds behind `before`, whose white space at the end is the text's. */
function added(tokenizer: Tokenizer, before: string, text: string): number[] {
  const [head, all] = [startOf(tokenizer, before.trimEnd()), startOf(tokenizer, before + text)];
  return head.every((id, i) => all[i] === id) ? all.slice(head.length) : startOf(tokenizer, text);
}

/** The parts of the first sentence, of each later one, joined to those before, and of the end. */
function partsOf({ sentence: given }: AnswerForm, tokenizer: Tokenizer, end: number): Part[] {
  const sentence = typeof given[0] === "string" ? given : ["", ...given];
  const count = sentence.length;
  const parts: Part[] = [];
  for (const joint of ["", "; "]) {
    let place = 0;
    // Any word: what counts is that there is one.
    let before = joint === "" ? "" : "x";
    sentence.forEach((part, i) => {
      const next = i === count - 1 ? [count, 2 * count] : [parts.length + 1];
      if (typeof part === "string") {
        const text = i === 0 ? joint + part : part;
        parts.push({ options: [added(tokenizer, before, text.trimEnd())], next });
        before += text;
        return;
      }
      if ("name" in part) parts.push({ options: [], name: { before, place: place++ }, next });
      else {
        const options = part.oneOf.map((text) => added(tokenizer, before, text));
        parts.push({ options, next: part.many === true ? [...next, parts.length] : next });
      }
      before = "x";
    });
  }
  parts.push({ options: [[...added(tokenizer, "x", "."), end]], next: [] });
  return parts;
}

/** What of a source may be a name: runs of tokens, by the index of the first and of the last. */
interface Names {
  idAt(index: number): number;
  /** Tokens that a name at this place among a sentence's names may begin with. */
  starts(place: number): readonly number[];
  /** The first word from a token on, as it is written behind `before`, and the token that follows it in the source. */
  firstWord(start: number, before: string): { readonly ids: readonly number[]; readonly following: number };
  /** Whether a name may end before the token `following`. */
  isEnd(place: number, start: number, following: number): boolean;
  /** Whether one may end before `following` or a later token. */
  hasEnd(place: number, start: number, following: number): boolean;
}

function createNames({ sentence }: AnswerForm, tokenizer: Tokenizer, source: string, kept: number): Names {
  const { ids, bounds, isWord } = sourceTokens(tokenizer, source, kept);
  let within: Searchable | undefined;
  const forbidden = forbiddenIn(sentence);
  const special = new Set(Object.values(tokenizer.special));
  const isUsable = (index: number): boolean => index < ids.length && !special.has(ids[index]!);
  const begins = bounds.map(
    ({ start, end }, i) =>
      isUsable(i) && isWord(start) && (bounds[i - 1]?.end ?? 0) <= start && mayBegin.test(source.slice(start, end)),
  );
  const ends = bounds.map(({ start, end }, i) => start < end && isWord(end) && (bounds[i + 1]?.start ?? end) >= end);
  const lastOfWord = ends.map(() => -1);
  for (let i = ends.length - 1, last = -1; i >= 0; i--) {
    if (!isUsable(i)) last = -1;
    else if (ends[i]) last = i;
    lastOfWord[i] = last;
  }
  const sourceText = (start: number, following: number): string =>
    source.slice(bounds[start]!.start, bounds[following - 1]!.end);
  const word = (start: number, before: string): { ids: readonly number[]; text: string; following: number } => {
    const following = lastOfWord[start]! + 1;
    return { ...wordBehind(tokenizer, before, sourceText(start, following)), following };
  };
  /** The text that a name is decoded to. */
  const textOf = (start: number, following: number): string => {
    const first = word(start, "x ");
    if (first.following === following) return first.text;
    return tokenizer
      .decode([...first.ids, ...ids.slice(first.following, following)], { skipSpecialTokens: true })
      .trim();
  };
  const isFound = (name: string, start: number, following: number): boolean => {
    const text = sourceText(start, following);
    return name === text || findName(name, (within ??= searchable(source))).length > 0;
  };
  const known = new Map<string, boolean>();
  const isEnd: Names["isEnd"] = (place, start, following) => {
    if (!ends[following - 1] || !mayEnd.test(sourceText(start, following))) return false;
    const key = `${place} ${start} ${following}`;
    let found = known.get(key);
    if (found === undefined) {
      const name = textOf(start, following);
      const isRead =
        mayBegin.test(name) && mayEnd.test(name) && answerOf(name) === name && !forbidden[place]!.test(name);
      known.set(key, (found = isRead && isFound(name, start, following)));
    }
    return found;
  };
  const hasEnd: Names["hasEnd"] = (place, start, following) => {
    for (let next = following; next <= start + longestName && isUsable(next - 1); next++) {
      if (isEnd(place, start, next)) return true;
      // What is forbidden in a name stays so in a longer one.
      if (ends[next - 1] && forbidden[place]!.test(sourceText(start, next))) return false;
    }
    return false;
  };
  const starts = forbidden.map((_, place) =>
    ids.flatMap((_id, start) => {
      if (!begins[start] || lastOfWord[start] === -1) return [];
      const { ids: first, following } = word(start, "x ");
      return first.every((id) => !special.has(id)) && hasEnd(place, start, following) ? [start] : [];
    }),
  );
  return { idAt: (index) => ids[index]!, starts: (place) => starts[place]!, firstWord: word, isEnd, hasEnd };
}

/** No mark at an end that is drawn to the task's words, or drives them off, when tokens become text. */
const [mayBegin, mayEnd] = [/^[\p{L}\p{N}([]/u, /[\p{L}\p{N})\]+%]$/u];

/**
 * For each place of a name what must not stand in it, since a parser that makes names as long as possible would end an
 * earlier one there: the words that follow an earlier name, and what separates sentences.
 */
function forbiddenIn(sentence: AnswerForm["sentence"]): RegExp[] {
  const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/\s+/g, "\\s+");
  const found: RegExp[] = [];
  const earlier: string[] = [];
  for (const part of sentence) {
    if (typeof part === "object") {
      if ("name" in part) found.push(new RegExp([";", ...earlier].join("|"), "u"));
    } else if (found.length > 0 && part.trim() !== "") {
      const text = part.trim();
      const before = /^[\p{L}\p{N}]/u.test(text) ? "(?<![\\p{L}\\p{N}])" : "";
      const after = /[\p{L}\p{N}]$/u.test(text) ? "(?![\\p{L}\\p{N}])" : "";
      earlier.push(before + escape(text) + after);
    }
  }
  return found;
}

interface SourceTokens {
  readonly ids: readonly number[];
  /** Where each token's text begins and ends, white space left out. */
  readonly bounds: readonly { readonly start: number; readonly end: number }[];
  /** Whether words begin or end at a place of the text: no letter or digit stands on both sides. */
  isWord(at: number): boolean;
}

function sourceTokens(tokenizer: Tokenizer, source: string, kept: number): SourceTokens {
  const { ids, offsets } = tokenizer.encode(source);
  const first = tokenizer.frame.before.length;
  const bounds = offsets.slice(first, first + kept).map(([from, to]) => {
    const text = source.slice(from, to);
    return { start: to - text.trimStart().length, end: from + text.trimEnd().length };
  });
  const isWord = (at: number): boolean =>
    !/[\p{L}\p{N}]$/u.test(source.slice(Math.max(0, at - 2), at)) || !/^[\p{L}\p{N}]/u.test(source.slice(at, at + 2));
  return { ids: ids.slice(first, first + kept), bounds, isWord };
}
