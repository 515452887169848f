/** `galen convert`: models between formats, with a check that the result computes the same. */
import { type Command, command } from "../command.ts";

const convert: Command = command({
  about: "Convert a model between checkpoint formats",
  details:
    "SOURCE is a model directory (model.safetensors or pytorch_model.bin, sharded or not), one of fairseq's (checkpoint.pt) or Meta's (consolidated.*.pth with params.json), or a file: GGUF, llama2.c's .bin, or one of such a directory; or an adapter of peft's, which is merged into its base. The tokenizer goes along: fairseq's dict.txt and bpecodes become vocab.json and merges.txt, GGUF's vocabulary becomes tokenizer.json, and back. Both models are then run on the same tokens, and the largest difference of their logits is printed; a result that computes something else is removed. No pickle is executed.",
  positionals: {
    source: { required: true, part: "model", about: "Model directory, name of the hub, or checkpoint file" },
  },
  options: {
    output: { type: "text", hint: "PATH", required: true, about: "Directory to write, or for gguf a file" },
    base: { type: "text", hint: "DIR", about: "Model that SOURCE, an adapter of peft's, is merged into" },
    to: {
      type: "text",
      hint: "FORMAT",
      choices: ["safetensors", "pytorch", "fairseq", "gguf"],
      about: "Format to write (default: gguf where the output ends in .gguf, else safetensors)",
    },
    type: {
      type: "text",
      hint: "TYPE",
      choices: ["f32", "f16", "bf16", "q8_0", "q4_0"],
      about: "Numbers of gguf (default f16), or the first three of safetensors (default: as they are)",
    },
  },
  renamed: { format: "to", dtype: "type" },
  examples: [
    ["convert biogpt-fairseq/checkpoint.pt --output biogpt", "fairseq to Hugging Face"],
    ["convert llama --output llama.gguf --type q4_0", "for llama.cpp and Ollama, in four bits"],
    ["convert adapter --base llama --output merged", "peft's adapter into its base"],
  ],
  async run({ args, json, output }) {
    const { convertModel } = await import("../../convert.ts");
    const { source, base, to, type } = args;
    const result = await convertModel({ source, base, output: args.output, to: to as "gguf", type: type as "f16" });
    if (json) return output.json({ source, output: args.output, ...result });
    for (const note of result.notes) output.note(note);
    const { difference, largest, relative, tokens } = result.parity;
    const rows = [
      ["written", `${args.output} (${result.format})`],
      ["weights", `${result.tensors} tensors, ${result.parameters.toLocaleString("en-US")} parameters`],
      ["tokenizer", result.tokenizer ? "written" : "none"],
      [
        "logit parity",
        difference === 0
          ? `equal on ${tokens} tokens`
          : `largest difference ${difference.toExponential(2)} on ${tokens} tokens, of logits up to ${largest.toFixed(2)}; ${(100 * relative).toPrecision(2)} % in the mean`,
      ],
    ];
    for (const [name, value] of rows) await output.write(`${name!.padEnd(14)}${value}\n`);
  },
});

export default convert;
