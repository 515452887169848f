/** An answer as it is read: verdict, sentences with their sources, what was withheld, what is nearest. */
import { h, type VNode } from "preact";
import type { AnswerSentence, Citation, Verdict, WithheldSentence } from "../answers/types.ts";
import type { Hit } from "../search/types.ts";
import type { Progress } from "./ask-view.ts";
import { HitList } from "./hits.ts";
import { html } from "./html.ts";
import { Notes, retractedMark, Waiting } from "./parts.ts";
import { counted, percent, several } from "./words.ts";

interface SourceLinks {
  hrefFor(id: string, start: number, end: number): string;
  /** "ID@START-END" of the source that is open. */
  readonly open: string;
}

function SourceLink({ citation, hrefFor, open }: SourceLinks & { readonly citation: Citation }): VNode {
  const { id, start, end, title, year, retracted } = citation;
  const isOpen = open === `${id}@${start}-${end}`;
  return html`<li>
    <a href=${hrefFor(id, start, end)} aria-current=${isOpen ? "true" : undefined} title=${citation.quote}>
      ${retracted ? [retractedMark(), " "] : null}<span class="source-title">${title === "" ? id : title}</span>
      <span class="identifier">${id}${year === null ? "" : `, ${year}`}</span>
    </a>
  </li>`;
}

function Sentence({ sentence, ...links }: SourceLinks & { readonly sentence: AnswerSentence }): VNode {
  return html`<li class="sentence">
    <p class="said">${sentence.text}</p>
    <ul class="sources" aria-label="Sources of this sentence">
      ${sentence.citations.map((citation) => h(SourceLink, { citation, ...links }))}
    </ul>
  </li>`;
}

function Withheld({
  sentences,
  ...links
}: SourceLinks & { readonly sentences: readonly WithheldSentence[] }): VNode | null {
  if (sentences.length === 0) return null;
  return html`<details class="withheld">
    <summary>${several(sentences.length, "sentence was", "sentences were")} withheld</summary>
    <p class="quiet">Written by the model, and not supported by the passage that it cites.</p>
    <ul>
      ${sentences.map(
        (one) =>
          html`<li class="sentence">
            <p class="said"><s>${one.text}</s></p>
            <p class="reason">${one.reason}</p>
            <ul class="sources">
              ${one.citations.map((citation) => h(SourceLink, { citation, ...links }))}
            </ul>
          </li>`,
      )}
    </ul>
  </details>`;
}

const sides = ["yes", "maybe", "no"] as const;

function ShareBar({ shares }: { readonly shares: NonNullable<Verdict["shares"]> }): VNode {
  return html`<div>
    <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      ${sides.map((name, i) => {
        const before = sides.slice(0, i).reduce((sum, one) => sum + shares[one], 0);
        return html`<rect class=${name} x=${100 * before} width=${100 * shares[name]} height="4" />`;
      })}
    </svg>
    <p class="shares">
      ${sides.map((name) => html`<span class=${name}><i aria-hidden="true"></i>${name} ${percent(shares[name])}</span>`)}
    </p>
  </div>`;
}

const nothingToJudge = "No sentence speaks of all that is asked in a way that its words can be judged by.";
const notEnough = "Too few sentences speak of all that is asked, or they favour no side enough.";

function Judgement({ verdict, ...links }: SourceLinks & { readonly verdict: Verdict }): VNode {
  const { answer, shares } = verdict;
  const side = (name: "yes" | "no", title: string): VNode =>
    html`<section class=${name}>
      <h3>${title}</h3>
      ${
        verdict[name].length === 0
          ? html`<p class="quiet">None among what was read.</p>`
          : html`<ul class="sentences">
              ${verdict[name].map((sentence) => h(Sentence, { sentence, ...links }))}
            </ul>`
      }
    </section>`;
  return html`<section class="verdict" aria-label="Yes or no">
    <p class="judgement">
      ${answer === "unclear" ? "The evidence is " : "By its words the evidence says "}<strong>${answer}</strong>
    </p>
    ${shares !== null && h(ShareBar, { shares })}
    ${answer === "unclear" && html`<p class="quiet">${shares === null ? nothingToJudge : notEnough}</p>`}
    ${verdict.yes.length + verdict.no.length > 0 && html`<div class="sides">${side("yes", "For")} ${side("no", "Against")}</div>`}
  </section>`;
}

export function AnswerText(props: SourceLinks & { readonly state: Progress; readonly busy: boolean }): VNode {
  const { state, busy, hrefFor, open } = props;
  const links = { hrefFor, open };
  const { answer, sentences, withheld } = state;
  return html`<section class="answer" aria-label="Answer" aria-busy=${String(busy)}>
    ${
      answer?.found === false
        ? html`<p class="not-found">
            <strong>Not found in these ${counted(answer.documents)} documents.</strong> Nothing in them answers the
            question; the nearest are below.
          </p>`
        : null
    }
    ${answer?.verdict === undefined ? null : h(Judgement, { verdict: answer.verdict, ...links })}
    <div aria-live="polite">
      <ul class="sentences">
        ${sentences.map((sentence, i) => h(Sentence, { key: i, sentence, ...links }))}
      </ul>
    </div>
    ${busy && answer === undefined ? h(Waiting, { what: sentences.length === 0 ? "Reading …" : "Reading on …" }) : null}
    ${
      answer === undefined || sentences.length === 0
        ? null
        : html`<p class="quiet kind">
            ${answer.kind === "quoted" ? "Sentences as they stand in their sources." : "Written by a model; each sentence was checked against its source."}
          </p>`
    }
    ${h(Withheld, { sentences: withheld, ...links })}
    ${h(Notes, { notes: (answer?.notes ?? []).filter((note) => !note.startsWith("not found in these")) })}
  </section>`;
}

/** What is nearest: folded where there is an answer. */
export function Nearest({
  hits,
  found,
}: {
  readonly hits: readonly Hit[];
  readonly found: boolean | undefined;
}): VNode | null {
  if (hits.length === 0) return null;
  return html`<details class="nearest" open=${found === false}>
    <summary>The nearest ${several(hits.length, "document")}</summary>
    ${h(HitList, { hits })}
  </details>`;
}
