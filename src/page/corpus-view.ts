/** The view of datasets: what is in them, from which years, from which files, and what could not be read. */
import { h, type VNode } from "preact";
import type { CorpusEntry } from "../serve/literature/replies.ts";
import { useJson } from "./api.ts";
import { YearBars } from "./facets.ts";
import { html } from "./html.ts";
import { Failure, Heading, Waiting } from "./parts.ts";
import { bytes, counted, percent, several } from "./words.ts";

const counts = [
  ["read", "Records read"],
  ["filtered", "Left out by filters"],
  ["superseded", "Replaced by a later version"],
  ["deleted", "Deleted by PubMed"],
  ["failures", "Could not be read"],
] as const;

function Filled({ corpus }: { readonly corpus: CorpusEntry }): VNode {
  const rows = Object.entries(corpus.filled).sort(([, a], [, b]) => b - a);
  return html`<details>
    <summary>How many records have which fields</summary>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col" class="number">Records</th>
            <th scope="col" class="number">Share</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([name, count]) =>
              html`<tr>
                <th scope="row"><code>${name}</code></th>
                <td class="number">${counted(count)}</td>
                <td class="number">${percent(corpus.records === 0 ? 0 : count / corpus.records)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

function Sources({ corpus }: { readonly corpus: CorpusEntry }): VNode {
  // Of a curated corpus its sources are known, whose files are in the report of the run.
  const isOfFiles = corpus.sources.some(({ bytes: size }) => size > 0);
  return html`<details open=${corpus.sources.length <= 12}>
    <summary>Read from ${several(corpus.sources.length, isOfFiles ? "file" : "source")}</summary>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">${isOfFiles ? "File" : "Source"}</th>
            <th scope="col" class="number">Records</th>
            ${
              isOfFiles &&
              html`<th scope="col" class="number">Failures</th>
                <th scope="col" class="number">Size</th>`
            }
          </tr>
        </thead>
        <tbody>
          ${corpus.sources.map(
            ({ name, records, failures, bytes: size }) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td class="number">${counted(records)}</td>
                ${
                  isOfFiles &&
                  html`<td class="number">${counted(failures)}</td>
                    <td class="number">${bytes(size)}</td>`
                }
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

function Corpus({ corpus }: { readonly corpus: CorpusEntry }): VNode {
  const years = corpus.years.map(({ year, count }) => ({ value: String(year), count }));
  const filters = Object.entries(corpus.filters);
  return html`<section class="corpus" aria-label=${corpus.name}>
    <h2>${corpus.name}</h2>
    <p>
      <strong>${several(corpus.records, "record")}</strong>, ${bytes(corpus.bytes)} on disk, made by ${corpus.createdBy}
    </p>
    <dl class="figures">
      ${counts.map(
        ([key, title]) =>
          html`<div>
            <dt>${title}</dt>
            <dd>${counted(corpus.counts[key])}</dd>
          </div>`,
      )}
    </dl>
    ${
      years.length > 1
        ? html`<h3>Years</h3>
            ${h(YearBars, { values: years })}`
        : null
    }
    ${corpus.undated > 0 ? html`<p class="quiet">${several(corpus.undated, "record")} without a year</p>` : null}
    ${filters.length > 0 ? html`<p class="quiet">Filters: <code>${JSON.stringify(corpus.filters)}</code></p>` : null}
    ${h(Filled, { corpus })} ${h(Sources, { corpus })}
    ${
      corpus.failures.length === 0
        ? null
        : html`<details open>
            <summary>
              What could not be
              read${corpus.counts.failures > corpus.failures.length ? `: the first ${counted(corpus.failures.length)}` : ""}
            </summary>
            <ul class="failures">
              ${corpus.failures.map((failure) => html`<li><code>${failure}</code></li>`)}
            </ul>
          </details>`
    }
  </section>`;
}

export function CorpusView(): VNode {
  const { value, error } = useJson<readonly CorpusEntry[]>("/corpus");
  return html`<div class="corpus-view">
    ${h(Heading, { title: "Corpus", children: "Corpus" })} ${h(Failure, { error })}
    ${value === undefined && error === undefined ? h(Waiting, { what: "Reading the datasets …" }) : null}
    ${
      value?.length === 0
        ? html`<p class="quiet lead">
            No datasets. Name their folder when the server starts:${" "}<code>galen serve --corpus corpus</code>
          </p>`
        : value?.map((corpus) => h(Corpus, { key: corpus.name, corpus }))
    }
  </div>`;
}
