/** An item under judgement: the prompt, its answers side by side, and what the rater says of them. */
import { type ComponentChildren, h, type VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { FeedbackItem } from "../serve/feedback/replies.ts";
import { type Judging, type JudgingProps, useJudging } from "./feedback-acts.ts";
import { pickWord, rankWord } from "./feedback-model.ts";
import { html } from "./html.ts";
import { Announce, Failure, Waiting } from "./parts.ts";
import { counted, moment } from "./words.ts";

const roles: Readonly<Record<string, string>> = { user: "Prompt", system: "Instructions", assistant: "Earlier answer" };

function Prompt({ prompt }: Pick<FeedbackItem, "prompt">): VNode {
  return html`<section class="turns" aria-label="Prompt">
    ${prompt.map(({ role, text }) => [
      prompt.length === 1 ? null : html`<h2>${roles[role] ?? role}</h2>`,
      html`<p class="whole">${text}</p>`,
    ])}
  </section>`;
}

/** A button that was pressed by hand gives the focus back, so that Enter saves and does not press it again. */
const pressed =
  (act: () => void) =>
  (event: MouseEvent): void => {
    act();
    if (event.detail > 0) (event.currentTarget as HTMLElement).blur();
  };

interface CardProps {
  readonly text: string;
  readonly place: number;
  readonly judging: Judging;
}

function Card({ text, place, judging: { draft, marking, item, choose, mark } }: CardProps): VNode {
  const rank = draft.ranks[place] ?? null;
  const wrong = draft.wrong[place] === true;
  const word = rankWord(draft.ranks, place);
  const by = item?.revealed?.by[place];
  const best = rank === 1 ? "best" : rank === null ? "" : "ranked";
  return html`<li class=${`answer-card ${best} ${wrong ? "wrong" : ""} ${marking ? "marking" : ""}`}>
    <div class="card-head">
      <button type="button" class="pick" aria-pressed=${rank === 1} onClick=${pressed(() => choose(place))}>
        <kbd>${place + 1}</kbd> <span>${word === "" ? pickWord(draft) : word}</span>
      </button>
      ${by === undefined || by === null ? null : html`<span class="quiet">by <strong>${by}</strong></span>`}
      <button type="button" class="mark" aria-pressed=${wrong} onClick=${pressed(() => mark(place))}>
        ${wrong ? "✗ Wrong" : "Wrong"}<span class="key-hint"> w ${place + 1}</span>
      </button>
    </div>
    <p class=${`whole ${text === "" ? "quiet" : ""}`}>${text === "" ? "(an empty answer)" : text}</p>
  </li>`;
}

const said = (ranks: readonly (number | null)[], wrong: readonly boolean[]): string =>
  [
    ranks.map((rank, i) => `${i + 1}: ${rank === null ? "–" : rankWord(ranks, i)}`).join(", "),
    ...wrong.flatMap((is, i) => (is ? [`${i + 1} is wrong`] : [])),
  ].join("; ");

function Others({ revealed }: { readonly revealed: NonNullable<FeedbackItem["revealed"]> }): VNode {
  const { others } = revealed;
  return html`<section class="notice others" aria-label="Others">
    ${
      others.length === 0
        ? html`<p class="quiet">Nobody else has judged this yet.</p>`
        : html`<ul>
            ${others.map(
              ({ rater, at, ranks, wrong, reason }) =>
                html`<li>
                  <strong>${rater}</strong> ${said(ranks, wrong)}${reason === "" ? "" : ` – ${reason}`}${" "}
                  <time datetime=${at} class="quiet">${moment(at)}</time>
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}

function Reason({ reason, write, leave, save }: Pick<Judging, "reason" | "write" | "leave" | "save">): VNode {
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Escape") leave();
    // While a word is composed, as Japanese is, Enter ends the word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    leave();
    save();
  };
  return html`<div class="why">
    <label for="reason">Reason <kbd>r</kbd></label>
    <textarea
      id="reason"
      rows="1"
      maxlength="5000"
      placeholder="optional"
      value=${reason}
      onInput=${(event: Event) => write((event.currentTarget as HTMLTextAreaElement).value)}
      onKeyDown=${press}
    ></textarea>
  </div>`;
}

export function Judged(props: JudgingProps): ComponentChildren {
  const judging = useJudging(props);
  const { item, error, failed, draft, changed, message, acts, save } = judging;
  useEffect(() => {
    if (item !== undefined) document.title = `${item.number} of ${item.progress.items} · Galen`;
  }, [item?.id]);
  if (item === undefined) return error === undefined ? h(Waiting, { what: "Opening …" }) : h(Failure, { error });
  const { number, answers, own, revealed, progress } = item;
  const button = (key: string, label: string, extra: object = {}): ComponentChildren =>
    h(
      "button",
      { type: "button", class: "small", title: `Key ${key}`, onClick: pressed(() => acts[key]!()), ...extra },
      [label, html`<span class="key-hint"> ${key}</span>`],
    );
  const state = own === null ? "" : changed ? "judged, changed" : "judged";
  return html`<div class="judged">
    <p class="quiet where">
      ${`Item ${counted(number)} of ${counted(progress.items)} · ${answers.length} answers`}
      ${state === "" ? null : html`<span class="done">${` · ✓ ${state}`}</span>`}
    </p>
    ${h(Prompt, item)} ${revealed === null ? null : h(Others, { revealed })}
    <h2 class="unseen">Answers</h2>
    <ol class=${`answer-cards of-${answers.length}`}>
      ${answers.map((text, place) => h(Card, { key: `${item.id} ${place}`, text, place, judging }))}
    </ol>
    <div class="saying">
      ${h(Failure, { error: failed })}
      <p class="message" role="status">${message}</p>
      ${h(Reason, judging)}
      <div class="actions">
        ${button("t", "Equal", { "aria-pressed": draft.tying })}
        ${button("u", own !== null && !changed ? "Take back" : "Undo")}
        ${own === null || revealed !== null ? null : button("o", "Show others")}
        ${button("p", "←", { "aria-label": "Previous", disabled: number === 1 })}
        ${button("n", own === null ? "Skip" : "Next open")}
        <button type="button" class="main" onClick=${pressed(save)}>
          ${own !== null && !changed ? "Go on" : "Save"} <kbd>Enter</kbd>
        </button>
      </div>
    </div>
    ${h(Announce, { text: `Item ${number} of ${progress.items}` })}
  </div>`;
}
