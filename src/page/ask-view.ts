/**
 * The view of a question: sentences as they come, each with its sources beside it; a source opens the document at the
 * place that is quoted. The address holds the answer's id, the question and the source that is open.
 */
import { h, type VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Answer, AnswerEvent, AnswerSentence, WithheldSentence } from "../answers/types.ts";
import type { Hit, IndexedDocument } from "../search/types.ts";
import type { KeptAnswer } from "../serve/literature/replies.ts";
import { AnswerText, Nearest } from "./answer.ts";
import { type ApiError, eventsOf, getJson, postJson, useJson } from "./api.ts";
import { documentHref } from "./hits.ts";
import { html } from "./html.ts";
import { Announce, Failure, Heading } from "./parts.ts";
import { RecordText } from "./record.ts";
import { go, hrefOf, queryOf, rangeOf, type Route } from "./router.ts";
import { moment, several } from "./words.ts";

/** An answer that is being made, or was. */
export interface Progress {
  readonly question: string;
  readonly asked?: string | undefined;
  readonly sentences: readonly AnswerSentence[];
  readonly withheld: readonly WithheldSentence[];
  readonly nearest: readonly Hit[];
  /** Absent until all has come. */
  readonly answer?: Answer | undefined;
}

const begun = (question: string): Progress => ({ question, sentences: [], withheld: [], nearest: [] });

function after(state: Progress, event: AnswerEvent): Progress {
  if (event.type === "nearest") return { ...state, nearest: event.hits };
  if (event.type === "sentence") return { ...state, sentences: [...state.sentences, event.sentence] };
  if (event.type === "withheld") return { ...state, withheld: [...state.withheld, event.sentence] };
  return finished(event.answer);
}

function finished(answer: Answer, asked?: string): Progress {
  const { question, sentences, withheld, nearest } = answer;
  return { question, asked, sentences, withheld, nearest, answer };
}

interface Asked {
  readonly question: string;
  /** Who writes the answer; "": its sentences are quoted. */
  readonly model: string;
}

/** Asks, and tells of what comes; `onId` is called before the first part. @throws ApiError. */
async function ask(
  { question, model }: Asked,
  signal: AbortSignal,
  { onId, onEvent }: { onId: (id: string) => void; onEvent: (event: AnswerEvent) => void },
): Promise<void> {
  const response = await postJson(
    "/ask",
    { question, stream: true, ...(model !== "" && { model }) },
    { signal, headers: { Accept: "text/event-stream" } },
  );
  const id = /\/answers\/([\w-]+)$/.exec(response.headers.get("Location") ?? "")?.[1];
  if (id !== undefined) onId(id);
  let done = false;
  for await (const { event, data } of eventsOf(response)) {
    if (event === "error")
      throw Object.assign(new Error((JSON.parse(data) as { error: { message: string } }).error.message), {
        status: 500,
      });
    const value = JSON.parse(data) as AnswerEvent;
    done ||= value.type === "done";
    onEvent(value);
  }
  if (!done) throw Object.assign(new Error("The answer broke off. Ask again."), { status: 0 });
}

interface Asking {
  readonly state: Progress | undefined;
  readonly error: ApiError | undefined;
  readonly busy: boolean;
  ask(asked: Asked): void;
  stop(): void;
}

/** The answer of the address, or the one that is being made. */
function useAnswer(id: string): Asking {
  const [state, setState] = useState<Progress>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | null>(null);
  /** What is shown already: its own new address brings nothing new. */
  const shown = useRef("");
  const stop = (): void => running.current?.abort();
  useEffect(() => stop, []);
  useEffect(() => {
    if (id === shown.current) return undefined;
    shown.current = id;
    stop();
    setError(undefined);
    setState(undefined);
    if (id === "") return undefined;
    const abort = new AbortController();
    getJson<KeptAnswer>(`/answers/${encodeURIComponent(id)}`, abort.signal).then(
      ({ answer, asked }) => setState(finished(answer, asked)),
      (failure: unknown) => {
        if (!abort.signal.aborted) setError(failure as ApiError);
      },
    );
    return () => abort.abort();
  }, [id]);
  const start = (asked: Asked): void => {
    const { question: text } = asked;
    stop();
    const abort = (running.current = new AbortController());
    setError(undefined);
    setState(begun(text));
    setBusy(true);
    const onId = (made: string): void => {
      shown.current = made;
      go(hrefOf("ask", made, { q: text }));
    };
    const onEvent = (event: AnswerEvent): void => setState((before) => after(before ?? begun(text), event));
    ask(asked, abort.signal, { onId, onEvent })
      .catch((failure: unknown) => {
        if (!abort.signal.aborted) setError(failure as ApiError);
      })
      .finally(() => {
        if (running.current === abort) setBusy(false);
      });
  };
  return { state, error, busy, ask: start, stop };
}

