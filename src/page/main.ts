/** The page: which view an address shows, and the bar above it. */
import { type ComponentChildren, h, render, type VNode } from "preact";
import { useEffect } from "preact/hooks";
import { AskView } from "./ask-view.ts";
import { CorpusView } from "./corpus-view.ts";
import { DocumentView, SimilarView } from "./document-view.ts";
import { html } from "./html.ts";
import { type KeyTable, Keys, openKeys, useBoxKey } from "./keys.ts";
import { Heading } from "./parts.ts";
import { ReviewView } from "./review-view.ts";
import { type Route, useRoute } from "./router.ts";
import { RunsView } from "./runs-view.ts";
import { SearchView } from "./search-view.ts";

const bar = [
  ["search", "Search"],
  ["ask", "Ask"],
  ["review", "Review"],
  ["runs", "Runs"],
  ["corpus", "Corpus"],
] as const;

const keys: KeyTable = [
  [
    "Everywhere",
    [
      ["/", "go to the box of the search or question"],
      ["?", "show these keys"],
      ["Esc", "close what is open"],
    ],
  ],
  [
    "In lists of documents",
    [
      ["j  ↓", "next"],
      ["k  ↑", "previous"],
      ["Enter", "open"],
    ],
  ],
  [
    "In a review",
    [
      ["a", "accept, or accept that a document states none"],
      ["r", "reject"],
      ["u", "undecide"],
      ["e", "change"],
      ["m", "add one that was missed"],
      ["h  t", "selected text is the head, the tail"],
      ["j  k", "next and previous relation"],
      ["n  p", "next and previous document"],
    ],
  ],
];

/** Views of a document stand under the search. */
const under: Readonly<Record<string, string>> = { document: "search", similar: "search" };

function View({ route }: { readonly route: Route }): ComponentChildren {
  switch (route.view) {
    case "search":
      return h(SearchView, { route });
    case "document":
      return h(DocumentView, { key: route.name, route });
    case "similar":
      return h(SimilarView, { key: route.name, route });
    case "ask":
      return h(AskView, { route });
    case "review":
      return h(ReviewView, { route });
    case "runs":
      return h(RunsView, { route });
    case "corpus":
      return h(CorpusView, {});
    default:
      return html`<div>
        ${h(Heading, { title: "Not found", children: "Nothing here" })}
        <p>This address names no view. <a href="#/search">Go to the search</a></p>
      </div>`;
  }
}

function Page(): VNode {
  const route = useRoute();
  useBoxKey();
  useEffect(() => scrollTo(0, 0), [route.view, route.name]);
  const skip = (event: Event): void => {
    event.preventDefault();
    document.querySelector<HTMLElement>("main")?.focus();
  };
  const here = under[route.view] ?? route.view;
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href="#/search">Galen</a>
      <nav aria-label="Views">
        ${bar.map(
          ([view, title]) =>
            html`<a href=${`#/${view}`} aria-current=${view === here ? "page" : undefined}>${title}</a>`,
        )}
      </nav>
      <button type="button" class="plain" onClick=${openKeys} aria-label="Keys" title="Keys (?)">?</button>
    </header>
    <main id="main" tabindex="-1">${h(View, { route })}</main>
    ${h(Keys, { table: keys })}`;
}

render(h(Page, {}), document.getElementById("app")!);
