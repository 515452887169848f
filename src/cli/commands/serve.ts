/** `galen serve`: models and an index over HTTP, for programs and for a browser. */
import { once } from "node:events";
import { type Command, command, engineOption, loadOptions, modelOption, modelOptions } from "../command.ts";

/** Shows an address in the user's browser; where there is none, nothing happens. */
async function open(url: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const opener = process.platform === "darwin" ? "open" : process.platform === "win32" ? "explorer" : "xdg-open";
  const child = spawn(opener, [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}

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
    host: {
      type: "text",
      hint: "ADDRESS",
      default: "127.0.0.1",
      about: "Address to listen at; 0.0.0.0: all of the machine's",
    },
    port: { type: "integer", hint: "N", least: 0, default: 8080, about: "0: any that is free" },
    token: {
      type: "text",
      hint: "TOKEN",
      about: "Expected of every request (default: GALEN_TOKEN of the environment)",
    },
    "no-token": { type: "flag", about: "Let every machine that reaches --host ask" },
    name: {
      type: "text",
      hint: "NAME",
      many: "repeat",
      about: "A name that the server is called by, behind a proxy or in a network",
    },
    runs: { type: "text", hint: "DIR", about: "A training run, or a folder of them, for the page to show" },
    reviews: { type: "text", hint: "DIR", about: "What galen extract made, or a folder of such, to review" },
    corpus: { type: "text", hint: "DIR", about: "A dataset, or a folder of them, for the page to report" },
    open: { type: "flag", about: "Open the page in a browser" },
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
    const token = args.token ?? process.env["GALEN_TOKEN"];
    const { serve: start } = await import("../../serve/serve.ts");
    const { openIndex } = await import("../../search/index.ts");
    const load = loadOptions(args);
    const literature = { ...load, reranker: args.rerank };
    await using index = args.index === undefined ? undefined : await openIndex(args.index, literature);
    await using server = await start({
      models: args.model,
      index,
      folders: { runs: args.runs, reviews: args.reviews, corpus: args.corpus },
      host: args.host,
      port: args.port,
      token,
      openToAll: args["no-token"],
      names: args.name,
      load,
      log: (error) => output.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    if (json) await output.json({ url: server.url });
    else await output.write(`${server.url}\n`);
    if (args.open) await open(token === undefined ? server.url : `${server.url}/?token=${encodeURIComponent(token)}`);
    if (!signal.aborted) await once(signal, "abort");
    await server.stop();
    output.note("stopped");
  },
});
export default serve;
