/** `galen serve`: models and an index over HTTP, for programs and for a browser. */
import { type Command, command, engineOption, loadOptions, modelOption, modelOptions } from "../command.ts";
import { listenOptions, serveUntilStopped, servingOptions } from "../serving.ts";

const serve: Command = command({
  about: "Models and an index over HTTP, with a page",
  details:
    "Answers OpenAI's routes under /v1 and its own, which /openapi.json lists. Only this machine reaches it unless --host says otherwise, and then a token is needed. Models are loaded when they are asked for. Ctrl-C ends it in order: what runs may end, nothing new is begun.",
  options: {
    index: { type: "text", hint: "DIR", about: "Literature to search and to ask, made by galen index" },
    rerank: { ...modelOption, about: "Cross-encoder, ColBERT or embedding model that orders the index's first hits" },
    model: {
      type: "text",
      hint: "MODEL",
      part: "model",
      many: "greedy",
      about: "A decoder, embedding model or reranker, or NAME=MODEL; clients call it by its name",
    },
    runs: { type: "text", hint: "DIR", about: "A training run, or a folder of them, for the page to show" },
    reviews: { type: "text", hint: "DIR", about: "What galen extract made, or a folder of such, to review" },
    corpus: { type: "text", hint: "DIR", about: "A dataset, or a folder of them, for the page to report" },
    ...servingOptions,
    ...modelOptions,
    ...engineOption,
  },
  examples: [
    ["serve --model runs/nano/model all-MiniLM-L6-v2 --port 8000", "text and vectors for programs on this machine"],
    ["serve --index index --open", "search, questions and the page, on this machine alone"],
    ["serve --host 0.0.0.0 --token change-me-now", "for other machines, with a token"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { serve: start } = await import("../../serve/serve.ts");
    const { openIndex } = await import("../../search/index.ts");
    const load = loadOptions(args);
    const listen = listenOptions(args, output);
    const literature = { ...load, reranker: args.rerank };
    await using index = args.index === undefined ? undefined : await openIndex(args.index, literature);
    await using server = await start({
      models: args.model,
      index,
      folders: { runs: args.runs, reviews: args.reviews, corpus: args.corpus },
      load,
      ...listen,
    });
    await serveUntilStopped(server, { json, output, signal, open: args.open, token: listen.token });
  },
});
export default serve;
