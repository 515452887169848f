/** A record of the index, read whole: its sections, and a place in it that is marked and scrolled to. */
import { h, type VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { IndexedDocument } from "../search/types.ts";
import { html } from "./html.ts";
import { marked } from "./pieces.ts";
import { retractedMark } from "./parts.ts";

/** "Heart. 2019 Mar;105(6):449-55." as citations have it, of what the record holds. */
export function citationLine(record: IndexedDocument): string {
  const { journal, journalAbbreviation, date, volume, issue, pages } = record;
  const name = journal ?? journalAbbreviation;
  const numbers = `${volume ?? ""}${issue === null ? "" : `(${issue})`}${pages === null ? "" : `:${pages}`}`;
  const when = [date ?? "", numbers].filter((part) => part !== "").join("; ");
  return [name ?? "", when].filter((part) => part !== "").join(". ");
}

interface RecordProps {
  readonly record: IndexedDocument;
  /** The place to show. */
  readonly at?: readonly [start: number, end: number] | undefined;
  /** Heading of the title: 1 on a page of its own. */
  readonly level?: 1 | 2 | undefined;
}

/** Sections of the text; text between or behind them, where there is any, is shown too. */
function sectionsOf({
  text,
  sections,
}: IndexedDocument): readonly { label: string | null; start: number; end: number }[] {
  const shown: { label: string | null; start: number; end: number }[] = [];
  let at = 0;
  const rest = (end: number): void => {
    if (text.slice(at, end).trim() !== "") shown.push({ label: null, start: at, end });
  };
  for (const { label, start, end } of sections) {
    rest(start);
    shown.push({ label, start, end });
    at = end;
  }
  rest(text.length);
  return shown;
}

export function RecordText({ record, at, level = 2 }: RecordProps): VNode {
  const body = useRef<HTMLElement>(null);
  const [start, end] = at ?? [];
  useLayoutEffect(() => {
    const mark = body.current?.querySelector("mark.cited");
    if (mark === null || mark === undefined) return;
    mark.scrollIntoView({ block: "center" });
  }, [record.id, start, end]);
  const ranges = start === undefined ? [] : [{ start, end: end!, kind: "cited" }];
  const title = record.sections[0]?.label === "TITLE" ? record.sections[0] : undefined;
  const name =
    title === undefined ? record.title : marked(record.text.slice(title.start, title.end), ranges, title.start);
  const sections = sectionsOf(record).filter((one) => one.start !== title?.start);
  return html`<article class="record" ref=${body} lang=${record.language === "eng" ? "en" : undefined}>
    ${
      record.retracted
        ? html`<p class="notice failure">
            ${retractedMark()} This article was retracted. Do not rely on what it says.
          </p>`
        : null
    }
    ${h(`h${level}`, { class: "title", tabIndex: level === 1 ? -1 : undefined }, name === "" ? `Document ${record.id}` : name)}
    ${record.authors.length === 0 ? null : html`<p class="authors">${record.authors.join(", ")}</p>`}
    <p class="from">${citationLine(record)}</p>
    ${sections.map(
      ({ label, start: from, end: to }) =>
        html`<section key=${from}>
          ${label === null ? null : h(`h${level + 1}`, {}, label)}
          <p>${marked(record.text.slice(from, to), ranges, from)}</p>
        </section>`,
    )}
  </article>`;
}
