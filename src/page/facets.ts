/** Filters of a search beside the counts of what was found. Choosing one changes the address, nothing else. */
import { h, type VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Facets as FacetCounts, FacetValue } from "../search/types.ts";
import { html } from "./html.ts";
import { go, hrefOf } from "./router.ts";
import { counted } from "./words.ts";

export const filterNames = ["year_from", "year_to", "type", "journal", "mesh", "language", "retracted"] as const;

/** The address with a filter's values exchanged; from its first page on. */
function changed(params: URLSearchParams, name: string, values: readonly string[]): string {
  const next = new URLSearchParams(params);
  next.delete("offset");
  next.delete(name);
  for (const value of values) if (value !== "") next.append(name, value);
  return hrefOf("search", "", next);
}

interface GroupProps {
  readonly params: URLSearchParams;
  readonly name: string;
  readonly title: string;
  readonly values: readonly FacetValue[];
}

/** Values that are shown before "more". */
const few = 6;

function Group({ params, name, title, values }: GroupProps): VNode | null {
  const [all, setAll] = useState(false);
  const chosen = params.getAll(name);
  const here = (value: string): boolean => chosen.some((one) => one.toLowerCase() === value.toLowerCase());
  const rows = [
    ...chosen
      .filter((one) => !values.some(({ value }) => value.toLowerCase() === one.toLowerCase()))
      .map((value) => ({ value, count: 0 })),
    ...values,
  ];
  if (rows.length === 0) return null;
  const toggle = (value: string): void => {
    const rest = chosen.filter((one) => one.toLowerCase() !== value.toLowerCase());
    go(changed(params, name, here(value) ? rest : [...chosen, value]));
  };
  return html`<fieldset>
    <legend>${title}</legend>
    ${rows
      .filter(({ value }, i) => all || i < few || here(value))
      .map(
        ({ value, count }) =>
          html`<label class="choice" key=${value}>
            <input type="checkbox" checked=${here(value)} onChange=${() => toggle(value)} />
            <span>${value}</span> <span class="count">${count === 0 ? "" : counted(count)}</span>
          </label>`,
      )}
    ${
      rows.length > few
        ? html`<button type="button" class="plain" aria-expanded=${String(all)} onClick=${() => setAll(!all)}>
            ${all ? "Fewer" : `${counted(rows.length - few)} more`}
          </button>`
        : null
    }
  </fieldset>`;
}

function Years({
  params,
  values,
}: {
  readonly params: URLSearchParams;
  readonly values: readonly FacetValue[];
}): VNode {
  const [first, last] = [params.get("year_from") ?? "", params.get("year_to") ?? ""];
  const [from, setFrom] = useState(first);
  const [to, setTo] = useState(last);
  useEffect(() => setFrom(first), [first]);
  useEffect(() => setTo(last), [last]);
  const apply = (event: Event): void => {
    event.preventDefault();
    const next = new URLSearchParams(params);
    next.delete("offset");
    for (const [name, value] of [
      ["year_from", from],
      ["year_to", to],
    ] as const) {
      if (value === "") next.delete(name);
      else next.set(name, value);
    }
    go(hrefOf("search", "", next));
  };
  const field = (label: string, value: string, set: (text: string) => void): VNode =>
    html`<label
      ><span>${label}</span>
      <input
        type="number"
        inputmode="numeric"
        min="1500"
        max="2100"
        value=${value}
        onInput=${(event: Event) => set((event.currentTarget as HTMLInputElement).value)}
    /></label>`;
  return html`<fieldset>
    <legend>Year</legend>
    ${values.length > 1 ? h(YearBars, { values }) : null}
    <form class="years" onSubmit=${apply}>
      ${field("from", from, setFrom)} ${field("to", to, setTo)} <button class="small">Set</button>
    </form>
  </fieldset>`;
}

/** Documents by year, as columns; the same is in the numbers below for those who do not see it. */
export function YearBars({ values }: { readonly values: readonly FacetValue[] }): VNode {
  const most = Math.max(...values.map(({ count }) => count));
  const years = values.map(({ value }) => Number(value));
  const [first, last] = [Math.min(...years), Math.max(...years)];
  const counts = new Map(values.map(({ value, count }) => [Number(value), count]));
  const span = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const name = `${first} to ${last}, most in ${values.find(({ count }) => count === most)?.value}`;
  return html`<figure class="year-bars">
    <svg viewBox=${`0 0 ${span.length} 24`} preserveAspectRatio="none" role="img" aria-label=${name}>
      ${span.map((year, i) => {
        const height = (24 * (counts.get(year) ?? 0)) / most;
        return html`<rect x=${i + 0.1} y=${24 - height} width="0.8" height=${height}>
          <title>${`${year}: ${counted(counts.get(year) ?? 0)}`}</title>
        </rect>`;
      })}
    </svg>
    <figcaption><span>${first}</span><span>${last}</span></figcaption>
  </figure>`;
}

function Retracted({ params }: { readonly params: URLSearchParams }): VNode {
  const value = params.get("retracted") ?? "";
  const choices = [
    ["", "Shown, marked"],
    ["false", "Left out"],
    ["true", "Only these"],
  ] as const;
  return html`<fieldset>
    <legend>Retracted</legend>
    ${choices.map(
      ([one, label]) =>
        html`<label class="choice">
          <input
            type="radio"
            name="retracted"
            checked=${value === one}
            onChange=${() => go(changed(params, "retracted", [one]))}
          />
          <span>${label}</span>
        </label>`,
    )}
  </fieldset>`;
}

const wide = matchMedia("(min-width: 60rem)");

interface FacetsProps {
  readonly params: URLSearchParams;
  readonly facets: FacetCounts | undefined;
}

export function Facets({ params, facets }: FacetsProps): VNode {
  const none = { years: [], types: [], journals: [], mesh: [], languages: [] };
  const { years, types, journals, mesh, languages } = facets ?? none;
  const chosen = filterNames.reduce((sum, name) => sum + params.getAll(name).length, 0);
  const cleared = new URLSearchParams(params);
  for (const name of [...filterNames, "offset"]) cleared.delete(name);
  return html`<aside class="facets" aria-label="Filters">
    <details open=${wide.matches}>
      <summary>Filters${chosen > 0 ? ` (${chosen})` : ""}</summary>
      ${chosen > 0 ? html`<p><a href=${hrefOf("search", "", cleared)}>Clear all filters</a></p>` : null}
      ${h(Years, { params, values: years })}
      ${h(Group, { params, name: "type", title: "Publication type", values: types })}
      ${h(Group, { params, name: "journal", title: "Journal", values: journals })}
      ${h(Group, { params, name: "mesh", title: "Subject (MeSH)", values: mesh })}
      ${h(Group, { params, name: "language", title: "Language", values: languages })} ${h(Retracted, { params })}
    </details>
  </aside>`;
}
