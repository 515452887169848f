/**
 * distributed/worker.py trains as Galen's own engine does: by itself, on one rank and on several, stopped and gone on with
 * on another number of ranks, killed at any moment (in the Python that PEERS_PYTHON names).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../src/checkpoints/safetensors.ts";
import { learnTokenizer } from "../src/corpus/learn-tokenizer.ts";
import { prepareJob } from "../src/launch/prepare.ts";
import { configure } from "../src/recipes/index.ts";
import { random } from "../src/tensor/random.ts";
import { train } from "../src/train/train.ts";

const python = process.env["PEERS_PYTHON"];
if (python === undefined) console.warn("skipped: PEERS_PYTHON names no Python with PyTorch");

const folder = mkdtempSync(join(tmpdir(), "galen-worker-"));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
const at = (...names: string[]): string => join(folder, ...names);

interface Case {
  readonly recipe: string;
  readonly settings: readonly string[];
  /** Kind of the tokenizer of a new model. */
  readonly tokenizer?: "biogpt" | "bert" | "metaspace-bpe";
  readonly data: string;
}

// An epsilon so large that gradients of nearly nothing are no steps of full length, of a sign that rounding has.
const common = ["seed=3", "optimiser.epsilon=1e-5", "schedule.warmup=4", "schedule.peak=1e-3", "save.every=20"];
const blocks = ["steps=60", "tokens=32", "batch=2", "accumulate=3", "evaluate.every=20", "evaluate.examples=5"];
const texts = ["epochs=3", "batch=3", "accumulate=2", "maxTokens=48", "evaluate.every=10"];

const cases: Readonly<Record<string, Case>> = {
  BioGPT: { recipe: "biogpt-nano", settings: blocks, tokenizer: "biogpt", data: "texts.jsonl" },
  "BERT with whole words masked": {
    recipe: "biomedbert-small",
    settings: [
      ...blocks,
      "wholeWords=true",
      "model.hidden_dropout_prob=0",
      "model.attention_probs_dropout_prob=0",
      "checkpointing=true",
    ],
    tokenizer: "bert",
    data: "texts.jsonl",
  },
  LLaMA: {
    recipe: "llama-nano",
    settings: [...blocks, "model.num_attention_heads=8", "model.num_key_value_heads=2", "model.hidden_size=48"],
    tokenizer: "metaspace-bpe",
    data: "texts.jsonl",
  },
  "instructions, packed": { recipe: "instruct", settings: [...texts, "packing=true"], data: "exchanges.jsonl" },
  preferences: { recipe: "preference", settings: texts, data: "preferences.jsonl" },
};

/** Prepares the case as NAME/job. */
async function prepare(name: string, { recipe, settings, tokenizer, data }: Case): Promise<void> {
  const inputs =
    tokenizer === undefined
      ? { model: at("BioGPT", "own", "model"), data: at(data), valid: at(`held-${data}`) }
      : { tokenizer: at(tokenizer), data: at(data), output: at(name, "own") };
  const config = await configure(recipe, { inputs, scale: "debug", settings: [...common, ...settings] });
  const output = at(name, "job");
  await prepareJob(config, { ...inputs, output });
  if (!existsSync(at(name, "own"))) await train(config, { ...inputs, output: at(name, "own") });
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts the worker in NAME/RUN, a copy of the job where there is none; `ranks` 0: without torchrun. */
function start(name: string, run: string, ranks: number, ...more: readonly string[]): Started {
  const own = at(name, run);
  if (!existsSync(own)) cpSync(at(name, "job"), own, { recursive: true });
  const torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", `${ranks}`];
  const args = ["-W", "ignore", ...(ranks === 0 ? [] : torchrun), join(own, "worker/worker.py"), own, ...more];
  const child = spawn(python!, args, {
    env: { ...process.env, OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let stderr = "";
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, stderr })) };
}

async function work(name: string, run: string, ranks: number, ...more: readonly string[]): Promise<void> {
  const { code, stderr } = await start(name, run, ranks, ...more).ended;
  expect(code, stderr.slice(-3000)).toBe(0);
}

