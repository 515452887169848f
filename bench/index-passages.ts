/**
 * Real passages with real vectors for index.ts: texts of a corpus in parts of an abstract's length, each with a model's
 * vector of its beginning, of a sentence's length, which is enough for the vectors to lie as a model's do. Eight-bit
 * layers, on low priority; begun anew, it goes on where it was.
 *
 *     nice -n 15 npx node bench/index-passages.ts TEXTS.jsonl… --model MODEL_DIR --output FOLDER [--passages 200000]
 *
 * Writes FOLDER/texts.jsonl (id, title, text) and FOLDER/vectors.f32, row by row.
 */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readDocuments } from "../src/corpus/documents.ts";
import { splitSentences } from "../src/corpus/sentences.ts";
import { readLines } from "../src/io/lines.ts";
import { inWindows } from "../src/io/streams.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { random } from "../src/tensor/random.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    output: { type: "string" },
    passages: { type: "string", default: "200000" },
  },
});
const [model, output, most] = [values.model!, values.output!, Number(values.passages)];
const [partLength, beginning] = [1200, 100];
const [texts, vectors] = [join(output, "texts.jsonl"), join(output, "vectors.f32")];

/** Parts of a text that end with a sentence, all of them long. */
function* partsOf(text: string): Generator<string> {
  let from: number | undefined;
  for (const [start, end] of splitSentences(text)) {
    from ??= start;
    if (end - from < partLength) continue;
    if (end - from < 3 * partLength) yield text.slice(from, end);
    from = undefined;
  }
}

/** Its first words, of about so many characters. */
const beginningOf = (text: string): string => {
  const space = text.indexOf(" ", beginning);
  return space === -1 ? text : text.slice(0, space);
};

if (!existsSync(texts)) {
  mkdirSync(output, { recursive: true });
  const lines: string[] = [];
  const seen = new Set<string>();
  for await (const { title, text } of readDocuments(positionals)) {
    for (const part of partsOf(text)) {
      const key = beginningOf(part);
      if (seen.has(key)) continue;
      seen.add(key);
      lines.push(`${JSON.stringify({ id: String(lines.length), title, text: part })}\n`);
    }
  }
  // In any order, so that the first so many are of all of them.
  const generator = random(13);
  for (let i = lines.length - 1; i > 0; i--) {
    const j = generator.integer(i + 1);
    [lines[i], lines[j]] = [lines[j]!, lines[i]!];
  }
  const kept = lines.slice(0, most);
  writeFileSync(`${texts}.part`, "");
  for (let i = 0; i < kept.length; i += 1000) appendFileSync(`${texts}.part`, kept.slice(i, i + 1000).join(""));
  renameSync(`${texts}.part`, texts);
  console.log(`${kept.length} of ${lines.length} passages`);
}

await using embedder = await loadEmbedder(model, { threads: 1, weights: "int8" });
const bytes = embedder.width * Float32Array.BYTES_PER_ELEMENT;
const done = existsSync(vectors) ? Math.floor(statSync(vectors).size / bytes) : 0;
if (done > 0) truncateSync(vectors, done * bytes);
async function* rest(): AsyncGenerator<string> {
  for await (const { text, number } of readLines(texts)) {
    if (number > done) yield beginningOf((JSON.parse(text) as { text: string }).text);
  }
}
let count = done;
const start = performance.now();
for await (const some of inWindows(rest(), 1024)) {
  for (const vector of await embedder.embed(some)) appendFileSync(vectors, new Uint8Array(vector.buffer));
  count += some.length;
  const rate = ((count - done) / ((performance.now() - start) / 1000)).toFixed(0);
  if (count % 10240 === 0) console.log(`${count} vectors, ${rate} a second`);
}
console.log(`${count} vectors`);
