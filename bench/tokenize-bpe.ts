/**
 * Megabytes a second of byte pair encoding on real abstracts (../shared), one thread, beside Hugging Face tokenizers
 * (Rust, encode_batch without offsets) in the same run, pass by pass in turn; medians of passes that know the words.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/tokenize-bpe.ts [passes]
 *
 * Of characters: LLaMA 2's 32,000 tokens. Of bytes: 16,000 tokens, learned from other abstracts than those that are
 * measured. Without PEERS_PYTHON only Galen is.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { filesOfSentencePiece, readTokenizer, type Tokenizer, trainByteBpe } from "../src/tokenizers/index.ts";
import { shared } from "../test/support/shared.ts";
import { machine, median, startPeer } from "./support/peer.ts";

interface Pass {
  readonly seconds: number;
  readonly tokens: number;
}

const passes = Number(process.argv[2] ?? 7);
const documents = 2000;
const abstracts = zstdDecompressSync(readFileSync(shared("data/corpus/abstracts.jsonl.zst")))
  .toString()
  .split("\n")
  .slice(0, 4 * documents)
  .map((line) => (JSON.parse(line) as { text: string }).text);
const texts = abstracts.slice(0, documents);
const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;

function passOf(tokenizer: Tokenizer): Pass {
  const start = performance.now();
  let tokens = 0;
  for (const text of texts) tokens += tokenizer.encodeIds(text).length;
  return { seconds: (performance.now() - start) / 1e3, tokens };
}

async function measure(name: string, tokenizer: Tokenizer): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "galen-bench-"));
  for (const [file, contents] of tokenizer.files()) writeFileSync(join(folder, file), contents);
  writeFileSync(join(folder, "texts.json"), JSON.stringify(texts));
  const script = new URL("tokenize-bpe.py", import.meta.url);
  using peer = startPeer(script, join(folder, "tokenizer.json"), join(folder, "texts.json"));
  const version = (await peer?.ask<{ version: string }>())?.version;
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let pass = 0; pass <= passes; pass++) {
    const own = passOf(tokenizer);
    const other = await peer?.ask<Pass>(pass);
    if (other !== undefined && other.tokens !== own.tokens) {
      throw new Error(`${name}: tokens differ: ${own.tokens} and ${other.tokens}`);
    }
    // The first pass learns the words, and the engine compiles.
    if (pass === 0) continue;
    ours.push(megabytes / own.seconds);
    if (other !== undefined) theirs.push(megabytes / other.seconds);
  }
  rmSync(folder, { recursive: true });
  const own = median(ours);
  if (version === undefined) return `| ${name} | ${own.toFixed(2)} | – | – |`;
  const other = median(theirs);
  return `| ${name} | ${own.toFixed(2)} | ${other.toFixed(2)} (${version}) | ${(own / other).toFixed(2)} |`;
}

const model = readFileSync(shared("data/tokenizers/llama-2/tokenizer.model"));
const rows = [
  await measure("bytes, 16,000 tokens", await trainByteBpe(abstracts.slice(documents), { vocabSize: 16_000 })),
  await measure("characters, LLaMA 2", readTokenizer(filesOfSentencePiece(model, new Map()))),
];
console.log(`${machine()}, one thread, ${megabytes.toFixed(2)} MB, median of ${passes}`);
console.log("| MB/s | Galen | tokenizers | ratio |\n| --- | ---: | ---: | ---: |");
for (const row of rows) console.log(row);
