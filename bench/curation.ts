/**
 * Megabytes a second of curation's rules on text, one process: words, Gopher's rules with those on repetition, C4's, FineWeb's,
 * MinHash signatures, beside datatrove's in the same run on the same texts (abstracts, trials, papers of ../shared), task by task
 * in turn; that both decide and count the same is checked. Clean-up and languages are measured alone: datatrove has no such
 * clean-up, and its languages need a model from the network.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/curation.ts [passes]
 *
 * "Cold" is the first pass over these texts, after one over others of the same files. Of datatrove one pass is taken: it is
 * slow, and keeps nothing from one text to another.
 */
import { mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import type { CorpusDocument } from "../src/corpus/corpus-document.ts";
import { createMinHash } from "../src/curate/text/minhash.ts";
import { c4, c4Defaults } from "../src/curate/rules/c4.ts";
import { fineWebDefaults, fineWebDrop } from "../src/curate/rules/fineweb.ts";
import { gopherDefaults, gopherDrop } from "../src/curate/rules/gopher.ts";
import { judged } from "../src/curate/rules/judged.ts";
import { repetitionDefaults, repetitionDrop } from "../src/curate/rules/repetition.ts";
import type { MapStage } from "../src/curate/stage.ts";
import { cleanStage } from "../src/curate/stages/clean.ts";
import { languageStage } from "../src/curate/stages/language.ts";
import { splitWords } from "../src/curate/text/words.ts";
import { shared } from "../test/support/shared.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const passes = Number(process.argv[2] ?? 5);
const files = { abstracts: 700, clinicaltrials: 300, "pmc-mixed": 40 };

/** `count` texts of a file at equal distances, from its `first` on. */
function textsOf(name: string, count: number, first: number): string[] {
  const lines = zstdDecompressSync(readFileSync(shared(`data/corpus/${name}.jsonl.zst`)))
    .toString()
    .trim()
    .split("\n");
  return Array.from({ length: count }, (_, i) => {
    const line = lines[Math.floor((i * lines.length) / count) + first]!;
    return (JSON.parse(line) as { text: string }).text;
  });
}
const all = (first: number): string[] => Object.entries(files).flatMap(([name, count]) => textsOf(name, count, first));
const [texts, others] = [all(0), all(1)];
const megabytesOf = (some: readonly string[]): number =>
  some.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
const megabytes = megabytesOf(texts);

const documentOf = (text: string): CorpusDocument => ({
  id: "bench:1",
  source: "bench",
  kind: "text",
  title: "",
  sections: [{ title: "", kind: "text", text }],
  date: null,
  language: null,
  licence: null,
  metadata: {},
});
async function staged<Settings>(stage: MapStage<Settings>): Promise<(text: string) => number | Promise<number>> {
  const { run } = await stage.open(stage.settings.parse({}), { folder: "." });
  return async (text) => Number((await run([documentOf(text)]))[0]!.keep);
}

const [xxhash, sha1] = [createMinHash(), createMinHash({ hash: "sha1" })];
/** Each gives a number that datatrove gives, too, where it has the task. */
const tasks: Readonly<Record<string, (text: string) => number | Promise<number>>> = {
  words: (text) => splitWords(text).length,
  gopher: (text) => {
    const one = judged(text);
    return Number(!gopherDrop(one, gopherDefaults)) + Number(!repetitionDrop(one, repetitionDefaults));
  },
  c4: (text) => Number(c4([text], c4Defaults).drop === undefined),
  fineweb: (text) => Number(!fineWebDrop(judged(text), fineWebDefaults)),
  xxhash: (text) => Number(xxhash(text) !== undefined),
  sha1: (text) => Number(sha1(text) !== undefined),
  clean: await staged(cleanStage),
  language: await staged(languageStage),
};
const titles: Readonly<Record<string, string>> = {
  words: "Words",
  gopher: "Gopher, repetition",
  c4: "C4",
  fineweb: "FineWeb",
  xxhash: "MinHash, xxHash64",
  sha1: "MinHash, SHA-1",
  clean: "Clean-up",
  language: "Languages",
};
const ofPeer = new Set(["words", "gopher", "c4", "fineweb", "xxhash", "sha1"]);

async function measure(task: string, some: readonly string[]): Promise<{ speed: number; count: number }> {
  const start = performance.now();
  let count = 0;
  for (const text of some) count += await tasks[task]!(text);
  return { speed: megabytesOf(some) / ((performance.now() - start) / 1e3), count };
}

using folder = mkdtempDisposableSync(join(tmpdir(), "galen-curation-bench-"));
writeFileSync(join(folder.path, "texts.json"), JSON.stringify(texts));
using peer = startPeer(new URL("curation.py", import.meta.url), join(folder.path, "texts.json"));
const version = await peer?.ask<string>();
console.log(
  `${machine()}; ${texts.length} texts, ${megabytes.toFixed(2)} MB, median of ${passes}; ${version ?? "no peer"}`,
);
console.log("| MB/s | Galen cold | Galen | datatrove | ratio |\n| --- | ---: | ---: | ---: | ---: |");
for (const task of Object.keys(tasks)) {
  await measure(task, others);
  const cold = await measure(task, texts);
  const speeds: number[] = [];
  for (let pass = 0; pass < passes; pass++) speeds.push((await measure(task, texts)).speed);
  const other = ofPeer.has(task) ? await peer?.ask<{ seconds: number; count: number }>(task) : undefined;
  if (other !== undefined && other.count !== cold.count)
    throw new Error(`${task}: Galen counts ${cold.count}, datatrove ${other.count}`);
  const theirs = other === undefined ? undefined : megabytes / other.seconds;
  const speed = median(speeds);
  const columns = [
    cold.speed.toFixed(1),
    speed.toFixed(1),
    theirs?.toFixed(2) ?? "",
    theirs ? `${(speed / theirs).toFixed(0)}×` : "",
  ];
  console.log(`| ${titles[task]} | ${columns.join(" | ")} |`);
}
