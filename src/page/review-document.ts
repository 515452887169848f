/** A document of a review: its text with the names marked, its relations, and what everybody says of them. */
import { type ComponentChildren, h, type VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ReviewDocument } from "../serve/literature/replies.ts";
import { html } from "./html.ts";
import { Failure, Waiting } from "./parts.ts";
import { marked } from "./pieces.ts";
import { type Reviewing, type ReviewProps, useReview } from "./review-acts.ts";
import { ReviewForm } from "./review-form.ts";
import { rangesOf, type ShownTriple } from "./review-model.ts";
import { counted, moment } from "./words.ts";

const verbs = { accept: "accepted", reject: "rejected" } as const;

function Card({ triple, current, onChoose }: { triple: ShownTriple; current: boolean; onChoose: () => void }): VNode {
  const { head, relation, tail, by, conflict, original, changed, own } = triple;
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (current) card.current?.scrollIntoView({ block: "nearest" });
  }, [current]);
  const said = own?.decision ?? "";
  return html`<li
    class=${`triple ${said} ${current ? "current" : ""}`}
    ref=${card}
    aria-current=${current ? "true" : undefined}
  >
    <button type="button" class="names" onClick=${onChoose}>
      <mark class="head">${head.name}</mark> <span class="relation">${relation}</span>
      <mark class="tail">${tail.name}</mark>
    </button>
    <p class="note">
      ${conflict ? html`<strong class="conflict">People disagree</strong>` : null}
      ${original === null ? html`<span>added</span>` : null} ${changed ? html`<span>changed</span>` : null}
      ${head.at === null ? html`<span class="missing">head not in the text</span>` : null}
      ${tail.at === null ? html`<span class="missing">tail not in the text</span>` : null}
      ${typeof triple.tripleScore === "number" ? html`<span title="Mean log-probability of its tokens">score ${triple.tripleScore.toFixed(2)}</span>` : null}
    </p>
    ${
      by.length === 0
        ? null
        : html`<ul class="by">
            ${by.map(
              (one) =>
                html`<li>
                  <span class=${one.decision}
                    >${one.decision === "accept" ? "✓" : "✗"} ${one.person} ${verbs[one.decision]}</span
                  >
                  <time datetime=${one.at}>${moment(one.at)}</time>
                </li>`,
            )}
          </ul>`
    }
  </li>`;
}

function Text({ document, reviewing }: { document: ReviewDocument; reviewing: Reviewing }): VNode {
  const { id, title, text, place, of } = document;
  const { draft, chosen, triples } = reviewing;
  const shown = draft ?? chosen;
  return html`<article class="record">
    <p class="quiet">
      <span class="identifier">${id}</span>
      ${place === null ? "" : ` · ${counted(place)} of ${counted(of)}`}
    </p>
    <h2 class="title" data-field="title">${marked(title, rangesOf("title", shown, triples))}</h2>
    <p data-field="text">${marked(text, rangesOf("text", shown, triples))}</p>
  </article>`;
}

export function ReviewedDocument(props: ReviewProps): ComponentChildren {
  const reviewing = useReview(props);
  const { document, error, failed, message, draft, setDraft, triples, chosen, choose, acts, save, mark } = reviewing;
  if (document === undefined) return error === undefined ? h(Waiting, { what: "Opening …" }) : h(Failure, { error });
  const button = (key: string, label: string, extra: object = {}): ComponentChildren =>
    h("button", { type: "button", title: key, onClick: () => acts[key]!(), ...extra }, label);
  const card = (triple: ShownTriple, i: number): ComponentChildren =>
    h(Card, { key: triple.key, triple, current: triple === chosen, onChoose: () => choose(i) });
  const actions = html`<div class="actions">
    ${button("a", "✓ Accept", { class: "main" })} ${button("r", "✗ Reject")} ${button("u", "Undecide")}
    ${button("e", "Change", { disabled: chosen === undefined })} ${button("m", "Add missed")}
  </div>`;
  const form = draft && {
    document,
    relations: props.relations,
    draft,
    changing: draft.original !== null,
    onDraft: (next: object) => setDraft({ ...draft, ...next }),
    onSave: save,
    onCancel: () => setDraft(undefined),
    onMark: mark,
  };
  return html`<div class="reviewed">
    ${h(Text, { document, reviewing })}
    <aside aria-label="Relations">
      ${h(Failure, { error: failed })}
      <p class="failed" role="status">${message}</p>
      ${form === undefined ? actions : h(ReviewForm, form)}
      ${
        triples.length === 0
          ? html`<p class="quiet">The run found no relation here. Accept that, or add what was missed.</p>`
          : html`<ol class="triples">
              ${triples.map(card)}
            </ol>`
      }
      ${document.none.map(
        ({ person, at }) =>
          html`<p class="note">${`✓ ${person} says that it states none`} <time datetime=${at}>${moment(at)}</time></p>`,
      )}
      <div class="actions turning">
        ${button("p", "← Previous", { disabled: document.previous === null })}
        ${button("n", "Next →", { disabled: document.next === null })}
        <span class="quiet">Keys: <kbd>?</kbd></span>
      </div>
    </aside>
  </div>`;
}
