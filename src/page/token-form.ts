/** The request for a token, where the server wants one. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.ts";

/** Whether the server has refused a request for want of a token. */
export function useRefused(): boolean {
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    const refuse = (): void => setRefused(true);
    addEventListener("galen-unauthorised", refuse);
    return () => removeEventListener("galen-unauthorised", refuse);
  }, []);
  return refused;
}

export function TokenForm(): VNode {
  const [text, setText] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    // The server puts it into a cookie, and sends back here.
    if (text.trim() !== "") location.assign(`/?token=${encodeURIComponent(text.trim())}`);
  };
  return html`<form class="notice token" onSubmit=${submit}>
    <label for="token">This server wants a token, as it was given with <code>--token</code></label>
    <input
      id="token"
      type="password"
      autocomplete="current-password"
      value=${text}
      onInput=${(event: Event) => setText((event.currentTarget as HTMLInputElement).value)}
    />
    <button class="main">Go on</button>
  </form>`;
}
