/** Recall of de-identification as it was measured on labelled notes. */
import { escapeHtml } from "../../io/markup.ts";
import { shownShare } from "../deidentify/describe.ts";
import type { DeidentificationScore } from "../deidentify/score.ts";
import type { CorpusSummary } from "../summary.ts";
import { table } from "./html.ts";

/** Empty where no notes were de-identified. */
export function measuredRecall({ stages, deidentification }: CorpusSummary): string {
  const done = stages.some(({ name, in: came }) => name === "deidentify" && came.documents > 0);
  if (!done) return "";
  const head = '<h2 id="recall">De-identification as measured</h2>';
  if (deidentification === undefined) {
    return `${head}<p>How much is found in notes like these was not measured. Label a sample, run
<code>galen evaluate deidentification</code> on it with <code>--output</code>, and name the file as <code>measured</code> of the
stage.</p>`;
  }
  const { classes, all, cleanNotes, lost } = deidentification as Omit<DeidentificationScore, "leaks">;
  const rows = [...Object.entries(classes), ["all", all] as const].map(([name, { recall, precision }]) => [
    escapeHtml(name),
    shownShare(recall),
    shownShare(precision),
  ]);
  return `${head}<p>On labelled notes, with intervals of 95 % (Wilson): of identifiers of each class, those of which nothing is left.
Notes of which no identifier is left: ${shownShare(cleanNotes)}. Letters and digits that went for nothing: ${shownShare(lost)}.</p>
${table("recall and precision by class", [{ name: "class" }, { name: "recall" }, { name: "precision" }], rows)}`;
}
