/** The report of judgements as people read it. */
import type { Proportion } from "../metrics/proportion.ts";
import { required } from "../schema.ts";
import type { Alpha, FeedbackReport, FirstShown, RaterReport } from "./report.ts";

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const several = (count: number, what: string): string =>
  `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
const seconds = (value: number | null): string => (value === null ? "–" : `${value.toFixed(1)} s`);

/** "12 of 40, 30 % [18, 45]". */
function share({ count, of, share: value, low, high }: Proportion): string {
  if (value === null) return "–";
  return `${count} of ${of}, ${percent(value)} [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;
}

function alpha({ alpha: value, interval, units, equal }: Alpha, what: string): string {
  if (units === 0) return `nothing that two people judged`;
  const same = `${several(units, what)}, ${percent(equal!)} of judgements equal`;
  if (value === null) return `not defined where no two judgements differ; ${same}`;
  return `${value.toFixed(3)} [${interval!.low.toFixed(3)}, ${interval!.high.toFixed(3)}]; ${same}`;
}

const first = (one: FirstShown): string => `${share(one)} (${percent(one.chance)} by chance)`;

/** Columns as wide as their widest cell, the first to the left. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const cell = (text: string, i: number): string => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!));
  return rows.map((row) => `  ${row.map(cell).join("  ").trimEnd()}\n`).join("");
}

function raterRow({ rater, judgements, seconds: median, firstShown, ties, wrong }: RaterReport): string[] {
  const shown = firstShown.map((one) => `${one.count} of ${one.of}`).join(", ");
  return [rater, String(judgements), seconds(median), shown || "–", String(ties.count), String(wrong.count)];
}

/** A text's beginning, in one line. */
const beginning = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};

const mostDisagreements = 20;

function disagreementLines({ disagreements }: FeedbackReport): string {
  if (disagreements.length === 0) return "";
  const lines = disagreements.slice(0, mostDisagreements).map(({ item, prompt, answers, first: one, second: two }) => {
    const [a, b] = answers.map((answer) => answer + 1);
    return `  ${item}  ${beginning(prompt)}\n    answer ${a}: ${one.join(", ")}; answer ${b}: ${two.join(", ")}\n`;
  });
  const more = disagreements.length - lines.length;
  const rest = more > 0 ? `  and ${several(more, "pair")} more; --json lists all\n` : "";
  return `\nPeople disagree on ${several(disagreements.length, "pair")}\n${lines.join("")}${rest}`;
}

/** The report with its figures, intervals of 95 % in brackets. */
export function feedbackText(report: FeedbackReport): string {
  required("feedbackText: report", report, "object");
  const { items, judged, shared, judgements, informed, raters, agreement, firstShown, ties, wrong, origins } = report;
  const time = report.seconds;
  const rows: (readonly [string, string])[] = [
    ["items", `${judged} of ${items} judged, ${shared} by two people or more`],
    ["judgements", `${judgements} by ${several(raters.length, "person").replace("persons", "people")}`],
    ...(informed > 0 ? ([["", `${informed} made after others' were seen: no part of α`]] as const) : []),
    ["α of preferences (ordinal)", alpha(agreement.preference, "pair")],
    ["α of wrong marks (nominal)", alpha(agreement.wrong, "answer")],
    ...firstShown.map((one) => [`first of ${one.answers} shown preferred`, first(one)] as const),
    ["ties", share(ties)],
    ["marked as wrong", share(wrong)],
    [
      "a judgement takes",
      time === null ? "–" : `${seconds(time.median)} (half of them ${seconds(time.low)} to ${seconds(time.high)})`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const people = [["", "judgements", "median", "first shown", "ties", "wrong"], ...raters.map(raterRow)];
  const fared = origins.map(({ by, won, lost, tied, wrong: marked }) => {
    const decided = won + lost;
    return [by, String(won), String(lost), String(tied), decided === 0 ? "–" : percent(won / decided), share(marked)];
  });
  return [
    rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(""),
    raters.length === 0 ? "" : `\nPeople\n${table(people)}`,
    fared.length === 0 ? "" : `\nAnswers of\n${table([["", "won", "lost", "tied", "of decided", "wrong"], ...fared])}`,
    disagreementLines(report),
  ].join("");
}
