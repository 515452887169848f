/** The view of a document: the whole record, at a place of it where the address names one, and what is like it. */
import { h, type VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { IndexedDocument, SearchResult } from "../search/types.ts";
import { useJson } from "./api.ts";
import { documentHref, HitList } from "./hits.ts";
import { html } from "./html.ts";
import { Failure, Heading, Notes, Waiting } from "./parts.ts";
import { RecordText } from "./record.ts";
import { hrefOf, rangeOf, type Route } from "./router.ts";

function Facts({ record }: { readonly record: IndexedDocument }): VNode {
  const doi = record.doi === null ? null : `https://doi.org/${encodeURI(record.doi)}`;
  const rows: [string, VNode | string][] = [["Identifier", record.id]];
  const add = (name: string, value: VNode | string | null): void => {
    if (value !== null && value !== "") rows.push([name, value]);
  };
  add("Publication type", record.types.join(", "));
  const subject = (name: string): VNode =>
    html`<a href=${hrefOf("search", "", { q: `"${name.replaceAll('"', "")}"[mh]` })}>${name}</a>`;
  if (record.mesh.length > 0)
    add(
      "Subjects (MeSH)",
      html`<ul class="tags">
        ${record.mesh.map((name) => html`<li>${subject(name)}</li>`)}
      </ul>`,
    );
  add("Keywords", record.keywords.join(", "));
  add("Language", record.language);
  add("DOI", doi === null ? null : html`<a href=${doi} rel="noreferrer noopener">${record.doi}</a>`);
  add("PubMed Central", record.pmcid);
  for (const [name, value] of Object.entries(record.fields)) add(name, String(value));
  add("Read from", record.source);
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

export function DocumentView({ route: { name, params } }: { readonly route: Route }): VNode {
  const path = `/documents/${encodeURIComponent(name)}`;
  const { value: record, error } = useJson<IndexedDocument>(path);
  const similar = useJson<SearchResult>(record === undefined ? null : `${path}/similar?limit=5`);
  useEffect(() => {
    document.title = `${record?.title ?? name} · Galen`;
  }, [record, name]);
  const here = record?.id === name ? record : undefined;
  return html`<div class="document">
    ${h(Failure, { error })} ${here === undefined && error === undefined ? h(Waiting, { what: "Opening …" }) : null}
    ${
      here === undefined
        ? null
        : html`${h(RecordText, { record: here, at: rangeOf(params.get("at")), level: 1 })} ${h(Facts, { record: here })}
            <section class="similar" aria-labelledby="similar">
              <h2 id="similar">Similar articles</h2>
              ${h(Failure, { error: similar.error })}
              ${similar.value === undefined ? null : h(HitList, { hits: similar.value.hits })}
              <p><a href=${hrefOf("similar", name)}>More like this</a></p>
            </section>`
    }
  </div>`;
}

export function SimilarView({ route: { name } }: { readonly route: Route }): VNode {
  const path = `/documents/${encodeURIComponent(name)}`;
  const { value: record } = useJson<IndexedDocument>(path);
  const { value: result, error } = useJson<SearchResult>(`${path}/similar?limit=25`);
  return html`<div class="document">
    ${h(Heading, { title: "Similar articles", children: "Similar articles" })}
    <p>To <a href=${documentHref(name)}>${record === undefined || record.title === "" ? name : record.title}</a></p>
    ${h(Failure, { error })} ${result === undefined && error === undefined ? h(Waiting, { what: "Searching …" }) : null}
    ${result === undefined ? null : html`${h(Notes, { notes: result.notes })} ${h(HitList, { hits: result.hits })}`}
  </div>`;
}
