/**
 * Decoding by a grammar: of a vocabulary's tokens, only those that go on with a text of the grammar may be chosen. A token is
 * the text that it adds; those that are part of a character have none and are never chosen.
 */
import { ConfigError } from "../errors.ts";
import { type Automaton, createAutomaton, type Element, type State } from "./grammar.ts";
import type { Processor } from "./processors.ts";
import { createPieces } from "./stop.ts";

interface Codec {
  readonly vocabSize: number;
  encodeIds(text: string): number[];
  decode(ids: Iterable<number>, options?: { skipSpecialTokens?: boolean }): string;
}

/** The tokens that are text, in the order of their texts, so that those with one beginning are walked together. */
export interface Vocabulary {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  /** Characters that each has in common with the one before it. */
  readonly shared: readonly number[];
  /** Text by id. */
  readonly textOf: (id: number) => string | undefined;
}

const probe = '{"a b": [1, "x-y (z)", {"c": null}],\n  "d": -2.5e3}';

/** @throws ConfigError where texts of tokens, one behind another, are not the text of all of them. */
export function vocabularyOf(tokenizer: Codec): Vocabulary {
  const pieceOf = createPieces({
    encodeIds: (text) => tokenizer.encodeIds(text),
    decode: (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }),
  });
  const frame = tokenizer.encodeIds("").length;
  const written = tokenizer.encodeIds(probe).slice(frame).map(pieceOf).join("");
  if (written.trim() !== probe) {
    throw new ConfigError(
      "constrained decoding: expected a tokenizer whose tokens are parts of the text as it stands",
      {
        hint: "those that write words and set the spaces afterwards cannot be held to a form; models with byte pair encoding can",
      },
    );
  }
  const byText: { readonly id: number; readonly text: string }[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const text = pieceOf(id);
    if (text !== "" && !text.includes("\uFFFD")) byText.push({ id, text });
  }
  byText.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
  const texts = byText.map(({ text }) => text);
  const known = new Map(byText.map(({ id, text }) => [id, text]));
  return {
    ids: byText.map(({ id }) => id),
    texts,
    shared: texts.map((text, i) => (i === 0 ? 0 : commonBeginning(texts[i - 1]!, text))),
    textOf: (id) => known.get(id),
  };
}

function commonBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

export interface Constraint {
  /** For sequences whose prompt has so many tokens. */
  processor(prompt: number): Processor;
  /** Whether a sequence's text is whole and nothing may follow. */
  isDone(ids: readonly number[], prompt: number): boolean;
}

/** Where a sequence is. */
interface Place {
  tokens: number;
  state: State | undefined;
}

/** Masks that are kept: of states that come again, such as that within a string. */
const mostMasks = 64;

/** @param endIds tokens that end a text, allowed where it is whole. */
export function createConstraint(vocabulary: Vocabulary, grammar: Element, endIds: readonly number[]): Constraint {
  const automaton = createAutomaton(grammar);
  const masks = new Map<State, Uint8Array>();
  const places = new WeakMap<readonly number[], Place>();

  const advanced = (ids: readonly number[], prompt: number): State | undefined => {
    let place = places.get(ids);
    if (place === undefined) places.set(ids, (place = { tokens: prompt, state: automaton.start }));
    for (; place.tokens < ids.length; place.tokens++) {
      place.state = follow(automaton, place.state, vocabulary.textOf(ids[place.tokens]!) ?? "");
    }
    return place.state;
  };

  const maskOf = (state: State, size: number): Uint8Array => {
    let mask = masks.get(state);
    if (mask !== undefined) return mask;
    mask = allowed(automaton, state, vocabulary, size);
    if (state.ends || !mask.includes(1)) for (const id of endIds) mask[id] = 1;
    if (masks.size >= mostMasks) masks.delete(masks.keys().next().value!);
    masks.set(state, mask);
    return mask;
  };

  return {
    processor: (prompt) => (ids, scores) => {
      const state = advanced(ids, prompt);
      if (state === undefined) return;
      const mask = maskOf(state, scores.length);
      for (let id = 0; id < scores.length; id++) if (mask[id] === 0) scores[id] = -Infinity;
    },
    isDone(ids, prompt): boolean {
      const state = advanced(ids, prompt);
      return state !== undefined && state.ends && state.frames.length === 0;
    },
  };
}

function follow(automaton: Automaton, state: State | undefined, text: string): State | undefined {
  let at = state;
  for (let i = 0; i < text.length && at !== undefined; i++) at = automaton.step(at, text.charCodeAt(i));
  return at;
}

/** 1 for every token whose whole text may stand next. */
function allowed(automaton: Automaton, start: State, { ids, texts, shared }: Vocabulary, size: number): Uint8Array {
  const mask = new Uint8Array(size);
  /** States after each character of the text before. */
  const path: State[] = [start];
  for (const [i, text] of texts.entries()) {
    // Where the text before had to stop, so has every one that begins like it.
    const kept = Math.min(shared[i]!, path.length - 1);
    if (kept < shared[i]!) continue;
    path.length = kept + 1;
    for (let at = kept; at < text.length; at++) {
      const next = automaton.step(path[at]!, text.charCodeAt(at));
      if (next === undefined) break;
      path.push(next);
    }
    if (path.length === text.length + 1) mask[ids[i]!] = 1;
  }
  return mask;
}
