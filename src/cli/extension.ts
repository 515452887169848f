/** The report of an extended tokenizer, for people. */
import type { Change, ExtendedFromDocuments, TextFigures } from "../corpus/index.ts";
import type { ExtensionLoss } from "./extension-loss.ts";
import { wrap } from "./help.ts";

const count = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Rows of a name, a figure before, one after, and what they are of. */
export function extensionText(folder: string, report: ExtendedFromDocuments, loss?: ExtensionLoss): string {
  const { family, vocabSize, domain, general, domainWords, dead, steps, mostUsed, files, documents } = report;
  const added = vocabSize.after - vocabSize.before;
  const rows: [name: string, before: string, after: string, of: string][] = [["", "before", "after", ""]];
  const row = (name: string, { before, after }: Change, of: string, shown: (value: number) => string): void =>
    void rows.push([name, shown(before), shown(after), of]);
  const digits = (value: number): string => value.toFixed(3);
  const textRows = (name: string, figures: TextFigures): void => {
    const of = `${count(figures.texts)} texts, ${count(figures.words)} words`;
    row(`tokens a word, ${name}`, figures.tokensPerWord, of, digits);
    row(`texts that come back, ${name}`, figures.roundTrips, "", percent);
    rows.push([`texts with the ids they had, ${name}`, "", percent(figures.unchanged), ""]);
    rows.push([`old tokens that stay, ${name}`, "", percent(figures.kept), ""]);
  };
  if (domain !== undefined) textRows("domain", domain);
  if (general !== undefined) textRows("general", general);
  if (domainWords !== undefined) {
    const of = `${count(domainWords.words)} different words${general === undefined ? "" : " that general texts lack"}`;
    row("pieces of a domain word", domainWords.pieces, of, digits);
  }
  if (loss !== undefined) {
    for (const [start, after] of Object.entries(loss.after)) {
      row("bits a byte, general", { before: loss.before, after }, `right after, rows of new tokens: ${start}`, digits);
    }
  }
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((one) => one[column]!.length)));
  const table = rows.map(
    ([name, before, after, of]) =>
      `${name.padEnd(widths[0]!)}  ${before.padStart(widths[1]!)}  ${after.padStart(widths[2]!)}  ${of}`.trimEnd() +
      "\n",
  );
  const used = mostUsed.map(({ token, count: times }) => `${token} ${count(times)}`).join(", ");
  return [
    `${folder}  ${family}, ${count(vocabSize.before)} + ${count(added)} tokens: ${files.join(", ")}\n`,
    `learned from ${count(documents.learned)} documents, ${count(documents.heldOut)} held out\n`,
    domain === undefined ? "no document was held out: raise --held-out for figures of the domain\n" : "",
    ...table,
    `dead tokens: ${dead.length} of ${count(added)}${dead.length > 0 ? ` (${dead.join(", ")})` : ""}; `,
    `${count(added - dead.length - steps.length)} come up in the texts learned from, `,
    `${count(steps.length)} are steps to longer ones there and come up where their own letters do\n`,
    `most used: ${wrap(used, 11)}\n`,
  ].join("");
}
