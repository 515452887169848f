/**
 * Grammars over characters (UTF-16 units), followed one character after another: what may stand next is a set of stacks, as in
 * llama.cpp's grammars, made into an automaton as far as it is walked (Koo et al. 2024, arXiv:2407.08103). Left recursion is
 * refused when it is met.
 */
import { ConfigError } from "../errors.ts";

export type Element =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "character"; has(code: number): boolean }
  | { readonly kind: "sequence"; readonly parts: readonly Element[] }
  | { readonly kind: "either"; readonly options: readonly Element[] }
  | { readonly kind: "repeat"; readonly of: Element; readonly least: number; readonly most: number }
  /** What refers to itself. */
  | { readonly kind: "later"; make(): Element };

export const text = (value: string): Element => ({ kind: "text", text: value });
export const character = (has: (code: number) => boolean): Element => ({ kind: "character", has });
export const sequence = (...parts: readonly Element[]): Element => ({ kind: "sequence", parts });
export const either = (...options: readonly Element[]): Element => ({ kind: "either", options });
export const repeat = (of: Element, least: number, most: number = Infinity): Element => ({
  kind: "repeat",
  of,
  least,
  most,
});
export const optional = (of: Element): Element => repeat(of, 0, 1);

/** An element made once, when it is first needed. */
export function later(make: () => Element): Element {
  let made: Element | undefined;
  return { kind: "later", make: () => (made ??= make()) };
}

/** A stack: an element, how much of it is done, and what follows; undefined is the end. */
interface Frame {
  readonly number: number;
  readonly element: Element;
  /** Characters of a text that are there. */
  readonly at: number;
  /** Of a repetition: how many more there must be, and may be. */
  readonly least: number;
  readonly most: number;
  readonly next: Frame | undefined;
}

export interface State {
  readonly frames: readonly Frame[];
  /** Whether what was read is whole. */
  readonly ends: boolean;
  /** By character: states that were asked for. */
  readonly known: Map<number, State | undefined>;
}

export interface Automaton {
  readonly start: State;
  /** After one more character; undefined where it may not stand there. */
  step(state: State, code: number): State | undefined;
}

/** Stacks that are looked at before a grammar is taken to go in circles. */
const mostExpansions = 20_000;

/** @throws ConfigError, here or in a step, where an element begins with itself. */
export function createAutomaton(root: Element): Automaton {
  const numbers = new WeakMap<Element, number>();
  const frames = new Map<string, Frame>();
  const states = new Map<string, State>();
  let elements = 0;

  const push = (element: Element, next: Frame | undefined, at = 0, count?: readonly [number, number]): Frame => {
    let number = numbers.get(element);
    if (number === undefined) numbers.set(element, (number = elements++));
    const [least, most] = count ?? (element.kind === "repeat" ? [element.least, element.most] : [0, 0]);
    const key = `${number},${at},${least},${most},${next?.number ?? -1}`;
    let found = frames.get(key);
    if (found === undefined) frames.set(key, (found = { number: frames.size, element, at, least, most, next }));
    return found;
  };

  /** The stacks that one stands for: each with a character at its top. */
  const expand = (stack: readonly (Frame | undefined)[]): State => {
    const waiting = [...stack];
    const seen = new Set<Frame>();
    const found: Frame[] = [];
    let ends = false;
    while (waiting.length > 0) {
      const frame = waiting.pop();
      if (frame === undefined) ends = true;
      else if (!seen.has(frame)) {
        seen.add(frame);
        if (seen.size > mostExpansions)
          throw new ConfigError(
            "grammar: expected elements that begin with a character, got one that begins with itself",
          );
        if (isReady(frame)) found.push(frame);
        else waiting.push(...unfolded(frame, push));
      }
    }
    const key = `${ends ? "." : ""}${found
      .map(({ number }) => number)
      .sort((a, b) => a - b)
      .join(",")}`;
    let state = states.get(key);
    if (state === undefined) states.set(key, (state = { frames: found, ends, known: new Map() }));
    return state;
  };

  return {
    start: expand([push(root, undefined)]),
    step(state, code): State | undefined {
      if (state.known.has(code)) return state.known.get(code);
      const next: (Frame | undefined)[] = [];
      for (const { element, at, next: rest } of state.frames) {
        if (element.kind === "character" && element.has(code)) next.push(rest);
        if (element.kind === "text" && element.text.charCodeAt(at) === code) next.push(push(element, rest, at + 1));
      }
      const found = next.length === 0 ? undefined : expand(next);
      state.known.set(code, found);
      return found;
    },
  };
}

function isReady({ element, at }: Frame): boolean {
  return element.kind === "character" || (element.kind === "text" && at < element.text.length);
}

type Push = (element: Element, next: Frame | undefined, at?: number, count?: readonly [number, number]) => Frame;

/** What a stack may become before its next character. */
function unfolded({ element, least, most, next }: Frame, push: Push): (Frame | undefined)[] {
  switch (element.kind) {
    case "sequence":
      return [element.parts.reduceRight<Frame | undefined>((rest, part) => push(part, rest), next)];
    case "either":
      return element.options.map((option) => push(option, next));
    case "later":
      return [push(element.make(), next)];
    case "repeat": {
      const more = (): Frame => push(element.of, push(element, next, 0, [Math.max(0, least - 1), most - 1]));
      return [...(least === 0 ? [next] : []), ...(most > 0 ? [more()] : [])];
    }
    default:
      return [next]; // a text that is all there
  }
}
