/**
 * Queries as PubMed users write them (its help, "Advanced search"): phrases, AND, OR and NOT from left to right,
 * parentheses, tags, ranges of dates, truncation. Words without an operator are no condition: documents with any of them
 * are ranked, where PubMed asks for all; and no word is mapped to MeSH terms or synonyms (no automatic term mapping).
 */
import { UsageError } from "../errors.ts";
import { required } from "../schema.ts";
import { authorName, datesOf, languageCodes, shortTags, type Tag, type Known, tagOf } from "./query-fields.ts";
import { type Token, tokensOf, wrongQuery } from "./query-tokens.ts";
import type { Condition, ValueField, WordField } from "./store.ts";
import { isStopWord } from "./stop-words.ts";
import { stemmedWords } from "./words.ts";

/** A query once it is understood. */
export interface ParsedQuery {
  /** What every document must meet; "everything" where the query is words alone. */
  readonly condition: Condition;
  /** Words that stand by themselves, of which a document has any; none where they are conditions. */
  readonly any: readonly string[];
  /** Words to rank by: those, and the words of conditions that are not negated. */
  readonly words: readonly string[];
  /** Beginnings of words that were asked for, "cardio" of "cardio*". */
  readonly prefixes: readonly string[];
  /** What an embedding or a reranker is given: words as they were written, without tags and operators. */
  readonly text: string;
  /** Values of the documents' own fields, `[field:NAME]`, which all must hold. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** Parts that were read otherwise than they may have been meant. */
  readonly notes: readonly string[];
}

export interface QueryOptions {
  /** What "last 5 years" counts from. Default: now. */
  readonly today?: Date | undefined;
}

type Part =
  | { readonly kind: "open"; readonly at: number }
  | { readonly kind: "close"; readonly at: number }
  | { readonly kind: "operator"; readonly operator: "AND" | "OR" | "NOT"; readonly at: number }
  | { readonly kind: "words"; readonly tokens: readonly Token[]; readonly at: number }
  | { readonly kind: "condition"; readonly condition: Condition; readonly at: number };

const mostTerms = 2000;
const mostDepth = 100;
const mostRanked = 500;
/** Letters before a *, as PubMed asks. */
const leastPrefix = 4;

/** What reading a query needs, and gathers. */
interface Reader {
  readonly query: string;
  readonly today: Date;
  readonly notes: Set<string>;
  /** Conditions that stand for values of own fields until the end. */
  readonly own: Map<Condition, readonly [name: string, value: string | number | boolean]>;
  /** Of somebody who writes tags and operators a tag that is unknown is a mistake; in a pasted title it is none. */
  readonly isFormal: boolean;
}

/**
 * Reads a query. An empty one asks for everything.
 * @throws ConfigError for what is no text; UsageError with the place of what is wrong: a parenthesis or phrase that is not closed, an operator without
 * words beside it, a tag that is unknown, a date that is none; and for a query beyond 65,536 characters or 2,000 terms.
 */
export function parseQuery(query: string, { today = new Date() }: QueryOptions = {}): ParsedQuery {
  required("query", query, "text");
  const tokens = tokensOf(query);
  const isFormal = tokens.some(
    ({ kind, text }) => kind === "operator" || (kind === "tag" && tagOf(text) !== undefined),
  );
  const reader: Reader = { query, today, notes: new Set(), own: new Map(), isFormal };
  const parts = partsOf(reader, tokens);
  const isBoolean = parts.some(({ kind }) => kind === "operator");
  checkParentheses(reader, parts);
  const loose = isBoolean ? [] : parts.flatMap((part) => (part.kind === "words" ? part.tokens : []));
  const ids = loose.length === 0 || parts.some(({ kind }) => kind === "condition") ? undefined : identifiers(loose);
  if (ids !== undefined)
    reader.notes.add("numbers alone were read as PMIDs: put them in quotes to search for the words");
  const whole =
    ids ??
    (isBoolean
      ? booleanOf(reader, parts)
      : allOf(parts.flatMap((part) => (part.kind === "condition" ? [part.condition] : []))));
  checkSize(whole);
  const { condition, fields } = withoutOwn(reader, whole);
  const any = ids !== undefined ? [] : unique(withoutStops(loose.flatMap(({ text }) => cutWords(text))));
  const ranked = unique([...any, ...withoutStops(positiveWords(condition))]);
  if (ranked.length > mostRanked) reader.notes.add(`of ${ranked.length} words the first ${mostRanked} are ranked by`);
  const words = ranked.slice(0, mostRanked);
  const prefixes = unique(
    positive(condition).flatMap((one) => (one.kind === "words" && one.prefix ? one.words.slice(-1) : [])),
  );
  return {
    condition,
    any: any.slice(0, mostRanked),
    words,
    prefixes,
    text: words.length === 0 ? "" : isBoolean ? words.join(" ") : spokenText(query, parts),
    fields,
    notes: [...reader.notes],
  };
}

