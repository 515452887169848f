/** What a pipeline did, in lines for a terminal. */
import { type CorpusSummary, percent } from "../curate/index.ts";

const count = (value: number): string => value.toLocaleString("en-US");

/** What was not asked for of a source: "12 sub-articles left out (translation 10, reply 2)". */
export function describeLeftOut({ leftOut }: Pick<CorpusSummary["sources"][number], "leftOut">): string | undefined {
  const types = Object.entries(leftOut);
  if (types.length === 0) return undefined;
  const all = types.reduce((sum, [, times]) => sum + times, 0);
  return `${count(all)} sub-articles left out (${types.map(([type, times]) => `${type} ${count(times)}`).join(", ")})`;
}

/** A line a stage, with the rules that dropped most; then where the result is. */
export function describeRun({ sources, stages, result }: CorpusSummary, folder: string, page?: string): string {
  const lines = sources.map((source) => {
    const { name, kinds, read, failures } = source;
    const bad = failures === 0 ? undefined : `${count(failures)} could not be read`;
    const notes = [kinds.join(", "), bad, describeLeftOut(source)].filter((note) => note !== undefined).join(", ");
    return `${name}  ${count(read.documents)} documents, ${count(read.words)} words (${notes})`;
  });
  for (const { name, in: before, out, drops, changes } of stages) {
    const lost = before.documents - out.documents;
    const rules = Object.entries(drops)
      .sort(([, a], [, b]) => b.documents - a.documents)
      .slice(0, 4)
      .map(([rule, { documents }]) => `${rule} ${count(documents)}`);
    const changed = Object.values(changes).reduce((sum, { times }) => sum + times, 0);
    const parts = [
      `−${count(lost)} documents (${percent(lost, before.documents)})`,
      `${percent(before.words - out.words, before.words)} of the words`,
      ...(changed === 0 ? [] : [`${count(changed)} changes`]),
      ...rules,
    ];
    lines.push(`${name.padEnd(22)}${parts.join(", ")}`);
  }
  lines.push(`${folder}/dataset  ${count(result.amount.documents)} documents, ${count(result.amount.words)} words`);
  lines.push(page ?? `${folder}/report.html`);
  return `${lines.join("\n")}\n`;
}
