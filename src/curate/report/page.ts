/**
 * The report of a corpus as one HTML page, without scripts or anything from elsewhere: what flowed where, each rule with examples,
 * duplicates as differences, years and lengths, licences, and a datasheet to sign. Texts of documents are escaped.
 */
import { escapeHtml } from "../../io/markup.ts";
import { staticPage } from "../../io/static-page.ts";
import { writeLocked } from "../../io/outputs.ts";
import type { CorpusSummary } from "../summary.ts";
import { balance } from "./balance.ts";
import { datasheet } from "./datasheet.ts";
import { flowPicture } from "./flow.ts";
import { histogram } from "./histogram.ts";
import { percent, table, whole } from "./html.ts";
import { measuredRecall } from "./measured.ts";
import { stageSections } from "./stages.ts";
import { inks, reportStyle } from "./style.ts";

/** The whole page. */
export async function reportPage(summary: CorpusSummary): Promise<string> {
  const title = `Corpus: ${summary.pipeline.file}`;
  const main = `<h1>${escapeHtml(title)}</h1>
${totals(summary)}
<nav><a href="#flow">Flow</a><a href="#sources">Sources</a><a href="#stages">Stages</a><a href="#shape">Years, lengths, licences</a><a href="#balance">Balance</a><a href="#datasheet">Datasheet</a></nav>
<h2 id="flow">What flowed where</h2>
${await flowPicture(summary, "documents")}
${await flowPicture(summary, "words")}
<h2 id="sources">Sources</h2>
${sourcesTable(summary)}
<h2 id="stages">Stages</h2>
${await stageSections(summary)}
<h2 id="shape">Years, lengths, languages, licences</h2>
${await shape(summary)}
${measuredRecall(summary)}
<h2 id="balance">Whom and what it speaks of</h2>
${balance(summary)}
<h2 id="datasheet">Datasheet</h2>
${datasheet(summary)}`;
  return staticPage({ title, style: reportStyle, main });
}

/** Writes the page to a file, which appears whole. @throws ConfigError where another run writes it. */
export async function writeReport(path: string, summary: CorpusSummary): Promise<void> {
  await writeLocked(path, await reportPage(summary));
}

function totals({ sources, stages, result }: CorpusSummary): string {
  const read = stages[0]!.in;
  const failures = sources.reduce((sum, one) => sum + one.failures, 0);
  const items: [string, string][] = [
    ["documents read", whole(read.documents)],
    ["words read", whole(read.words)],
    ["could not be read", whole(failures)],
    [
      "documents left",
      `${whole(stages.at(-1)!.out.documents)} (${percent(stages.at(-1)!.out.documents, read.documents)})`,
    ],
    ["words left", `${whole(stages.at(-1)!.out.words)} (${percent(stages.at(-1)!.out.words, read.words)})`],
    ["documents in the mixture", whole(result.amount.documents)],
  ];
  return `<div class="totals">${items.map(([name, value]) => `<div><b>${value}</b>${name}</div>`).join("")}</div>`;
}

function sourcesTable({ sources }: CorpusSummary): string {
  const columns = [
    { name: "source" },
    { name: "kinds" },
    { name: "files", number: true },
    { name: "MB", number: true },
    { name: "documents", number: true },
    { name: "could not be read", number: true },
    { name: "withdrawals", number: true },
    { name: "documents in the mixture", number: true },
    { name: "words", number: true },
    { name: "repeats", number: true },
  ] as const;
  const rows = sources.map((source, i) => [
    `<span class="swatch" aria-hidden="true"><svg viewBox="0 0 1 1"><rect class="ink${i % inks}" width="1" height="1"/></svg></span>${escapeHtml(source.name)}`,
    escapeHtml(source.kinds.join(", ")),
    whole(source.files),
    (source.bytes / 1e6).toFixed(1),
    whole(source.read.documents),
    whole(source.failures),
    whole(source.deletions),
    whole(source.out.documents),
    whole(source.out.words),
    source.repeat.toFixed(2).replace(/\.?0+$/, ""),
  ]);
  const left = sources.flatMap(({ name, leftOut }) =>
    Object.entries(leftOut).map(([type, times]) => `<li>${escapeHtml(`${name}: ${type} ${whole(times)}`)}</li>`),
  );
  const parts =
    left.length === 0 ? "" : `<details><summary>sub-articles left out</summary><ul>${left.join("")}</ul></details>`;
  const failures = sources.flatMap(({ firstFailures }) => firstFailures);
  const shown = failures.map((failure) => `<li>${escapeHtml(failure)}</li>`).join("");
  const list =
    failures.length === 0
      ? ""
      : `<details><summary>the first that could not be read</summary><ul>${shown}</ul></details>`;
  return table("what was read, and what came out of it", columns, rows) + list + parts;
}

async function shape({ before, after }: CorpusSummary): Promise<string> {
  const keysOf = (name: "years" | "lengths"): string[] =>
    [...new Set([...Object.keys(before[name]), ...Object.keys(after[name])])].filter((key) => /^\d+$/.test(key));
  const years = keysOf("years").sort();
  const lengths = keysOf("lengths")
    .map(Number)
    .sort((a, b) => a - b);
  const between = <T extends number>(all: readonly T[]): number[] =>
    all.length === 0 ? [] : Array.from({ length: all.at(-1)! - all[0]! + 1 }, (_, i) => all[0]! + i);
  // Of a few strays from long ago, years would be one bar each.
  const recent = years.map(Number).filter((year) => year >= 1950 && year <= 2100);
  const early = years.length - recent.length;
  const pictures = [
    await histogram({
      title: `Documents by year${early === 0 ? "" : ", those before 1950 left out"}`,
      keys: between(recent).map(String),
      label: (key) => key,
      before: before.years,
      after: after.years,
    }),
    await histogram({
      title: "Documents by words, each bar twice the one before",
      keys: between(lengths).map(String),
      label: (key) => whole(2 ** Number(key)),
      before: before.lengths,
      after: after.lengths,
    }),
  ];
  const counted = (name: "languages" | "licences", title: string): string => {
    const keys = [...new Set([...Object.keys(before[name]), ...Object.keys(after[name])])];
    const rows = keys
      .sort((a, b) => (before[name][b] ?? 0) - (before[name][a] ?? 0))
      .map((key) => [escapeHtml(key), whole(before[name][key] ?? 0), whole(after[name][key] ?? 0)]);
    const columns = [{ name: title }, { name: "before", number: true }, { name: "after", number: true }] as const;
    return table(`documents by ${title}`, columns, rows);
  };
  return `<div class="pair">${pictures.map((one) => `<div>${one}</div>`).join("")}</div>
<div class="pair"><div>${counted("languages", "language")}</div><div>${counted("licences", "licence")}</div></div>`;
}
