/** `galen embed`: a vector for every text. */
import { type Command, command, deviceOptions, loadOptions } from "../command.ts";

type Loss = ReturnType<typeof import("../../retrieval/embedder.ts").cosines>;

const embed: Command = command({
  about: "Vectors of texts by an embedding model",
  details:
    'FILE has a text a line, or JSON lines with "text" and, if they are there, "id" and "title". --output takes NAME.parquet (columns id, embedding) or NAME.npy; without it JSON lines are written.',
  positionals: { text: { many: true, about: "Texts; quote each" } },
  options: {
    model: { type: "text", hint: "DIR", required: true, about: "Sentence Transformers directory" },
    file: { type: "text", hint: "FILE", about: "Texts from a file; - is stdin" },
    output: { type: "text", hint: "FILE", about: ".parquet or .npy" },
    prompt: { type: "text", hint: "NAME", about: "The model's prompt of this name" },
    "batch-size": { type: "integer", hint: "N", least: 1, default: 32, about: "Texts in a run of the network" },
    int8: { type: "flag", about: "Linear layers in eight bits: faster, on the CPU; says what is lost" },
    ...deviceOptions,
  },
  examples: [
    ["embed --model all-MiniLM-L6-v2 --file abstracts.jsonl --output abstracts.parquet", "a file of vectors"],
    ["embed --model all-MiniLM-L6-v2 --int8 --file abstracts.jsonl --output abstracts.npy", "in half the time"],
    ['embed --model all-MiniLM-L6-v2 "Aspirin inhibits cyclooxygenase."', "on the terminal"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { cosines, loadEmbedder } = await import("../../retrieval/embedder.ts");
    const { createVectorFile } = await import("../../retrieval/vector-files.ts");
    const { textWindows } = await import("../texts.ts");
    const { decimals } = await import("../output.ts");
    await using embedder = await loadEmbedder(args.model, {
      ...loadOptions(args),
      weights: args.int8 ? "int8" : "float32",
    });
    const options = {
      batchSize: args["batch-size"],
      ...(args.prompt === undefined ? {} : { promptName: args.prompt }),
    };
    const file = args.output === undefined ? undefined : await createVectorFile(args.output, embedder.width);
    const line = progress("embedding");
    /** Cosines of the first texts' vectors with those of the float32 network. */
    const lossOf = async (texts: readonly string[], vectors: readonly Float32Array[]): Promise<Loss> => {
      await using exact = await loadEmbedder(args.model, loadOptions(args));
      return cosines(await exact.embed(texts.slice(0, 64), options), vectors);
    };
    let count = 0;
    let loss: Loss | undefined;
    try {
      for await (const window of textWindows(args.text, args.file)) {
        signal.throwIfAborted();
        const texts = window.map(({ text }) => text);
        const vectors = await embedder.embed(texts, options);
        if (args.int8) loss ??= await lossOf(texts, vectors);
        count += window.length;
        line.update({ done: count, unit: "texts" });
        const ids = window.map(({ id }) => id);
        if (file !== undefined) await file.write(ids, vectors);
        else for (const [i, id] of ids.entries()) await output.json({ id, embedding: decimals(vectors[i]!) });
      }
      await file?.close();
    } catch (error) {
      await file?.abort();
      throw error;
    } finally {
      line.end();
    }
    if (loss !== undefined) {
      const { texts, mean, least } = loss;
      output.note(`int8: cosine with float32 ${mean.toFixed(5)} (least ${least.toFixed(5)} of ${texts} texts)`);
    }
    if (file === undefined) return;
    const { width } = embedder;
    if (json) return output.json({ output: args.output, texts: count, width, ...(loss && { int8: { cosine: loss } }) });
    await output.write(`${args.output}  ${count} vectors of ${width}\n`);
  },
});
export default embed;
