/** `galen evaluate deidentification`: recall of each class of identifiers on labelled notes. */
import { type Command, command, overwriteOption, loadOptions, modelOption, modelOptions } from "../command.ts";

const evaluateDeidentification: Command = command({
  about: "How many identifiers of labelled notes are found, by class, with intervals",
  details:
    'FILE has a note a line: {"text", "identifiers": [{"class": "NAME", "start": 9, "end": 25}]}, offsets in UTF-16 code units. An identifier is found where every letter and digit of it is covered. The shares are of these notes: a sample of your own, labelled by people, says what the stage "deidentify" does to your own; keep the result with --output, and name it as "measured" of the stage, so that the report of a corpus shows it. Leaks are identifiers: that file is for the house.',
  positionals: { file: { required: true, about: "Labelled notes (JSON lines)" } },
  options: {
    tagger: { ...modelOption, about: "A tagger of identifiers beside the rules" },
    allow: { type: "text", hint: "WORD", many: "repeat", about: "A word that is no identifier here" },
    output: { type: "text", hint: "FILE", about: "Keep the scores as JSON, without what leaked" },
    ...overwriteOption,
    ...modelOptions,
  },
  examples: [
    ["evaluate deidentification labelled.jsonl", "by the rules alone"],
    [
      "evaluate deidentification labelled.jsonl --allow Foley --output measured.json",
      "kept for the report of a corpus",
    ],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { describeScores, evaluateDeidentification: evaluate, writeScores } = await import("../../curate/index.ts");
    const { loadTagger } = await import("../../labellers.ts");
    const tagger = args.tagger === undefined ? undefined : await loadTagger(args.tagger, loadOptions(args));
    const line = progress("notes");
    try {
      const score = await evaluate(args.file, {
        tagger,
        allow: args.allow,
        signal,
        onProgress: (done) => line.update({ done, unit: "notes" }),
      });
      line.end();
      if (args.output !== undefined) await writeScores(args.output, score);
      if (json) return await output.json(score);
      await output.write(describeScores(score));
    } finally {
      line.end();
      await tagger?.[Symbol.asyncDispose]();
    }
  },
});
export default evaluateDeidentification;
