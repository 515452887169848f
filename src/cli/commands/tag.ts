/** `galen tag`: named entities of texts. */
import { type Command, command, modelOptions, fileOptions, loadOptions, modelOption } from "../command.ts";

const tag: Command = command({
  about: "Named entities of sentences",
  details:
    'Sentences are split into words of letters and digits and single marks. With --json words and tags are given. A type "_" is that of a tagger whose training file names none: its tags are a bare B or I.',
  positionals: { text: { many: true, about: "Sentences; quote each" } },
  options: {
    model: { ...modelOption, required: true, about: "Tagger's directory" },
    ...fileOptions,
    ...modelOptions,
  },
  examples: [
    ['tag --model runs/ner/model "Mutations of BRCA1 cause breast cancer."', "entities and their types"],
    ["tag --model runs/ner/model --file sentences.txt --json", "words, tags and places"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { loadTagger, tagTexts } = await import("../../labellers.ts");
    const { countCuts } = await import("../cuts.ts");
    const { textsOf } = await import("../texts.ts");
    const texts = textsOf(args.text, args, signal);
    await using tagger = await loadTagger(args.model, loadOptions(args));
    const cuts = countCuts();
    let untyped = false;
    for await (const { id, text, words, tags, unread, entities } of tagTexts(tagger, texts, { signal })) {
      cuts.one(text, unread > 0);
      if (!untyped && entities.some(({ type }) => type === "_")) {
        untyped = true;
        output.note('"_": the tagger was trained on tags without a type, a bare B or I');
      }
      if (json) await output.json({ id, words, tags, ...(unread > 0 && { unread }), entities });
      else await output.write(`${text}\n${entities.map((one) => `  ${one.type}  ${one.text}\n`).join("")}`);
    }
    cuts.say(output);
  },
});
export default tag;
