/** The page of `galen feedback`: who judges, how far that is, and one item after another. */
import { type ComponentChildren, h, render, type VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FeedbackProgress } from "../serve/feedback/replies.ts";
import { useJson } from "./api.ts";
import { Judged } from "./feedback-view.ts";
import { html } from "./html.ts";
import { type KeyTable, Keys, openKeys } from "./keys.ts";
import { Failure, Heading, Waiting } from "./parts.ts";
import { PersonForm, remember, remembered } from "./person.ts";
import { go, hrefOf, useRoute } from "./router.ts";
import { counted, several } from "./words.ts";

const keys: KeyTable = [
  [
    "Judge",
    [
      ["1  …  9", "the best answer; of more than two, then the second, and so on"],
      ["t", "equal: all of them, or the next one and the last"],
      ["w", "then a number: that answer is wrong"],
      ["r", "write a reason; Enter saves, Shift+Enter is a new line, Esc goes back"],
      ["u", "undo; take back what is saved; go back"],
      ["Enter", "save, and go on"],
    ],
  ],
  [
    "Move",
    [
      ["n", "the next one that is not judged"],
      ["p  ←", "the previous one"],
      ["→", "the next one"],
      ["o", "what others said and who wrote the answers, once you have judged"],
      ["?", "show these keys"],
    ],
  ],
];

const itemHref = (number: number | null): string =>
  hrefOf(number === null ? "done" : "item", number === null ? "" : String(number));

function Start({
  progress,
  onName,
}: {
  progress: FeedbackProgress | undefined;
  onName: (name: string) => void;
}): VNode {
  return html`<div class="start">
    ${h(Heading, { title: "Feedback", children: "Which answer is better?" })}
    <p class="lead">
      ${progress === undefined ? "" : `${several(progress.items, "prompt")}, each with two answers or more. `}Say which
      answer is best, mark what is wrong, and say why if you like. You do not see who wrote an answer, nor what others
      think, until you have judged it. You can stop at any time and go on under the same name.
    </p>
    ${h(PersonForm, { beside: "your judgements", known: progress?.raters ?? [], onName })}
  </div>`;
}

function Done({ progress, name }: { readonly progress: FeedbackProgress; readonly name: string }): VNode {
  return html`<div class="start">
    ${h(Heading, { title: "Done", children: `All ${counted(progress.items)} judged` })}
    <p class="lead">Thank you, ${name}. Everything is saved.</p>
    <p>
      <a href=${itemHref(1)}>Go through them again</a>: what you said can be changed, and <kbd>o</kbd> shows who wrote
      the answers and what others said.
    </p>
  </div>`;
}

function Page(): VNode {
  const route = useRoute();
  const [name, setName] = useState(remembered);
  const query = name === "" ? "" : `?rater=${encodeURIComponent(name)}`;
  const { value: progress, error, loading, reload } = useJson<FeedbackProgress>(`/feedback${query}`);
  const visited = useRef<number[]>([]);
  const number = route.view === "item" ? Number(route.name) : null;
  useEffect(() => scrollTo(0, 0), [number]);
  // No address yet, or that of the other page: where the rater has stopped.
  const isElsewhere = !["item", "done"].includes(route.view);
  useEffect(() => {
    if (isElsewhere && name !== "" && progress !== undefined && !loading)
      go(itemHref(progress.open), { replace: true });
  }, [isElsewhere, name, progress, loading]);

  const named = (text: string): void => {
    remember(text);
    setName(text);
    visited.current = [];
    go("#/", { replace: true });
  };
  const turn = (next: number | null): void => {
    reload();
    if (next !== null && (next < 1 || next > (progress?.items ?? next))) return;
    if (number !== null && next !== number) visited.current.push(number);
    go(itemHref(next));
  };
  const back = (): void => {
    const before = visited.current.pop();
    if (before !== undefined) go(itemHref(before));
  };
  const view = (): ComponentChildren => {
    if (error !== undefined) return h(Failure, { error });
    if (name === "") return h(Start, { progress, onName: named });
    if (progress === undefined) return h(Waiting, { what: "Opening …" });
    if (route.view === "done") return h(Done, { progress, name });
    if (number === null) return null;
    return h(Judged, { key: `${name} ${number}`, rater: name, number, turn, onChange: reload, back });
  };
  return html`<header class="bar slim">
      <span class="brand">Galen</span>
      ${
        progress === undefined || name === ""
          ? html`<span class="far"></span>`
          : html`<span class="far">
              <progress max=${progress.items} value=${progress.judged} aria-label="Judged"></progress>
              <span>${`${counted(progress.judged)} of ${counted(progress.items)}`}</span>
            </span>`
      }
      ${name === "" ? null : html`<button type="button" class="plain who" title="Change the name" onClick=${() => setName("")}>${name}</button>`}
      <button type="button" class="plain" onClick=${openKeys} aria-label="Keys" title="Keys (?)">?</button>
    </header>
    <main id="main" tabindex="-1">${view()}</main>
    ${h(Keys, { table: keys })}`;
}

render(h(Page, {}), document.getElementById("app")!);
