/** A folder in which the examples of help can be run: small data under the names that they use, and tiny models of them. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { stdoutOf } from "./command-line.ts";
import { filesOfFolder } from "./hub-server.ts";
import { type HubWorld, hubWorld } from "./hub-env.ts";
import { tinyDocuments } from "./tiny-task.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = readFileSync(join(root, "samples/pubmed-sample.xml"));
const golden = (name: string): string => join(root, "test/goldens/retrieval", name);

/** As a shell splits a line: quotes, and nothing behind < or |. */
export function words(line: string): string[] {
  const command = line.split(/ [<|>] /)[0]!;
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain!,
  );
}

const organs = ["kidney", "heart", "stroke", "insulin"];

function write(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Texts, pairs, lists, benchmarks. */
function writeData(): void {
  for (const name of ["pubmed26n0001.xml.gz", "pubmed/1.xml.gz", "baseline/1.xml.gz", "updatefiles/2.xml.gz"]) {
    write(name, gzipSync(sample));
  }
  write("pmids.txt", "900000001\n900000002\n");
  const texts = Array.from({ length: 24 }, (_, i) => `The ${organs[i % 4]} of patient ${i} was treated.`);
  const documents = texts.map((text, i) => ({ id: `d${i}`, title: "A report.", text }));
  for (const name of ["abstracts", "mine", "held-out", "trials", "texts"]) write(`${name}.jsonl`, lines(documents));
  write("trials.csv", `nr;abstract\n${documents.map(({ text }, i) => `${i};"${text}"\n`).join("")}`);
  for (const name of ["abstracts", "sentences", "prompts"]) write(`${name}.txt`, `${texts.slice(0, 4).join("\n")}\n`);
  const labelled = texts.map((text, i) => ({ text, label: organs[i % 4]! }));
  for (const name of ["train", "test"]) write(`${name}.jsonl`, lines(labelled));
  const tagged = texts.map((text) => {
    const tokens = text.replace(".", " .").split(" ");
    return tokens.map((token) => `${token}\t${organs.includes(token) ? "B-Organ" : "O"}\n`).join("");
  });
  for (const name of ["test.tsv", "data/ner/NCBI-disease/test.tsv"]) write(name, `${tagged.join("\n")}\n`);
  write("pairs.jsonl", lines(texts.map((text, i) => ({ query: `${organs[i % 4]} ${i}?`, documents: [text] }))));
  write(
    "lists.jsonl",
    lines(texts.map((text, i) => ({ query: `${organs[i % 4]}?`, documents: [text, texts[(i + 1) % 24]!] }))),
  );
  writeBenchmarks(texts);
  writeFeedback();
  writeSources(texts);
  for (const name of ["BC5CDR-chem", "BC5CDR-disease", "NCBI-disease", "BC2GM", "JNLPBA"]) {
    for (const split of ["train", "test"]) {
      write(`data/benchmarks/ner/${name}/${split}.tsv`, `${tagged.join("\n").replaceAll("B-Organ", "B")}\n`);
    }
  }
  const options = { A: "kidney", B: "heart", C: "stroke", D: "insulin" };
  const questions = texts.map((question, i) => ({ question, options, answer_idx: "ABCD"[i % 4] }));
  for (const split of ["train", "test"]) write(`data/benchmarks/medqa/${split}.jsonl`, lines(questions));
  const rows = questions.map(({ question, answer_idx: answer }) => `${question},${organs.join()},${answer}\n`);
  for (const split of ["dev", "test"]) write(`data/benchmarks/mmlu/anatomy_${split}.csv`, rows.join(""));
}

/** An article, a trial's record, a labelled note. */
function writeSources([text = ""]: readonly string[]): void {
  const ids =
    '<article-id pub-id-type="pmc">PMC1</article-id><title-group><article-title>Kidneys</article-title></title-group>';
  const meta = `<front><article-meta>${ids}</article-meta></front>`;
  write("articles/1.nxml", `<article>${meta}<body><sec><title>Methods</title><p>${text}</p></sec></body></article>`);
  const identificationModule = { nctId: "NCT00000001", briefTitle: "Hearts" };
  const protocolSection = { identificationModule, descriptionModule: { briefSummary: text } };
  write("studies.json", JSON.stringify({ studies: [{ protocolSection }] }));
  write("labelled.jsonl", lines([{ text: "Seen by Dr. Will.", identifiers: [{ class: "NAME", start: 12, end: 16 }] }]));
}

/** Answers, and what two people said of them. */
function writeFeedback(): void {
  const [prompt, order] = ["What failed?", [0, 1]];
  write("questions.jsonl", lines([{ prompt }, { prompt: "Which organ?" }]));
  const answers = organs.slice(0, 2).map((text) => ({ text, by: null }));
  write("judged.items.jsonl", lines([{ id: "one", prompt, answers }]));
  const said = { act: "judge", item: "one", order, ranks: [1, 2], wrong: [false, true], reason: "", seconds: 4 };
  write("judged.jsonl", lines(["Ann", "Bob"].map((rater) => ({ at: "2026-11-27T12:00:00.000Z", rater, ...said }))));
}

function writeBenchmarks(texts: readonly string[]): void {
  write("data/nfcorpus/corpus.jsonl", lines(texts.map((text, i) => ({ _id: `d${i}`, title: "", text }))));
  write("data/nfcorpus/queries.jsonl", lines(organs.map((text, i) => ({ _id: `q${i}`, text }))));
  write(
    "data/nfcorpus/qrels/dev.tsv",
    ["query-id\tcorpus-id\tscore", ...organs.map((_, i) => `q${i}\td${i}\t1`)].join("\n"),
  );
  const articles = texts.map((text, i) => [`${i}`, { QUESTION: `${organs[i % 4]}?`, LONG_ANSWER: text }]);
  write("data/pubmedqa/ori_pqal.json", JSON.stringify(Object.fromEntries(articles)));
  for (const [split, count] of Object.entries({ train: 24, valid: 4, test: 4 })) {
    const documents = tinyDocuments(count, count);
    write(`my-data/${split}.jsonl`, lines(documents));
    const ddi = documents.map(({ id, text, relations }): [string, object] => {
      const triples = relations.map(({ head, tail, relation }) => ({
        drug: head,
        target: tail,
        interaction: relation,
      }));
      return [id, { abstract: text, triples }];
    });
    write(`data/ddi/${split}.json`, JSON.stringify(Object.fromEntries(ddi)));
    write(`data/hoc/${split}.tsv`, documents.map(({ text }) => `${split} ${text}\tresisting cell death\n`).join(""));
  }
  write("my-relations.json", JSON.stringify({ kind: "relation", relations: ["effect", "mechanism"] }));
}

/** The hub that documents and help speak of, with tiny models under the names that they use; until it is disposed of. */
export function worldHub(): Promise<HubWorld> {
  const files = filesOfFolder(golden("mean"));
  const decoder = filesOfFolder(join(root, "test/goldens/biogpt/model"));
  return hubWorld({
    "NeuML/biomedbert-small-embeddings": { files },
    "sentence-transformers/all-MiniLM-L6-v2": { files },
    "microsoft/biogpt": { files: decoder },
  });
}

/** Jobs that were handed to nobody, one that waits for another, and one that is done. */
async function writeJobs(): Promise<void> {
  const training =
    "biogpt-nano --scale debug steps=2 --data runs/tokens --tokenizer runs/tokenizer --on local --dry-run";
  for (const line of [
    "launch array --on local --over abstracts.txt prompts.txt --output jobs/embedded --dry-run -- tokenize --tokenizer runs/tokenizer --output jobs-{name} {input}",
    `launch training ${training} --output jobs/nano`,
    `launch training ${training} --after jobs/embedded --output jobs/later`,
  ]) {
    await stdoutOf(...words(line));
  }
  cpSync("jobs/nano", "jobs/done", { recursive: true });
  cpSync("jobs/done/start", "jobs/done/model", { recursive: true });
  const updates = [1, 2].map((step) => ({ type: "step", step, loss: 9 - step, learningRate: 1e-3, speed: 100 }));
  write("jobs/done/metrics.jsonl", updates.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const files = readdirSync("jobs/done/model").map((name) => {
    const contents = readFileSync(join("jobs/done/model", name));
    return [name, { bytes: contents.length, sha256: createHash("sha256").update(contents).digest("hex") }];
  });
  write("jobs/done/done.json", JSON.stringify({ step: 2, stopped: false, files: Object.fromEntries(files) as object }));
}

/** Fills the working directory. */
export async function writeWorld(): Promise<void> {
  writeData();
  const small = "--scale debug --threads 1";
  const on = (model: string, data: string): string => `--model ${model} --data ${data} ${small}`;
  for (const line of [
    "corpus import pubmed/ --output datasets/pubmed",
    "corpus run samples/corpus.yaml --output runs/corpus",
    "tokenizer train pubmed/ --output runs/tokenizer --vocab-size 600",
    "tokenizer train pubmed/ --output runs/wordpiece --family bert --vocab-size 400",
    "tokenize --tokenizer runs/tokenizer --output runs/tokens --held-out 0.1 pubmed/",
    `train biogpt-nano steps=1 model.max_position_embeddings=512 --data runs/tokens --tokenizer runs/tokenizer --output runs/nano ${small}`,
    "convert runs/nano/model --output biogpt-fairseq --to fairseq",
    "tokenizer train pubmed/ --output runs/bytes --family byte-bpe --vocab-size 400",
    "tokenize --tokenizer runs/bytes --output runs/byte-tokens --held-out 0.1 pubmed/",
    `train llama-nano steps=1 model.max_position_embeddings=256 --data runs/byte-tokens --tokenizer runs/bytes --output runs/chat ${small}`,
    `train ddi steps=1 ${on("runs/nano/model", "data/ddi")} --output runs/ddi`,
    `train hoc steps=1 ${on("runs/nano/model", "data/hoc")} --output runs/hoc`,
    `train my-relations.json steps=1 ${on("runs/nano/model", "my-data")} --output runs/mine`,
  ]) {
    await stdoutOf(...words(line));
  }
  await writeJobs();
  writeFileSync(
    "runs/chat/model/chat_template.jinja",
    "{% for message in messages %}{{ message.role + ': ' + message.content + eos_token }}{% endfor %}assistant:",
  );
  for (const name of ["biogpt", "runs/large/model"]) cpSync("runs/nano/model", name, { recursive: true });
  cpSync(golden("mean"), "all-MiniLM-L6-v2", { recursive: true });
  cpSync(golden("cross-one"), "runs/reranker/model", { recursive: true });
  cpSync(golden("colbert"), "runs/colbert/model", { recursive: true });
  cpSync(join(root, "test/goldens/llama/llama/model"), "llama", { recursive: true });
  cpSync(join(root, "test/goldens/peft/plain"), "adapter", { recursive: true });
  for (const line of [
    "convert llama --output model.gguf",
    "index samples/pubmed-sample.xml --model all-MiniLM-L6-v2 --output index",
    `train classifier epochs=1 ${on("all-MiniLM-L6-v2", "train.jsonl")} --output runs/classes`,
    `train tagger epochs=1 ${on("all-MiniLM-L6-v2", "test.tsv")} --output runs/ner`,
    ...["base", "mine", "large"].map(
      (name) =>
        `evaluate suite medqa --model runs/nano/model --data data/benchmarks --any-version --output scores/${name}`,
    ),
  ]) {
    await stdoutOf(...words(line));
  }
}
