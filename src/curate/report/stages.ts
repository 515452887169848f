/** What each stage did: its rules with counts, and examples of what they dropped and changed beside what stayed. */
import { escapeHtml } from "../../io/markup.ts";
import type { Example } from "../work/marker.ts";
import type { CorpusSummary } from "../summary.ts";
import { percent, table, whole } from "./html.ts";

type Stage = CorpusSummary["stages"][number];
type Diff = typeof import("diff");

/** Words that differ, marked; cut texts are compared as far as they go. */
function difference(from: string, to: string, { diffWordsWithSpace }: Diff): string {
  const parts = diffWordsWithSpace(from, to, { maxEditLength: 400 });
  if (parts === undefined) return `<del>${escapeHtml(from)}</del><br><ins>${escapeHtml(to)}</ins>`;
  return parts
    .map(({ added, removed, value }) => {
      const text = escapeHtml(value);
      return added ? `<ins>${text}</ins>` : removed ? `<del>${text}</del>` : text;
    })
    .join("");
}

const headOf = ({ id, title, detail }: Example, rule?: string): string => {
  const parts = [rule, detail, id, title].filter((part) => part !== undefined && part !== "");
  return `<header>${parts.map((part) => escapeHtml(part!)).join(" · ")}</header>`;
};

function dropped(rule: string, example: Example, diff: Diff): string {
  const { text = "", after } = example;
  const shown = after === undefined ? escapeHtml(text) : difference(after, text, diff);
  return `<div class="example gone">${headOf(example, rule)}<p>${shown}</p></div>`;
}

function changed(example: Example, diff: Diff): string {
  const { text, after = "" } = example;
  const shown = text === undefined ? escapeHtml(after) : difference(text, after, diff);
  return `<div class="example">${headOf(example)}<p>${shown}</p></div>`;
}

const kept = (example: Example): string =>
  `<div class="example stays">${headOf(example)}<p>${escapeHtml(example.text ?? "")}</p></div>`;

function rulesTable(stage: Stage, sources: readonly string[]): string {
  const rules = Object.entries(stage.drops).sort(([, a], [, b]) => b.documents - a.documents);
  const used = sources.filter((source) => rules.some(([rule]) => (stage.dropsBySource[rule]?.[source] ?? 0) > 0));
  const columns = [
    { name: "dropped by" },
    { name: "documents", number: true },
    { name: "words", number: true },
    ...used.map((name) => ({ name, number: true }) as const),
  ] as const;
  const rows = rules.map(([rule, { documents, words }]) => [
    escapeHtml(rule),
    whole(documents),
    whole(words),
    ...used.map((source) => {
      const count = stage.dropsBySource[rule]?.[source] ?? 0;
      return count === 0 ? "" : `${whole(count)} (${percent(count, stage.bySource[source]!.in.documents)})`;
    }),
  ]);
  return table("documents that each rule dropped, and their share of the source's", columns, rows);
}

function changesTable(stage: Stage): string {
  const rules = Object.entries(stage.changes).sort(([, a], [, b]) => b.times - a.times);
  const columns = [
    { name: "changed by" },
    { name: "times", number: true },
    { name: "documents", number: true },
    { name: "of all", number: true },
  ] as const;
  const rows = rules.map(([rule, { times, documents }]) => [
    escapeHtml(rule),
    whole(times),
    whole(documents),
    percent(documents, stage.in.documents),
  ]);
  return table("what was changed in documents that stayed", columns, rows);
}

function stageSection(stage: Stage, sources: readonly string[], diff: Diff): string {
  const { name, about, settings } = stage;
  const lost = stage.in.documents - stage.out.documents;
  const lostWords = stage.in.words - stage.out.words;
  const said = `${whole(stage.in.documents)} documents came, ${whole(lost)} (${percent(lost, stage.in.documents)}) were dropped; ${percent(lostWords, stage.in.words)} of the words went.`;
  const drops = Object.entries(stage.drops);
  const changes = Object.entries(stage.changes);
  const given = settings !== null && typeof settings === "object" && Object.keys(settings).length > 0;
  const parts = [
    `<h3 id="stage-${escapeHtml(name)}">${escapeHtml(name)}</h3>`,
    `<p>${escapeHtml(about)}. ${said}</p>`,
    given ? `<details><summary>settings</summary><code>${escapeHtml(JSON.stringify(settings))}</code></details>` : "",
    drops.length === 0 ? "" : rulesTable(stage, sources),
    changes.length === 0 ? "" : changesTable(stage),
  ];
  if (drops.length > 0) {
    const isBeside = drops.some(([, { examples }]) => examples.some(({ after }) => after !== undefined));
    const legend = isBeside
      ? "<p>Where one was dropped for another that stays: <ins>what it alone has</ins>, <del>what the other alone has</del>.</p>"
      : "";
    const gone = drops.flatMap(([rule, { examples }]) => examples.slice(0, 3).map((one) => dropped(rule, one, diff)));
    parts.push(
      `<details><summary>examples of what was dropped, beside what stayed</summary>${legend}<div class="pair"><div>${gone.join("")}</div><div>${stage.kept.map(kept).join("")}</div></div></details>`,
    );
  }
  for (const [rule, { examples }] of changes) {
    const shown = examples.filter(({ text, after }) => text !== undefined || after !== undefined);
    if (shown.length === 0) continue;
    parts.push(
      `<details><summary>${escapeHtml(rule)}: places that were changed</summary>${shown.map((one) => changed(one, diff)).join("")}</details>`,
    );
  }
  return parts.join("\n");
}

/** A section for each stage that had something to do. */
export async function stageSections({ stages, sources }: CorpusSummary): Promise<string> {
  const diff = await import("diff");
  const names = sources.map(({ name }) => name);
  return stages
    .filter((stage) => stage.in.documents > 0)
    .map((stage) => stageSection(stage, names, diff))
    .join("\n");
}
