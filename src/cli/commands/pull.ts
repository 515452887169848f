/** `galen pull`: a model of Hugging Face's hub, fetched before it is needed. */
import { type Command, command } from "../command.ts";
import type { Progress } from "../progress.ts";

const pull: Command = command({
  about: "Fetch a model of Hugging Face's hub",
  details:
    "NAME is org/name, org/name@revision (a branch, tag or commit) or org/name:file.gguf. Only what a model needs is fetched: settings, tokenizer, weights in one format. Every command that takes --model fetches a name by itself; this does it beforehand, for a machine without the network, say. The cache is the one of Python's huggingface_hub (HF_HOME, HF_HUB_CACHE), so that nothing is fetched twice. What broke off goes on where it did; every file is checked by its hash. HF_TOKEN says who asks, HF_ENDPOINT names another hub, HF_HUB_OFFLINE=1 keeps to the cache.",
  positionals: { name: { required: true, about: "Name of the model" } },
  options: {
    output: { type: "text", hint: "DIR", about: "Write the files to this folder instead of the cache" },
  },
  examples: [
    ["pull NeuML/biomedbert-small-embeddings", "into the cache, where --model finds it by its name"],
    ["pull microsoft/biogpt@main --output biogpt", "as a folder"],
  ],
  stoppable: true,
  async run({ args, json, output, progress, signal }) {
    const { pullModel } = await import("../../hub/index.ts");
    let line: Progress | undefined;
    const { files, fetched, path, ...about } = await pullModel(args.name, {
      output: args.output,
      signal,
      onProgress: ({ file, ...state }) => {
        line ??= progress(args.name);
        line.update({ ...state, unit: "bytes", text: file });
      },
    }).finally(() => line?.end());
    if (json) return output.json({ ...about, path, files, fetched });
    const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    const total = files.reduce((sum, file) => sum + file.size, 0);
    output.note(
      `${about.name}, commit ${about.commit.slice(0, 7)}: ${files.length} files, ${size(total)}; fetched now: ${size(fetched)}`,
    );
    await output.write(`${path}\n`);
  },
});
export default pull;