interface Line {
  readonly type: string;
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm?: number;
  readonly figures?: Readonly<Record<string, number>>;
}

function linesOf(...names: readonly string[]): Line[] {
  const path = at(...names, "metrics.jsonl");
  if (!existsSync(path)) return [];
  const whole = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return whole.map((line) => JSON.parse(line) as Line).filter(({ type }) => type !== "sampled");
}

/** By type and step, the last of each. */
const byStep = (lines: readonly Line[]): Map<string, Line> =>
  new Map(lines.map((line) => [`${line.type} ${line.step}`, line]));

function expectLosses(name: string, run: string, other: string, within: number, norms: number = 1e-4): void {
  const [found, expected] = [byStep(linesOf(name, run)), byStep(linesOf(name, other))];
  expect([...found.keys()]).toEqual(expect.arrayContaining([...expected.keys()]));
  expect(expected.size).toBeGreaterThan(20);
  for (const [key, line] of found) {
    // A run that was stopped is judged where it goes on, too.
    const there = expected.get(key);
    if (there === undefined) {
      expect(line.type).toBe("evaluated");
      continue;
    }
    expect(Math.abs(line.loss - there.loss), `${key}: ${line.loss}, expected ${there.loss}`).toBeLessThan(within);
    if (line.gradientNorm === undefined) continue;
    expect(Math.abs(line.gradientNorm - there.gradientNorm!) / there.gradientNorm!, key).toBeLessThan(norms);
  }
}

async function expectWeights(name: string, run: string, other: string, within: number): Promise<void> {
  const [found, expected] = await Promise.all(
    [run, other].map(async (one) => (await openSafetensors(at(name, one, "model/model.safetensors"))).entries),
  );
  expect([...found!.keys()].sort()).toEqual([...expected!.keys()].sort());
  for (const [key, entry] of found!) {
    const [own, there] = [await readFloat32(entry), await readFloat32(expected!.get(key)!)];
    const apart = own.reduce((most, value, i) => Math.max(most, Math.abs(value - there[i]!)), 0);
    expect(apart, key).toBeLessThan(within);
  }
}

