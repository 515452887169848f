/**
 * Vectors of a Sentence Transformers directory, of the GGUF files made of it, and llama.cpp's of these (node-llama-cpp, which
 * has to be installed): how far apart they are, and whether the tokens are the same.
 *
 *     node bench/gguf-vectors.ts DIRECTORY TEXTS.jsonl [COUNT]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertModel } from "../src/convert.ts";
import { readTexts } from "../src/corpus/texts.ts";
import { cosines, loadEmbedder } from "../src/retrieval/embedder.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";

const [directory, file, count = "40"] = process.argv.slice(2);
if (directory === undefined || file === undefined) throw new Error("expected DIRECTORY and TEXTS.jsonl");
const name = "node-llama-cpp";
const { getLlama } = await import(name);
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: 1 });

const folder = mkdtempSync(join(tmpdir(), "galen-gguf-vectors-"));
const texts: string[] = [];
for await (const { text } of readTexts(file)) {
  if (texts.push(text.slice(0, 900)) === Number(count)) break;
}
await using reference = await loadEmbedder(directory, { threads: 1 });
const expected = await reference.embed(texts);
for (const type of ["f32", "f16", "q8_0"] as const) {
  const output = join(folder, `${type}.gguf`);
  await convertModel({ source: directory, output, type });
  const tokenizer = await loadTokenizer(output);
  const model = await llama.loadModel({ modelPath: output, gpuLayers: 0 });
  const context = await model.createEmbeddingContext({ contextSize: 512, batchSize: 512, threads: 1 });
  await using file = await loadEmbedder(output, { threads: 1 });
  const own = await file.embed(texts);
  const theirs: number[][] = [];
  let same = 0;
  for (const text of texts) {
    theirs.push((await context.getEmbeddingFor(text)).vector);
    const ids = tokenizer.encodeIds(text).slice(tokenizer.frame.before.length, -tokenizer.frame.after.length);
    if (ids.join() === model.tokenize(text).join()) same++;
  }
  const row = {
    type,
    texts: texts.length,
    sameTokens: same,
    directory: cosines(own, expected),
    llamaCpp: cosines(own, theirs),
  };
  console.log(JSON.stringify(row));
}
await llama.dispose();
rmSync(folder, { recursive: true });
