/**
 * Entities of NCBI-disease's test sentences, from text to places in it, beside transformers' token-classification pipeline:
 * random weights of MiniLM's size or of BERT-base's, PubMedBERT's vocabulary, one folder that both read. Rounds take turns,
 * medians are compared; a last line says of how many sentences the entities are the same.
 * `PEERS_PYTHON=python npx node bench/tag.ts [biomedbert-small|biomedbert-base] [sentences] [rounds]`; THREADS=2, BATCHES=1,32.
 */
import { cpSync, mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTagger, tagTexts } from "../src/labellers.ts";
import { families } from "../src/models/index.ts";
import { parseIob } from "../src/tasks/ner.ts";
import { readText } from "../src/io/files.ts";
import { hasShared, shared } from "../test/support/shared.ts";
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

const [size = "biomedbert-small", sentences = "940", rounds = "3"] = process.argv.slice(2);
const threads = Number(process.env["THREADS"] ?? 2);
const batches = (process.env["BATCHES"] ?? "1,32").split(",");
const [test, tokenizer] = ["data/benchmarks/ner/NCBI-disease/test.tsv", "data/tokenizers/pubmedbert"];

/** Of each sentence: type, start and end of its entities. */
type Found = readonly (readonly [type: string, start: number, end: number])[][];

interface Answer {
  readonly seconds: number;
  readonly entities: Found;
}

/** A tagger of a named size, and the vocabulary. */
async function writeModel(folder: string): Promise<void> {
  const config = families["bert"]!.sizes[size];
  if (config === undefined) throw new Error(`expected a named size of BERT, got ${size}`);
  cpSync(shared(tokenizer), folder, { recursive: true });
  const labels = ["O", "B-Disease", "I-Disease"];
  await writeRandomModel(folder, {
    ...config,
    vocab_size: 30_522,
    architectures: ["BertForTokenClassification"],
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  } as typeof config);
}

async function main(): Promise<void> {
  if (!hasShared(test) || !hasShared(tokenizer)) return;
  using scratch = mkdtempDisposableSync(join(tmpdir(), "galen-tag-"));
  await writeModel(scratch.path);
  const read = parseIob(await readText(shared(test)), test).slice(0, Number(sentences));
  const texts = read.map(({ tokens }) => tokens.join(" "));
  await using tagger = await loadTagger(scratch.path, { threads });
  using peer = startPeer(new URL("tag.py", import.meta.url), scratch.path, String(threads));
  const name = await peer?.ask<string>();
  const own = async (): Promise<Answer> => {
    const start = performance.now();
    const entities: [string, number, number][][] = [];
    const rows = texts.map((text, i) => ({ id: `${i}`, title: "", text }));
    for await (const one of tagTexts(tagger, rows)) {
      entities.push(one.entities.map(({ type, start: from, end }) => [type, from, end]));
    }
    return { seconds: (performance.now() - start) / 1000, entities };
  };
  const sides = [{ name: "galen", run: own }];
  for (const batch of peer === undefined ? [] : batches) {
    sides.push({ name: `${name}, batches of ${batch}`, run: () => peer!.ask<Answer>([texts, Number(batch)]) });
  }
  const found = sides.map((): Answer[] => []);
  // The first round warms up.
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [i, { run }] of sides.entries()) found[i]!.push(await run());
  }
  console.log(`${machine()}, ${threads} threads; ${size}, ${texts.length} sentences; ${rounds} rounds`);
  const times = found.map((all) => all.slice(1).map(({ seconds }) => seconds));
  sides.forEach((side, i) => {
    const ratio = i === 0 ? "" : ` (galen ${median(times[0]!.map((own, k) => times[i]![k]! / own)).toFixed(2)} ×)`;
    console.log(`${side.name}: ${(texts.length / median(times[i]!)).toFixed(1)} sentences/s${ratio}`);
  });
  if (found.length > 1) {
    const [mine, others] = [found[0]!, found[1]!].map((all) => all[0]!.entities);
    const same = mine!.filter((one, i) => JSON.stringify(one) === JSON.stringify(others![i])).length;
    console.log(`the same entities in ${same} of ${texts.length} sentences`);
  }
}

await main();
