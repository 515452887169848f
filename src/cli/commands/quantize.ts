/** `galen quantize`: a model directory in 4 or 8 bits, and what that costs. */
import { fileURLToPath } from "node:url";
import { GalenError } from "../../errors.ts";
import { type Command, columnOptions, columnsOf, command } from "../command.ts";

const quantize: Command = command({
  about: "Write a model in 4 or 8 bits",
  details:
    "Matrices, the head and the table of embeddings are held as whole numbers with a scale for every group of numbers; norms, biases and positions stay as they are. The result is a model directory for every command. Both models then read held-out text: perplexity, Kullback-Leibler divergence and agreement of the first choice of language models (masked ones at masked tokens), cosines of models without a head.",
  positionals: { model: { required: true, part: "model", about: "Model directory, or name of the hub" } },
  options: {
    bits: { type: "integer", hint: "N", required: true, choices: ["4", "8"], about: "Bits of a number" },
    output: { type: "text", hint: "DIR", required: true, about: "Directory to write" },
    group: {
      type: "integer",
      hint: "N",
      choices: ["32", "128"],
      default: 32,
      about: "Numbers that share a scale of 32 bits: 128 is smaller and a little less exact",
    },
    text: { type: "text", hint: "FILE", about: "Documents that the report is measured on (default: Galen's samples)" },
    ...columnOptions,
    "no-report": { type: "flag", about: "Do not measure what is lost, which runs the model in float32 as well" },
    threads: { type: "integer", hint: "N", least: 1, about: "Threads within an operation (default: one a core)" },
  },
  examples: [
    ["quantize runs/nano/model --bits 4 --output nano-4bit", "a sixth of the size"],
    ["quantize biogpt --bits 8 --output biogpt-8bit --text held-out.jsonl", "measured on one's own text"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { quantizeModel } = await import("../../quantize.ts");
    const line = progress("quantising");
    const result = await quantizeModel({
      source: args.model,
      output: args.output,
      bits: args.bits as 4,
      group: args.group,
      signal,
      onProgress: (done, total) => line.update({ done, total, unit: "weights" }),
    }).finally(() => line.end());
    for (const note of result.notes) output.note(note);
    const loss = args["no-report"]
      ? undefined
      : await measure().catch((error: unknown) => {
          // The model is written: what cannot be measured, such as one too large for float32, is no failure.
          if (!(error instanceof GalenError)) throw error;
          output.note(`not measured: ${error.message}`);
          return undefined;
        });
    if (json) return output.json({ model: args.model, output: args.output, ...result, loss });
    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    const { bytes, memory } = result;
    const change = ({ before, after }: typeof bytes): string =>
      `${mb(before)} before, ${mb(after)} after (${(before / after).toFixed(2)} times smaller)`;
    const rows: (readonly [string, string])[] = [
      [
        "written",
        `${args.output}: ${result.packed} matrices in ${result.bits} bits, ${result.kept} tensors as they were`,
      ],
      ["size", change(bytes)],
      ["in memory", change(memory)],
      ...(loss === undefined ? [] : describe(loss)),
    ];
    for (const [name, value] of rows) await output.write(`${name.padEnd(14)}${value}\n`);

    async function measure(): Promise<Loss> {
      const { quantizationLoss } = await import("../../eval/quantization.ts");
      const { readDocuments } = await import("../../corpus/documents.ts");
      const { titleAndText } = await import("../../corpus/text.ts");
      const path = args.text ?? fileURLToPath(new URL("../../../samples/pubmed-sample.xml", import.meta.url));
      const texts: string[] = [];
      for await (const document of readDocuments([path], { columns: columnsOf(args), signal })) {
        texts.push(titleAndText(document));
        if (texts.length === 256) break;
      }
      const bar = progress("measuring what is lost");
      return quantizationLoss(args.model, args.output, texts, { threads: args.threads, signal }).finally(() =>
        bar.end(),
      );
    }
  },
});
export default quantize;

type Loss = Awaited<ReturnType<typeof import("../../eval/quantization.ts").quantizationLoss>>;

function describe({ texts, places, perplexity, divergence, agreement, cosine }: Loss): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [["measured on", `${places} places of ${texts} texts, beside float32`]];
  if (perplexity !== undefined) {
    const { before, after } = perplexity;
    const change = 100 * (after / before - 1);
    const sign = change < 0 ? "" : "+";
    rows.push(["perplexity", `${before.toFixed(3)} before, ${after.toFixed(3)} after (${sign}${change.toFixed(2)} %)`]);
  }
  if (divergence !== undefined) rows.push(["divergence", `${divergence.toFixed(5)} nats`]);
  if (agreement !== undefined) rows.push(["first choice", `the same at ${(100 * agreement).toFixed(2)} % of places`]);
  if (cosine !== undefined) rows.push(["cosine", `${cosine.mean.toFixed(5)} (least ${cosine.least.toFixed(5)})`]);
  return rows;
}
