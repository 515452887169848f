/**
 * Extraction from documents, greedy, with models of random weights: Galen's whole `extract` (tokens, answers, places in
 * the text, files) beside transformers' `generate` alone on the same prompts and batches; documents a minute.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/extract.ts DOCUMENTS.jsonl [micro|base|nano] [documents] [rounds] [threads]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, readDocuments } from "../src/corpus/documents.ts";
import { extractDocuments } from "../src/extract/index.ts";
import { growVocabulary } from "../src/soft-prompts/prompt-rows.ts";
import { openTuned } from "../src/soft-prompts/index.ts";
import { layoutSource } from "../src/soft-prompts/layout.ts";
import { bioGpt } from "../src/models/biogpt/biogpt.ts";
import { trainBioGptTokenizer } from "../src/tokenizers/index.ts";
import { machine, median, startPeer } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

const [path, size = "micro", wanted = "8", rounds = "3", threads = "2"] = process.argv.slice(2);
if (path === undefined)
  throw new Error("usage: npx node bench/extract.ts DOCUMENTS.jsonl [micro|base|nano] [documents] [rounds] [threads]");
const newTokens = 48; // one statement of a relation or two

const documents: Document[] = [];
for await (const document of readDocuments([path])) {
  if (document.text.length < 400) continue;
  documents.push({ ...document, text: document.text.slice(0, 2500) });
  if (documents.length === Number(wanted)) break;
}
const tokenizer = await trainBioGptTokenizer(
  documents.map(({ text }) => text.toLowerCase()),
  { numMerges: 6000 },
);
const config = bioGpt.sizes[size]!;
const grown = growVocabulary(tokenizer, config.vocab_size, 9);
const folder = mkdtempSync(join(tmpdir(), "galen-extract-bench-"));
await writeRandomModel(join(folder, "model"), { ...config, vocab_size: grown.vocabSize }, grown.tokenizer);
const tuned = await openTuned(join(folder, "model"), { task: "bc5cdr", threads: Number(threads) });

// The same prompts in the same order for the other side: longest first, in batches of what Galen's cache takes.
const sources = documents.map(({ id, title, text }) => tuned.task.source({ id, text: `${title}. ${text}`, gold: [] }));
const prompts = sources.map((source) => layoutSource(tuned.layout, source).ids).sort((a, b) => b.length - a.length);

using peer = startPeer(new URL("extract.py", import.meta.url), join(folder, "model"), threads);
const versions = await peer?.ask<string>();
const own: number[] = [];
const others: number[] = [];
for (let round = -1; round < Number(rounds); round++) {
  const start = performance.now();
  await extractDocuments(tuned, documents, {
    output: join(folder, `out${round}`),
    window: documents.length,
    maxNewTokens: newTokens,
    repeatGuard: false,
  });
  const mine = (performance.now() - start) / 1000;
  const other = await peer?.ask<{ seconds: number }>({ prompts, newTokens, rows: 16 });
  if (round < 0) continue; // warm-up
  own.push(mine);
  if (other !== undefined) others.push(other.seconds);
}
await tuned.model.dispose();
rmSync(folder, { recursive: true });

const perMinute = (seconds: readonly number[]): number => (60 * documents.length) / median(seconds);
const mean = prompts.reduce((sum, { length }) => sum + length, 0) / prompts.length;
console.log(
  `${machine()}; ${size}, ${documents.length} documents of ${mean.toFixed(0)} tokens, ${newTokens} new tokens, ${threads} threads, medians of ${rounds}`,
);
console.log(`Galen extract: ${perMinute(own).toFixed(1)} documents a minute`);
if (others.length > 0) {
  console.log(`${versions}, generate in batches of 16: ${perMinute(others).toFixed(1)} documents a minute`);
  console.log(`ratio: ${median(own.map((seconds, i) => others[i]! / seconds)).toFixed(2)}`);
}
