/**
 * Pre-tokenizers of tokenizer.json that byte pair encoding has: Split, Digits, ByteLevel, Metaspace and sequences of
 * them, as Hugging Face tokenizers 0.22 runs them (pre_tokenizers/). Each takes parts of the text and gives smaller ones;
 * that the characters of ByteLevel's words stand for bytes is left to the model, which looks words up before.
 */
import { component, fieldError, type Fields, type Json } from "../json.ts";
import { type Aligned, placeStart, prepend, replaceAll, sliceAligned } from "./aligned.ts";
import { translated } from "./patterns.ts";

/** Takes units `start` to `end` of a text. */
export type Taker = (text: Aligned, start: number, end: number) => void;

/** Gives parts of a text to `next`; `tracked`: places are wanted. */
export type Stage = (text: Aligned, start: number, end: number, tracked: boolean, next: Taker) => void;

export interface PreTokenizer {
  readonly stages: readonly Stage[];
  /** Words are bytes in GPT-2's alphabet. */
  readonly byBytes: boolean;
  /** The character that stands for a space, where one does: Metaspace's. */
  readonly mark: string | undefined;
  /** What is done depends on where in the original a part is. */
  readonly byPlace: boolean;
}

const nothing: PreTokenizer = { stages: [], byBytes: false, mark: undefined, byPlace: false };

const types = ["Sequence", "Split", "Digits", "ByteLevel", "Metaspace"];

/** @throws DataError that names a component which is not understood. */
export function readPreTokenizer(file: string, value: Json, path = "pre_tokenizer"): PreTokenizer {
  if (value === null) return nothing;
  const [type, fields] = component(file, path, value, types);
  const read = readers[type]!(file, path, fields);
  fields.close();
  return read;
}

const readers: Readonly<Record<string, (file: string, path: string, fields: Fields) => PreTokenizer>> = {
  Sequence: readSequence,
  Split: (file, path, fields) => splitting(readSplit(file, path, fields)),
  Digits: (_file, _path, fields) => {
    const isEach = fields.boolean("individual_digits");
    return splitting(splitBy(matcherOf("\\p{N}"), isEach ? "Isolated" : "Contiguous", false));
  },
  ByteLevel: (_file, _path, fields) => {
    const prefixed = fields.boolean("add_prefix_space", true);
    fields.boolean("trim_offsets", true);
    const stages: Stage[] = prefixed ? [spaceBefore] : [];
    if (fields.boolean("use_regex", true)) stages.push(splitBy(matcherOf(gpt2Words), "Isolated", false));
    return { ...nothing, stages, byBytes: true };
  },
  Metaspace: readMetaspace,
};

function splitting(stage: Stage): PreTokenizer {
  return { ...nothing, stages: [stage] };
}

function readSequence(file: string, path: string, fields: Fields): PreTokenizer {
  const list = fields.raw("pretokenizers");
  if (!Array.isArray(list) || list.length > 20) throw fieldError(file, `${path}.pretokenizers`, "a list", list);
  const all = list.map((item, i) => readPreTokenizer(file, item, `${path}.pretokenizers[${i}]`));
  const bytes = all.findIndex(({ byBytes }) => byBytes);
  if (bytes >= 0 && bytes < all.length - 1) {
    throw fieldError(file, `${path}.pretokenizers[${bytes + 1}]`, "nothing behind ByteLevel", list[bytes + 1]);
  }
  return {
    stages: all.flatMap(({ stages }) => stages),
    byBytes: bytes >= 0,
    mark: all.find(({ mark }) => mark !== undefined)?.mark,
    byPlace: all.some(({ byPlace }) => byPlace),
  };
}

// As encoder.py has it.
const gpt2Words = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
type Behavior = (typeof behaviors)[number];

function readSplit(file: string, path: string, fields: Fields): Stage {
  const [kind, text] = readPattern(file, `${path}.pattern`, fields.raw("pattern"));
  const behavior = behaviors.find((name) => name === fields.raw("behavior"));
  if (behavior === undefined) {
    throw fieldError(file, `${path}.behavior`, `one of ${behaviors.join(", ")}`, fields.raw("behavior"));
  }
  const invert = fields.boolean("invert", false);
  const source = kind === "Regex" ? translated(file, `${path}.pattern`, text) : quoted(text);
  return splitBy(matcher(source), behavior, invert);
}

/** `{"String": …}` or `{"Regex": …}`. */
export function readPattern(file: string, path: string, value: Json | undefined): ["String" | "Regex", string] {
  const [entry, ...others] = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const [kind, text] = entry ?? [];
  const isKnown = (kind === "String" || kind === "Regex") && typeof text === "string" && text !== "";
  if (!isKnown || others.length > 0 || !text.isWellFormed()) {
    throw fieldError(file, path, '{"String": text} or {"Regex": expression}', value);
  }
  return [kind, text];
}