interface KnownModel {
  readonly id: string;
  readonly kind: string;
}

/** Who answers: the sources themselves, or a model of the server's where it has one that writes. */
function Writers({ model, onModel }: { readonly model: string; onModel: (name: string) => void }): VNode | null {
  const { value } = useJson<{ data: readonly KnownModel[] }>("/v1/models");
  const decoders = (value?.data ?? []).filter(({ kind }) => kind === "decoder");
  if (decoders.length === 0) return null;
  return html`<p class="mode writers">
    <label for="writer">Answer</label>
    <select
      id="writer"
      value=${model}
      onChange=${(event: Event) => onModel((event.currentTarget as HTMLSelectElement).value)}
    >
      <option value="">in the sources' own sentences</option>
      ${decoders.map(({ id }) => html`<option key=${id} value=${id}>written by ${id}, each sentence checked</option>`)}
    </select>
  </p>`;
}

function Question({
  asked,
  busy,
  onAsk,
  onStop,
}: {
  asked: string;
  busy: boolean;
  onAsk: (asked: Asked) => void;
  onStop: () => void;
}): VNode {
  const [text, setText] = useState(asked);
  const [model, setModel] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => setText(asked), [asked]);
  useLayoutEffect(() => {
    if (asked === "") box.current?.focus();
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.trim() !== "") onAsk({ question: text.trim(), model });
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    submit(event);
  };
  return html`<form class="box" onSubmit=${submit}>
    <label class="unseen" for="question">A question to the documents</label>
    <textarea
      id="question"
      ref=${box}
      data-box
      rows="2"
      maxlength="2000"
      placeholder="Does exercise training improve quality of life in heart failure?"
      value=${text}
      onInput=${(event: Event) => setText((event.currentTarget as HTMLTextAreaElement).value)}
      onKeyDown=${press}
    ></textarea>
    ${busy ? html`<button type="button" onClick=${onStop}>Stop</button>` : html`<button class="main">Ask</button>`}
    ${h(Writers, { model, onModel: setModel })}
  </form>`;
}

/** The source that is open: its document at the place quoted. */
function Source({ id, at, close }: { readonly id: string; readonly at: string | null; readonly close: string }): VNode {
  const { value: record, error } = useJson<IndexedDocument>(`/documents/${encodeURIComponent(id)}`);
  const range = rangeOf(at);
  return html`<aside class="source" aria-label="Source" id="source" tabindex="-1">
    <p class="tools">
      <a href=${documentHref(id, range?.[0], range?.[1])}>Open the document</a>
      <a href=${close} data-close>Close</a>
    </p>
    ${h(Failure, { error })} ${record?.id === id ? h(RecordText, { record, at: range }) : null}
  </aside>`;
}

export function AskView({ route: { name, params } }: { readonly route: Route }): VNode {
  const question = params.get("q") ?? "";
  const { state, error, busy, ask: start, stop } = useAnswer(name);
  const source = params.get("source");
  const hrefFor = (id: string, begin: number, end: number): string =>
    hrefOf("ask", name, queryOf({ q: question, source: id, at: `${begin}-${end}` }));
  const close = hrefOf("ask", name, { q: question });
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && source !== null && document.querySelector("dialog[open]") === null) go(close);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [source, close]);
  const said = state?.answer === undefined ? "" : `Answer: ${several(state.sentences.length, "sentence")}`;
  const lost = error?.status === 404 && question !== "";
  return html`<div class=${source === null ? "ask" : "ask with-source"}>
    <div class="asked">
      ${h(Heading, { title: question === "" ? "Ask" : question, children: "Ask" })}
      ${h(Question, { asked: state?.question ?? question, busy, onAsk: start, onStop: stop })}
      ${
        lost
          ? html`<div class="notice" role="alert">
              <p>The server does not keep this answer: it was not finished, or it is an old one.</p>
              <button type="button" onClick=${() => start({ question, model: "" })}>Ask again</button>
            </div>`
          : h(Failure, { error })
      }
      ${
        state === undefined && error === undefined && name === ""
          ? html`<p class="quiet lead">
              Every sentence of an answer stands in a document of this index, or was checked against one; choose its
              source to read it there.
            </p>`
          : null
      }
      ${state?.asked === undefined ? null : html`<p class="quiet">Asked ${moment(state.asked)}</p>`}
      ${state === undefined ? null : h(AnswerText, { state, busy, hrefFor, open: `${source}@${params.get("at")}` })}
      ${state === undefined ? null : h(Nearest, { hits: state.nearest, found: state.answer?.found })}
      ${h(Announce, { text: said })}
    </div>
    ${source === null ? null : h(Source, { id: source, at: params.get("at"), close })}
  </div>`;
}