/** Words as they are written, in lower case: an index compares their stems, people read these. */
const cutWords = (text: string): string[] => stemmedWords(text).map(({ word }) => word);

const unique = (words: readonly string[]): string[] => [...new Set(words)];

/** Words that say something, where there are any. */
function withoutStops(words: readonly string[]): readonly string[] {
  const said = words.filter((one) => !isStopWord(one));
  return said.length === 0 ? words : said;
}

/** A query as it would be said: of words alone as it was written, else without tags. */
function spokenText(query: string, parts: readonly Part[]): string {
  if (parts.every(({ kind }) => kind !== "condition")) return query.replace(/\s+/g, " ").trim();
  const spoken = parts.flatMap((part): readonly string[] => {
    if (part.kind === "words") return part.tokens.map(({ text }) => text);
    return part.kind === "condition" ? positiveWords(part.condition) : [];
  });
  return spoken.join(" ");
}

/** PMIDs, where words are nothing else. */
function identifiers(tokens: readonly Token[]): Condition | undefined {
  const ids = tokens.flatMap(({ text }) => text.split(",").filter((one) => one !== ""));
  if (ids.length === 0 || !ids.every((one) => /^\d{6,8}$/.test(one))) return undefined;
  return anyOf(ids.map((value) => ({ kind: "value", field: "id", value, prefix: false })));
}

/** What is being put together, token by token. */
interface Gathered {
  readonly parts: Part[];
  /** Words that no tag, phrase or operator has ended yet. */
  run: Token[];
  /** The colon between two dates of which the second is to come. */
  colon: Token | undefined;
}

/** Words together with their tags, in the order of the query. */
function partsOf(reader: Reader, tokens: readonly Token[]): Part[] {
  const gathered: Gathered = { parts: [], run: [], colon: undefined };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === "word") addWord(gathered, token);
    else if (token.kind === "phrase") i += addPhrase(reader, gathered, token, tokens[i + 1]);
    else if (token.kind === "tag") addTag(reader, gathered, token, tokens[i - 1]);
    else {
      endRun(reader, gathered);
      const { kind, at } = token;
      gathered.parts.push(kind === "operator" ? { kind, operator: token.text as "AND", at } : { kind, at });
    }
    joinDates(reader, gathered);
  }
  endRun(reader, gathered);
  joinDates(reader, gathered);
  const { parts, colon } = gathered;
  if (colon !== undefined) throw wrongQuery(reader.query, colon.at, "expected a date behind the colon, got none");
  if (parts.filter(({ kind }) => kind === "condition" || kind === "words").length > mostTerms) {
    throw new UsageError(`query: expected at most ${mostTerms} terms, got more`);
  }
  return parts;
}

function addWord(gathered: Gathered, token: Token): void {
  const { parts, run } = gathered;
  const last = parts.at(-1);
  // "2019"[dp] : "2024"[dp], as PubMed's own form writes ranges.
  const isColon = run.length === 0 && token.text.startsWith(":");
  if (!isColon || last?.kind !== "condition" || last.condition.kind !== "dates") run.push(token);
  else {
    gathered.colon = token;
    if (token.text.length > 1) run.push({ ...token, text: token.text.slice(1), at: token.at + 1 });
  }
}

/** Gives how many of the tokens behind it belong to the phrase: its tag. */
function addPhrase(reader: Reader, gathered: Gathered, token: Token, next: Token | undefined): 0 | 1 {
  const known = next?.kind === "tag" ? tagAfter(reader, next) : undefined;
  endRun(reader, gathered);
  const condition = known === undefined ? phrase(reader, token) : tagged(reader, [token], known, next!).condition;
  if (condition !== undefined) gathered.parts.push({ kind: "condition", condition, at: token.at });
  return known === undefined ? 0 : 1;
}

