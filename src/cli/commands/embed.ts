/** `galen embed`: a vector for every text. */
import {
  type Command,
  command,
  batchLoadOptions,
  modelOptions,
  fileOptions,
  loadOptions,
  modelOption,
  overwriteOption,
} from "../command.ts";
import { noteEightBits } from "../eight-bits.ts";

const embed: Command = command({
  about: "Vectors of texts by an embedding model",
  details:
    'JSON lines may have "id" and "title" too. --output takes NAME.parquet (columns id, embedding) or NAME.npy; without it JSON lines are written. The model\'s fingerprint goes with the vectors: into the Parquet file, or beside the other, as NAME.npy.json.',
  positionals: { text: { many: true, about: "Texts; quote each" } },
  options: {
    model: { ...modelOption, required: true, about: "Sentence Transformers directory, or GGUF file" },
    ...fileOptions,
    output: { type: "text", hint: "FILE", about: ".parquet or .npy" },
    ...overwriteOption,
    prompt: { type: "text", hint: "NAME", about: "The model's prompt of this name" },
    "batch-size": { type: "integer", hint: "N", least: 1, default: 32, about: "Texts in a run of the network" },
    int8: { type: "flag", about: "Linear layers in eight bits: faster, on the CPU; says what is lost" },
    ...modelOptions,
  },
  examples: [
    [
      'embed --model NeuML/biomedbert-small-embeddings "Aspirin inhibits cyclooxygenase."',
      "a published model, fetched by its name",
    ],
    ["embed --model all-MiniLM-L6-v2 --file abstracts.jsonl --output abstracts.parquet", "a file of vectors"],
    ["embed --model all-MiniLM-L6-v2 --int8 --file abstracts.jsonl --output abstracts.npy", "in half the time"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { cosines, embedTexts, loadEmbedder } = await import("../../retrieval/embedder.ts");
    const { writeVectors } = await import("../../retrieval/vector-files.ts");
    const { keepFirst } = await import("../../io/streams.ts");
    const { countCuts } = await import("../cuts.ts");
    const { decimals } = await import("../output.ts");
    const { textsOf } = await import("../texts.ts");
    const texts = textsOf(args.text, args, signal);
    await using embedder = await loadEmbedder(args.model, {
      ...batchLoadOptions(args),
    });
    const { width } = embedder;
    const options = {
      batchSize: args["batch-size"],
      ...(args.prompt === undefined ? {} : { promptName: args.prompt }),
    };
    if (args.int8) await noteEightBits(output);
    const line = progress("embedding");
    const onProgress = (done: number): void => line.update({ done, unit: "texts" });
    const cuts = countCuts();
    const embedded = embedTexts(embedder, texts, { ...options, signal, onProgress, onCut: cuts.add });
    const { items, first } = keepFirst(embedded, 64);
    let count = 0;
    const sources = { model: args.model, texts: args.file };
    if (args.output !== undefined) count = await writeVectors(args.output, width, items, sources);
    else {
      for await (const { id, vector, cut } of items) {
        await output.json({ id, embedding: decimals(vector), ...(cut && { cut }) });
      }
    }
    line.end();
    cuts.say(output);
    let loss: ReturnType<typeof cosines> | undefined;
    if (args.int8 && first.length > 0) {
      await using exact = await loadEmbedder(args.model, { ...loadOptions(args), weights: "float32" });
      const expected = await exact.embed(
        first.map(({ text }) => text),
        options,
      );
      loss = cosines(
        expected,
        first.map(({ vector }) => vector),
      );
      const { texts: compared, mean, least } = loss;
      output.note(`int8: cosine with float32 ${mean.toFixed(5)} (least ${least.toFixed(5)} of ${compared} texts)`);
    }
    if (args.output === undefined) return;
    if (json)
      return output.json({
        output: args.output,
        texts: count,
        width,
        ...cuts.json(),
        ...(loss && { int8: { cosine: loss } }),
      });
    await output.write(`${args.output}  ${count} vectors of ${width}\n`);
  },
});
export default embed;
