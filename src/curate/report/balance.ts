/** To whom and where a corpus leans: how often terms stand in each source, in a million words. */
import { escapeHtml } from "../../io/markup.ts";
import { biasGroups } from "./terms.ts";
import type { CorpusSummary } from "../summary.ts";
import { table } from "./html.ts";

/** "12.3", "< 0.1". */
function perMillion(count: number, words: number): string {
  if (words === 0 || count === 0) return "";
  const rate = (1e6 * count) / words;
  return rate < 0.1 ? "< 0.1" : rate.toLocaleString("en-US", { maximumFractionDigits: rate < 10 ? 1 : 0 });
}

export function balance({ sources, terms }: CorpusSummary): string {
  const shown = sources.filter(({ out }) => out.words > 0);
  const all = shown.reduce((sum, { out }) => sum + out.words, 0);
  const tables = biasGroups.flatMap((group) => {
    const totals = new Map<string, number>();
    for (const { name } of shown) {
      for (const [term, count] of Object.entries(terms[name]?.[group] ?? {})) {
        totals.set(term, (totals.get(term) ?? 0) + count);
      }
    }
    if (totals.size === 0) return [];
    const rows = [...totals]
      .sort(([, a], [, b]) => b - a)
      .map(([term, count]) => [
        escapeHtml(term),
        perMillion(count, all),
        ...shown.map(({ name, out }) => perMillion(terms[name]?.[group]?.[term] ?? 0, out.words)),
      ]);
    const columns = [
      { name: group },
      { name: "all", number: true },
      ...shown.map(({ name }) => ({ name, number: true }) as const),
    ] as const;
    return [
      `<details${group === "sex" ? " open" : ""}><summary>${group}</summary>${table("times in a million words", columns, rows)}</details>`,
    ];
  });
  return `<p>Nothing is dropped by these: a list of words cannot tell what is fair, and one that drops documents drops sexual health
first. Whoever uses the corpus decides.</p>${tables.join("\n")}`;
}
