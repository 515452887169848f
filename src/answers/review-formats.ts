/** A review as CSV, Markdown or JSON. Texts of documents stay texts: no formula of a spreadsheet, no markup. */
import { extname } from "node:path";
import { csvOf } from "../io/cells.ts";
import { writeFileAtomically } from "../io/files.ts";
import { lockBeside } from "../io/lock.ts";
import { UsageError } from "../errors.ts";
import type { EvidenceRow, Review } from "./review.ts";
import type { Citation } from "./types.ts";

const place = (one: Citation | null): string => (one === null ? "" : `${one.start}-${one.end}`);
const columns: readonly (readonly [name: string, value: (row: EvidenceRow) => string])[] = [
  ["question", ({ question }) => question],
  ["id", ({ id }) => id],
  ["title", ({ title }) => title],
  ["year", ({ year }) => String(year ?? "")],
  ["journal", ({ journal }) => journal ?? ""],
  ["retracted", ({ retracted }) => (retracted ? "yes" : "")],
  ["study type", ({ type }) => type ?? ""],
  ["size", ({ size }) => String(size ?? "")],
  ["size quoted", ({ sizeFrom }) => sizeFrom?.quote ?? ""],
  ["population", ({ population }) => population?.quote ?? ""],
  ["population at", ({ population }) => place(population)],
  ["intervention", ({ intervention }) => intervention?.quote ?? ""],
  ["intervention at", ({ intervention }) => place(intervention)],
  ["result", ({ result }) => result.quote],
  ["result at", ({ result }) => place(result)],
  ["support", ({ support }) => support.toFixed(2)],
];

const markdownCell = (value: string): string =>
  value.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>#|!~]/g, (mark) => `\\${mark}`);

const csv = ({ rows }: Review): string =>
  csvOf([columns.map(([name]) => name), ...rows.map((row) => columns.map(([, value]) => value(row)))]);

function markdown({ question, questions, rows, documents, notes }: Review): string {
  const shown = ["id", "title", "year", "study type", "size", "population", "intervention", "result", "result at"];
  const some = columns.filter(([name]) => shown.includes(name));
  const tables = questions.map(({ text }) => {
    const own = rows.filter((row) => row.question === text);
    if (own.length === 0) return `## ${markdownCell(text)}\n\nNothing in these ${documents} documents.\n`;
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
    const head = line(some.map(([name]) => name)) + line(some.map(() => "---"));
    const body = own.map((row) =>
      line(
        some.map(([name, value]) =>
          markdownCell(name === "id" && row.retracted ? `${row.id} (retracted)` : value(row)),
        ),
      ),
    );
    return `## ${markdownCell(text)}\n\n${head}${body.join("")}`;
  });
  const said = notes.map((note) => `- ${markdownCell(note)}\n`).join("");
  return `# ${markdownCell(question)}\n\n${tables.join("\n")}${said === "" ? "" : `\n${said}`}`;
}

const formats: Readonly<Record<string, (review: Review) => string>> = {
  ".csv": csv,
  ".md": markdown,
  ".json": (one) => `${JSON.stringify(one, null, 2)}\n`,
};

/** How a file of this name is written. @throws UsageError for another ending than .csv, .md and .json. */
export function reviewFormat(path: string): (review: Review) => string {
  const ending = extname(path).toLowerCase();
  if (Object.hasOwn(formats, ending)) return formats[ending]!;
  throw new UsageError(`${path}: expected a file that ends in .csv, .md or .json, got "${ending}"`);
}

/**
 * Makes a review and writes it as its file's name says; no other run writes there meanwhile.
 * @throws UsageError for another ending; ConfigError where another run writes there, DataError where none can.
 */
export async function writeEvidence(path: string, make: () => Promise<Review>): Promise<Review> {
  const format = reviewFormat(path);
  await using _ = await lockBeside(path);
  const made = await make();
  await writeFileAtomically(path, format(made));
  return made;
}
