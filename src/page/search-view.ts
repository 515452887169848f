/** The view of a search: box, filters with their counts, and what was found. All of it stands in the address. */
import { h, type VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SearchResult } from "../search/types.ts";
import { download, useJson } from "./api.ts";
import { Facets, filterNames } from "./facets.ts";
import { HitList } from "./hits.ts";
import { html } from "./html.ts";
import { Announce, Failure, Heading, Notes, Waiting } from "./parts.ts";
import { go, hrefOf, type Params, type Route } from "./router.ts";
import { counted, several } from "./words.ts";

const pageSize = 10;
/** Most documents of an exported file. */
const mostExported = 1000;

/** The parameters that the server takes, of the view's. */
function queryFor(params: URLSearchParams, more: Params): string {
  const query = new URLSearchParams();
  for (const name of ["q", "mode", ...filterNames]) {
    for (const value of params.getAll(name)) if (value !== "") query.append(name, value);
  }
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  return query.toString();
}

const modes = [
  ["", "Best available"],
  ["text", "Words"],
  ["dense", "Meaning"],
  ["hybrid", "Words and meaning"],
] as const;

const examples = [
  ["heart failure exercise", "both words rank; documents with either are found"],
  ['"heart failure"', "these words beside each other"],
  ["aspirin AND stroke NOT child*", "and, or, not; a beginning of a word"],
  ['"beta blockers"[ti]', "in the title: [ti]; title or abstract: [tiab]"],
  ["Hypertension[mh] AND review[pt]", "a subject heading, a publication type"],
  ["2019:2024[dp] AND smith j[au]", "dates from and to, an author"],
] as const;

function Help(): VNode {
  return html`<details class="help">
    <summary>How to ask</summary>
    <dl>
      ${examples.map(
        ([query, about]) =>
          html`<div>
            <dt>
              <a href=${hrefOf("search", "", { q: query })}><code>${query}</code></a>
            </dt>
            <dd>${about}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
}

function Box({ params }: { readonly params: URLSearchParams }): VNode {
  const query = params.get("q") ?? "";
  const [text, setText] = useState(query);
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => setText(query), [query]);
  useLayoutEffect(() => {
    if (query === "") box.current?.focus();
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const next = new URLSearchParams(params);
    next.delete("offset");
    next.set("q", text.trim());
    go(hrefOf("search", "", next));
  };
  const changeMode = (event: Event): void => {
    const next = new URLSearchParams(params);
    next.delete("offset");
    next.delete("mode");
    const { value } = event.currentTarget as HTMLSelectElement;
    if (value !== "") next.set("mode", value);
    go(hrefOf("search", "", next));
  };
  return html`<form class="box" role="search" onSubmit=${submit}>
    <label class="unseen" for="query">Search the documents</label>
    <input
      id="query"
      type="search"
      ref=${box}
      data-box
      value=${text}
      autocomplete="off"
      spellcheck="false"
      maxlength="2000"
      placeholder="Words or a PubMed query"
      onInput=${(event: Event) => setText((event.currentTarget as HTMLInputElement).value)}
    />
    <button class="main">Search</button>
    <label class="mode"
      ><span>By</span>
      <select value=${params.get("mode") ?? ""} onChange=${changeMode}>
        ${modes.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
      </select></label
    >
    ${h(Help, {})}
  </form>`;
}

function Export({ params }: { readonly params: URLSearchParams }): VNode {
  const [failed, setFailed] = useState("");
  const save = (kind: string): void => {
    setFailed("");
    download(`/search.${kind}?${queryFor(params, { limit: mostExported })}`, `galen.${kind}`).catch((error: Error) =>
      setFailed(error.message),
    );
  };
  const button = (kind: string, label: string): VNode =>
    html`<button type="button" class="small" onClick=${() => save(kind)}>${label}</button>`;
  return html`<div class="export" role="group" aria-label=${`Save up to ${counted(mostExported)} documents`}>
    <span>Save as</span> ${button("ris", "RIS")} ${button("bib", "BibTeX")} ${button("csv", "CSV")}
    ${failed === "" ? null : html`<span class="failed" role="alert">${failed}</span>`}
  </div>`;
}

function Pages({ params, result }: { readonly params: URLSearchParams; readonly result: SearchResult }): VNode | null {
  const offset = Number(params.get("offset") ?? 0) || 0;
  const more = result.total === null ? result.hits.length === pageSize : offset + result.hits.length < result.total;
  if (offset === 0 && !more) return null;
  const at = (place: number): string => {
    const next = new URLSearchParams(params);
    next.delete("offset");
    if (place > 0) next.set("offset", String(place));
    return hrefOf("search", "", next);
  };
  return html`<nav class="pages" aria-label="Pages of the results">
    ${offset > 0 ? html`<a href=${at(Math.max(0, offset - pageSize))} rel="prev">← Previous</a>` : html`<span></span>`}
    ${more ? html`<a href=${at(offset + pageSize)} rel="next">Next →</a>` : null}
  </nav>`;
}

function summaryOf({ total, hits }: SearchResult, offset: number): string {
  if (hits.length === 0) return offset === 0 ? "Nothing found" : "Nothing further";
  const range = `${counted(offset + 1)}–${counted(offset + hits.length)}`;
  return total === null ? `The nearest, ${range}` : `${range} of ${several(total, "document")}`;
}

const modeNames = { text: "by words", dense: "by meaning", hybrid: "by words and meaning" } as const;

export function SearchView({ route: { params } }: { readonly route: Route }): VNode {
  const query = params.get("q") ?? "";
  const offset = Number(params.get("offset") ?? 0) || 0;
  const asked = query !== "" || filterNames.some((name) => params.has(name));
  const path = asked ? `/search?${queryFor(params, { limit: pageSize, offset, facets: 1 })}` : null;
  const { value: result, error, loading } = useJson<SearchResult>(path);
  const summary = result === undefined ? "" : summaryOf(result, offset);
  useEffect(() => {
    if (offset > 0) scrollTo(0, 0);
  }, [offset]);
  return html`<div class="search">
    ${h(Heading, { title: query === "" ? "Search" : query, children: "Search" })} ${h(Box, { params })}
    ${h(Failure, { error })}
    ${asked && result === undefined && error === undefined ? h(Waiting, { what: "Searching …" }) : null}
    ${
      result === undefined
        ? null
        : html`<div class=${loading ? "results stale" : "results"}>
            ${h(Facets, { params, facets: result.facets })}
            <section aria-label="Results">
              <div class="summary">
                <p><strong>${summary}</strong> <span class="quiet">${modeNames[result.mode]}</span></p>
                ${result.hits.length === 0 ? null : h(Export, { params })}
              </div>
              ${
                result.understood === "" || query === ""
                  ? null
                  : html`<p class="understood"><span>Understood as</span> <code>${result.understood}</code></p>`
              }
              ${h(Notes, { notes: result.notes })} ${h(HitList, { hits: result.hits, first: offset + 1 })}
              ${h(Pages, { params, result })}
            </section>
          </div>`
    }
    ${h(Announce, { text: loading ? "" : summary })}
  </div>`;
}
