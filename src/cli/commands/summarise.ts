/** `galen summarise`: the sentences that cover what a query finds. */
import { answeringOptions, askedOf, openIndexOf } from "../answering.ts";
import { type Command, command } from "../command.ts";

const summarise: Command = command({
  about: "The sentences that cover what a query finds",
  details:
    "QUERY is as of galen search. Of the first 100 documents the sentences are taken that most of them bear out, each unlike those before it, as they stand, with identifier and place.",
  positionals: { query: { required: true, many: true, about: "Words, or PubMed's language" } },
  options: {
    ...answeringOptions,
    sentences: { type: "integer", hint: "N", least: 1, default: 8, about: "Most sentences" },
  },
  examples: [
    ["summarise --index index heart failure", "eight sentences"],
    ["summarise --index index 'aspirin[ti]' --year 2010: --sentences 3 --json", "one JSON object"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { summarise: make, summaryText } = await import("../../answers/index.ts");
    await using index = await openIndexOf(args);
    const asked = await askedOf(args);
    const made = await make(index, args.query.join(" "), { sentences: args.sentences, signal, ...asked });
    if (json) await output.json(made);
    else await output.write(summaryText(made));
  },
});
export default summarise;
