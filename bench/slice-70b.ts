/**
 * Two layers of a LLaMA at BioLLM-70B's own width (8,192; 64 heads on 8 keys; 28,672; vocabulary 34,048) with random
 * weights, scored here and by transformers: the largest difference of the logits, tokens a second, peak memory (mapped
 * weights that were touched count), and what all 80 layers would take. Each engine runs in a process of its own.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/slice-70b.ts [width] [tokens] [float32|bfloat16] [weights,…]
 *
 * A smaller width has fewer heads of the same 128. `bfloat16`: what the file holds. `weights`: formats to run besides
 * float32, say "int8". The model is written once, to the system's temporary folder, and kept there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModel } from "../src/model.ts";
import { families, type ModelConfig } from "../src/models/index.ts";
import { scoringGraph } from "../src/models/graphs.ts";
import { parameterCount } from "../src/runtime/parameters.ts";
import type { NetworkOptions } from "../src/runtime/network.ts";
import { random } from "../src/tensor/random.ts";
import { machine, median } from "./support/peer.ts";
import { writeRandomModel } from "./support/random-model.ts";

const [width = "8192", tokens = "256", dtype = "float32", more = "", task = "compare"] = process.argv.slice(2);
const { llama } = families;
const shape = (layers: number, of = Number(width)): ModelConfig =>
  llama!.parseConfig(
    {
      ...llama!.sizes["llama-2-70b"]!,
      vocab_size: 34_048,
      hidden_size: of,
      intermediate_size: 3.5 * of,
      num_attention_heads: of / 128,
      num_key_value_heads: of / 1024,
      num_hidden_layers: layers,
    },
    "slice",
  );
const folder = join(tmpdir(), `galen-slice-${width}-${dtype}`);
const idsFile = join(folder, `ids-${tokens}.json`);
const logitsFile = (engine: string): string => join(folder, `logits-${engine}.bin`);

interface Scored {
  readonly engine: string;
  readonly open: number;
  /** Milliseconds of each run. */
  readonly runs: number[];
  /** MiB. */
  readonly peak: number;
}

async function write(): Promise<void> {
  await writeRandomModel(folder, shape(2), undefined, dtype as "float32" | "bfloat16");
}

async function score(weights: string): Promise<void> {
  const { ids } = JSON.parse(readFileSync(idsFile, "utf8")) as { ids: number[][] };
  const start = performance.now();
  await using model = await loadModel(folder, { weights: weights as NonNullable<NetworkOptions["weights"]> });
  await model.forward({ ids: [ids[0]!.slice(0, 1)] });
  const open = performance.now() - start;
  const runs: number[] = [];
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    const { logits } = await model.forward({ ids });
    runs.push(performance.now() - begun);
    if (i === 2) writeFileSync(logitsFile(weights), logits.data);
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ engine: `Galen, ${weights}`, open, runs, peak } satisfies Scored));
}

/** Runs a task in a process of its own; gives what it prints last. */
function child(program: string, args: readonly string[]): string {
  const { stdout, status } = spawnSync(program, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
  return stdout.trim().split("\n").at(-1)!;
}

const own = (name: string): string =>
  child(process.execPath, [fileURLToPath(import.meta.url), width, tokens, dtype, more, name]);

const floats = (file: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(file)).buffer);

function row({ engine, open, runs, peak }: Scored, file: string, reference: Float32Array): string {
  const found = floats(file);
  const furthest = found.reduce((most, value, i) => Math.max(most, Math.abs(value - reference[i]!)), 0);
  const rate = (Number(tokens) * 1e3) / median(runs);
  return `| ${engine} | ${(open / 1e3).toFixed(1)} | ${rate.toFixed(1)} | ${peak.toFixed(0)} | ${furthest.toExponential(1)} |`;
}

function compare(): void {
  if (!existsSync(join(folder, "config.json"))) own("write");
  const draw = random(1);
  const ids = [Array.from({ length: Number(tokens) }, () => draw.integer(34_048))];
  writeFileSync(idsFile, JSON.stringify({ ids }));
  const python = process.env["PEERS_PYTHON"];
  const script = fileURLToPath(new URL("slice-70b.py", import.meta.url));
  const formats = ["float32", ...more.split(",").filter(Boolean)];
  const scored = formats.map((weights) => [JSON.parse(own(weights)) as Scored, logitsFile(weights)] as const);
  const peer =
    python === undefined
      ? []
      : [JSON.parse(child(python, ["-B", "-P", script, folder, idsFile, logitsFile("peer")])) as Scored];
  const reference = floats(logitsFile(peer.length > 0 ? "peer" : "float32"));
  const largest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const count = parameterCount(scoringGraph(llama!, shape(2)));
  console.log(`${machine()}; two layers ${width} wide, ${count} parameters in ${dtype}, ${tokens} tokens`);
  console.log(`largest logit ${largest.toFixed(2)}; differences are from ${peer[0]?.engine ?? "float32"}\n`);
  console.log(
    "| | opened in, s | tokens/s | peak memory, MiB | largest difference |\n| --- | ---: | ---: | ---: | ---: |",
  );
  for (const [one, file] of scored) console.log(row(one, file, reference));
  for (const one of peer) console.log(row(one, logitsFile("peer"), reference));
  const whole = parameterCount(scoringGraph(llama!, shape(80)));
  // In few bits a scale of 32 bits for each group of 32.
  const sizes = { "32 bits": 4, "16 bits": 2, "8 bits": 9 / 8, "4 bits": 5 / 8 };
  const needs = Object.entries(sizes).map(([name, bytes]) => `${name} ${((whole * bytes) / 2 ** 30).toFixed(0)} GiB`);
  console.log(`\n80 layers, ${whole} parameters: ${needs.join(", ")}`);
}

if (task === "write") await write();
else if (task === "compare") compare();
else await score(task);
