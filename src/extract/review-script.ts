/** Script of the review page: plain JavaScript that builds the page from the JSON in it, by text nodes alone. */
import { reviewForm } from "./review-form.ts";
import { decisionKey, isReviewed, parseDecisions, parseNone, placeOf, trainingRelations } from "./review-state.ts";

const parts = [decisionKey, parseDecisions, parseNone, isReviewed, trainingRelations, placeOf];
const state = parts.map((part) => part.toString()).join("\n");

const page = String.raw`
const data = JSON.parse(document.getElementById("data").textContent);
const memory = "galen-review:" + data.name;
let state = Object.create(null);
/* Documents without triples that state none, as the curator says. */
const none = new Set();
let form = null;
let message = "";
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

/* A triple as it is shown: of the run, with the curator's decision and words, or one that was missed. */
const namesOf = ({ head, relation, tail }) => ({ head: head.name, relation, tail: tail.name });
const known = new Map();
for (const doc of data.documents) {
  known.set(doc.id, doc);
  for (const triple of doc.triples) triple.key = decisionKey({ ...triple, original: namesOf(triple) });
}
const decisionsOf = (doc) => state[doc.id] || {};
const shownAs = (triple, decision) => decision ? { ...triple, head: decision.head, tail: decision.tail, relation: decision.relation, decision: decision.decision, edited: JSON.stringify(namesOf(decision)) !== JSON.stringify(namesOf(triple)) } : { ...triple, decision: null };
function triplesIn(doc) {
  const decisions = decisionsOf(doc);
  const own = doc.triples.map((triple) => shownAs(triple, decisions[triple.key]));
  const missed = Object.entries(decisions).filter(([, { original }]) => original === null).map(([key, one]) => ({ ...one, key, sentences: [], missed: true }));
  return [...own, ...missed];
}
const add = (one) => { (state[one.document] = state[one.document] || {})[decisionKey(one)] = one; };
const drop = (doc, key) => { delete decisionsOf(doc)[key]; };
const everyDecision = () => Object.values(state).flatMap((decisions) => Object.values(decisions));
const fileOf = () => JSON.stringify({ format: 2, run: data.name, task: data.task, decisions: everyDecision(), none: [...none] }, null, 2) + "\n";
const keep = () => { try { localStorage.setItem(memory, fileOf()); } catch { /* private mode: kept for this visit only */ } };
function load(text) {
  const loaded = parseDecisions(text);
  const without = parseNone(text);
  loaded.forEach(add);
  for (const id of without) none.add(id);
  return loaded.length + without.length;
}
try { load(localStorage.getItem(memory) || '{"decisions":[]}'); } catch { /* as above */ }

const missing = (triple) => !triple.head.at || !triple.tail.at;
const reviewed = (doc) => isReviewed(doc.triples.map(({ key }) => key), decisionsOf(doc), none.has(doc.id));
const everyTriple = () => filter === "all" || filter === "found";
const visible = (triple) => everyTriple() || (filter === "open" ? !triple.decision : filter === "missing" ? missing(triple) : filter === "changed" ? Boolean(triple.missed || triple.edited) : triple.decision === filter);
const triplesOf = (doc) => triplesIn(doc).filter(visible);
const unreviewed = (doc) => filter === "open" && doc.triples.length === 0 && !reviewed(doc);
const shown = () => (filter === "all" ? data.documents : data.documents.filter((doc) => triplesOf(doc).length > 0 || unreviewed(doc)));

function current() {
  const docs = shown();
  if (docs.length === 0) return { docs };
  at.doc = Math.max(0, Math.min(at.doc, docs.length - 1));
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
  const first = form || triple;
  if (!first) return ranges;
  for (const kind of ["head", "tail"]) if (first[kind].at && first[kind].at.field === field) ranges.push({ ...first[kind].at, kind });
  for (const other of triples) for (const mention of [other.head, other.tail]) if (mention.at && mention.at.field === field) ranges.push({ ...mention.at, kind: "other" });
  if (form) return ranges;
  for (const { at: place } of [triple.head, triple.tail]) {
    if (!place || place.field !== field) continue;
    for (const sentence of triple.sentences) {
      const start = doc[field].lastIndexOf(sentence, place.start);
      if (start >= 0 && place.end <= start + sentence.length) ranges.push({ start, end: start + sentence.length, kind: "evidence" });
    }
  }
  return ranges;
}

function card(triple, index) {
  const names = make("div", { class: "names" }, make("mark", { class: "head" }, triple.head.name), make("span", { class: "relation" }, "— " + triple.relation + " →"), make("mark", { class: "tail" }, triple.tail.name));
  const note = make("div", { class: "note" });
  if (triple.missed) note.append(make("span", { class: "decision" }, "+ added"));
  else if (triple.decision) note.append(make("span", { class: "decision" }, (triple.decision === "accept" ? "✓ accepted" : "✗ rejected") + (triple.edited ? ", changed" : "")));
  for (const what of ["head", "tail"]) if (!triple[what].at) note.append(make("span", { class: "missing" }, what + " not in the text"));
  if (triple.sentences.length > 1 && !missing(triple)) note.append(make("span", {}, "across sentences"));
  if (typeof triple.tripleScore === "number") note.append(make("span", { title: "mean log-probability of the tokens of this triple" }, "score " + triple.tripleScore.toFixed(2)));
  if (typeof triple.score === "number") note.append(make("span", { title: "mean log-probability of the tokens of the whole answer" }, "answer " + triple.score.toFixed(2)));
  const selected = index === at.triple;
  return make("li", { class: "triple " + (triple.decision || "") + (selected ? " current" : ""), "aria-current": selected ? "true" : false, onclick: () => { at.triple = index; draw(); } }, names, note);
}

function headerOf(docs) {
  const every = data.documents.flatMap((doc) => doc.triples.map((triple) => decisionsOf(doc)[triple.key]));
  const without = data.documents.filter((doc) => doc.triples.length === 0);
  const all = every.length + without.length;
  const done = every.filter(Boolean).length + without.filter(reviewed).length;
  const accepted = every.filter((one) => one && one.decision === "accept").length;
  const added = everyDecision().filter((one) => one.original === null && known.has(one.document)).length;
  const choices = [["all", without.length ? "all documents" : "all triples"], ...(without.length ? [["found", "documents with triples"]] : []), ["open", "undecided"], ["missing", "a name not in the text"], ["accept", "accepted"], ["reject", "rejected"], ["changed", "added or changed"]];
  const select = make("select", { "aria-label": "show", onchange: (event) => { filter = event.target.value; at = { doc: 0, triple: 0 }; form = null; draw(); } }, ...choices.map(([value, label]) => make("option", { value, selected: value === filter }, label)));
  const number = make("input", { type: "number", min: 1, max: docs.length, value: String(docs.length ? at.doc + 1 : 0), "aria-label": "document number", onchange: (event) => { turnTo(Number(event.target.value) - 1); } });
  const file = make("input", { type: "file", accept: ".json,application/json", hidden: true, "aria-label": "decisions file", onchange: (event) => loadDecisions(event.target.files[0]) });
  const pages = data.pages.length < 2 ? [] : data.pages.map((name, i) => i === data.page ? make("span", { class: "count" }, "part " + (i + 1)) : make("a", { href: name }, "part " + (i + 1)));
  return make("header", {},
    make("h1", {}, data.name),
    make("span", { class: "count" }, "document ", number, " of " + docs.length),
    ...pages,
    make("progress", { max: Math.max(1, all), value: done, "aria-label": "decided" }),
    make("span", { class: "count" }, done + " of " + all + " decided, " + accepted + " accepted, " + added + " added"),
    make("span", { class: "message", role: "status" }, message),
    make("div", { class: "tools" }, select, file,
      make("button", { onclick: () => file.click(), title: "decisions of another browser, from a file" }, "Load decisions"),
      make("button", { onclick: saveDecisions, title: "every decision, as JSON" }, "Save decisions"),
      make("button", { onclick: saveTraining, title: "reviewed documents as JSON lines for galen train: those with every triple decided, and those that state none, with an empty list of relations" }, "Save training data")));
}

function draw() {
  const { docs, doc, triples, triple } = current();
  const main = make("main", {});
  if (!doc) main.append(make("p", { class: "empty" }, data.documents.length === 0 ? "The run found no triples." : "Nothing to show here. Choose another filter above."));
  else {
    const article = make("article", {}, make("div", { class: "id" }, doc.id));
    if (doc.title) article.append(make("h2", { "data-field": "title" }, ...marked(doc.title, rangesOf(doc, "title", triple, triples))));
    article.append(make("p", { "data-field": "text" }, ...marked(doc.text, rangesOf(doc, "text", triple, triples))));
    const key = (name, what) => make("span", {}, make("kbd", {}, name), " " + what + "  ");
    const button = (label, title, act) => make("button", { title, onclick: act }, label);
    main.append(article, make("aside", {},
      form ? formOf(doc) : make("div", { class: "actions" },
        button("✓ Accept", "a", () => decide("accept")), button("✗ Reject", "r", () => decide("reject")), button("Undecide", "u", () => decide(null)),
        button("Change", "e", edit), button("+ Missed", "m", () => begin(null)),
        button("← Previous", "p", () => turn(-1)), button("Next →", "n", () => turn(1))),
      triples.length ? make("ol", {}, ...triples.map(card)) : make("p", { class: "note" }, none.has(doc.id) ? make("span", { class: "decision" }, "✓ states no relation") : "The run found no triple here. Accept that, or add what was missed."),
      make("p", { class: "help" }, key("a", "accept, or accept that a document states none"), key("r", "reject"), key("u", "undecide, or take an added triple away"), key("j", "next"), key("k", "previous"), key("n", "next document"), key("p", "previous document"), key("e", "change"), key("m", "add a missed triple"), key("h", "selected text is the head"), key("t", "selected text is the tail"), key("s", "save decisions"), key("l", "load decisions"))));
  }
  document.getElementById("app").replaceChildren(headerOf(docs), main);
  document.querySelector(".current")?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const { docs, doc, triples } = current();
  if (!doc) return;
  if (at.triple + by >= 0 && at.triple + by < triples.length) at.triple += by;
  else if (at.doc + by >= 0 && at.doc + by < docs.length) { at.doc += by; at.triple = by > 0 ? 0 : triplesOf(docs[at.doc]).length - 1; scrollTo(0, 0); }
  draw();
}
function turnTo(place) {
  const { docs } = current();
  if (!Number.isInteger(place) || place < 0 || place >= docs.length) return draw();
  at = { doc: place, triple: 0 };
  form = null;
  scrollTo(0, 0);
  draw();
}
const turn = (by) => turnTo(at.doc + by);
function decide(decision) {
  const { doc, triple } = current();
  if (!triple) return doc && decideNone(doc, decision);
  if (triple.missed) { if (decision === "accept") return; drop(doc, triple.key); }
  else if (decision) { const run = doc.triples.find((one) => one.key === triple.key); add({ document: doc.id, original: namesOf(run), head: triple.head, tail: triple.tail, relation: triple.relation, decision }); }
  else drop(doc, triple.key);
  keep();
  if (decision && !triple.missed && everyTriple()) step(1);
  else draw();
}
function decideNone(doc, decision) {
  if (decision === "reject") return;
  if (decision) none.add(doc.id);
  else none.delete(doc.id);
  keep();
  if (decision && everyTriple()) step(1);
  else draw();
}
function save(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const saveDecisions = () => save("decisions.json", "application/json", fileOf());
async function loadDecisions(file) {
  if (!file) return;
  try {
    const loaded = load(await file.text());
    keep();
    message = loaded + " decisions loaded";
  } catch (error) { message = file.name + ": " + error.message; }
  draw();
}
function textOf(doc) {
  if (doc.title.trim() === "") return doc.text;
  return doc.text.trim() === "" ? doc.title : doc.title + doc.separator + doc.text;
}
function saveTraining() {
  const ready = data.documents.filter(reviewed);
  const rows = ready.map((doc) => ({ id: doc.id, text: textOf(doc), relations: trainingRelations(Object.values(decisionsOf(doc))) }));
  const empty = rows.filter(({ relations }) => relations.length === 0).length;
  save("train.jsonl", "application/x-ndjson", rows.map((row) => JSON.stringify(row) + "\n").join(""));
  message = rows.length + " reviewed documents saved, " + empty + " of them with no relation; " + (data.documents.length - rows.length) + " not reviewed are left out";
  draw();
}
const keys = { a: () => decide("accept"), r: () => decide("reject"), u: () => decide(null), j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), n: () => turn(1), p: () => turn(-1), ArrowRight: () => turn(1), ArrowLeft: () => turn(-1), s: saveDecisions, l: () => document.querySelector("input[type=file]").click(), e: edit, m: () => begin(null), h: () => mark("head"), t: () => mark("tail"), Escape: cancel };
addEventListener("keydown", (event) => {
  const typing = event.target.tagName === "SELECT" || event.target.tagName === "INPUT";
  if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
  const act = Object.hasOwn(keys, event.key) && keys[event.key];
  if (!act || (form && !["h", "t", "Escape"].includes(event.key))) return;
  event.preventDefault();
  act();
});
draw();
`;

export const reviewScript: string = `"use strict";\n${state}\n${reviewForm}\n${page}`;
