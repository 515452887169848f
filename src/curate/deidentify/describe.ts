/** Scores of de-identification as lines for a terminal, and as a file for the report of a corpus. */
import { writeLocked } from "../../io/outputs.ts";
import type { Proportion } from "../../metrics/proportion.ts";
import type { DeidentificationScore } from "./score.ts";

/** Leaks that are listed. */
const shownLeaks = 20;

/** "0.993 [0.961, 0.999] (140 of 141)". */
export function shownShare({ share: value, low, high, count, of }: Proportion): string {
  if (value === null) return "–";
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] (${count} of ${of})`;
}

/** A line a class, with recall and precision, and the first identifiers that are left. */
export function describeScores({ classes, all, lost, cleanNotes, leaks }: DeidentificationScore): string {
  const rows = [...Object.entries(classes), ["all", all] as const];
  const lines = rows.map(([name, { recall, precision }]) => {
    return `${name.padEnd(12)}recall ${shownShare(recall).padEnd(38)} precision ${shownShare(precision)}`;
  });
  lines.push(`letters and digits lost that were no identifier's  ${shownShare(lost)}`);
  lines.push(`notes of which nothing is left  ${shownShare(cleanNotes)}`);
  for (const { id, class: name, text } of leaks.slice(0, shownLeaks)) {
    lines.push(`left: ${name} ${JSON.stringify(text)} in note ${id}`);
  }
  if (leaks.length > shownLeaks) lines.push(`and ${leaks.length - shownLeaks} more`);
  return `${lines.join("\n")}\n`;
}

/** Writes scores as JSON, without what leaked: for the report of a corpus. @throws ConfigError where another run writes it. */
export async function writeScores(path: string, score: DeidentificationScore): Promise<void> {
  const { leaks: _, ...shown } = score;
  await writeLocked(path, `${JSON.stringify(shown, null, 2)}\n`);
}
