/** Documents that were found, one after another: chosen by keys, opened at their best passage. */
import { h, type VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Hit } from "../search/types.ts";
import { html } from "./html.ts";
import { marked } from "./pieces.ts";
import { retractedMark } from "./parts.ts";
import { hrefOf } from "./router.ts";
import { isTyping } from "./keys.ts";
import { authorLine } from "./words.ts";

/** The address of a document, opened at a place. */
export const documentHref = (id: string, start?: number, end?: number): string =>
  hrefOf("document", id, start === undefined ? {} : { at: `${start}-${end}` });

const isTitle = ({ title, start, end }: Hit): boolean => start === 0 && end <= title.length;

function HitItem({ hit, href }: { readonly hit: Hit; readonly href: string }): VNode {
  const ranges = hit.highlights.map(([start, end]) => ({ start, end, kind: "found" }));
  const from = [authorLine(hit.authors), hit.journal, hit.year].filter((part) => part !== null && part !== "");
  return html`<li class="hit">
    <h2>
      ${hit.retracted ? [retractedMark(), " "] : null}
      <a href=${href} data-hit>${hit.title === "" ? `Document ${hit.id}` : marked(hit.title, ranges)}</a>
    </h2>
    <p class="from">${from.join(" · ")}</p>
    ${isTitle(hit) ? null : html`<p class="passage">${marked(hit.passage, ranges, hit.start)}</p>`}
    <p class="about">
      <span class="identifier">${hit.id}</span>
      ${hit.types.slice(0, 3).map((type) => html`<span>${type}</span>`)}
      <a href=${hrefOf("similar", hit.id)} aria-label=${`Articles similar to ${hit.title}`}>Similar articles</a>
    </p>
  </li>`;
}

/** j, k and arrows go from one to the next; Enter opens it, as of any link. */
export function HitList({ hits, first = 1 }: { readonly hits: readonly Hit[]; readonly first?: number }): VNode {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
      if (by === undefined || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const links = [...(list.current?.querySelectorAll<HTMLElement>("[data-hit]") ?? [])];
      const at = links.indexOf(document.activeElement as HTMLElement);
      // Arrows scroll until a hit was chosen.
      if (links.length === 0 || (at < 0 && event.key.startsWith("Arrow"))) return;
      event.preventDefault();
      const next = links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + by))]!;
      next.focus({ preventScroll: true });
      next.closest("li")?.scrollIntoView({ block: "nearest" });
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return html`<ol class="hits" start=${first} ref=${list}>
    ${hits.map((hit) => h(HitItem, { key: hit.id, hit, href: documentHref(hit.id, hit.start, hit.end) }))}
  </ol>`;
}
