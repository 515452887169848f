/** Keys of the whole page, and the list of them that "?" shows. */
import { type VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.ts";
import { go } from "./router.ts";

/** Whether a key press writes into something. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

const keys: readonly (readonly [where: string, rows: readonly (readonly [string, string])[]])[] = [
  [
    "Everywhere",
    [
      ["/", "go to the box of the search or question"],
      ["?", "show these keys"],
      ["Esc", "close what is open"],
    ],
  ],
  [
    "In lists of documents",
    [
      ["j  ↓", "next"],
      ["k  ↑", "previous"],
      ["Enter", "open"],
    ],
  ],
  [
    "In a review",
    [
      ["a", "accept, or accept that a document states none"],
      ["r", "reject"],
      ["u", "undecide"],
      ["e", "change"],
      ["m", "add one that was missed"],
      ["h  t", "selected text is the head, the tail"],
      ["j  k", "next and previous relation"],
      ["n  p", "next and previous document"],
    ],
  ],
];

/** The list of keys, as a dialog; listens for the keys of the whole page. */
export function Keys(): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") {
        event.preventDefault();
        dialog.current?.showModal();
      }
      if (event.key === "/" && dialog.current?.open !== true) {
        event.preventDefault();
        const box = document.querySelector<HTMLInputElement>("[data-box]");
        if (box !== null) box.select();
        else go("#/search");
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="keys-title">
    <form method="dialog">
      <h2 id="keys-title" tabindex="-1" autofocus>Keys</h2>
      ${keys.map(
        ([where, rows]) =>
          html`<h3>${where}</h3>
            <dl class="keys">
              ${rows.map(
                ([key, what]) =>
                  html`<div>
                    <dt>${key.split("  ").map((one) => html`<kbd>${one}</kbd> `)}</dt>
                    <dd>${what}</dd>
                  </div>`,
              )}
            </dl>`,
      )}
      <button>Close</button>
    </form>
  </dialog>`;
}

export const openKeys = (): void => void dispatchEvent(new KeyboardEvent("keydown", { key: "?" }));
