/**
 * WordPiece throughput on abstracts against Hugging Face tokenizers (Rust), one thread each, in the same run: rounds
 * take turns, medians are compared. `PEERS_PYTHON=/path/to/python node bench/wordpiece.ts`; needs ../shared.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { zstdDecompressSync } from "node:zlib";
import { bertTokenizerFromFiles } from "../src/tokenizers/bert/bert.ts";
import { shared } from "../test/support/shared.ts";

const rounds = 7;
const documents = 2000;
const tokenizerFile = shared("data/tokenizers/pubmedbert/tokenizer.json");
const corpusFile = shared("data/corpus/abstracts.jsonl.zst");

const peer = `
import json, sys, time
import tokenizers
tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
texts = json.loads(sys.stdin.readline())
print(json.dumps({"version": tokenizers.__version__}), flush=True)
for line in sys.stdin:
    if line.strip() == "encode":
        start = time.perf_counter()
        tokens = sum(len(tokenizer.encode(text).ids) for text in texts)
    else:
        start = time.perf_counter()
        tokens = sum(len(encoding.ids) for encoding in tokenizer.encode_batch(texts))
    print(json.dumps({"seconds": time.perf_counter() - start, "tokens": tokens}), flush=True)
`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function main(): Promise<void> {
  const texts = zstdDecompressSync(readFileSync(corpusFile))
    .toString("utf8")
    .split("\n")
    .slice(0, documents)
    .map((line) => (JSON.parse(line) as { text: string }).text);
  const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const files = new Map([["tokenizer.json", readFileSync(tokenizerFile, "utf8")]]);
  const tokenizer = bertTokenizerFromFiles(files);

  const python = process.env["PEERS_PYTHON"];
  const child =
    python === undefined
      ? undefined
      : spawn(python, ["-c", peer, tokenizerFile], {
          stdio: ["pipe", "pipe", "inherit"],
          env: { ...process.env, TOKENIZERS_PARALLELISM: "false", RAYON_NUM_THREADS: "1" },
        });
  const answers = child && createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<{ version: string; seconds: number; tokens: number }> => {
    child!.stdin.write(`${line}\n`);
    return JSON.parse((await answers!.next()).value as string) as { version: string; seconds: number; tokens: number };
  };

  const timed = (run: () => number): { seconds: number; tokens: number } => {
    const start = performance.now();
    const tokens = run();
    return { seconds: (performance.now() - start) / 1000, tokens };
  };
  const sum = (count: (text: string) => number) => (): number => texts.reduce((total, text) => total + count(text), 0);
  const ours: [string, () => number][] = [
    ["galen encodeIds", sum((text) => tokenizer.encodeIds(text).length)],
    ["galen encode (offsets)", sum((text) => tokenizer.encode(text).ids.length)],
  ];
  const seconds = new Map<string, number[]>();
  const tokens = new Set<number>();
  const note = (name: string, result: { seconds: number; tokens: number }): void => {
    seconds.set(name, [...(seconds.get(name) ?? []), result.seconds]);
    tokens.add(result.tokens);
  };
  const version = child === undefined ? undefined : (await ask(JSON.stringify(texts))).version;
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of ours) note(name, timed(run));
    // A new tokenizer has an empty cache; reading its vocabulary is not timed.
    const fresh = bertTokenizerFromFiles(files);
    note("galen encodeIds, empty cache", timed(sum((text) => fresh.encodeIds(text).length)));
    if (child === undefined) continue;
    for (const verb of ["encode", "encode_batch"]) note(`tokenizers ${version} ${verb}`, await ask(verb));
  }
  child?.stdin.end();

  console.log(`${cpus()[0]!.model}; Node ${process.versions.node}; ${documents} abstracts, ${megabytes.toFixed(2)} MB`);
  console.log(`tokens: ${[...tokens].join(" ≠ ")}; median of ${rounds} rounds, one thread each`);
  const peers = [...seconds].filter(([name]) => name.startsWith("tokenizers"));
  for (const [name, all] of seconds) {
    const speed = megabytes / median(all);
    const ratios = name.startsWith("galen")
      ? peers.map(([other, times]) => `${(median(times) / median(all)).toFixed(1)} × ${other.split(" ").at(-1)}`)
      : [];
    console.log(`${name.padEnd(32)} ${speed.toFixed(2).padStart(7)} MB/s  ${ratios.join(", ")}`);
  }
}

await main();
