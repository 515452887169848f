/** A page that embeds, searches and writes in the browser. Addresses stand in its own: ?embedder=…&index=…&decoder=… */
import { openDecoder, openEmbedder, openSearch } from "galen/browser";

/** @param {string} selector */
const element = (selector) => /** @type {any} */ (document.querySelector(selector));
const addresses = element("#addresses");
const state = element("#state");
/** @type {Partial<{ embedder: any, index: any, decoder: any }>} */
const opened = {};

function say(text, isFailure = false) {
  state.textContent = text;
  state.classList.toggle("failure", isFailure);
}

/** Runs what a form does, with its button off meanwhile; what goes wrong is said. */
function onSubmit(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await act(new FormData(form));
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
}

const onProgress = ({ file, bytes, total }) => {
  const share = total === undefined ? "" : ` of ${(total / 1e6).toFixed(1)}`;
  say(`${file.split("/").at(-1)}: ${(bytes / 1e6).toFixed(1)}${share} MB`);
};

/** Opens what has an address, and closes what was open before. */
async function open(fields) {
  const given = Object.fromEntries([...fields].filter(([, value]) => value !== ""));
  history.replaceState(null, "", `?${new URLSearchParams(given)}`);
  const options = { device: given.device, onProgress };
  const said = [];
  const tell = (name, { device, notes }) => said.push(`${name} on ${device}`, ...notes);
  await opened.index?.[Symbol.asyncDispose]();
  await opened.embedder?.dispose();
  await opened.decoder?.dispose();
  for (const name of Object.keys(opened)) delete opened[name];
  if (given.embedder) {
    opened.embedder = await openEmbedder(given.embedder, options);
    tell("embedding model", opened.embedder);
  }
  if (given.index) {
    opened.index = await openSearch(given.index, { embedder: opened.embedder, onProgress });
    said.push(`${await opened.index.count()} documents`);
  }
  if (given.decoder) {
    opened.decoder = await openDecoder(given.decoder, options);
    tell("decoder", opened.decoder);
  }
  element("#compare button").disabled = opened.embedder === undefined;
  element("#search button").disabled = opened.index === undefined;
  element("#write button").disabled = opened.decoder === undefined;
  say(said.length === 0 ? "Nothing has an address yet." : `Open: ${said.join("; ")}.`);
}

function show(list, items) {
  list.replaceChildren(
    ...items.map((parts) => {
      const item = document.createElement("li");
      item.append(...parts);
      return item;
    }),
  );
}

/** A passage as nodes, with the ranges of its document marked that lie in it. */
function marked({ passage, start: first, end: last, highlights }) {
  const nodes = [];
  let at = first;
  for (const [start, end] of highlights.filter(([start, end]) => start >= first && end <= last)) {
    const mark = document.createElement("mark");
    mark.textContent = passage.slice(start - first, end - first);
    nodes.push(passage.slice(at - first, start - first), mark);
    at = end;
  }
  return [...nodes, passage.slice(at - first)];
}

async function compare(fields) {
  const texts = fields
    .get("texts")
    .split("\n")
    .filter((text) => text.trim() !== "");
  const [query, ...vectors] = await opened.embedder.embed([fields.get("query"), ...texts]);
  const cosine = (a, b) => a.reduce((sum, one, i) => sum + one * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
  const scored = texts.map((text, i) => ({ text, score: cosine(query, vectors[i]) }));
  scored.sort((a, b) => b.score - a.score);
  show(
    element("#compare .results"),
    scored.map(({ text, score }) => [`${score.toFixed(3)} ${text}`]),
  );
}

async function search(fields) {
  const { hits } = await opened.index.search(fields.get("query"));
  show(
    element("#search .results"),
    hits.map((hit) => [
      `${hit.retracted ? "Retracted: " : ""}${hit.title} (${[hit.id, hit.year].filter(Boolean).join(", ")})`,
      document.createElement("br"),
      ...marked(hit),
    ]),
  );
}

let writing = new AbortController();

async function write(fields) {
  writing = new AbortController();
  const output = element("#write output");
  const stop = element("#write [name=stop]");
  stop.disabled = false;
  output.textContent = fields.get("prompt");
  try {
    const options = {
      prompts: fields.get("prompt"),
      maxNewTokens: Number(fields.get("tokens")),
      signal: writing.signal,
    };
    const drawn = fields.get("sample") ? { doSample: true, topP: 0.9, seed: Date.now() % 2 ** 31 } : {};
    for await (const { text } of opened.decoder.generateStream({ ...options, ...drawn })) output.append(text);
  } catch (error) {
    if (!writing.signal.aborted) throw error;
  } finally {
    stop.disabled = true;
  }
}

onSubmit(addresses, open);
onSubmit(element("#compare"), compare);
onSubmit(element("#search"), search);
onSubmit(element("#write"), write);
element("#write [name=stop]").addEventListener("click", () => writing.abort());
for (const [name, value] of new URLSearchParams(location.search)) {
  if (addresses.elements[name] !== undefined) addresses.elements[name].value = value;
}
if (location.search !== "") addresses.requestSubmit();
