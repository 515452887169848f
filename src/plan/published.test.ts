/** The planner against published trainings: what it gives, what they report, and docs/reproduction.md's table of both. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Value } from "../graph/graph.ts";
import { families, gpt2, llama, lossGraph, type ModelConfig } from "../models/index.ts";
import { recipes } from "../recipes/index.ts";
import type { Config } from "../train/index.ts";
import { accelerators, fleetOf, type Plan, planTraining } from "./index.ts";
import { flopsOfToken } from "./flops.ts";
import { bytesOf, networkOf } from "./network.ts";

/** A causal training of this network by rows of so many tokens. */
function configOf(model: ModelConfig, tokens: number, rows = 512): Config {
  const config = recipes["biollm-70b"]();
  return {
    ...config,
    recipe: "published",
    model: { ...model },
    objective: { ...config.objective, tokens, rowMultiple: 1 } as Config["objective"],
    batch: 1,
    accumulate: rows,
  };
}

const llama2 = (size: string): Config => configOf(llama.sizes[`llama-2-${size}`]!, 4096);

function planned(config: Config, machines: string, tokens: number, utilisation = 1): Plan {
  return planTraining(config, {
    fleet: fleetOf(machines),
    tokens,
    utilisation: { low: utilisation, high: utilisation },
  });
}

/** The share of the peak that so many accelerator-hours were, in percent. */
function utilisationOf(plan: Plan, hours: number, attention = false): number {
  const share = plan.acceleratorHours.low / hours;
  return 100 * share * (attention ? (plan.flops + plan.attentionFlops) / plan.flops : 1);
}

const seventy = planned(llama2("70b"), "256xa100-80", 2e12);
const meditron = planned(llama2("70b"), "128xa100-80", 48.1e9);
const meditronHours = (128 * 48.1e9) / 40_200 / 3600;
const bioMedLm = planned(configOf(gpt2.sizes["biomedlm"]!, 1024, 1024), "128xa100-40", 300e9);
const eight = planned(configOf(llama.sizes["llama-3-8b"]!, 8192), "8xh100", 15e12);
const eightHours = (speed: number): number => 15e12 / speed / 3600;
const bioLlm = (machines: string, utilisation: number): Plan =>
  planned(recipes["biollm-70b"](), machines, 4e12, utilisation);
const bioGpt = planned(recipes["biogpt-base"](), "8xv100-32", 104_857_600_000, 0.3);
const memory70 = (machines: string): Plan["memory"] => bioLlm(machines, 0.4).memory;
const states = (machines: string): number => {
  const { weights, gradients, moments } = memory70(machines);
  return (weights + gradients + moments) / 1e9;
};

type Row = readonly [what: string, unit: string, published: number, got: number, tolerance: number, note?: string];

/** Tolerances are of the last digit that is published, but where a note says why. */
const rows: readonly Row[] = [
  ["Llama 2 70B, 2T tokens in 1,720,320 A100-hours: 6 N", "%", 42.8, utilisationOf(seventy, 1_720_320), 0.002],
  ["with attention", "%", 46.2, utilisationOf(seventy, 1_720_320, true), 0.002],
  ["Llama 2 13B, 368,640 hours", "%", 37.7, utilisationOf(planned(llama2("13b"), "256xa100-80", 2e12), 368_640), 0.002],
  ["Llama 2 7B, 184,320 hours", "%", 39.1, utilisationOf(planned(llama2("7b"), "256xa100-80", 2e12), 184_320), 0.002],
  ["Meditron-70B, 40,200 tokens a second on 128 A100", "%", 41.7, utilisationOf(meditron, meditronHours), 0.002],
  ["with attention", "%", 44.9, utilisationOf(meditron, meditronHours, true), 0.002],
  [
    "its hours at 41.7 %",
    "h",
    332,
    planned(llama2("70b"), "128xa100-80", 48.1e9, 0.417).acceleratorHours.low / 128,
    0.005,
  ],
  [
    "BioMedLM, 300B tokens in 6.25 days on 128 A100",
    "%",
    22.5,
    utilisationOf(bioMedLm, 128 * 24 * 6.25),
    0.045,
    "published for N = 2.7e9; its network has 2.59e9",
  ],
  [
    "Llama 3.1 8B, torchtitan, 5,762 tokens a second and H100: with attention",
    "%",
    35.6,
    utilisationOf(eight, eightHours(5762), true),
    0.002,
  ],
  ["compiled, 6,667 tokens a second", "%", 41.2, utilisationOf(eight, eightHours(6667), true), 0.002],
  ["BioLLM-70B, 4T tokens on 256 A100 at 42.3 %", "days", 567, bioLlm("256xa100-80", 0.423).days.low, 0.002],
  ["on 256 H100 at 38 %", "days", 199, bioLlm("256xh100", 0.38).days.low, 0.002],
  ["BioGPT, 200,000 updates of 524,288 tokens on 8 V100 at 30 %", "days", 8.4, bioGpt.days.low, 0.006],
  ["weights, gradients, moments of 70B on 64 ranks", "GB", 17.3, states("64xa100-80"), 0.005],
  ["on 128", "GB", 8.6, states("128xa100-80"), 0.005],
  ["on 256", "GB", 4.3, states("256xa100-80"), 0.005],
  ["its checkpoint", "TB", 0.83, seventy.checkpoints.bytes / 1e12, 0.005],
];

test.each(rows.map((row) => ({ name: `${row[0]} (${row[1]})`, row })))("$name", ({ row }) => {
  const [, , published, got, tolerance] = row;
  expect(Math.abs(got / published - 1)).toBeLessThanOrEqual(tolerance);
});

