/** `galen tag`: named entities of texts. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

const tag: Command = command({
  about: "Named entities of sentences",
  details:
    "Sentences are split into words of letters and digits and single marks. With --json words and tags are given.",
  positionals: { text: { many: true, about: "Sentences; quote each" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Tagger's directory" },
    file: { type: "text", hint: "FILE", about: "Sentences from a file, one a line; - is stdin" },
    ...deviceOptions,
  },
  examples: [
    ['tag --model runs/ner/model "Mutations of BRCA1 cause breast cancer."', "entities and their types"],
    ["tag --model runs/ner/model --file sentences.txt --json", "words, tags and places"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { loadTagger } = await import("../../labellers.ts");
    const { entitiesOf } = await import("../../metrics/entities.ts");
    const { textWindows } = await import("../texts.ts");
    await using tagger = await loadTagger(args.model, loadOptions(args));
    for await (const window of textWindows(args.text, args.file, 256)) {
      signal.throwIfAborted();
      const sentences = window.map(({ text }) => [...text.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)]);
      const tags = await tagger.tag(sentences.map((words) => words.map(([word]) => word)));
      for (const [i, words] of sentences.entries()) {
        const { id, text } = window[i]!;
        const entities = entitiesOf(tags[i]!).map(({ type, start, end }) => {
          const [from, last] = [words[start]!.index, words[end]!];
          const to = last.index + last[0].length;
          return { type, start: from, end: to, text: text.slice(from, to) };
        });
        if (json) await output.json({ id, words: words.map(([word]) => word), tags: tags[i], entities });
        else await output.write(`${text}\n${entities.map((one) => `  ${one.type}  ${one.text}\n`).join("")}`);
      }
    }
  },
});
export default tag;
