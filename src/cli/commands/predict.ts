/** `galen predict`: a tuned model answers for texts of one's own. */
import { type Command, command, modelOptions, fileOptions, loadOptions, modelOption } from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";
import type { LocatedEntity } from "../../tasks/index.ts";

const describe = ({ name, type, at }: LocatedEntity): string =>
  `  ${type}  ${at === null ? `${name}  not in the text` : `${at.text}  ${at.start}-${at.end}`}\n`;

const predict: Command = command({
  about: "Answers of a tuned model for texts",
  details:
    'INPUT is texts, quoted. They may be cased: they are lower-cased where the task is. Entities come with their places in the text, in UTF-16 code units. pubmedqa takes lines "question<TAB>context".',
  positionals: { input: { many: true, about: "Texts; quote each" } },
  options: {
    model: { ...modelOption, required: true, about: "Tuned model directory" },
    task: { type: "text", hint: "TASK", about: "Name of the task, where the directory has no task.json" },
    ...fileOptions,
    ...decodingOptions,
    ...modelOptions,
  },
  examples: [
    ['predict --model runs/ddi/model "Aspirin increases the effect of warfarin."', "one text"],
    ["predict --model runs/hoc/model --file sentences.txt --json", "a file, JSON lines"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { answerTexts, openTuned } = await import("../../soft-prompts/index.ts");
    const { countCuts } = await import("../cuts.ts");
    const { textsOf } = await import("../texts.ts");
    const texts: string[] = [];
    for await (const { text } of textsOf(args.input, args, signal)) texts.push(text);
    await using tuned = await openTuned(args.model, { ...loadOptions(args), task: args.task });
    const bar = progress("answering");
    const onProgress = (done: number, total: number): void => bar.update({ done, total, unit: "texts" });
    const options = { ...toPredictOptions(args), signal, onProgress };
    const found = await answerTexts(tuned, texts, options).finally(() => bar.end());
    const cuts = countCuts();
    for (const [i, { text, cut, answer, ...rest }] of found.entries()) {
      cuts.one(texts[i]!, cut);
      const entities = tuned.task.extracts === "entities" ? (answer as readonly LocatedEntity[]) : [];
      if (json) await output.json({ input: texts[i], text, cut, answer, ...rest });
      else await output.write(`${text}\n${entities.map(describe).join("")}`);
    }
    cuts.say(output);
  },
});

export default predict;
