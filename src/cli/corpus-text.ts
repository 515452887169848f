/** What a pipeline did, in lines for a terminal. */
import type { CorpusSummary } from "../curate/index.ts";

const count = (value: number): string => value.toLocaleString("en-US");

function share(part: number, of: number): string {
  if (of === 0) return "–";
  const percent = (100 * part) / of;
  return `${percent > 0 && percent < 0.1 ? "< 0.1" : percent.toFixed(1)} %`;
}

/** A line a stage, with the rules that dropped most; then where the result is. */
export function describeRun({ sources, stages, result }: CorpusSummary, folder: string, page?: string): string {
  const lines = sources.map(({ name, kinds, read, failures }) => {
    const bad = failures === 0 ? "" : `, ${count(failures)} could not be read`;
    return `${name}  ${count(read.documents)} documents, ${count(read.words)} words (${kinds.join(", ")}${bad})`;
  });
  for (const { name, in: before, out, drops, changes } of stages) {
    const lost = before.documents - out.documents;
    const rules = Object.entries(drops)
      .sort(([, a], [, b]) => b.documents - a.documents)
      .slice(0, 4)
      .map(([rule, { documents }]) => `${rule} ${count(documents)}`);
    const changed = Object.values(changes).reduce((sum, { times }) => sum + times, 0);
    const parts = [
      `−${count(lost)} documents (${share(lost, before.documents)})`,
      `${share(before.words - out.words, before.words)} of the words`,
      ...(changed === 0 ? [] : [`${count(changed)} changes`]),
      ...rules,
    ];
    lines.push(`${name.padEnd(22)}${parts.join(", ")}`);
  }
  lines.push(`${folder}/dataset  ${count(result.amount.documents)} documents, ${count(result.amount.words)} words`);
  lines.push(page ?? `${folder}/report.html`);
  return `${lines.join("\n")}\n`;
}
