/** Who reviews or judges: asked for once, kept by the browser. */
import type { VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./html.ts";

const personKey = "galen-person";

/** The name that was given before; "" where there is none. */
export function remembered(): string {
  try {
    return localStorage.getItem(personKey) ?? "";
  } catch {
    return "";
  }
}

export function remember(name: string): void {
  try {
    localStorage.setItem(personKey, name);
  } catch {
    // Forbidden: the name holds until the page is left.
  }
}

interface PersonProps {
  /** What the name stands beside. */
  readonly beside: string;
  /** Names that have been given, offered while one types. */
  readonly known?: readonly string[];
  onName(name: string): void;
}

export function PersonForm({ beside, known = [], onName }: PersonProps): VNode {
  const box = useRef<HTMLInputElement>(null);
  // Before anything can be typed: an effect after the paint would take the focus from a box that a quick hand is in.
  useLayoutEffect(() => box.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const name = box.current!.value.trim();
    if (name !== "") onName(name);
  };
  return html`<form class="notice person" onSubmit=${submit}>
    <label for="person">Your name, beside ${beside}</label>
    <input id="person" type="text" ref=${box} autocomplete="name" maxlength="80" list="people" required />
    <datalist id="people">${known.map((name) => html`<option value=${name}></option>`)}</datalist>
    <button class="main">Begin</button>
  </form>`;
}