function addTag(reader: Reader, gathered: Gathered, token: Token, before: Token | undefined): void {
  const { run, parts } = gathered;
  const known = run.length === 0 ? tagAlone(reader, token, before) : tagAfter(reader, token);
  if (known === undefined) {
    run.push({ ...token, kind: "word" });
    return;
  }
  const found = tagged(reader, run, known, token);
  gathered.run = run.slice(0, found.before);
  endRun(reader, gathered);
  parts.push({ kind: "condition", condition: found.condition, at: run[found.before]!.at });
}

function endRun(reader: Reader, gathered: Gathered): void {
  if (gathered.run.length > 0) gathered.parts.push(...looseParts(reader, gathered.run));
  gathered.run = [];
}

/** Makes one range of the last two dates, once the second has come. */
function joinDates({ query, today }: Reader, gathered: Gathered): void {
  const { parts, colon } = gathered;
  const [one, other] = parts.slice(-2);
  if (colon === undefined || (parts.at(-1)?.at ?? 0) < colon.at) return;
  const dates = [one, other].flatMap((part) =>
    part?.kind === "condition" && part.condition.kind === "dates" ? [part.condition] : [],
  );
  if (dates.length < 2)
    throw wrongQuery(query, colon.at, "expected a date with its tag behind the colon, got something else");
  const range = datesOf(`${dates[0]!.first ?? "1000"}:${dates[1]!.last ?? "3000"}`, today);
  if (typeof range === "string") throw wrongQuery(query, one!.at, range);
  parts.splice(-2, 2, { kind: "condition", condition: range.condition, at: one!.at });
  gathered.colon = undefined;
}

/** Words without a tag; those that end in * are conditions. */
function looseParts(reader: Reader, run: readonly Token[]): Part[] {
  const parts: Part[] = [];
  let tokens: Token[] = [];
  const flush = (): void => {
    if (tokens.length > 0) parts.push({ kind: "words", tokens, at: tokens[0]!.at });
    tokens = [];
  };
  for (const token of run) {
    const found = wordsOf(reader, token, "text");
    if (found === undefined || !found.prefix) tokens.push(token);
    else {
      flush();
      parts.push({ kind: "condition", condition: found, at: token.at });
    }
  }
  flush();
  return parts;
}

/** Of a word or phrase the words beside one another; undefined where it is marks alone. */
function wordsOf(
  reader: Reader,
  { text, at }: Token,
  field: WordField,
): Extract<Condition, { kind: "words" }> | undefined {
  const words = cutWords(text);
  if (words.length === 0) return undefined;
  const isCut = /[^\s*]\*$/.test(text.trimEnd());
  const prefix = isCut && words.join("").length >= leastPrefix;
  const shown = text.slice(0, 40);
  if (isCut && !prefix) {
    reader.notes.add(
      `"${shown}", character ${at + 1}, was read as a whole word: a * needs ${leastPrefix} letters before it`,
    );
  } else if (text.slice(0, -1).includes("*")) {
    reader.notes.add(`"${shown}", character ${at + 1}: a * stands for what may follow at the end of a word alone`);
  }
  return { kind: "words", field, words, prefix };
}

function phrase(reader: Reader, token: Token): Condition | undefined {
  const found = wordsOf(reader, token, "text");
  if (found === undefined) reader.notes.add(`the phrase at character ${token.at + 1} has no words and was left out`);
  return found;
}

/** What a tag behind words asks for; undefined where it is read as a word itself. */
function tagAfter(reader: Reader, token: Token): Known | undefined {
  const known = tagOf(token.text);
  if (known !== undefined) return known;
  if (reader.isFormal) {
    const hint = `the tags are ${shortTags}, and [field:NAME] for another field of the documents; put quotes around words with brackets`;
    throw wrongQuery(reader.query, token.at, `expected a known tag, got [${token.text}]`, hint);
  }
  reader.notes.add(`[${token.text}] is no tag that is known and was read as words`);
  return undefined;
}

/** Of a tag with no words before it. */
function tagAlone(reader: Reader, token: Token, before: Token | undefined): undefined {
  if (tagOf(token.text) !== undefined || before?.kind === "close" || before?.kind === "tag") {
    const hint =
      before?.kind === "close" ? "a tag belongs to one term: write it behind each word or phrase" : undefined;
    throw wrongQuery(reader.query, token.at, `expected words before [${token.text}], got none`, hint);
  }
  reader.notes.add(`[${token.text}] was read as words`);
}

interface Tagged {
  readonly condition: Condition;
  /** So many of the words before the tag do not belong to it. */
  readonly before: number;
}

