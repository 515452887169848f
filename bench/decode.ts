/**
 * Generation at BioGPT's size (347 million parameters, random, float32) against transformers and llama.cpp with the
 * same weights in the same run: rounds take turns, medians are compared.
 * `PEERS_PYTHON=/path/to/python npx node bench/decode.ts [rounds]`; THREADS=2, FOLDER=kept weights.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { loadModel } from "../src/model.ts";
import { bioGpt } from "../src/models/biogpt/biogpt.ts";
import { writeRandomModel } from "./support/random-model.ts";

const rounds = Number(process.argv[2] ?? 5);
const threads = Number(process.env["THREADS"] ?? 2);
const python = process.env["PEERS_PYTHON"];
const config = bioGpt.sizes["base"]!;
const prompt = Array.from({ length: 256 }, (_, i) => (i === 0 ? 2 : 1000 + 37 * i));

/** The three measurements; decoding is the second less the first. */
const runs = { prefill: { tokens: 1, beams: 1 }, decode: { tokens: 65, beams: 1 }, beam: { tokens: 32, beams: 5 } };
type Kind = keyof typeof runs;

interface Answer {
  readonly seconds: number | null;
  readonly ids: number[] | null;
  /** MiB. */
  readonly peak: number;
}

interface Side {
  readonly name: string;
  run(kind: Kind): Promise<Answer>;
  close(): Promise<void>;
}

const peakOf = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1024;

async function galen(folder: string): Promise<Side> {
  const model = await loadModel(folder, { threads });
  return {
    name: "galen",
    async run(kind): Promise<Answer> {
      const { tokens, beams } = runs[kind];
      const start = performance.now();
      const { sequences } = await model.generate({
        ids: prompt,
        maxNewTokens: tokens,
        numBeams: beams,
        eosTokenId: [],
        lookup: false, // random weights go in circles, where it would win without being asked
      });
      const seconds = (performance.now() - start) / 1000;
      return { seconds, ids: sequences[0]!.slice(prompt.length), peak: peakOf() };
    },
    close: () => model.dispose(),
  };
}

async function peer(kind: string, folder: string): Promise<Side> {
  const script = fileURLToPath(new URL("decode.py", import.meta.url));
  const child: ChildProcess = spawn(python!, ["-P", script, kind, folder, String(threads)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: String(threads), HF_HUB_OFFLINE: "1" },
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);
  const { name } = (await next()) as { name: string };
  return {
    name,
    async run(kind): Promise<Answer> {
      child.stdin!.write(`${JSON.stringify({ prompt, ...runs[kind] })}\n`);
      return (await next()) as Answer;
    },
    close: async () => void child.stdin!.end(),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function main(): Promise<void> {
  const kept = process.env["FOLDER"];
  const folder = kept ?? mkdtempSync(join(tmpdir(), "galen-decode-"));
  if (!existsSync(join(folder, "config.json"))) await writeRandomModel(folder, config);
  const sides = [await galen(folder)];
  if (python !== undefined) for (const kind of ["transformers", "llama"]) sides.push(await peer(kind, folder));
  const seconds = sides.map((): Record<Kind, number[]> => ({ prefill: [], decode: [], beam: [] }));
  const peaks = sides.map(() => 0);
  const ids = sides.map((): string[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const kind of Object.keys(runs) as Kind[]) {
      for (const [i, side] of sides.entries()) {
        const answer = await side.run(kind);
        peaks[i] = answer.peak;
        if (answer.seconds === null || round < 0) continue; // the first round warms up
        seconds[i]![kind].push(answer.seconds);
        if (round === 0) ids[i]!.push(String(answer.ids));
      }
    }
  }
  for (const side of sides) await side.close();
  if (kept === undefined) rmSync(folder, { recursive: true });

  console.log(`${cpus()[0]!.model}, ${threads} threads; Node ${process.versions.node}; medians of ${rounds} rounds`);
  console.log("prompt of 256 tokens; 64 more (greedy); beam search: 5 beams, 32 more, prompt included");
  const speeds = seconds.map(({ prefill, decode, beam }) => ({
    prefill: 256 / median(prefill),
    decode: 64 / median(decode.map((time, round) => time - prefill[round]!)),
    beam: beam.length === 0 ? 0 : 32 / median(beam),
  }));
  sides.forEach(({ name }, i) => {
    const columns = (Object.keys(runs) as Kind[]).map((kind) => {
      const speed = speeds[i]![kind];
      const ratio = i === 0 || speed === 0 ? "" : ` (galen ${(speeds[0]![kind] / speed).toFixed(2)} ×)`;
      return `${kind} ${speed === 0 ? "none" : speed.toFixed(2)} tokens/s${ratio}`;
    });
    console.log(`${name}: ${columns.join("; ")}; peak ${peaks[i]!.toFixed(0)} MiB`);
  });
  if (sides.length > 1) console.log(`transformers' ids are Galen's: ${ids[0]!.join() === ids[1]!.join()}`);
}

await main();
