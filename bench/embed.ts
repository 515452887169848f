/**
 * Texts a second of all-MiniLM-L6-v2 at float32 and in eight bits, beside sentence-transformers at float32 and
 * transformers.js at float32 and q8 on the same machine, in turn; medians. Cosines are with the peer's own vectors, and
 * of q8 with sentence-transformers' too. Abstracts are cut to 256 tokens; short texts are the
 * first 90 characters of each. The ONNX file of transformers.js is PyTorch's export (its packages onnx and
 * onnxruntime are needed). With SHAPE, such as modernbert-base, the model has that named size, random weights and
 * MODEL_DIR's tokenizer, and sentence-transformers is the one peer.
 *
 *     PEERS_PYTHON=/path/to/python PEERS_NODE=/folder/with/node_modules npx node bench/embed.ts \
 *         MODEL_DIR TEXTS.jsonl [texts] [pairs] [threads] [SHAPE]
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { architectureOf, families, hiddenGraph } from "../src/models/index.ts";
import { saveSentenceFolder } from "../src/retrieval/sentence-write.ts";
import { allocateParameters, initialise } from "../src/runtime/parameters.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { cosines, loadEmbedder } from "../src/retrieval/embedder.ts";
import { readTexts } from "../src/corpus/texts.ts";
import { machine, median, type Peer, startNodePeer, startPeer } from "./support/peer.ts";

const [given, file, count = "64", pairs = "7", threads = "2", shape] = process.argv.slice(2);
if (given === undefined || file === undefined) throw new Error("expected MODEL_DIR and TEXTS.jsonl");
using scratch = mkdtempDisposableSync(join(tmpdir(), "galen-embed-"));
const folder = shape === undefined ? given : await randomModel(shape);
const abstracts: string[] = [];
for await (const { text } of readTexts(file)) {
  if (text.length > 300) abstracts.push(text);
  if (abstracts.length === Number(count)) break;
}
await using float32 = await loadEmbedder(folder, { threads: Number(threads) });
await using int8 = await loadEmbedder(folder, { threads: Number(threads), weights: "int8" });
using python = startPeer(new URL("embed.py", import.meta.url), folder, threads);
const exported = shape === undefined ? transformersJsFolder(folder) : undefined;
const javaScriptPeer = (dtype: string): Peer | undefined =>
  exported === undefined ? undefined : startNodePeer(new URL("embed-js.ts", import.meta.url), exported, threads, dtype);
using fp32 = javaScriptPeer("fp32");
using q8 = javaScriptPeer("q8");
interface Named {
  readonly name: string;
  readonly peer: Peer;
}
const named = async (peer: Peer | undefined): Promise<Named[]> =>
  peer === undefined ? [] : [{ name: await peer.ask<string>(), peer }];
const reference = await named(python);
const exact = [...reference, ...(await named(fp32))];
const quantized = [...reference, ...(await named(q8))];

/** A Sentence Transformers directory of a named size, in `scratch`: random weights, means of at most 256 tokens. */
async function randomModel(name: string): Promise<string> {
  const family = Object.values(families).find(({ sizes }) => Object.hasOwn(sizes, name));
  if (family === undefined) throw new Error(`expected the name of a size, got ${name}`);
  const config = { ...family.sizes[name]!, architectures: [architectureOf(family, "bare")] };
  const graph = hiddenGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 1);
  const stages = [
    { kind: "pooling", name: "1_Pooling", modes: ["mean"], includePrompt: true },
    { kind: "normalize", name: "2_Normalize" },
  ] as const;
  const target = join(scratch.path, name);
  const parts = { config, tokenizer: await loadTokenizer(given!), parameters: parameters.tensors };
  await saveSentenceFolder(target, parts, { stages, width: config.hidden_size, maxTokens: 256 });
  return target;
}

/** A directory as transformers.js wants it, in `scratch`; its tokenizer cuts where Sentence Transformers' does. */
function transformersJsFolder(folder: string): string {
  const copy = join(scratch.path, "model");
  const script = new URL("embed-onnx.py", import.meta.url).pathname;
  const python = process.env["PEERS_PYTHON"];
  if (python === undefined || process.env["PEERS_NODE"] === undefined) return copy;
  mkdirSync(join(copy, "onnx"), { recursive: true });
  const args = ["-B", "-P", "-W", "ignore", script, folder, join(copy, "onnx/model.onnx")];
  execFileSync(python, args, { stdio: ["ignore", "ignore", "inherit"] });
  for (const name of ["config.json", "tokenizer.json"]) cpSync(join(folder, name), join(copy, name));
  const read = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const model_max_length = read("sentence_bert_config.json")["max_seq_length"];
  writeFileSync(
    join(copy, "tokenizer_config.json"),
    JSON.stringify({ ...read("tokenizer_config.json"), model_max_length }),
  );
  return copy;
}

console.log(`${machine()}; ${count} texts, ${threads} threads, medians of ${pairs} rounds`);
console.log(
  "| texts | Galen, texts/s | peer | texts/s | ratio | mean cosine | least |\n| --- | ---: | --- | ---: | ---: | ---: | ---: |",
);
const short = abstracts.map((text) => text.slice(0, 90));
for (const [name, texts, embedder, peers] of [
  ["abstracts, 256 tokens", abstracts, float32, exact],
  ["the same, int8", abstracts, int8, quantized],
  ["90 characters", short, float32, exact],
  ["the same, int8", short, int8, quantized],
] as const) {
  const own: number[] = [];
  const others = peers.map(({ name }) => ({
    name,
    seconds: [] as number[],
    mean: 1,
    least: 1,
    vectors: [] as number[][],
  }));
  for (let i = 0; i < Number(pairs) + 1; i++) {
    const start = performance.now();
    const vectors = await embedder.embed(texts);
    own.push((performance.now() - start) / 1000);
    for (const [at, { peer }] of peers.entries()) {
      const answer = await peer.ask<{ seconds: number; vectors: number[][] }>({ texts });
      others[at]!.seconds.push(answer.seconds);
      Object.assign(others[at]!, cosines(vectors, answer.vectors), { vectors: answer.vectors });
    }
  }
  for (const seconds of [own, ...others.map(({ seconds }) => seconds)]) seconds.shift(); // warm-up
  const rate = (seconds: readonly number[]): string => (texts.length / median(seconds)).toFixed(1);
  if (others.length === 0) console.log(`| ${name} | ${rate(own)} | – | – | – | – | – |`);
  for (const { name: peer, seconds, mean, least } of others) {
    const ratio = median(own.map((s, i) => seconds[i]! / s)).toFixed(2);
    console.log(
      `| ${name} | ${rate(own)} | ${peer} | ${rate(seconds)} | ${ratio} | ${mean.toFixed(5)} | ${least.toFixed(5)} |`,
    );
  }
  const [first, second] = others;
  if (peers === quantized && second !== undefined) {
    const { mean, least } = cosines(second.vectors, first!.vectors);
    console.log(`| ${second.name} with ${first!.name} | | | | | ${mean.toFixed(5)} | ${least.toFixed(5)} |`);
  }
}