/** Words before a tag, as it asks for. */
function tagged(reader: Reader, run: readonly Token[], { tag, note }: Known, token: Token): Tagged {
  const text = run
    .map((one) => one.text)
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
  const at = run[0]!.at;
  if (note !== undefined) reader.notes.add(`[${token.text}]: ${note}`);
  if (tag.kind === "dates") {
    const range = datesOf(text, reader.today);
    if (typeof range === "string") throw wrongQuery(reader.query, at, range);
    const before = text
      .slice(0, range.at)
      .split(" ")
      .filter((one) => one !== "").length;
    return { condition: range.condition, before: run[0]!.kind === "phrase" ? 0 : before };
  }
  if (text === "") throw wrongQuery(reader.query, at, `expected words before [${token.text}], got none`);
  if (tag.kind === "everything") {
    if (text.toLowerCase() === "all") return { condition: { kind: "everything" }, before: 0 };
    throw wrongQuery(reader.query, at, `expected all[sb], got ${text}[sb]: subsets are PubMed's own lists`);
  }
  if (tag.kind === "own") {
    const condition: Condition = { kind: "value", field: "source", value: text, prefix: false };
    reader.own.set(condition, [tag.name, run[0]!.kind === "phrase" ? text : ownValue(text)]);
    return { condition, before: 0 };
  }
  if (tag.kind === "value") return { condition: valueOf(tag.field, text, run[0]!.kind === "phrase"), before: 0 };
  return { condition: wordCondition(reader, run, tag, text), before: 0 };
}

function wordCondition(
  reader: Reader,
  run: readonly Token[],
  tag: Extract<Tag, { kind: "words" }>,
  text: string,
): Condition {
  const found = run.flatMap((one) => wordsOf(reader, one, tag.field) ?? []);
  if (found.length === 0) throw wrongQuery(reader.query, run[0]!.at, `expected words, got "${text}"`);
  const words = allOf(saidOf(found));
  if (tag.also === undefined) return words;
  return anyOf([words, ...tag.also.map((field) => valueOf(field, text, run[0]!.kind === "phrase"))]);
}

/** Without words that stand everywhere, as PubMed leaves them out of all but phrases. */
function saidOf(found: readonly Extract<Condition, { kind: "words" }>[]): readonly Condition[] {
  const said = found.filter(({ words }) => words.length > 1 || !isStopWord(words[0]!));
  return said.length === 0 ? found : said;
}

/** "true" and "5" of a field are no texts, unless in quotes. */
function ownValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

function valueOf(field: ValueField, text: string, isPhrase: boolean): Condition {
  const prefix = /[^*\s]\*+$/.test(text);
  const bare = prefix ? text.replace(/\s*\*+$/, "") : text;
  const one = (value: string): Condition => ({ kind: "value", field, value, prefix });
  if (field === "author") return one(authorName(bare));
  if (field === "language" && !isPhrase) return anyOf(languageCodes(bare).map(one));
  // Qualifiers are not in the index: "Heart Failure/drug therapy".
  if (field === "mesh") return one(bare.replace(/\/.*$/, "").trim() || bare);
  if (field !== "id" || isPhrase) return one(bare);
  return anyOf(bare.split(/[\s,]+/).flatMap((id) => (id === "" ? [] : [one(id)])));
}

function checkParentheses({ query }: Reader, parts: readonly Part[]): void {
  const open: number[] = [];
  for (const { kind, at } of parts) {
    if (kind === "open") open.push(at);
    if (kind === "close" && open.pop() === undefined) {
      throw wrongQuery(query, at, 'expected "(" before this ")", got none');
    }
    if (open.length > mostDepth)
      throw wrongQuery(query, at, `expected at most ${mostDepth} parentheses in one another, got more`);
  }
  const last = open.at(-1);
  if (last !== undefined) throw wrongQuery(query, last, 'expected ")" for this "(", got none');
}

interface Frame {
  left: Condition | undefined;
  /** Before what comes next; undefined: none was written. */
  operator: "AND" | "OR" | "NOT" | undefined;
  negated: boolean;
  readonly at: number;
}

