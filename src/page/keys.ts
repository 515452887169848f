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

/** Whether the press is a shortcut of the browser or the system. */
export const isHeld = (event: KeyboardEvent): boolean => event.ctrlKey || event.metaKey || event.altKey;

/** Where keys hold, and what each does. */
export type KeyTable = readonly (readonly [where: string, rows: readonly (readonly [string, string])[]])[];

/** The list of keys, as a dialog that "?" opens. */
export function Keys({ table }: { readonly table: KeyTable }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isTyping(event) || isHeld(event)) return;
      if (event.key !== "?") return;
      event.preventDefault();
      dialog.current?.showModal();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="keys-title">
    <form method="dialog">
      <h2 id="keys-title" tabindex="-1" autofocus>Keys</h2>
      ${table.map(
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

/** "/" goes to the box of the view, or to the search. */
export function useBoxKey(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== "/" || isTyping(event) || isHeld(event) || document.querySelector("dialog[open]") !== null)
        return;
      event.preventDefault();
      const box = document.querySelector<HTMLInputElement>("[data-box]");
      if (box !== null) box.select();
      else go("#/search");
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

export const openKeys = (): void => void dispatchEvent(new KeyboardEvent("keydown", { key: "?" }));