test("docs/reproduction.md has the table", () => {
  const digits = (value: number): string =>
    Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 3 });
  const table = rows.map(([what, unit, published, got, , note]) => {
    const deviation = `${got >= published ? "+" : "−"}${Math.abs(100 * (got / published - 1)).toFixed(1)} %`;
    return `| ${what} | ${digits(published)} ${unit} | ${digits(got)} ${unit} | ${deviation}${note === undefined ? "" : ` (${note})`} |`;
  });
  const document = readFileSync(new URL("../../docs/reproduction.md", import.meta.url), "utf8");
  expect(/<!-- plans -->\n\n?([^]*?)\n\n?<!-- \/plans -->/.exec(document)?.[1]).toBe(
    ["| what | published | planned | deviation |", "| --- | --- | --- | --- |", ...table].join("\n"),
  );
});

test.each([
  ["llama", "llama-2-7b", 32_000, 6_738_415_616],
  ["llama", "llama-2-13b", 32_000, 13_015_864_320],
  ["llama", "llama-2-70b", 32_000, 68_976_648_192],
  ["llama", "llama-2-70b", 34_000, 69_009_416_192],
  ["llama", "llama-2-70b", 34_048, 69_010_202_624],
  ["biogpt", "base", 42_384, 346_763_264],
  ["biogpt", "large", 57_717, 1_571_188_800],
])("%s %s with %i rows has its published number of weights", (type, size, vocab_size, parameters) => {
  const family = families[type]!;
  expect(networkOf(family, { ...family.sizes[size]!, vocab_size }).parameters).toBe(parameters);
});

test("a GPT's layer holds Korthikanti's 34 bytes × tokens × width, and what passes between layers two", () => {
  const family = families["biogpt"]!;
  const network = networkOf(family, family.sizes["base"]!);
  const perUnit = (bytes: typeof network.kept): number => bytesOf(bytes, 1, 1024, 1) / 1024 / network.width;
  // Beyond 34: a number for each query and head, four statistics of norms.
  expect(perUnit(network.largestLayer) - 34).toBeCloseTo((16 * 4 + 4 * 4) / 1024, 6);
  expect(perUnit(network.boundaries)).toBeCloseTo(2 * network.layers, 6);
});

test("LLaMA 2 70B: a layer's tensors, counted by hand", () => {
  const network = networkOf(families["llama"]!, llama.sizes["llama-2-70b"]!);
  // Two norms' inputs and outputs, queries and what attention gives, keys and values, four of the gated feed-forward.
  const elements = 4 * 8192 + 2 * 8192 + 2 * 1024 + 4 * 28_672;
  const statistics = 4 * (64 + 2);
  // A norm's input is held in float32, and what it scales.
  const norms = 2 * (2 + 2) * 8192;
  expect(bytesOf(network.largestLayer, 1, 1, 1)).toBe(2 * elements + norms + statistics);
  expect(bytesOf(network.boundaries, 1, 4096, 1) / 80 / 1e6).toBeCloseTo(67.1, 1);
});

test("operations are those of the graph's own products, but for tables and vectors, which multiply nothing", () => {
  const config = llama.sizes["llama-2-7b"]!;
  const graph = lossGraph(families["llama"]!, config, { gradients: false });
  const size = ({ shape }: Value): number => shape.reduce<number>((product, dim) => product * Number(dim), 1);
  const uses = graph.nodes.flatMap(({ op, inputs, attributes }) => {
    const use = op.weight?.(inputs, attributes);
    return use === undefined || use.as === "rows" ? [] : [inputs[use.at]!];
  });
  const multiplied = uses.reduce((sum, weight) => sum + size(weight), 0);
  const { parameters, rows: pieces, width, layers } = networkOf(families["llama"]!, config);
  expect(multiplied).toBe(parameters - pieces * width - (2 * layers + 1) * width);
  // So 6 N is 2 % above the products of 7B, which is how everyone counts it.
  expect(flopsOfToken({ parameters }) / (6 * multiplied)).toBeCloseTo(1.02, 2);
  expect(seventy.attentionFlops / seventy.tokens).toBe(12 * 80 * 8192 * 4096);
});

test("what Megatron needs at least is enough here: 32 × 80 GB for 70B, 2 × 80 GB for 7B, and less than 2 is not", () => {
  const fits = (size: string, machines: string): boolean => planned(llama2(size), machines, 1e9).layouts[0]!.feasible;
  expect([fits("70b", "32xa100-80"), fits("70b", "8xa100-80")]).toEqual([true, false]);
  expect([fits("7b", "2xa100-80"), fits("7b", "1xa100-80")]).toEqual([true, false]);
});

test("every accelerator's figures are what its source says, in order of age", () => {
  for (const { peak, memory, watts, link, network, source } of Object.values(accelerators)) {
    expect(source).not.toBe("");
    expect(peak / watts).toBeGreaterThan(3e11);
    expect(link).toBeGreaterThan(network);
    expect(memory).toBeGreaterThanOrEqual(16e9);
  }
});

const golden = JSON.parse(
  readFileSync(new URL("../../test/goldens/saved-activations.json", import.meta.url), "utf8"),
) as { tokens: number; cases: { name: string; family: string; config: object; bytes: number }[] };

test.each(golden.cases)(
  "$name: a layer holds what autograd holds of transformers'",
  ({ family: type, config, bytes }) => {
    const family = families[type]!;
    const { largestLayer } = networkOf(family, family.parseConfig({ max_position_embeddings: 1024, ...config }, type));
    const ratio = bytesOf(largestLayer, 1, golden.tokens, 1) / bytes;
    // LayerNorm's statistics are float32 on CUDA and half as wide on a CPU; GPT-2's GELU is written out in our graph.
    const most: Readonly<Record<string, number>> = { biogpt: 1.001, bert: 1.001, gpt2: 1.29 };
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThanOrEqual(most[type] ?? 1);
  },
);
