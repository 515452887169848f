/** `galen evaluate compare`: models beside each other, with paired tests. */
import { UsageError } from "../../errors.ts";
import { type Command, command, overwriteOption } from "../command.ts";

const evaluateCompare: Command = command({
  about: "Models beside each other, with tests of their differences",
  details:
    "Of folders that galen evaluate suite has written, or of single benchmarks in them: scores with intervals, differences to the first model on the same examples with intervals and p, and the smallest difference that could have been shown. What was asked in another way is not compared, and the setting that differs is named.",
  positionals: {
    results: { required: true, many: true, about: "Folders of results, the first one's model to compare with" },
  },
  options: {
    markdown: { type: "text", hint: "FILE", about: "Also write the table as Markdown" },
    html: { type: "text", hint: "FILE", about: "Also write a page with the table and a picture" },
    clean: {
      type: "flag",
      about: "Examples alone that no model's training texts hold (evaluate suite --seen says which)",
    },
    ...overwriteOption,
    seed: { type: "integer", hint: "N", least: 0, default: 1, about: "Of the draws of documents" },
    resamples: { type: "integer", hint: "N", least: 100, default: 10_000, about: "Draws of documents" },
  },
  examples: [
    ["evaluate compare scores/base scores/mine", "two suites"],
    [
      "evaluate compare scores/base scores/mine scores/large --html models.html --markdown models.md",
      "three, with a page",
    ],
    ["evaluate compare scores/base/medqa scores/mine/medqa --json", "a single benchmark, as JSON"],
  ],
  async run({ args, json, output }) {
    if (args.results.length < 2)
      throw new UsageError(`expected two folders of results or more, got ${args.results.length}`);
    const { compareResults, comparisonMarkdown, comparisonPage, comparisonText, readResults } =
      await import("../../eval/index.ts");
    const { writeFileAtomically } = await import("../../io/files.ts");
    const results = await Promise.all(args.results.map(readResults));
    const comparison = compareResults(results, { seed: args.seed, resamples: args.resamples, clean: args.clean });
    if (args.markdown !== undefined) await writeFileAtomically(args.markdown, comparisonMarkdown(comparison));
    if (args.html !== undefined) await writeFileAtomically(args.html, await comparisonPage(comparison));
    if (json) await output.json(comparison);
    else await output.write(comparisonText(comparison));
  },
});

export default evaluateCompare;