describe.skipIf(python === undefined)("the worker", () => {
  beforeAll(async () => {
    const draw = random(11);
    const words = "aspirin lowers the risk of stroke in patients with diabetes but not heart failure trial".split(" ");
    const say = (count: number): string =>
      Array.from({ length: count }, () => words[draw.integer(words.length)]).join(" ");
    const write = (name: string, count: number, of: () => object): void =>
      writeFileSync(at(name), Array.from({ length: count }, () => `${JSON.stringify(of())}\n`).join(""));
    write("texts.jsonl", 400, () => ({ text: `${say(5 + draw.integer(30))}.` }));
    for (const [prefix, count] of [
      ["", 40],
      ["held-", 7],
    ] as const) {
      write(`${prefix}exchanges.jsonl`, count, () => ({
        prompt: say(4 + draw.integer(9)),
        completion: ` ${say(2 + draw.integer(9))}`,
      }));
      write(`${prefix}preferences.jsonl`, count, () => ({
        prompt: say(4 + draw.integer(9)),
        chosen: ` ${say(2 + draw.integer(9))}`,
        rejected: ` ${say(2 + draw.integer(9))}`,
      }));
    }
    for (const kind of ["biogpt", "bert", "metaspace-bpe"] as const) {
      await learnTokenizer([at("texts.jsonl")], { output: at(kind), kind, vocabSize: 301 });
    }
    for (const [name, one] of Object.entries(cases)) await prepare(name, one);
  }, 300_000);

  test.for(Object.keys(cases))(
    "%s: by itself and on two ranks, Galen's own losses and weights",
    { timeout: 300_000 },
    async (name) => {
      await work(name, "plain", 0);
      await work(name, "two", 2);
      for (const run of ["plain", "two"]) {
        expectLosses(name, run, "own", 2e-5);
        await expectWeights(name, run, "own", 2e-5);
      }
      expectLosses(name, "two", "plain", 2e-6);
      // The card is written where the model is fetched.
      const files = readdirSync(at(name, "own", "model")).filter((file) => file !== "README.md");
      expect(readdirSync(at(name, "two", "model"))).toEqual(files);
    },
  );

  test("figures of preferences are Galen's own", () => {
    const [found, own] = ["two", "own"].map((run) => byStep(linesOf("preferences", run)));
    let compared = 0;
    for (const [key, { figures = {} }] of own!) {
      for (const [figure, value] of Object.entries(figures)) {
        // Whether the better answer is the likelier one hangs on rounding as long as nothing was learned.
        if (figure === "rewards/accuracies") continue;
        compared += 1;
        expect(Math.abs(found!.get(key)!.figures![figure]! - value), `${key}: ${figure}`).toBeLessThan(1e-4);
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  test("one rank of torchrun computes what a process by itself does", async () => {
    await work("LLaMA", "one", 1);
    expectLosses("LLaMA", "one", "plain", 2e-6);
  }, 300_000);

  test("matrices shared by two ranks, and by two groups of two, give the same", async () => {
    await work("LLaMA", "shared", 2, "--tensor-parallel", "2");
    await work("LLaMA", "grid", 4, "--tensor-parallel", "2");
    for (const run of ["shared", "grid"]) {
      expectLosses("LLaMA", run, "plain", 2e-6);
      await expectWeights("LLaMA", run, "plain", 2e-5);
    }
  }, 300_000);

  test("half precision on float32 weights, layers computed again: near", async () => {
    cpSync(at("LLaMA", "job"), at("LLaMA", "half"), { recursive: true });
    change("LLaMA", "half", { precision: "bfloat16", checkpointing: true });
    await work("LLaMA", "half", 2);
    expectLosses("LLaMA", "half", "plain", 5e-3, 0.2);
    cpSync(at("LLaMA", "job"), at("LLaMA", "scaled"), { recursive: true });
    change("LLaMA", "scaled", { precision: "float16" });
    await work("LLaMA", "scaled", 2);
    expectLosses("LLaMA", "scaled", "plain", 5e-3, 0.2);
  }, 300_000);

  test("dropout is the same on any number of ranks", async () => {
    await prepare("dropout", {
      ...cases["BioGPT"]!,
      settings: [...blocks, "model.hidden_dropout_prob=0.1", "model.attention_probs_dropout_prob=0.1"],
    });
    await work("dropout", "one", 1);
    await work("dropout", "two", 2);
    expectLosses("dropout", "two", "one", 2e-6);
    const apart = linesOf("dropout", "one").map(({ loss }, i) => Math.abs(loss - linesOf("dropout", "own")[i]!.loss));
    expect(Math.max(...apart)).toBeGreaterThan(1e-3);
  }, 300_000);

  test("stopped on two ranks it goes on on one, and the other way round", async () => {
    for (const [run, before, after] of [
      ["fewer", 2, 1],
      ["more", 1, 2],
    ] as const) {
      const { ended } = start("LLaMA", run, before);
      await until(() => linesOf("LLaMA", run).some(({ step }) => step > 3));
      writeFileSync(at("LLaMA", run, "stop"), "");
      expect((await ended).code).toBe(0);
      const done = JSON.parse(readFileSync(at("LLaMA", run, "done.json"), "utf8")) as {
        step: number;
        stopped: boolean;
      };
      expect(done.stopped).toBe(true);
      expect(done.step).toBeLessThan(60);
      rmSync(at("LLaMA", run, "stop"));
      await work("LLaMA", run, after);
      expectLosses("LLaMA", run, "plain", 2e-6);
      await expectWeights("LLaMA", run, "plain", 2e-5);
    }
  }, 300_000);

  test("a rank that is killed in mid-step ends all; the run goes on from the last whole checkpoint", async () => {
    const { ended } = start("LLaMA", "killed", 2);
    await until(() => linesOf("LLaMA", "killed").some(({ step }) => step > 24));
    const { pid } = JSON.parse(readFileSync(at("LLaMA", "killed", "ranks/00001.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    expect((await ended).code).toBe(1);
    expect(existsSync(at("LLaMA", "killed", "model"))).toBe(false);
    // The other one says what it saw; the one that was killed could not.
    expect(readdirSync(at("LLaMA", "killed", "ranks"))).toContain("00000.error.json");
    expect(readdirSync(at("LLaMA", "killed", "ranks"))).not.toContain("00001.error.json");
    await work("LLaMA", "killed", 2);
    expectLosses("LLaMA", "killed", "plain", 2e-6);
  }, 300_000);

  test("killed while a checkpoint is written, and with one that is torn, it takes neither", async () => {
    await prepare("torn", {
      ...cases["LLaMA"]!,
      settings: [...cases["LLaMA"]!.settings, "save.every=2", "save.keep=99"],
    });
    const checkpoints = at("torn", "run", "checkpoints");
    const names = (): string[] => (existsSync(checkpoints) ? readdirSync(checkpoints) : []);
    const { ended } = start("torn", "run", 2);
    await until(() => names().some((name) => name.startsWith("step-00000006")));
    spawnSync("pkill", ["-9", "-f", at("torn", "run")]);
    await ended;
    // One whose last bytes are missing, as after a crash of the machine, and one without its last word.
    const whole = names().filter((name) => existsSync(join(checkpoints, name, "complete.json")));
    for (const name of ["step-00000058", "step-00000059"]) {
      cpSync(join(checkpoints, whole.sort()[0]!), join(checkpoints, name), { recursive: true });
    }
    const file = readdirSync(join(checkpoints, "step-00000058")).find((name) => name.endsWith(".distcp"))!;
    truncateSync(join(checkpoints, "step-00000058", file), 100);
    rmSync(join(checkpoints, "step-00000059", "complete.json"));
    await work("torn", "run", 2);
    expectLosses("torn", "run", "own", 2e-5);
  }, 300_000);

  test("what it cannot use it refuses, with code 2 before anything and code 1 on the way", async () => {
    const refuse = async (run: string, alter: () => void, code: number, message: RegExp): Promise<void> => {
      cpSync(at("LLaMA", "job"), at("LLaMA", run), { recursive: true });
      alter();
      const found = await start("LLaMA", run, 0).ended;
      expect(found.code).toBe(code);
      expect(found.stderr).toMatch(message);
    };
    await refuse(
      "future",
      () => change("LLaMA", "future", { version: 99 }),
      2,
      /expected version 1, got 99: launch it again/,
    );
    const order = "data/train.order.bin";
    await refuse("short", () => truncateSync(at("LLaMA", "short", order), 8), 2, /expected \d+ numbers, got 2/);
    await refuse(
      "cut",
      () => truncateSync(at("LLaMA", "cut", "start/model.safetensors"), 5000),
      2,
      /the file is truncated/,
    );
    const alien = (): void => writeFileSync(at("LLaMA", "alien", "own-tokens.bin"), new Uint8Array(1 << 16).fill(255));
    await refuse(
      "alien",
      () => {
        alien();
        const job = JSON.parse(readFileSync(at("LLaMA", "alien", "job.json"), "utf8")) as {
          train: { files: { path: string }[] };
        };
        job.train.files[0]!.path = "own-tokens.bin";
        change("LLaMA", "alien", { train: job.train });
      },
      1,
      /expected \d+ ids below \d+, got others/,
    );
    const words = JSON.parse(readFileSync(at("LLaMA", "alien", "ranks/00000.error.json"), "utf8")) as {
      message: string;
    };
    expect(words.message).toMatch(/another tokenizer made it/);
  }, 300_000);
});

function change(name: string, run: string, fields: object): void {
  const path = at(name, run, "job.json");
  const job = JSON.parse(readFileSync(path, "utf8")) as object;
  mkdirSync(at(name, run), { recursive: true });
  writeFileSync(path, JSON.stringify({ ...job, ...fields }));
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 6000 && !isSo(); i++) await wait(20);
  expect(isSo()).toBe(true);
}
