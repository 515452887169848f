/** A document of a review: its text with the names marked, its relations, and what everybody says of them. */
import { type ComponentChildren, h, type VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { decisionKey, type Decision, type ReviewTriple } from "../extract/review-state.ts";
import type { ReviewDocument, ReviewShow } from "../serve/literature/replies.ts";
import { type ApiError, postJson, useJson } from "./api.ts";
import { html } from "./html.ts";
import { isTyping } from "./keys.ts";
import { Failure, Waiting } from "./parts.ts";
import { marked } from "./pieces.ts";
import { ReviewForm, selectedMention } from "./review-form.ts";
import { rangesOf, type ShownTriple, triplesOf } from "./review-model.ts";
import { counted, moment } from "./words.ts";

/** How often what others say is looked for. */
const refreshMs = 4000;

interface Props {
  readonly path: string;
  readonly id: string;
  readonly show: ReviewShow;
  readonly person: string;
  readonly relations: readonly string[];
  turn(id: string): void;
  onChange(): void;
}

/** A triple that is being written. */
interface Draft extends ReviewTriple {
  readonly original: Decision["original"];
  /** Of one that was added before, and is taken away for this one. */
  readonly replaces?: ShownTriple | undefined;
}

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

export function ReviewedDocument({ path, id, show, person, relations, turn, onChange }: Props): ComponentChildren {
  const query = `${path}/documents/${encodeURIComponent(id)}?show=${show}`;
  const { value, error, reload } = useJson<ReviewDocument>(query);
  const [mine, setMine] = useState<Pick<ReviewDocument, "decisions" | "none">>();
  const [at, setAt] = useState(0);
  const [draft, setDraft] = useState<Draft>();
  const [message, setMessage] = useState("");
  const [failed, setFailed] = useState<ApiError>();
  useEffect(() => setMine(undefined), [value]);
  useEffect(() => {
    const timer = setInterval(reload, refreshMs);
    return () => clearInterval(timer);
  }, []);
  const document = value === undefined ? undefined : { ...value, ...mine };
  const triples = document === undefined ? [] : triplesOf(document, person);
  const chosen = triples[Math.min(at, triples.length - 1)];

  const post = async (body: object): Promise<void> => {
    try {
      setFailed(undefined);
      const response = await postJson(`${path}/decisions`, { person, ...body });
      setMine((await response.json()) as Pick<ReviewDocument, "decisions" | "none">);
      onChange();
    } catch (failure) {
      setFailed(failure as ApiError);
    }
  };
  const step = (by: number): void => {
    const next = Math.min(at, triples.length - 1) + by;
    if (next >= 0 && next < triples.length) setAt(next);
    else if (by > 0 && document?.next != null) turn(document.next);
    else if (by < 0 && document?.previous != null) turn(document.previous);
  };
  const entry = (
    triple: ReviewTriple,
    original: Decision["original"],
    decision: Decision["decision"] | null,
  ): object => {
    const { head, tail, relation } = triple;
    return { document: id, original, head, tail, relation, decision };
  };
  const decide = (decision: Decision["decision"] | null): void => {
    if (document === undefined) return;
    if (chosen === undefined) {
      if (decision === "reject") return;
      void post({ none: { document: id, none: decision !== null } }).then(() => decision !== null && step(1));
      return;
    }
    void post({ decisions: [entry(chosen, chosen.original, decision)] });
    if (decision !== null) step(1);
  };
  const begin = (triple: ShownTriple | undefined): void => {
    setMessage("");
    const empty = { name: "", at: null };
    if (triple === undefined) setDraft({ original: null, head: empty, tail: empty, relation: relations[0] ?? "" });
    else
      setDraft({
        original: triple.original,
        head: triple.head,
        tail: triple.tail,
        relation: triple.relation,
        replaces: triple.original === null ? triple : undefined,
      });
  };
  const mark = (role: "head" | "tail"): void => {
    const mention = selectedMention();
    if (mention === null) return setMessage(`Select the ${role} in the text first`);
    setMessage("");
    const empty = { name: "", at: null };
    setDraft((before) => ({
      ...(before ?? { original: null, head: empty, tail: empty, relation: relations[0] ?? "" }),
      [role]: mention,
    }));
  };
  const save = (): void => {
    if (draft === undefined) return;
    const trimmed = {
      ...draft,
      relation: draft.relation.trim(),
      head: { ...draft.head, name: draft.head.name.trim() },
      tail: { ...draft.tail, name: draft.tail.name.trim() },
    };
    if ([trimmed.head.name, trimmed.tail.name, trimmed.relation].includes(""))
      return setMessage("A relation has a head, a tail and a name");
    const { replaces } = draft;
    const gone =
      replaces !== undefined && decisionKey({ ...trimmed, original: null }) !== replaces.key
        ? [entry(replaces, null, null)]
        : [];
    void post({ decisions: [...gone, entry(trimmed, draft.original, "accept")] });
    setDraft(undefined);
    setMessage("");
  };
  const acts: Readonly<Record<string, () => void>> = {
    a: () => decide("accept"),
    r: () => decide("reject"),
    u: () => decide(null),
    e: () => chosen !== undefined && begin(chosen),
    m: () => begin(undefined),
    h: () => mark("head"),
    t: () => mark("tail"),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    n: () => document?.next != null && turn(document.next),
    p: () => document?.previous != null && turn(document.previous),
  };
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && draft !== undefined) return setDraft(undefined);
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (globalThis.document.querySelector("dialog[open]") !== null || !Object.hasOwn(acts, event.key)) return;
      if (draft !== undefined && !["h", "t"].includes(event.key)) return;
      event.preventDefault();
      acts[event.key]!();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  if (document === undefined) return error === undefined ? h(Waiting, { what: "Opening …" }) : h(Failure, { error });
  const button = (key: string, label: string, extra: object = {}): ComponentChildren =>
    h("button", { type: "button", title: key, onClick: () => acts[key]!(), ...extra }, label);
  const { title, text, none, place, of } = document;
  return html`<div class="reviewed">
    <article class="record">
      <p class="quiet">
        <span class="identifier">${document.id}</span>
        ${place === null ? "" : ` · ${counted(place)} of ${counted(of)}`}
      </p>
      <h2 class="title" data-field="title">${marked(title, rangesOf("title", draft ?? chosen, triples))}</h2>
      <p data-field="text">${marked(text, rangesOf("text", draft ?? chosen, triples))}</p>
    </article>
    <aside aria-label="Relations">
      ${h(Failure, { error: failed })}
      <p class="failed" role="status">${message}</p>
      ${
        draft === undefined
          ? html`<div class="actions">
              ${button("a", "✓ Accept", { class: "main" })} ${button("r", "✗ Reject")} ${button("u", "Undecide")}
              ${button("e", "Change", { disabled: chosen === undefined })} ${button("m", "Add missed")}
            </div>`
          : h(ReviewForm, {
              document,
              relations,
              draft,
              changing: draft.original !== null,
              onDraft: (next) => setDraft({ ...draft, ...next }),
              onSave: save,
              onCancel: () => setDraft(undefined),
              onMark: mark,
            })
      }
      ${
        triples.length === 0
          ? html`<p class="quiet">The run found no relation here. Accept that, or add what was missed.</p>`
          : html`<ol class="triples">
              ${triples.map((triple, i) => h(Card, { key: triple.key, triple, current: triple === chosen, onChoose: () => setAt(i) }))}
            </ol>`
      }
      ${none.map(({ person: who, at: when }) => html`<p class="note">✓ ${who} says that it states none <time datetime=${when}>${moment(when)}</time></p>`)}
      <div class="actions turning">
        ${button("p", "← Previous", { disabled: document.previous === null })}
        ${button("n", "Next →", { disabled: document.next === null })}
        <span class="quiet">Keys: <kbd>?</kbd></span>
      </div>
    </aside>
  </div>`;
}
