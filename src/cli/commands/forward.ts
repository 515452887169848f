/** `galen forward`: a model's logits for token ids. */
import { type Command, command, engineOption, modelOptions, loadOptions, modelOption } from "../command.ts";
import { parseRows } from "../rows.ts";
import { decimals } from "../output.ts";

const forward: Command = command({
  about: "Scores (logits) of a model for token ids",
  details: "Prints the shape, then one line of values for every token (or, of a head that scores rows, every row).",
  options: {
    model: { ...modelOption, required: true, about: "Model directory" },
    ids: {
      type: "text",
      hint: "IDS",
      required: true,
      about: "Ids with commas between, rows with semicolons: 2,9,33;2,4",
    },
    mask: { type: "text", hint: "MASK", about: "1 for a token, 0 for padding, in the shape of --ids" },
    types: { type: "text", hint: "TYPES", about: "BERT's segment numbers, in the shape of --ids" },
    ...modelOptions,
    ...engineOption,
  },
  examples: [
    ["forward --model runs/nano/model --ids 2,9,33", "one row of three tokens"],
    ["forward --model runs/nano/model --ids '2,9,33;2,4' --json", "two rows, the second padded; as JSON"],
    ["forward --model runs/nano/model --ids '2,9,33;0,2,4' --mask '1,1,1;0,1,1'", "padding on the left"],
  ],
  async run({ args, json, output }) {
    const rows = {
      ids: parseRows("--ids", args.ids),
      mask: args.mask === undefined ? undefined : parseRows("--mask", args.mask),
      types: args.types === undefined ? undefined : parseRows("--types", args.types),
    };
    const { loadModel } = await import("../../model.ts");
    await using model = await loadModel(args.model, loadOptions(args));
    const { dims, data } = (await model.forward(rows)).logits;
    if (json) return output.json({ logits: { dims, data: decimals(data) } });
    await output.write(`logits [${dims.join(", ")}]\n`);
    const width = dims.at(-1)!;
    for (let start = 0; start < data.length; start += width) {
      await output.write(`${decimals(data.subarray(start, start + width)).join(" ")}\n`);
    }
  },
});
export default forward;
