/**
 * Tokens a second of distributed/worker.py, by itself, on one rank and on two, beside a plain loop of PyTorch and
 * transformers, and beside two processes that know nothing of each other: what sharding costs, with gloo's share of it.
 *
 *     PEERS_PYTHON=/path/to/python npx node bench/worker.ts [rounds]
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { learnTokenizer } from "../src/corpus/learn-tokenizer.ts";
import { prepareJob } from "../src/launch/prepare.ts";
import { configure } from "../src/recipes/index.ts";
import { random } from "../src/tensor/random.ts";
import { train } from "../src/train/train.ts";
import { machine, median } from "./support/peer.ts";

const rounds = Number(process.argv[2] ?? 3);
const python = process.env["PEERS_PYTHON"];
if (python === undefined) throw new Error("PEERS_PYTHON: expected a Python with PyTorch and transformers, got none");
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "galen-worker-bench-"));
const at = (name: string): string => join(folder, name);

const { integer } = random(1);
const word = (): string => "aspirin heparin stroke kidney trial risk of in and the".split(" ")[integer(10)]!;
const texts = Array.from({ length: 400 }, () => ({ text: Array.from({ length: 400 }, word).join(" ") }));
writeFileSync(at("texts.jsonl"), texts.map((one) => `${JSON.stringify(one)}\n`).join(""));
await learnTokenizer([at("texts.jsonl")], { output: at("tokenizer"), kind: "metaspace-bpe", vocabSize: 300 });
const inputs = { data: at("texts.jsonl"), tokenizer: at("tokenizer") };
const settings = [
  "steps=25",
  "batch=4",
  "accumulate=2",
  "model.vocab_size=8192",
  "evaluate.every=0",
  "save.every=0",
  "sample.every=0",
];
const config = await configure("llama-nano", { inputs, settings });
const job = await prepareJob(config, { ...inputs, output: at("job") });

/** Tokens a second of the last twenty updates. */
function speedOf(name: string): number {
  const lines = readFileSync(join(at(name), "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  const steps = lines
    .map((line) => JSON.parse(line) as { type: string; speed: number })
    .filter(({ type }) => type === "step");
  return steps.at(-1)!.speed;
}

function fresh(name: string): string {
  rmSync(at(name), { recursive: true, force: true });
  cpSync(at("job"), at(name), { recursive: true });
  return at(name);
}

const threads = (count: number): { env: NodeJS.ProcessEnv } => ({
  // Python's own modules first: tokenize.py stands beside the script.
  env: { ...process.env, OMP_NUM_THREADS: `${count}`, PYTHONSAFEPATH: "1" },
});
const torchrun = (ranks: number): string[] => [
  "-m",
  "torch.distributed.run",
  "--standalone",
  "--nproc-per-node",
  `${ranks}`,
];
const alone = async (name: string, count: number): Promise<number> => {
  await run(python, [join(fresh(name), "worker/worker.py"), at(name)], threads(count));
  return speedOf(name);
};
const peer = async (mode: string, ranks: number): Promise<number> => {
  const script = fileURLToPath(new URL("worker.py", import.meta.url));
  const { stdout } = await run(
    python,
    [...(ranks === 0 ? [] : torchrun(ranks)), script, mode, at("job")],
    threads(ranks === 0 ? 2 : 1),
  );
  return (JSON.parse(stdout.trim().split("\n").at(-1)!) as { value: number }).value;
};

const ways: Readonly<Record<string, () => Promise<number>>> = {
  "plain loop, transformers, 2 threads": () => peer("loop", 0),
  "worker by itself, 2 threads": () => alone("alone", 2),
  "worker, 1 rank under torchrun, 2 threads": async () => {
    await run(python, [...torchrun(1), join(fresh("one"), "worker/worker.py"), at("one")], threads(2));
    return speedOf("one");
  },
  "two workers apart, 1 thread each, both": async () =>
    (await Promise.all(["left", "right"].map((name) => alone(name, 1)))).reduce((sum, one) => sum + one, 0),
  "worker, 2 ranks, 1 thread each": async () => {
    await run(python, [...torchrun(2), join(fresh("two"), "worker/worker.py"), at("two")], threads(1));
    return speedOf("two");
  },
  "Galen's own engine, 2 threads": async () => {
    rmSync(at("own"), { recursive: true, force: true });
    await train({ ...config, threads: 2 }, { ...inputs, output: at("own") });
    return speedOf("own");
  },
};
const found: Record<string, number[]> = {};
const gloo: number[] = [];
for (let round = 0; round < rounds; round++) {
  for (const [name, measure] of Object.entries(ways)) {
    const speed = await measure();
    console.error(`${name}: ${speed.toFixed(0)} tokens/s`);
    (found[name] ??= []).push(speed);
  }
  gloo.push(await peer("gloo", 2));
}
rmSync(folder, { recursive: true });

const tokens = 4 * 2 * 256;
console.log(
  `llama-nano, ${job.model.parameters} parameters, ${tokens} tokens an update; ${machine()}; medians of ${rounds}`,
);
for (const [name, values] of Object.entries(found))
  console.log(`${name.padEnd(42)} ${median(values).toFixed(0)} tokens/s`);
const secondsOf = (name: string): number => tokens / median(found[name]!);
const [apart, together, shared] = [
  secondsOf("two workers apart, 1 thread each, both"),
  secondsOf("worker, 2 ranks, 1 thread each"),
  median(gloo),
];
const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
console.log(
  `gloo's collectives of an update                ${(1000 * shared).toFixed(0)} ms of ${(1000 * together).toFixed(0)}`,
);
console.log(
  `sharding on two ranks, beyond gloo             ${share((together - shared - apart) / apart)} of two workers apart`,
);
console.log(
  `sharding on one rank                           ${share(secondsOf("worker, 1 rank under torchrun, 2 threads") / secondsOf("worker by itself, 2 threads") - 1)} of a worker by itself`,
);
