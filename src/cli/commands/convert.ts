/** `galen convert`: model directories between formats, with a check that the result computes the same. */
import { type Command, command } from "../command.ts";

const convert: Command = command({
  about: "Convert a model between checkpoint formats",
  details:
    "SOURCE is a model directory (model.safetensors or pytorch_model.bin, sharded or not; fairseq's checkpoint.pt) or one such file. A fairseq checkpoint's dict.txt and bpecodes beside it become vocab.json and merges.txt. Both models are then run on the same tokens, and the largest difference of their logits is printed. No pickle is executed.",
  positionals: {
    source: { required: true, part: "model", about: "Model directory, name of the hub, or checkpoint file" },
  },
  options: {
    output: { type: "text", hint: "DIR", required: true, about: "Directory to write" },
    format: {
      type: "text",
      hint: "NAME",
      choices: ["safetensors", "pytorch", "fairseq"],
      default: "safetensors",
      about: "Format to write",
    },
    dtype: {
      type: "text",
      hint: "TYPE",
      choices: ["float32", "float16", "bfloat16"],
      about: "Floats of safetensors (default: as they are)",
    },
  },
  examples: [
    ["convert biogpt-fairseq/checkpoint.pt --output biogpt", "fairseq to Hugging Face"],
    ["convert biogpt --output biogpt-half --dtype float16", "half the size"],
    ["convert runs/ddi/model --output ddi-fairseq --format fairseq", "back to fairseq"],
  ],
  async run({ args, json, output }) {
    const { convertModel } = await import("../../convert.ts");
    const { source, format, dtype } = args;
    const result = await convertModel({
      source,
      output: args.output,
      format: format as "fairseq",
      dtype: dtype as "float16",
    });
    if (json) return output.json({ source, output: args.output, ...result });
    for (const note of result.notes) output.note(note);
    const { difference, largest, tokens } = result.parity;
    const rows = [
      ["written", `${args.output} (${result.format})`],
      ["weights", `${result.tensors} tensors, ${result.parameters.toLocaleString("en-US")} parameters`],
      ["tokenizer", result.tokenizer ? "written" : "none"],
      [
        "logit parity",
        difference === 0
          ? `equal on ${tokens} tokens`
          : `largest difference ${difference.toExponential(2)} on ${tokens} tokens, of logits up to ${largest.toFixed(2)}`,
      ],
    ];
    for (const [name, value] of rows) await output.write(`${name!.padEnd(14)}${value}\n`);
  },
});

export default convert;
