/** The nine sets of questions with choices: requests and figures are lm-evaluation-harness's, without and with shots. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { evaluate, withShots } from "../src/eval/index.ts";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { valueOf } from "../src/metrics/report.ts";
import { benchmarks } from "../src/tasks/index.ts";
import { peerPackage, peersFolder } from "./support/peers.ts";
import { hasShared, shared } from "./support/shared.ts";

interface Asked {
  readonly context: string;
  readonly continuations: readonly string[];
  readonly scores: readonly number[];
  readonly acc: number;
  readonly acc_norm: number;
}

/** By set. */
type Harness = Readonly<
  Record<string, { readonly metrics: Readonly<Record<string, number>>; readonly questions: readonly Asked[] }>
>;

const folder = fileURLToPath(new URL("goldens/lm-eval", import.meta.url));
const { shots: goldens } = JSON.parse(readFileSync(join(folder, "goldens.json"), "utf8")) as {
  shots: Record<"0" | "5", Harness>;
};
const likelihoods = await loadLikelihoods(join(folder, "model"), { threads: 1 });
afterAll(() => likelihoods[Symbol.asyncDispose]());

/** Asks a set as the harness did, and compares every string, score and figure. */
async function compare(harness: Harness, name: string, data: string, shots: number, limit?: number): Promise<void> {
  const { metrics, questions } = harness[name]!;
  const benchmark = benchmarks[name]!;
  const shot = await withShots(benchmark, { shots, data: join(data, benchmark.data!.folder) });
  const contexts: string[] = [];
  const continuations: (readonly string[])[] = [];
  const model = {
    logLikelihoods: (some: readonly string[], choices: readonly (readonly string[])[]) => {
      contexts.push(...some);
      continuations.push(...choices);
      return likelihoods.logLikelihoods(some, choices);
    },
  };
  const { report, examples, answers, replies } = await evaluate(shot, model, {
    data: join(data, benchmark.data!.folder),
    limit,
  });
  expect(contexts).toEqual(questions.map((one) => one.context));
  expect(continuations).toEqual(questions.map((one) => one.continuations));
  for (const [i, { scores, acc, acc_norm }] of questions.entries()) {
    const own = replies[i] as number[];
    scores.forEach((score, k) => expect(Math.abs(own[k]! - score), `${name} ${i} ${k}`).toBeLessThan(1e-4));
    expect(shot.scores!([examples[i]!], [answers[i]])).toEqual([acc]);
    const answer = answers[i] as { byLength: string };
    expect(answer.byLength === examples[i]!.gold ? 1 : 0).toBe(acc_norm);
  }
  for (const figure of ["acc", "acc_stderr", "acc_norm", "acc_norm_stderr"]) {
    expect(valueOf(report, figure), `${name} ${figure}`).toBeCloseTo(metrics[figure]!, 12);
  }
}

describe.each(["0", "5"] as const)("with %s shots", (shots) => {
  test.each(Object.keys(goldens[shots]))("%s is the harness's in every string, score and figure", async (name) => {
    await compare(goldens[shots], name, join(folder, "data"), Number(shots));
  });
});

test("there are nine, and in one of them the likeliest choice is not the likeliest for its length", () => {
  expect(Object.keys(goldens["0"])).toHaveLength(9);
  const all = Object.values(goldens).flatMap((harness) => Object.values(harness).flatMap((one) => one.questions));
  expect(all.some((one) => one.acc !== one.acc_norm)).toBe(true);
  expect(new Set(all.map((one) => one.acc))).toEqual(new Set([0, 1]));
});

const sets = ["medqa", "medmcqa", "mmlu", "pubmedqa"];
const isHere = sets.every((one) => hasShared(`data/benchmarks/${one}`)) && peerPackage("lm_eval") !== undefined;

test.skipIf(!isHere)("the first questions of the real files are asked alike", { timeout: 300_000 }, async () => {
  const data = shared("data/benchmarks");
  const script = fileURLToPath(new URL("../scripts/goldens/lm-eval.py", import.meta.url));
  const output = execFileSync(join(peersFolder, "bin/python"), [script, data, join(folder, "model"), "0", "3"], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const harness = JSON.parse(output) as Harness;
  for (const name of Object.keys(harness)) await compare(harness, name, data, 0, 3);
});
