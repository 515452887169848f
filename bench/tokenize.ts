/**
 * Megabytes a second of BioGPT's tokenizer on real abstracts (titles and abstracts of ../shared), one thread, beside
 * Hugging Face's BioGptTokenizer in the same run, pass by pass in turn; medians.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/tokenize.ts [biogpt|biogpt-large] [passes]
 *
 * The first pass of either starts with empty caches ("cold") and is given apart; later ones know the words.
 * Without PEERS_PYTHON only Galen is measured.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import { createBioGptTokenizer, bioGptPartsFromFiles } from "../src/tokenizers/index.ts";
import { shared } from "../test/support/shared.ts";

const model = process.argv[2] ?? "biogpt";
const passes = Number(process.argv[3] ?? 3);
const documents = 2000;

const lines = zstdDecompressSync(readFileSync(shared("data/corpus/abstracts.jsonl.zst")))
  .toString()
  .split("\n");
const texts = lines.slice(0, documents).map((line) => (JSON.parse(line) as { text: string }).text);
const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
const folder = shared(`data/tokenizers/${model}`);
const parts = bioGptPartsFromFiles(
  new Map(["dict.txt", "bpecodes"].map((name) => [name, readFileSync(join(folder, name), "utf8")])),
);

interface Pass {
  readonly seconds: number;
  readonly tokens: number;
}

function passOf(tokenizer: ReturnType<typeof createBioGptTokenizer>): Pass {
  const start = performance.now();
  let tokens = 0;
  for (const text of texts) tokens += tokenizer.encodeIds(text).length;
  return { seconds: (performance.now() - start) / 1e3, tokens };
}

function startPeer(python: string, files: ReadonlyMap<string, string>): Peer {
  const directory = mkdtempSync(join(tmpdir(), "galen-bench-"));
  for (const [name, contents] of files) writeFileSync(join(directory, name), contents);
  writeFileSync(join(directory, "texts.json"), JSON.stringify(texts));
  const script = fileURLToPath(new URL("tokenize.py", import.meta.url));
  const child = spawn(python, ["-B", script, directory, join(directory, "texts.json")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { value, done } = await answers.next();
    if (done === true) throw new Error(`${python} ${script} ended early`);
    return JSON.parse(value as string);
  };
  return {
    version: read().then((answer) => (answer as { version: string }).version),
    async pass() {
      child.stdin.write("\n");
      return (await read()) as Pass;
    },
    stop() {
      child.stdin.end();
      rmSync(directory, { recursive: true });
    },
  };
}

interface Peer {
  readonly version: Promise<string>;
  pass(): Promise<Pass>;
  stop(): void;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

// The engine compiles while it runs: a tokenizer of its own warms it up, so that "cold" means empty caches only.
passOf(createBioGptTokenizer(parts));
const galen = createBioGptTokenizer(parts);
const python = process.env["PEERS_PYTHON"];
const peer = python === undefined ? undefined : startPeer(python, galen.files());
const version = await peer?.version;
const ours: number[] = [];
const theirs: number[] = [];
for (let pass = 0; pass <= passes; pass++) {
  const own = passOf(galen);
  ours.push(megabytes / own.seconds);
  const other = await peer?.pass();
  if (!other) continue;
  theirs.push(megabytes / other.seconds);
  if (other.tokens !== own.tokens) throw new Error(`tokens differ: ${own.tokens} and ${other.tokens}`);
}
peer?.stop();

const result = {
  processor: cpus()[0]?.model ?? "unknown",
  model,
  documents,
  megabytes,
  passes,
  node: process.version,
  transformers: version ?? null,
  galen: { cold: ours[0]!, warm: median(ours.slice(1)) },
  peer: peer ? { cold: theirs[0]!, warm: median(theirs.slice(1)) } : null,
};
const { galen: own, peer: other } = result;
const row = (name: string, cold: number, warm: number): string =>
  `| ${name} | ${cold.toFixed(2)} | ${warm.toFixed(2)} |` +
  (other ? ` ${(cold / other.cold).toFixed(1)}× | ${(warm / other.warm).toFixed(1)}× |` : "");
console.log(`${result.processor}, one thread, ${model}, ${megabytes.toFixed(2)} MB, median of ${passes}`);
console.log(
  `| MB/s | cold | warm |${other ? " ratio cold | ratio warm |" : ""}\n| --- | ---: | ---: |${other ? " ---: | ---: |" : ""}`,
);
console.log(row("Galen encodeIds", own.cold, own.warm));
if (other) console.log(row(`transformers ${version} BioGptTokenizer`, other.cold, other.warm));
console.log(JSON.stringify(result));