/** From left to right; terms beside one another are joined by AND. */
function booleanOf(reader: Reader, parts: readonly Part[]): Condition {
  const frames: Frame[] = [{ left: undefined, operator: undefined, negated: false, at: 0 }];
  const take = (condition: Condition): void => {
    const frame = frames.at(-1)!;
    const one = frame.negated ? not(condition) : condition;
    const { left, operator } = frame;
    if (left === undefined) frame.left = one;
    else frame.left = operator === "OR" ? anyOf([left, one]) : allOf([left, operator === "NOT" ? not(one) : one]);
    frame.operator = undefined;
    frame.negated = false;
  };
  const expectTerm = (frame: Frame, at: number): void => {
    const after = frame.negated ? "NOT" : frame.operator;
    if (after !== undefined) throw wrongQuery(reader.query, at, `expected words behind ${after}, got none`);
    if (frame.left === undefined) throw wrongQuery(reader.query, at, "expected words, got none");
  };
  for (const part of parts) {
    const frame = frames.at(-1)!;
    if (part.kind === "open") frames.push({ left: undefined, operator: undefined, negated: false, at: part.at });
    else if (part.kind === "close") {
      expectTerm(frame, part.at);
      frames.pop();
      take(frame.left!);
    } else if (part.kind === "condition") take(part.condition);
    else if (part.kind === "words") {
      const found = part.tokens.flatMap((token) => wordsOf(reader, token, "text") ?? []);
      if (found.length > 0) take(allOf(saidOf(found)));
    } else if (
      part.operator === "NOT" &&
      !frame.negated &&
      (frame.left === undefined || frame.operator !== undefined)
    ) {
      if (frame.operator === "NOT") throw wrongQuery(reader.query, part.at, "expected words behind NOT, got NOT");
      frame.negated = true;
    } else {
      expectTerm(frame, part.at);
      frame.operator = part.operator;
    }
  }
  expectTerm(frames[0]!, reader.query.length);
  return frames[0]!.left!;
}

function joined(kind: "and" | "or", of: readonly Condition[]): Condition {
  const flat = of.flatMap((one) => (one.kind === kind ? one.of : [one]));
  return flat.length === 1 ? flat[0]! : { kind, of: flat };
}

/** All of these; of none everything. */
export const allOf = (of: readonly Condition[]): Condition =>
  of.length === 0 ? { kind: "everything" } : joined("and", of);
/** Any of these. */
export const anyOf = (of: readonly Condition[]): Condition => joined("or", of);
const not = (of: Condition): Condition => (of.kind === "not" ? of.of : { kind: "not", of });

/** @throws UsageError for conditions that are too many, or too deep in one another for what walks them. */
function checkSize(condition: Condition): void {
  let [depth, terms] = [0, 0];
  for (let level: readonly Condition[] = [condition]; level.length > 0; depth++) {
    terms += level.length;
    level = level.flatMap((one) =>
      one.kind === "and" || one.kind === "or" ? one.of : one.kind === "not" ? [one.of] : [],
    );
  }
  if (terms > 2 * mostTerms) throw new UsageError(`query: expected at most ${mostTerms} terms, got more`);
  if (depth <= mostDepth) return;
  throw new UsageError(`query: expected conditions at most ${mostDepth} deep in one another, got more`, {
    hint: "AND and OR go from left to right, so that each change between them is one deeper: use parentheses",
  });
}

/** Conditions on words and values that a document is to meet, in their order: what is negated is left out. */
function positive(condition: Condition): readonly Condition[] {
  if (condition.kind === "and" || condition.kind === "or") return condition.of.flatMap(positive);
  return condition.kind === "not" ? [] : [condition];
}

/** Whole words of these. */
function positiveWords(condition: Condition): readonly string[] {
  return positive(condition).flatMap((one): readonly string[] => {
    if (one.kind === "words") return one.prefix ? one.words.slice(0, -1) : one.words;
    return one.kind === "value" && (one.field === "mesh" || one.field === "keyword") ? cutWords(one.value) : [];
  });
}

/** Takes values of own fields out of a condition: they are filters. @throws UsageError where they are not joined by AND. */
function withoutOwn({ query, own }: Reader, condition: Condition): Pick<ParsedQuery, "condition" | "fields"> {
  if (own.size === 0) return { condition, fields: {} };
  const parts = condition.kind === "and" ? condition.of : [condition];
  const rest = parts.filter((one) => !own.has(one));
  const values = parts.flatMap((one) => (own.has(one) ? [own.get(one)!] : []));
  const fields = Object.fromEntries(values);
  if (values.length < own.size || Object.keys(fields).length < values.length) {
    throw wrongQuery(query, query.indexOf("[field:"), "expected own fields once each and joined to all else by AND");
  }
  return { condition: allOf(rest), fields };
}
