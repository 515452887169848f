/** The page: which view an address shows, the bar above it, and the request for a token where the server wants one. */
import { type ComponentChildren, h, render, type VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { AskView } from "./ask-view.ts";
import { CorpusView } from "./corpus-view.ts";
import { DocumentView, SimilarView } from "./document-view.ts";
import { html } from "./html.ts";
import { Keys, openKeys } from "./keys.ts";
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

function TokenForm(): VNode {
  const [text, setText] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    // The server puts it into a cookie, and sends back here.
    if (text.trim() !== "") location.assign(`/?token=${encodeURIComponent(text.trim())}`);
  };
  return html`<form class="notice token" onSubmit=${submit}>
    <label for="token">This server wants a token, as given to <code>galen serve --token</code></label>
    <input
      id="token"
      type="password"
      autocomplete="current-password"
      value=${text}
      onInput=${(event: Event) => setText((event.currentTarget as HTMLInputElement).value)}
    />
    <button class="main">Go on</button>
  </form>`;
}

function Page(): VNode {
  const route = useRoute();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    const refuse = (): void => setRefused(true);
    addEventListener("galen-unauthorised", refuse);
    return () => removeEventListener("galen-unauthorised", refuse);
  }, []);
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
    <main id="main" tabindex="-1">${refused ? h(TokenForm, {}) : h(View, { route })}</main>
    ${h(Keys, {})}`;
}

render(h(Page, {}), document.getElementById("app")!);
