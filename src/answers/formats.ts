/** Answers, summaries and hypotheses as text for people: sentences with numbers, and behind them who says so and where. */
import type { Hit } from "../search/types.ts";
import type { Hypotheses, Hypothesis } from "./hypotheses.ts";
import type { Summary } from "./summarise.ts";
import type { Answer, AnswerSentence, Citation, Verdict } from "./types.ts";
import { verdicts } from "./verdict.ts";

/** One line: what a document holds must not move a terminal's cursor. */
const line = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();

/** Numbers of documents in the order in which they are cited. */
function createSources() {
  const places: Citation[] = [];
  const numberOf = (one: Citation): number => {
    const known = places.findIndex(({ id, start, end }) => id === one.id && start === one.start && end === one.end);
    return known === -1 ? places.push(one) : known + 1;
  };
  const marks = (citations: readonly Citation[]): string => citations.map((one) => `[${numberOf(one)}]`).join("");
  const list = (): string =>
    places
      .map(({ id, title, year, start, end, retracted }, i) => {
        const about = [line(id), year, line(title), `characters ${start} to ${end}`].filter(
          (part) => part !== "" && part !== null,
        );
        return `[${i + 1}] ${retracted ? "RETRACTED " : ""}${about.join(" · ")}\n`;
      })
      .join("");
  return { marks, list };
}

type Marks = (citations: readonly Citation[]) => string;

const told = ({ text, citations }: AnswerSentence, marks: Marks): string => `${line(text)} ${marks(citations)}\n`;
const part = (title: string, text: string): string => (text === "" ? "" : `\n${title}\n${text}`);
const nearestText = (hits: readonly Hit[]): string =>
  hits
    .map(({ id, year, title, passage, retracted }) => {
      const about = [line(id), year, line(title) || line(passage).slice(0, 80)].filter((one) => one !== null);
      return `${retracted ? "RETRACTED " : ""}${about.join(" · ")}\n`;
    })
    .join("");

function verdictLine({ answer, shares }: Verdict): string {
  if (shares === null)
    return `${answer}: no sentence speaks of all that is asked in a way that its words can be judged by\n`;
  const each = verdicts.map((name) => `${name} ${shares[name].toFixed(2)}`);
  return `${answer} (${each.join(", ")})\n`;
}

/** An answer for people: sentences with numbers, and the sources that these stand for. */
export function answerText({ found, documents, sentences, withheld, verdict, nearest, notes }: Answer): string {
  if (!found) {
    const others = notes.filter((note) => !note.startsWith("not found in"));
    const head = `Not found in these ${documents} documents.\n`;
    return head + part("Nearest", nearestText(nearest)) + part("Notes", others.map((one) => `${line(one)}\n`).join(""));
  }
  const { marks, list } = createSources();
  const body = sentences.map((one) => told(one, marks)).join("");
  const sides =
    verdict === undefined
      ? ""
      : [
          verdictLine(verdict),
          ...(["yes", "no"] as const).map((side) => {
            const cited = verdict[side].flatMap(({ citations }) => citations);
            return cited.length === 0 ? "" : `${side}: ${marks(cited)}\n`;
          }),
        ].join("");
  const held = withheld.map(
    ({ text, citations, reason }) => `"${line(text)}" of ${marks(citations)}: ${line(reason)}\n`,
  );
  return (
    body +
    part("Verdict, by words of the evidence: read the sentences", sides) +
    part("Sources", list()) +
    part("Withheld", held.join("")) +
    part("Notes", notes.map((one) => `${line(one)}\n`).join(""))
  );
}

/** A summary for people, as `answerText`. */
export function summaryText({ documents, sentences, notes }: Summary): string {
  const { marks, list } = createSources();
  const body = sentences.map((one) => told(one, marks)).join("");
  const all = sentences.length === 0 ? "Nothing to summarise.\n" : body;
  return `${all}${part(`Sources (of ${documents} documents)`, list())}${part("Notes", notes.map((one) => `${line(one)}\n`).join(""))}`;
}

/** Hypotheses for people: candidates with their counts and examples, then those that nothing grounds. */
export function hypothesesText({ anchor, documents, withAnchor, grounded, ungrounded, notes }: Hypotheses): string {
  const row = ({ name, together, withName, expected, logLikelihood, mutualInformation, known }: Hypothesis): string => {
    const said = known.length === 0 ? "novel here" : `known (${known.join(", ")})`;
    const counts = `${together} together of ${withName}, ${expected.toFixed(2)} by chance`;
    const measures =
      mutualInformation === null ? "" : `, G² ${logLikelihood.toFixed(1)}, PMI ${mutualInformation.toFixed(1)}`;
    return `${line(name)}: ${counts}${measures}, ${said}\n`;
  };
  const lines = grounded.map(
    (one) => row(one) + one.examples.map(({ id, quote }) => `    ${line(id)}: ${line(quote)}\n`).join(""),
  );
  const head = `${line(anchor)} stands in ${withAnchor} of ${documents} documents.\n`;
  return (
    head +
    part("Together more often than by chance", lines.join("")) +
    part("Ungrounded: a model's proposals that no document has together", ungrounded.map(row).join("")) +
    part("Notes", notes.map((one) => `${line(one)}\n`).join(""))
  );
}
