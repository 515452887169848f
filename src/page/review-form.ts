/** The form of a review for a triple that was missed, or that should read otherwise; names come from the selection. */
import type { VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { placeOf, type ReviewMention, type ReviewTriple } from "../extract/review-state.ts";
import { html } from "./html.ts";
import { wholeWords } from "./review-model.ts";

/** What is selected in an element that says of which field it is; null where nothing is. */
export function selectedMention(): ReviewMention | null {
  const selection = getSelection();
  if (selection === null || selection.rangeCount === 0 || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const from = range.startContainer;
  const field = (from instanceof Element ? from : from.parentElement)?.closest<HTMLElement>("[data-field]");
  if (field === null || field === undefined || !field.contains(range.endContainer)) return null;
  const before = document.createRange();
  before.selectNodeContents(field);
  before.setEnd(range.startContainer, range.startOffset);
  const start = before.toString().length;
  const text = field.textContent ?? "";
  const words = wholeWords(text, start, start + range.toString().length);
  if (words === undefined) return null;
  const name = field.dataset["field"] as "title" | "text";
  return { name: text.slice(...words), at: { field: name, start: words[0], end: words[1] } };
}

interface FormProps {
  readonly document: { readonly title: string; readonly text: string };
  readonly relations: readonly string[];
  readonly draft: ReviewTriple;
  /** A triple of the run is changed; else one is added. */
  readonly changing: boolean;
  onDraft(draft: ReviewTriple): void;
  onSave(): void;
  onCancel(): void;
  onMark(role: "head" | "tail"): void;
}

export function ReviewForm(props: FormProps): VNode {
  const { document, relations, draft, changing, onDraft, onSave, onCancel, onMark } = props;
  const first = useRef<HTMLInputElement>(null);
  // Before anything can be typed: an effect after the paint would take the focus from a box that a quick hand is in.
  useLayoutEffect(() => first.current?.focus(), []);
  const write = (role: "head" | "tail") => (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement;
    onDraft({ ...draft, [role]: { name: value, at: placeOf(value, document) } });
  };
  const saying = ({ name, at }: ReviewMention, role: string): VNode =>
    name === ""
      ? html`<span>select it in the text and press ${role[0]}, or type it</span>`
      : at === null
        ? html`<span class="missing">not in the text</span>`
        : html`<span>in the ${at.field}</span>`;
  const field = (role: "head" | "tail"): VNode =>
    html`<div class="field">
      <label for=${`form-${role}`}>${role === "head" ? "Head" : "Tail"}</label>
      <input
        id=${`form-${role}`}
        type="text"
        autocomplete="off"
        ref=${role === "head" ? first : undefined}
        value=${draft[role].name}
        onInput=${write(role)}
      />
      <button
        type="button"
        class="small"
        onMouseDown=${(event: Event) => event.preventDefault()}
        onClick=${() => onMark(role)}
      >
        From selection
      </button>
      <p class="quiet">${saying(draft[role], role)}</p>
    </div>`;
  const submit = (event: Event): void => {
    event.preventDefault();
    onSave();
  };
  return html`<form class="triple-form" onSubmit=${submit}>
    <h3>${changing ? "Change the relation" : "A relation that was missed"}</h3>
    ${field("head")}
    <div class="field">
      <label for="form-relation">Relation</label>
      <input
        id="form-relation"
        type="text"
        list="relations"
        autocomplete="off"
        value=${draft.relation}
        onInput=${(event: Event) => onDraft({ ...draft, relation: (event.currentTarget as HTMLInputElement).value })}
      />
      <datalist id="relations">${relations.map((value) => html`<option value=${value}></option>`)}</datalist>
    </div>
    ${field("tail")}
    <div class="actions">
      <button class="main">${changing ? "Change" : "Add"}</button>
      <button type="button" onClick=${onCancel}>Cancel</button>
    </div>
  </form>`;
}
