/** `galen export onnx`: a model as a file that stock ONNX Runtime loads. */
import { UsageError } from "../../errors.ts";
import { type Command, command, modelOption, overwriteOption } from "../command.ts";

const exportOnnx: Command = command({
  about: "Write a model as an ONNX file",
  details:
    "The file has inputs ids and mask (and types, of BERT), int64 [batch, tokens], and output logits; stock ONNX Runtime loads it.",
  options: {
    model: { ...modelOption, required: true, about: "Model directory" },
    output: { type: "text", hint: "FILE", required: true, about: "The .onnx file to write" },
    ...overwriteOption,
    inline: { type: "flag", about: "Weights in the file (default below 2 GB)" },
    external: { type: "flag", about: "Weights in FILE.data beside it" },
    portable: { type: "flag", about: "Only operators of the ONNX standard, for other runtimes; slower" },
  },
  examples: [
    ["export onnx --model runs/nano/model --output nano.onnx", "one file"],
    ["export onnx --model runs/large/model --output large.onnx --external", "large.onnx and large.onnx.data"],
    ["export onnx --model runs/nano/model --output nano.onnx --portable", "for a runtime other than ONNX Runtime"],
  ],
  async run({ args, json, output }) {
    if (args.inline && args.external) throw new UsageError("--inline, --external: expected one of them, got both");
    const { exportOnnx: write } = await import("../../export.ts");
    const weights = args.inline ? "inline" : args.external ? "external" : undefined;
    const exported = await write(args.model, args.output, { weights, portable: args.portable });
    if (json) return output.json(exported);
    const { path, bytes, data, inputs, outputs } = exported;
    await output.write(
      `${path}  ${(bytes / 1e6).toFixed(1)} MB, inputs ${inputs.join(", ")}, output ${outputs.join(", ")}\n`,
    );
    if (data !== undefined)
      await output.write(`${data.path}  ${(data.bytes / 1e6).toFixed(1)} MB of weights: keep it beside\n`);
  },
});
export default exportOnnx;
