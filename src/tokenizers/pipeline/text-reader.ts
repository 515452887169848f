/**
 * A text as byte pair encoding takes it: added tokens, and between them words, normalized and cut as the tokenizer.json
 * says. What becomes of the words is the caller's affair: they are encoded, or counted.
 */
import { required } from "../../schema.ts";
import { type AddedToken, addedTokenFinder } from "../added-tokens.ts";
import type { Sink } from "../pair-encoder.ts";
import { type Aligned, placeEnd, placeStart, sliceAligned } from "./aligned.ts";
import type { Description } from "./description.ts";
import type { Stage, Taker } from "./pre-tokenizers.ts";

/** Put into added tokens that are to be read as text: a code point that is for no text (Unicode, section 23.7). */
export const BREAK = "\ufdd0";

/** What a text's parts are given to. */
export interface TextTaker {
  /** Tells the text that offsets are of. */
  begin(text: string): void;
  added(token: AddedToken, start: number, end: number, found: string, sink: Sink): void;
  /** Units `start` to `end` are a word. */
  word(text: Aligned, start: number, end: number, sink: Sink): void;
}

export interface CutOptions {
  /** Words end at every ▁, also where a token reaches across it. */
  readonly atMarks?: boolean;
}

function withoutBreaks(text: Aligned): Aligned {
  return { ...text, text: text.text.replaceAll(BREAK, "") };
}

/**
 * Added tokens first, in the text as it is, then in the normalized text; what is between is cut into words. `broken`:
 * tokens may be broken, which keeps no offsets.
 */
export function textReader(
  description: Description,
  taker: TextTaker,
  options: CutOptions = {},
): (text: string, sink: Sink, broken?: boolean) => void {
  const { normalizer, preTokenizer, addedTokens } = description;
  // Special tokens are looked for before others, whatever their ids.
  const ordered = [...addedTokens].sort((a, b) => Number(b.special) - Number(a.special));
  const normalize = (text: Aligned, tracked: boolean): Aligned => normalizer?.(text, tracked) ?? text;
  const inText = addedTokenFinder(
    ordered.filter(({ normalized }) => !normalized),
    ({ content }) => content,
  );
  const inNormalized = addedTokenFinder(
    ordered.filter(({ normalized }) => normalized),
    ({ content }) => normalize({ text: content, base: 0, places: undefined }, false).text,
  );
  const cut = wordCutter(description, taker.word, options);
  // Where the pre-tokenizer goes by places, what the normalizer does to them counts.
  const needsPlaces = preTokenizer.byPlace && normalizer !== undefined;

  const readSegment = (text: string, base: number, sink: Sink, broken: boolean): void => {
    const tracked = sink.offsets !== undefined || needsPlaces;
    const whole = normalize({ text, base, places: undefined }, tracked);
    const parts = inNormalized?.find(whole.text);
    if (parts === undefined) {
      cut(broken ? withoutBreaks(whole) : whole, tracked, sink);
      return;
    }
    for (const { token, start, end } of parts) {
      const part = sliceAligned(whole, start, end);
      if (token === undefined) cut(broken ? withoutBreaks(part) : part, tracked, sink);
      else taker.added(token, placeStart(whole, start), placeEnd(whole, end - 1), part.text, sink);
    }
  };

  return (given, sink, broken = false) => {
    required("encode: text", given, "text");
    const text = given.isWellFormed() ? given : given.toWellFormed();
    taker.begin(text);
    const parts = inText?.find(text);
    if (parts === undefined) {
      if (text !== "") readSegment(text, 0, sink, broken);
      return;
    }
    for (const { token, start, end } of parts) {
      const part = text.slice(start, end);
      if (token === undefined) readSegment(part, start, sink, broken);
      else taker.added(token, start, end, part, sink);
    }
  };
}

/** Runs the pre-tokenizer's stages one into the other. */
function wordCutter(
  description: Description,
  take: TextTaker["word"],
  { atMarks = false }: CutOptions,
): (text: Aligned, tracked: boolean, sink: Sink) => void {
  const { preTokenizer } = description;
  const stages: Stage[] = [...preTokenizer.stages];
  const before = preTokenizer.byBytes ? undefined : markCutter(description, atMarks);
  if (before !== undefined) stages.push(before);
  let sink: Sink;
  let tracked = false;
  const last: Taker = (text, start, end) => take(text, start, end, sink);
  const first = stages.reduceRight<Taker>(
    (next, stage) => (text, start, end) => {
      if (start < end) stage(text, start, end, tracked, next);
    },
    last,
  );
  return (text, wanted, into) => {
    sink = into;
    tracked = wanted;
    first(text, 0, text.text.length);
  };
}

/**
 * A text without a pre-tokenizer that splits is one word of any length. Where no merge makes a token with a mark behind
 * another character, nothing is merged across that place, and the words between can be looked up one by one.
 */
function markCutter({ model }: Description, always: boolean): Stage | undefined {
  const mark = "▁";
  const tokens = new Map([...model.vocabulary].map(([token, id]) => [id, token]));
  const crosses = model.merges.some(([, , product]) => /[^▁]▁/.test(tokens.get(product)!));
  if (!model.vocabulary.has(mark)) return undefined;
  if (!always && (crosses || model.ignoreMerges)) return undefined;
  return (aligned, start, end, _tracked, next) => {
    const { text } = aligned;
    let from = start;
    for (let at = text.indexOf(mark, start + 1); at >= 0 && at < end; at = text.indexOf(mark, at + 1)) {
      if (text[at - 1] === mark) continue;
      next(aligned, from, at);
      from = at;
    }
    next(aligned, from, end);
  };
}
