/** `galen review`: a question, its sub-questions, and a table of who studied whom and found what. */
import { answeringOptions, askedOf, openIndexOf } from "../answering.ts";
import { type Command, command, overwriteOption } from "../command.ts";

const review: Command = command({
  about: "A question to a table of evidence",
  details:
    "FILE.csv, FILE.md or FILE.json gets a row for each document that answers the question or one of its sub-questions: study type, size, population, intervention and result, every text quoted with its place. Sub-questions are made of the question (benefit, harm, comparison, who, mechanism) unless --sub gives them. Studies are read by plain rules: look a row up before you rely on it.",
  positionals: { question: { required: true, many: true, about: "In plain words" } },
  options: {
    ...answeringOptions,
    output: { type: "text", hint: "FILE", required: true, about: "Table: .csv, .md or .json" },
    ...overwriteOption,
    sub: { type: "text", hint: "QUESTION", many: "repeat", about: "A sub-question, instead of those that are made" },
    documents: { type: "integer", hint: "N", least: 1, default: 20, about: "Most documents a question" },
  },
  examples: [
    ["review --index index Does aspirin prevent stroke? --output review.csv", "for a spreadsheet"],
    ["review --index index statins in old age --documents 5 --output review.md", "tables to read"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { review: make, writeEvidence } = await import("../../answers/index.ts");
    await using index = await openIndexOf(args);
    const asked = await askedOf(args);
    const questions = args.sub.length === 0 ? undefined : args.sub;
    const options = { documents: args.documents, questions, signal, ...asked };
    const made = await writeEvidence(args.output, () => make(index, args.question.join(" "), options));
    const about = { output: args.output, rows: made.rows.length, questions: made.questions, notes: made.notes };
    if (json) return output.json(about);
    for (const note of made.notes) output.note(`note: ${note}`);
    const lines = made.questions.map(({ text, rows }) => `  ${String(rows).padStart(3)}  ${text}\n`);
    await output.write(`${args.output}  ${made.rows.length} rows\n${lines.join("")}`);
  },
});
export default review;
