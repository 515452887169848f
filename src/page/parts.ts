/** Small parts that several views share: notices, marks of a retraction, what waits, and what went wrong. */
import { h, type ComponentChildren, type VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ApiError } from "./api.ts";
import { html } from "./html.ts";

export function Failure({ error }: { readonly error: ApiError | undefined }): VNode | null {
  if (error === undefined) return null;
  const [first = "", ...rest] = error.message.split("\n");
  return html`<div class="notice failure" role="alert">
    <p>${first}</p>
    ${rest.map((line) => html`<p class="quiet">${line}</p>`)}
  </div>`;
}

export function Notes({ notes }: { readonly notes: readonly string[] }): VNode | null {
  if (notes.length === 0) return null;
  return html`<ul class="notice notes">
    ${notes.map((note) => html`<li>${note}</li>`)}
  </ul>`;
}

/** In words as well as in colour. */
export const retractedMark = (): VNode => html`<strong class="retracted">Retracted</strong>`;

export function Waiting({ what }: { readonly what: string }): VNode {
  return html`<p class="waiting" role="status">${what}</p>`;
}

interface HeadingProps {
  readonly children: ComponentChildren;
}

/** The title of a view: names the tab, and takes the focus when the view is come to. */
export function Heading({ title, children }: HeadingProps & { readonly title: string }): ComponentChildren {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Galen`;
  }, [title]);
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest("nav") !== null)
      heading.current?.focus({ preventScroll: true });
  }, []);
  return h("h1", { ref: heading, tabIndex: -1 }, children);
}

/** What is said to those who do not see the page change. */
export function Announce({ text }: { readonly text: string }): VNode {
  return html`<p class="unseen" role="status" aria-live="polite">${text}</p>`;
}
