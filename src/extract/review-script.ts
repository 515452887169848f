/** Script of the review page: plain JavaScript that builds the page from the JSON in it, by text nodes alone. */
export const reviewScript: string = String.raw`
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const memory = "galen-review:" + data.name;
const keyOf = (doc, triple) => JSON.stringify([doc.id, triple.head.name, triple.relation, triple.tail.name]);
let decisions = {};
try { decisions = JSON.parse(localStorage.getItem(memory)) || {}; } catch { /* private mode: kept for this visit only */ }
let filter = "all";
let at = { doc: 0, triple: 0 };

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};
const missing = (triple) => !triple.head.at || !triple.tail.at;
const visible = (doc, triple) => filter === "all" || (filter === "open" ? !decisions[keyOf(doc, triple)] : filter === "missing" ? missing(triple) : decisions[keyOf(doc, triple)] === filter);
const triplesOf = (doc) => doc.triples.filter((triple) => visible(doc, triple));
const shown = () => data.documents.filter((doc) => triplesOf(doc).length > 0);
const all = () => data.documents.flatMap((doc) => doc.triples.map((triple) => ({ doc, triple, decision: decisions[keyOf(doc, triple)] || null })));
const keep = () => { try { localStorage.setItem(memory, JSON.stringify(decisions)); } catch { /* as above */ } };

function current() {
  const docs = shown();
  if (docs.length === 0) return {};
  at.doc = Math.min(at.doc, docs.length - 1);
  const doc = docs[at.doc];
  const triples = triplesOf(doc);
  at.triple = Math.max(0, Math.min(at.triple, triples.length - 1));
  return { docs, doc, triples, triple: triples[at.triple] };
}

/* Text with its ranges marked; ranges may overlap, the first in the list wins. */
function marked(text, ranges) {
  const kinds = Array(text.length).fill("");
  for (const { start, end, kind } of [...ranges].reverse()) for (let i = start; i < end && i < text.length; i++) kinds[i] = kind === "evidence" && kinds[i] ? kinds[i] : kind;
  const parts = [];
  for (let i = 0; i < text.length;) {
    let end = i + 1;
    while (end < text.length && kinds[end] === kinds[i]) end++;
    const piece = text.slice(i, end);
    if (kinds[i] === "") parts.push(piece);
    else parts.push(make(kinds[i] === "evidence" ? "span" : "mark", { class: kinds[i] }, piece));
    i = end;
  }
  return parts;
}

function rangesOf(doc, field, triple, triples) {
  const ranges = [];
  for (const [kind, mention] of [["head", triple.head], ["tail", triple.tail]]) if (mention.at && mention.at.field === field) ranges.push({ ...mention.at, kind });
  for (const other of triples) for (const mention of [other.head, other.tail]) if (mention.at && mention.at.field === field) ranges.push({ ...mention.at, kind: "other" });
  for (const { at: place } of [triple.head, triple.tail]) {
    if (!place || place.field !== field) continue;
    for (const sentence of triple.sentences) {
      const start = doc[field].lastIndexOf(sentence, place.start);
      if (start >= 0 && place.end <= start + sentence.length) ranges.push({ start, end: start + sentence.length, kind: "evidence" });
    }
  }
  return ranges;
}

function card(doc, triple, index) {
  const decision = decisions[keyOf(doc, triple)];
  const names = make("div", { class: "names" }, make("mark", { class: "head" }, triple.head.name), make("span", { class: "relation" }, "— " + triple.relation + " →"), make("mark", { class: "tail" }, triple.tail.name));
  const note = make("div", { class: "note" });
  if (decision) note.append(make("span", { class: "decision" }, decision === "accept" ? "✓ accepted" : "✗ rejected"));
  for (const [what, mention] of [["head", triple.head], ["tail", triple.tail]]) if (!mention.at) note.append(make("span", { class: "missing" }, what + " not in the text"));
  if (triple.sentences.length > 1 && !missing(triple)) note.append(make("span", {}, "across sentences"));
  note.append(make("span", { title: "mean log-probability of a token of the answer" }, "score " + triple.score.toFixed(2)));
  const selected = index === at.triple;
  return make("li", { class: "triple " + (decision || "") + (selected ? " current" : ""), "aria-current": selected ? "true" : false, onclick: () => { at.triple = index; draw(); } }, names, note);
}

function headerOf(docs) {
  const every = all();
  const done = every.filter(({ decision }) => decision).length;
  const accepted = every.filter(({ decision }) => decision === "accept").length;
  const choices = [["all", "all triples"], ["open", "undecided"], ["missing", "a name not in the text"], ["accept", "accepted"], ["reject", "rejected"]];
  const select = make("select", { "aria-label": "show", onchange: (event) => { filter = event.target.value; at = { doc: 0, triple: 0 }; event.target.blur(); draw(); } }, ...choices.map(([value, label]) => make("option", { value, selected: value === filter }, label)));
  return make("header", {},
    make("h1", {}, data.name),
    make("span", { class: "count" }, "document " + (docs ? at.doc + 1 : 0) + " of " + (docs ? docs.length : 0) + (data.omitted ? " (" + data.omitted + " more left out of this page)" : "")),
    make("progress", { max: Math.max(1, every.length), value: done, "aria-label": "decided" }),
    make("span", { class: "count" }, done + " of " + every.length + " decided, " + accepted + " accepted"),
    make("div", { class: "tools" }, select,
      make("button", { onclick: saveDecisions, title: "every decision, as JSON" }, "Save decisions"),
      make("button", { onclick: saveTraining, title: "documents with every triple decided, as JSON lines for galen finetune" }, "Save training data")));
}

function draw() {
  const { docs, doc, triples, triple } = current();
  const app = document.getElementById("app");
  const main = make("main", {});
  if (!doc) main.append(make("p", { class: "empty" }, data.documents.length === 0 ? "The run found no triples." : "Nothing to show here. Choose another filter above."));
  else {
    const article = make("article", {}, make("div", { class: "id" }, doc.id));
    if (doc.title) article.append(make("h2", {}, ...marked(doc.title, rangesOf(doc, "title", triple, triples))));
    article.append(make("p", {}, ...marked(doc.text, rangesOf(doc, "text", triple, triples))));
    const key = (name, what) => make("span", {}, make("kbd", {}, name), " " + what + "  ");
    main.append(article, make("aside", {},
      make("div", { class: "actions" },
        make("button", { onclick: () => decide("accept") }, "✓ Accept"), make("button", { onclick: () => decide("reject") }, "✗ Reject"), make("button", { onclick: () => decide(null) }, "Undecide"),
        make("button", { onclick: () => turn(-1), title: "previous document" }, "← Previous"), make("button", { onclick: () => turn(1), title: "next document" }, "Next →")),
      make("ol", {}, ...triples.map((one, i) => card(doc, one, i))),
      make("p", { class: "help" }, key("a", "accept"), key("r", "reject"), key("u", "undecide"), key("j", "next"), key("k", "previous"), key("n", "next document"), key("p", "previous document"), key("s", "save decisions"))));
  }
  app.replaceChildren(headerOf(docs), main);
  document.querySelector(".current")?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const { docs, triples } = current();
  if (!docs) return;
  if (at.triple + by >= 0 && at.triple + by < triples.length) at.triple += by;
  else if (at.doc + by >= 0 && at.doc + by < docs.length) { at.doc += by; at.triple = by > 0 ? 0 : triplesOf(docs[at.doc]).length - 1; scrollTo(0, 0); }
  draw();
}
function turn(by) {
  const { docs } = current();
  if (!docs || at.doc + by < 0 || at.doc + by >= docs.length) return;
  at = { doc: at.doc + by, triple: 0 };
  scrollTo(0, 0);
  draw();
}
function decide(decision) {
  const { doc, triple } = current();
  if (!triple) return;
  const before = visible(doc, triple);
  if (decision) decisions[keyOf(doc, triple)] = decision;
  else delete decisions[keyOf(doc, triple)];
  keep();
  if (decision && before === visible(doc, triple)) step(1);
  else draw();
}
function save(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
function saveDecisions() {
  const list = all().filter(({ decision }) => decision).map(({ doc, triple, decision }) => ({ document: doc.id, head: triple.head, tail: triple.tail, relation: triple.relation, decision }));
  save("decisions.json", "application/json", JSON.stringify({ format: 1, run: data.name, task: data.task, decisions: list }, null, 2) + "\n");
}
function saveTraining() {
  const lines = data.documents.filter((doc) => doc.triples.every((triple) => decisions[keyOf(doc, triple)])).map((doc) => {
    const accepted = doc.triples.filter((triple) => decisions[keyOf(doc, triple)] === "accept");
    const relations = accepted.map(({ head, tail, relation }) => ({ head: head.name, tail: tail.name, relation }));
    return JSON.stringify({ id: doc.id, text: doc.joined, relations }) + "\n";
  });
  save("train.jsonl", "application/x-ndjson", lines.join(""));
}
const keys = { a: () => decide("accept"), r: () => decide("reject"), u: () => decide(null), j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), n: () => turn(1), p: () => turn(-1), ArrowRight: () => turn(1), ArrowLeft: () => turn(-1), s: saveDecisions };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const act = Object.hasOwn(keys, event.key) && keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
draw();
`;
