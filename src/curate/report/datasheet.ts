/**
 * A datasheet to fill in and to sign, after the questions of Gebru et al. 2021 ("Datasheets for Datasets", CACM 64(12)) in words of
 * our own: what the pipeline knows is filled in, the rest is asked.
 */
import { escapeHtml } from "../../io/markup.ts";
import type { CorpusSummary } from "../summary.ts";
import { whole } from "./html.ts";

/** What is asked, with what the pipeline's `datasheet` may answer, by name. */
export const datasheetQuestions = {
  purpose: "What was the corpus made for, and by whom?",
  collection: "How were the sources obtained, when, and under which agreements?",
  people: "Whom is it about? Were they asked, or which law or board allows the use without?",
  gaps: "What is missing or too frequent: regions, languages, years, groups of people?",
  uses: "For which uses is it meant, and which are ruled out?",
  access: "Who may have it, where does it lie, and until when?",
  upkeep: "Who looks after it, corrects it, and takes out what has to go?",
} as const;

export function datasheet({ sources, stages, result, after, datasheet: given }: CorpusSummary): string {
  const answer = (name: keyof typeof datasheetQuestions): string => {
    const text = given[name];
    return text === undefined
      ? `<textarea aria-label="${escapeHtml(datasheetQuestions[name])}"></textarea>`
      : `<p>${escapeHtml(text)}</p>`;
  };
  const kinds = sources.map(
    ({ name, kinds: all, out }) => `${name} (${all.join(", ")}): ${whole(out.documents)} documents`,
  );
  const licences = Object.entries(after.licences).map(([licence, count]) => `${licence}: ${whole(count)}`);
  const notes =
    result.notes === 0
      ? "It holds no clinical notes."
      : `${whole(result.notes)} clinical notes, of which ${whole(result.deidentified)} say how they were de-identified. That says nothing of the law: recall was measured on other notes, and a person has to decide.`;
  const facts: [string, string][] = [
    [
      "What does it hold?",
      `${whole(result.amount.documents)} documents, ${whole(result.amount.words)} words. ${kinds.join("; ")}.`,
    ],
    ["Under which licences?", `${licences.join("; ")}.`],
    ["What was done to it?", `${stages.map(({ name }) => name).join(", ")}; settings and counts are above.`],
    ["Does it hold what patients said or what was said of them?", notes],
  ];
  const known = facts.map(([question, text]) => `<dt>${escapeHtml(question)}</dt><dd>${escapeHtml(text)}</dd>`);
  const asked = Object.entries(datasheetQuestions).map(
    ([name, question]) => `<dt>${escapeHtml(question)}</dt><dd>${answer(name as keyof typeof datasheetQuestions)}</dd>`,
  );
  return `<dl class="sheet">${known.join("\n")}${asked.join("\n")}</dl>
<div class="sign"><div>name and office</div><div>signature</div><div>date</div></div>`;
}
