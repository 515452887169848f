/** The view of reviews: which there are, how far they are, and one of them, document by document. */
import { type ComponentChildren, h, type VNode } from "preact";
import { useState } from "preact/hooks";
import type { Review, ReviewEntry, ReviewShow } from "../serve/literature/replies.ts";
import { download, useJson } from "./api.ts";
import { html } from "./html.ts";
import { Failure, Heading, Waiting } from "./parts.ts";
import { ReviewedDocument } from "./review-document.ts";
import { PersonForm, remember, remembered } from "./person.ts";
import { go, hrefOf, type Route } from "./router.ts";
import { counted, several } from "./words.ts";

const shows: readonly (readonly [ReviewShow, string])[] = [
  ["all", "All documents"],
  ["open", "Something undecided"],
  ["conflicts", "People disagree"],
  ["reviewed", "Reviewed"],
];

function progressOf({
  reviewed,
  documents,
  conflicts,
}: Pick<ReviewEntry, "reviewed" | "documents" | "conflicts">): ComponentChildren {
  const far = `${counted(reviewed)} of ${several(documents, "document")} reviewed`;
  if (conflicts === 0) return far;
  return [far, ", ", html`<strong class="conflict">${several(conflicts, "disagreement")}</strong>`];
}

function Entry({ name, documents, triples, reviewed, conflicts, people }: ReviewEntry): VNode {
  return html`<li>
    <h2><a href=${hrefOf("review", name)}>${name}</a></h2>
    <progress max=${Math.max(1, documents)} value=${reviewed} aria-label="Reviewed documents"></progress>
    <p class="quiet">
      ${progressOf({ reviewed, documents, conflicts })}
      ${[several(triples, "relation"), ...people].map((one) => ` · ${one}`)}
    </p>
  </li>`;
}

function List(): VNode {
  const { value, error } = useJson<readonly ReviewEntry[]>("/reviews");
  return html`<div class="reviews">
    ${h(Heading, { title: "Review", children: "Review" })} ${h(Failure, { error })}
    ${value === undefined && error === undefined ? h(Waiting, { what: "Looking for reviews …" }) : null}
    ${
      value?.length === 0
        ? html`<p class="quiet lead">
            Nothing to review. Name the folder that <code>galen extract</code> made when the server starts:${" "}<code
              >galen serve --reviews mined</code
            >
          </p>`
        : html`<ul class="entries">
            ${value?.map((entry) => h(Entry, { key: entry.name, ...entry }))}
          </ul>`
    }
  </div>`;
}

function SaveTraining({ path, name }: { readonly path: string; readonly name: string }): VNode {
  const [failed, setFailed] = useState("");
  const save = (): void => {
    setFailed("");
    download(`${path}/training.jsonl`, `${name}.jsonl`).catch((failure: Error) => setFailed(failure.message));
  };
  const title = "Documents that are reviewed without disagreement, as JSON lines for galen train";
  return html`<button type="button" class="small" onClick=${save} title=${title}>Save training data</button>
    ${failed === "" ? null : html`<span class="failed" role="alert">${failed}</span>`}`;
}

function One({ route: { name, params } }: { readonly route: Route }): VNode {
  const [person, setPerson] = useState(remembered);
  const show = (params.get("show") ?? "all") as ReviewShow;
  const path = `/reviews/${encodeURIComponent(name)}`;
  const { value: review, error, reload } = useJson<Review>(`${path}?show=${encodeURIComponent(show)}`);
  const id = params.get("document") ?? review?.first ?? null;
  const turn = (next: string): void =>
    go(hrefOf("review", name, { show: show === "all" ? null : show, document: next }));
  const change = (event: Event): void => {
    const { value } = event.currentTarget as HTMLSelectElement;
    go(hrefOf("review", name, { show: value === "all" ? null : value }));
  };
  const named = (text: string): void => {
    remember(text);
    setPerson(text);
  };
  return html`<div class="review">
    <div class="review-head">
      ${h(Heading, { title: `Review ${name}`, children: name })}
      ${review === undefined ? null : html`<p class="quiet" aria-live="polite">${progressOf(review)}</p>`}
      <div class="tools">
        <label class="mode"
          ><span>Show</span>
          <select value=${show} onChange=${change}>
            ${shows.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
          </select></label
        >
        ${h(SaveTraining, { path, name })}
        ${person === "" ? null : html`<button type="button" class="plain" onClick=${() => setPerson("")}>${person}</button>`}
      </div>
    </div>
    ${h(Failure, { error })}
    ${
      person === ""
        ? h(PersonForm, { beside: "your decisions", onName: named })
        : review === undefined
          ? null
          : id === null
            ? html`<p class="quiet lead">No document to show here. Choose another filter above.</p>`
            : h(ReviewedDocument, {
                key: `${name} ${id}`,
                path,
                id,
                show,
                person,
                relations: review.relations,
                turn,
                onChange: reload,
              })
    }
  </div>`;
}

export function ReviewView({ route }: { readonly route: Route }): ComponentChildren {
  return route.name === "" ? h(List, {}) : h(One, { key: route.name, route });
}
