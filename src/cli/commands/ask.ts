/** `galen ask`: a question to an index, answered with sentences and where they stand. */
import { answeringOptions, askedOf, openIndexOf } from "../answering.ts";
import { type Command, command, loadOptions, modelOption } from "../command.ts";

const ask: Command = command({
  about: "Answer a question from an index, each sentence with its source",
  details:
    "Sentences stand as they do in the documents, with identifier and place; several documents are named where they say the same. What the index does not answer is not found, and the nearest are named. With --model a decoder writes each sentence from one piece of evidence, and what that does not say is withheld and shown so. A question that asks whether gets yes, no or maybe, with the evidence of each side.",
  positionals: { question: { required: true, many: true, about: "In plain words" } },
  options: {
    ...answeringOptions,
    sentences: { type: "integer", hint: "N", least: 1, default: 5, about: "Most sentences" },
    model: { ...modelOption, about: "Decoder that writes the sentences: a chat model, or one that continues texts" },
    checker: { ...modelOption, about: "Cross-encoder that says whether a passage supports a sentence" },
    verdict: { ...modelOption, about: "Classifier of yes, no and maybe, of a question with its evidence" },
  },
  examples: [
    ["ask --index index Does aspirin inhibit cyclooxygenase?", "with sources"],
    ["ask --index index What is metformin used for? --sentences 3 --json", "one JSON object"],
    ["ask --index index What do statins inhibit? --model runs/chat/model", "written by a decoder, and checked"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { answerText, ask: asked, judgeOf, openChecker, openWriter } = await import("../../answers/index.ts");
    const { loadClassifier } = await import("../../labellers.ts");
    const load = loadOptions(args);
    await using index = await openIndexOf(args);
    await using writer = args.model === undefined ? undefined : await openWriter(args.model, load);
    await using checker = args.checker === undefined ? undefined : await openChecker(args.checker, load);
    await using classifier = args.verdict === undefined ? undefined : await loadClassifier(args.verdict, load);
    const { sentences } = args;
    const narrowed = await askedOf(args);
    const judge = classifier === undefined ? undefined : judgeOf(classifier);
    const options = { sentences, writer, checker, judge, signal, ...narrowed };
    const bar = progress("reading");
    let done = 0;
    for await (const event of asked(index, args.question.join(" "), options)) {
      if (event.type === "sentence") bar.update({ done: ++done, total: sentences, unit: "sentences" });
      if (event.type !== "done") continue;
      bar.end();
      if (json) await output.json(event.answer);
      else await output.write(answerText(event.answer));
    }
  },
});
export default ask;
