/** The review page's form for a missed triple and for changing a wrong one; part of the page's script. */
export const reviewForm: string = String.raw`
/* The triple that is being written: form = { key (of the triple changed, or null), head, tail, relation }. */
function begin(triple) {
  const { doc } = current();
  if (!doc) return;
  const empty = { name: "", at: null };
  form = triple ? { key: triple.key, missed: Boolean(triple.missed), head: triple.head, tail: triple.tail, relation: triple.relation } : { key: null, head: empty, tail: empty, relation: data.relations[0] || "" };
  draw();
  document.querySelector("#form-head").focus();
}
function edit() {
  const { triple } = current();
  if (triple) begin(triple);
}
function cancel() {
  if (!form) return;
  form = null;
  draw();
}

/* What is selected in title or text, as whole words; null where nothing is. */
function selected(doc) {
  const selection = getSelection();
  if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const node = range.startContainer;
  const field = (node.nodeType === 1 ? node : node.parentElement).closest("[data-field]");
  if (!field || !field.contains(range.endContainer)) return null;
  const before = document.createRange();
  before.selectNodeContents(field);
  before.setEnd(range.startContainer, range.startOffset);
  const text = field.textContent;
  const wordy = (i) => i >= 0 && i < text.length && /[\p{L}\p{N}]/u.test(text[i]);
  let start = before.toString().length;
  let end = start + range.toString().length;
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  if (start === end) return null;
  while (wordy(start) && wordy(start - 1)) start--;
  while (wordy(end - 1) && wordy(end)) end++;
  return { name: text.slice(start, end), at: { field: field.getAttribute("data-field"), start, end } };
}
function mark(role) {
  const { doc } = current();
  const mention = doc && selected(doc);
  if (!mention) { message = "select the " + role + " in the text first"; return draw(); }
  message = "";
  if (!form) form = { key: null, head: { name: "", at: null }, tail: { name: "", at: null }, relation: data.relations[0] || "" };
  form[role] = mention;
  draw();
  const next = form.head.name === "" ? null : form.tail.name === "" ? null : document.querySelector("#form-relation");
  if (next) next.focus();
}

function formOf(doc) {
  const field = (role) => {
    const note = make("span", { class: "note" });
    const say = () => note.replaceChildren(form[role].name === "" ? "select in the text and press " + role[0] + ", or type" : form[role].at ? "in the " + form[role].at.field : make("span", { class: "missing" }, "not in the text"));
    const input = make("input", { id: "form-" + role, type: "text", autocomplete: "off", oninput: (event) => { const name = event.target.value.trim(); form[role] = { name, at: placeOf(name, doc) }; say(); } });
    input.value = form[role].name;
    say();
    return make("label", {}, make("span", {}, role), input, make("button", { type: "button", onmousedown: (event) => event.preventDefault(), onclick: () => mark(role) }, "from selection"), note);
  };
  const relation = make("input", { id: "form-relation", type: "text", list: "relations", autocomplete: "off", oninput: (event) => { form.relation = event.target.value.trim(); } });
  relation.value = form.relation;
  const list = make("datalist", { id: "relations" }, ...data.relations.map((value) => make("option", { value })));
  return make("form", { class: "triple", onsubmit: (event) => { event.preventDefault(); finish(doc); } },
    make("strong", {}, form.key ? "Change the triple" : "A triple that was missed"), field("head"), field("tail"),
    make("label", {}, make("span", {}, "relation"), relation, list),
    make("div", { class: "actions" }, make("button", { type: "submit" }, form.key ? "Change (Enter)" : "Add (Enter)"), make("button", { type: "button", onclick: cancel }, "Cancel (Esc)")));
}

function finish(doc) {
  const { key, missed, head, tail, relation } = form;
  if (head.name === "" || tail.name === "" || relation === "") { message = "a triple has a head, a tail and a relation"; return draw(); }
  const run = doc.triples.find((triple) => triple.key === key);
  if (missed) drop(doc, key);
  add({ document: doc.id, original: run ? namesOf(run) : null, head, tail, relation, decision: "accept" });
  none.delete(doc.id);
  keep();
  form = null;
  message = "";
  if (!run) {
    if (!everyTriple()) filter = "all";
    at.doc = shown().indexOf(doc);
    at.triple = triplesIn(doc).length - 1;
  }
  draw();
}
`;