function quoted(text: string): string {
  return Array.from(text, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).join("");
}

/** Finds matches from a place on; sticky where one is expected right there. */
interface Matcher {
  readonly here: RegExp;
  readonly ahead: RegExp;
}

function matcher(source: string): Matcher {
  return { here: new RegExp(source, "vy"), ahead: new RegExp(source, "vg") };
}

function matcherOf(pattern: string): Matcher {
  return matcher(translated("", "", pattern));
}

/** Parts of the text that match and parts that do not, put together as `behavior` says. */
function splitBy(found: Matcher, behavior: Behavior, invert: boolean): Stage {
  if (behavior === "Isolated") return isolating(found);
  return (aligned, start, end, _tracked, next) => {
    const whole = sliceAligned(aligned, start, end);
    const parts: Part[] = [];
    isolating(found, (_text, from, to, matches) => parts.push({ from, to, matches: matches !== invert }))(
      whole,
      0,
      whole.text.length,
      false,
      ignore,
    );
    for (const { from, to } of joined(parts, behavior)) next(whole, from, to);
  };
}

function ignore(): void {
  // The parts went elsewhere.
}

interface Part {
  from: number;
  to: number;
  readonly matches: boolean;
}

function joined(parts: readonly Part[], behavior: Behavior): readonly Part[] {
  if (behavior === "Removed") return parts.filter(({ matches }) => !matches);
  const backwards = behavior === "MergedWithNext";
  const all: Part[] = [];
  let before = false;
  for (const part of backwards ? [...parts].reverse() : parts) {
    const last = all.at(-1);
    const joins = behavior === "Contiguous" ? part.matches === before : part.matches && !before;
    if (joins && last !== undefined) {
      if (backwards) last.from = part.from;
      else last.to = part.to;
    } else {
      all.push({ ...part });
    }
    before = part.matches;
  }
  return backwards ? all.reverse() : all;
}

type PartTaker = (text: Aligned, from: number, to: number, matches: boolean) => void;

/** Every match and what is between matches; `take` instead of `next` is told which is which. */
function isolating({ here, ahead }: Matcher, take?: PartTaker): Stage {
  return (aligned, start, end, _tracked, next) => {
    const whole = sliceAligned(aligned, start, end);
    const { text } = whole;
    const give: PartTaker = take ?? next;
    for (let at = 0; at < text.length;) {
      here.lastIndex = at;
      if (!here.test(text)) {
        ahead.lastIndex = at;
        const match = ahead.exec(text);
        const from = match === null ? text.length : match.index;
        give(whole, at, from, false);
        if (match === null) return;
        at = from;
        here.lastIndex = ahead.lastIndex;
      }
      const to = here.lastIndex;
      give(whole, at, to, true);
      at = to;
    }
  };
}

const spaceBefore: Stage = (aligned, start, end, tracked, next) => {
  if (aligned.text.charCodeAt(start) === 0x20) {
    next(aligned, start, end);
    return;
  }
  const whole = prepend(sliceAligned(aligned, start, end), " ", tracked);
  next(whole, 0, whole.text.length);
};

const schemes = ["always", "first", "never"] as const;
export type PrependScheme = (typeof schemes)[number];

/** `prepend_scheme`, or `add_prefix_space` of files from before there was one. */
export function readPrependScheme(file: string, path: string, fields: Fields): PrependScheme {
  const older = fields.raw("add_prefix_space");
  const given = fields.raw("prepend_scheme") ?? (older === false ? "never" : "always");
  const scheme = schemes.find((name) => name === given);
  if (scheme === undefined) throw fieldError(file, `${path}.prepend_scheme`, `one of ${schemes.join(", ")}`, given);
  return scheme;
}

/** The one character that stands for a space. */
export function readReplacement(file: string, path: string, fields: Fields): string {
  const mark = fields.string("replacement", "▁");
  if (mark.length !== 1) throw fieldError(file, `${path}.replacement`, "one character", mark);
  return mark;
}

function readMetaspace(file: string, path: string, fields: Fields): PreTokenizer {
  const mark = readReplacement(file, path, fields);
  const scheme = readPrependScheme(file, path, fields);
  const splits = fields.boolean("split", true);
  fields.raw("str_rep");
  const put: Stage = (aligned, start, end, tracked, next) => {
    let whole = replaceAll(sliceAligned(aligned, start, end), " ", mark, tracked);
    const isDue = scheme === "always" || (scheme === "first" && placeStart(whole, 0) === 0);
    if (isDue && !whole.text.startsWith(mark)) whole = prepend(whole, mark, tracked);
    next(whole, 0, whole.text.length);
  };
  const stages = splits ? [put, splitBy(matcher(quoted(mark)), "MergedWithNext", false)] : [put];
  return { stages, byBytes: false, mark, byPlace: scheme === "first" };
}
