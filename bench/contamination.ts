/**
 * How fast texts are looked through for the examples of benchmarks: MB/s of JSON lines or other documents.
 *
 *   node bench/contamination.ts DOCUMENTS… [--data ../shared/data/benchmarks]
 */
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { readDocuments, titleAndText } from "../src/corpus/index.ts";
import { indexNgrams } from "../src/corpus/ngram-index.ts";
import { findOverlaps } from "../src/eval/index.ts";
import { tasks } from "../src/tasks/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string", default: "../shared/data/benchmarks" } },
});
const folders = {
  bc5cdr: "bc5cdr",
  "kd-dti": "kd-dti",
  ddi: "ddi",
  pubmedqa: "pubmedqa",
  hoc: "hoc",
  "ner-gene": "ner/BC2GM",
};
const sets = await Promise.all(
  Object.entries(folders).map(async ([name, folder]) => {
    const benchmark = tasks[name]!;
    return { benchmark, examples: await benchmark.read(`${values.data}/${folder}`, "test") };
  }),
);
const seconds = (since: number): number => (performance.now() - since) / 1000;

let start = performance.now();
const index = indexNgrams(
  sets.flatMap(({ benchmark, examples }) => examples.map((one) => `${benchmark.source(one)} ${benchmark.target(one)}`)),
);
const words = index.words.reduce((sum, one) => sum + one, 0);
console.log(`indexed ${index.words.length} examples, ${words} words, in ${seconds(start).toFixed(2)} s`);

const bytes = positionals.reduce((sum, path) => sum + statSync(path).size, 0);
let last = { documents: 0, characters: 0 };
start = performance.now();
const { overlaps: found } = await findOverlaps(sets, readDocuments(positionals), {
  onProgress: (progress) => (last = progress),
});
const whole = seconds(start);
console.log(
  `read and looked through ${last.documents} documents of ${(bytes / 1e6).toFixed(1)} MB in ${whole.toFixed(2)} s`,
);
console.log(
  `${(bytes / 1e6 / whole).toFixed(1)} MB/s, at most ${Math.round(process.memoryUsage().rss / 1e6)} MB in memory`,
);

const texts: string[] = [];
for await (const document of readDocuments(positionals, { limit: 20_000 })) texts.push(titleAndText(document));
const characters = texts.reduce((sum, text) => sum + text.length, 0);
start = performance.now();
for (const text of texts) index.find(text);
console.log(
  `of which the search alone runs at ${(characters / 1e6 / seconds(start)).toFixed(1)} million characters a second`,
);
for (const [i, name] of Object.keys(folders).entries()) {
  const seen = found[i]!.filter(({ verdict }) => verdict === "contaminated").length;
  console.log(`${name}: ${seen} of ${found[i]!.length} contaminated`);
}
