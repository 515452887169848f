/** `galen predict`: a tuned model answers for texts of one's own. */
import { UsageError } from "../../errors.ts";
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";
import { decodingOptions, toPredictOptions } from "../decoding-options.ts";
import type { LocatedEntity, NamedEntity } from "../../tasks/index.ts";
import { readLines } from "../../io/lines.ts";

const describe = ({ name, type, at }: LocatedEntity): string =>
  `  ${type}  ${at === null ? `${name}  not in the text` : `${at.text}  ${at.start}-${at.end}`}\n`;

const predict: Command = command({
  about: "Answers of a tuned model for texts",
  details:
    'INPUT is texts, quoted; --file takes one text a line (- is stdin). Texts may be cased: they are lower-cased where the task is. Entities come with their places in the text, in UTF-16 code units. pubmedqa takes lines "question<TAB>context".',
  positionals: { input: { many: true, about: "Texts; quote each" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Tuned model directory" },
    task: { type: "text", hint: "TASK", about: "Name of the task, where the directory has no task.json" },
    file: { type: "text", hint: "FILE", about: "Texts from a file, one a line; - is stdin" },
    ...decodingOptions,
    ...deviceOptions,
  },
  examples: [
    ['predict --model runs/ddi/model "Aspirin increases the effect of warfarin."', "one text"],
    ["predict --model runs/hoc/model --file sentences.txt --json", "a file, JSON lines"],
  ],
  async run({ args, json, output, progress }) {
    if (args.input.length > 0 === (args.file !== undefined)) {
      throw new UsageError(`INPUT: expected texts or --file FILE, got ${args.file === undefined ? "none" : "both"}`);
    }
    const texts = [...args.input];
    if (args.file !== undefined)
      for await (const line of readLines(args.file)) if (line.trim() !== "") texts.push(line);
    const { openTuned, predict: answer } = await import("../../finetune/index.ts");
    await using tuned = await openTuned(args.model, { ...loadOptions(args), task: args.task });
    const bar = progress("answering");
    const examples = texts.map((text, i) => tuned.task.exampleOf(`${i + 1}`, text));
    const onProgress = (done: number, total: number): void => bar.update({ done, total, unit: "texts" });
    const found = await answer(tuned, examples, { ...toPredictOptions(args), onProgress }).finally(() => bar.end());
    const { locateEntities } = await import("../../tasks/index.ts");
    for (const [i, { text, cut, answer: plain, ...rest }] of found.entries()) {
      if (cut) output.note(`text ${i + 1} is longer than the model takes and was cut`);
      const entities =
        tuned.task.extracts === "entities" ? locateEntities(texts[i]!, plain as readonly NamedEntity[]) : undefined;
      if (json) await output.json({ input: texts[i], text, cut, answer: entities ?? plain, ...rest });
      else await output.write(`${text}\n${(entities ?? []).map(describe).join("")}`);
    }
  },
});

export default predict;
