/** Random plans: no feasible layout that breaks divisibility or memory, no reason that is wrong, monotone where it must be. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bioGpt, llama, type ModelConfig } from "../models/index.ts";
import { type RecipeName, recipeList, recipes } from "../recipes/index.ts";
import { withSettings } from "../train/index.ts";
import { acceleratorsOfNode } from "./accelerators.ts";
import { daysOf } from "./flops.ts";
import {
  accelerators,
  type Fleet,
  fleetOf,
  memoryParts,
  planTraining,
  usualUtilisation,
  utilisationFrom,
} from "./index.ts";
import { layoutsOf, type PlannedLayout, type Update } from "./layouts.ts";
import { memoryOf } from "./memory.ts";
import { type Network, networkOf } from "./network.ts";

interface Shape {
  readonly heads: number;
  readonly keys: number;
  readonly headWidth: number;
  readonly inner: number;
  readonly layers: number;
  readonly rows: number;
}

const opened = new Map<string, Network>();

/** Graphs are made once for a shape. */
function network(shape: Shape, gated = true): Network {
  const key = JSON.stringify([shape, gated]);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const { heads, keys, headWidth, inner, layers, rows } = shape;
  const sizes = {
    vocab_size: rows,
    hidden_size: heads * headWidth,
    intermediate_size: inner,
    num_hidden_layers: layers,
  };
  const own = { ...sizes, num_attention_heads: heads };
  const [family, config] = gated
    ? ([
        llama,
        {
          ...llama.sizes["llama-nano"]!,
          ...own,
          num_key_value_heads: keys,
          head_dim: null,
          tie_word_embeddings: false,
        },
      ] as const)
    : ([bioGpt, { ...bioGpt.sizes["base"]!, ...own }] as const);
  const made = networkOf(family as never, config as ModelConfig);
  opened.set(key, made);
  return made;
}

const shapes: fc.Arbitrary<Shape> = fc
  .record({
    keys: fc.constantFrom(1, 2, 3, 4, 8),
    groups: fc.constantFrom(1, 2, 3, 8),
    headWidth: fc.constantFrom(16, 64, 128),
    inner: fc.constantFrom(100, 1024, 11_008, 28_672),
    layers: fc.constantFrom(2, 3),
    rows: fc.constantFrom(30_522, 32_000, 34_048),
  })
  .map(({ keys, groups, ...rest }) => ({ ...rest, keys, heads: keys * groups }));

const fleets: fc.Arbitrary<Fleet> = fc
  .tuple(
    fc.oneof(fc.constantFrom(1, 2, 4, 8, 16, 64, 256, 1024), fc.integer({ min: 1, max: 300 })),
    fc.constantFrom(...Object.keys(accelerators)),
  )
  .map(([count, name]) => fleetOf(`${count}x${name}`));

const updates: fc.Arbitrary<Update> = fc.record({
  rows: fc.oneof(fc.constantFrom(1, 8, 512, 2048), fc.integer({ min: 1, max: 4096 })),
  tokensOfRow: fc.constantFrom(127, 128, 1000, 1024, 4096, 8192, 131_072),
});

/** What a layout divides, from the shape alone. */
function divides(
  { heads, keys, headWidth, inner, rows }: Shape,
  { count }: Fleet,
  update: Update,
  layout: PlannedLayout,
): boolean {
  const { fsdp, tensorParallel: ranks, microBatch } = layout;
  const sides = [heads, keys, heads * headWidth, keys * headWidth, inner, rows, update.tokensOfRow];
  return (
    fsdp * ranks === count &&
    ranks <= acceleratorsOfNode &&
    sides.every((side) => side % ranks === 0) &&
    update.rows % (fsdp * microBatch) === 0
  );
}

test("of ten thousand random plans none has a layout that breaks divisibility or memory, nor a reason that is wrong", () => {
  let [feasible, undivided, large] = [0, 0, 0];
  fc.assert(
    fc.property(shapes, fleets, updates, (shape, fleet, update) => {
      const made = network(shape);
      for (const layout of layoutsOf(made, fleet, update, 0.4)) {
        const { memory } = layout;
        const fits = memory.total <= 0.9 * fleet.accelerator.memory;
        const divided = divides(shape, fleet, update, layout);
        expect(layout.feasible).toBe(fits && divided);
        expect(layout.reason === undefined).toBe(layout.feasible);
        if (layout.feasible) feasible += 1;
        else if (!divided) {
          expect(layout.reason).toContain("no multiple of");
          undivided += 1;
        } else {
          expect(layout.reason).toContain("GB of memory");
          large += 1;
        }
        // What no layout can be without: 16 bytes a weight over all ranks, and the logits of a row in float32, twice.
        const floor = (16 * made.parameters) / (layout.fsdp * layout.tensorParallel);
        const logits = (8 * layout.microBatch * update.tokensOfRow * shape.rows) / layout.tensorParallel;
        expect(memory.total).toBeGreaterThan(floor + logits);
        expect(memoryParts.every((part) => Number.isFinite(memory[part]) && memory[part] >= 0)).toBe(true);
        if (layout.feasible) expect(Number.isInteger(layout.accumulate)).toBe(true);
      }
    }),
    { numRuns: 10_000, seed: 17 },
  );
  // Each kind was met, many times.
  expect(Math.min(feasible, undivided, large)).toBeGreaterThan(1000);
}, 300_000);

describe("monotone:", () => {
  const layouts = fc.record({
    fsdp: fc.constantFrom(1, 2, 8, 64, 256),
    tensorParallel: fc.constantFrom(1, 2, 4, 8),
    recomputation: fc.constantFrom("none" as const, "full" as const),
    microBatch: fc.integer({ min: 1, max: 64 }),
  });
  const tokens = fc.integer({ min: 64, max: 16_384 });
  const total = (one: Network, layout: Parameters<typeof memoryOf>[1], length: number): number =>
    memoryOf(one, layout, length, 80e9).total;

  test("more rows, longer rows, more layers and a larger vocabulary take more memory", () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), layouts, tokens, (shape, gated, layout, length) => {
        const now = total(network(shape, gated), layout, length);
        expect(total(network(shape, gated), { ...layout, microBatch: layout.microBatch + 1 }, length)).toBeGreaterThan(
          now,
        );
        expect(total(network(shape, gated), layout, length + 1)).toBeGreaterThan(now);
        expect(total(network({ ...shape, layers: shape.layers + 1 }, gated), layout, length)).toBeGreaterThan(now);
        expect(total(network({ ...shape, rows: 50_000 }, gated), layout, length)).toBeGreaterThan(now);
      }),
      { numRuns: 1000, seed: 18 },
    );
  }, 120_000);

  test("more ranks of either kind, and recomputation, take less", () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), layouts, tokens, (shape, gated, layout, length) => {
        const one = network(shape, gated);
        const now = total(one, layout, length);
        expect(total(one, { ...layout, fsdp: 2 * layout.fsdp }, length)).toBeLessThan(now);
        expect(total(one, { ...layout, tensorParallel: 2 * layout.tensorParallel }, length)).toBeLessThan(now);
        const [none, full] = (["none", "full"] as const).map((recomputation) =>
          total(one, { ...layout, recomputation }, length),
        );
        expect(full).toBeLessThan(none!);
      }),
      { numRuns: 1000, seed: 19 },
    );
  }, 120_000);

  test("days fall with accelerators and utilisation, and rise with weights although larger models use more of a peak", () => {
    const weights = fc.double({ min: 1e6, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fleets, weights, fc.double({ min: 1.01, max: 3, noNaN: true }), (fleet, parameters, factor) => {
        const days = (one: number, many = fleet, end: "low" | "high" = "low"): number =>
          daysOf(6 * one * 1e12, many, usualUtilisation(one)[end]);
        expect(days(parameters * factor)).toBeGreaterThan(days(parameters));
        expect(days(parameters * factor, fleet, "high")).toBeGreaterThan(days(parameters, fleet, "high"));
        expect(days(parameters, { ...fleet, count: fleet.count + 1 })).toBeLessThan(days(parameters));
        expect(days(parameters, fleet, "high")).toBeLessThan(days(parameters));
      }),
      { numRuns: 2000, seed: 20 },
    );
  });
});

const trainable = (Object.keys(recipeList) as RecipeName[]).filter((name) => {
  const { purpose } = recipeList[name];
  return purpose === "language" || purpose === "encoder";
});

test.each(trainable)("%s can be planned, and more tokens take longer and cost more", (name) => {
  const [less, more] = [1e9, 2e9].map((tokens) =>
    planTraining(recipes[name](), { fleet: fleetOf("8xh100"), tokens, price: 2, electricity: 0.1 }),
  );
  expect(more!.days.low).toBeCloseTo(2 * less!.days.low, 9);
  expect(more!.cost!.high).toBeCloseTo(2 * less!.cost!.high, 6);
  expect(less!.days.low).toBeLessThan(less!.days.high);
  expect(less!.cost!.low).toBeCloseTo(less!.acceleratorHours.low * 2 + less!.megawattHours.low * 1000 * 0.1, 6);
});

describe("what does not add up in BioLLM-70B's figures", () => {
  const warnings = planTraining(recipes["biollm-70b"](), { fleet: fleetOf("256xh100") }).warnings.join("\n");

  test.each([
    "On 256 A100, at the 42.3 % of their peak that Meditron-70B reached, it is 567 days, 3.49M accelerator-hours",
    "4.0T tokens are 86 passes over PubMed",
    "a peak of 2e-5 is a rate of fine-tuning",
    "2,000 updates of warm-up are 0.10 % of 1,907,349 (of 2,097,152 tokens)",
    "34,000 tokens are filled up to 34,048 rows",
  ])("%s", (text) => expect(warnings).toContain(text));

  test("is not said of a plan that adds up", () => {
    const settings = ["schedule.peak=1.5e-4", "schedule.warmup=500"];
    const sound = planTraining(withSettings(recipes["biollm-70b"](), settings), {
      fleet: fleetOf("512xh100"),
      tokens: 100e9,
    });
    expect(sound.warnings.filter((one) => /days without|passes|rate of|warm-up/.test(one))).toEqual([]);
  });
});

test("where nothing fits, the plan says so, and shows what needs least", () => {
  const { layouts, memory, warnings } = planTraining(recipes["biollm-70b"](), { fleet: fleetOf("8xa100-80") });
  expect(layouts.some(({ feasible }) => feasible)).toBe(false);
  expect(memory.total).toBe(Math.min(...layouts.map((layout) => layout.memory.total)));
  expect(warnings).toContain("no layout is feasible: see why each fails");
});

test("where no number of ranks divides, what is shown still uses every accelerator", () => {
  const { layouts, memory } = planTraining(recipes["biogpt-large"](), { fleet: fleetOf("300xh100") });
  const { fsdp, tensorParallel, reason } = layouts.find((layout) => layout.memory === memory)!;
  expect(fsdp * tensorParallel).toBe(300);
  expect(reason).toContain("no multiple of");
});

describe("refused, with what was expected:", () => {
  const fleet = fleetOf("8xh100");
  const base = recipes["biogpt-base"]();
  test.each<[string, () => unknown, RegExp]>([
    ["an unknown accelerator", () => fleetOf("8xh1000"), /got "h1000"\nHint: did you mean "h100"\?/],
    ["one of two memories", () => fleetOf("8xa100"), /which memory: a100-40 or a100-80\?/],
    ["no number", () => fleetOf("h100"), /expected COUNTxNAME.*\nHint: for example 8xh100/],
    ["none of them", () => fleetOf("0xh100"), /expected COUNTxNAME/],
    ["a utilisation of 40", () => utilisationFrom("40"), /expected shares above 0 and at most 1.*got "40"/],
    ["one that is upside down", () => utilisationFrom("0.5-0.4"), /the lower first, got "0.5-0.4"/],
    ["tokens below one", () => planTraining(base, { fleet, tokens: 0 }), /tokens: expected a number above 0, got 0/],
    [
      "a price that is none",
      () => planTraining(base, { fleet, price: Number.NaN }),
      /price: expected a number above 0/,
    ],
    [
      "a recipe that starts from a model",
      () => planTraining(recipes.instruct(), { fleet }),
      /instruct: expected a recipe of a new/,
    ],
    [
      "a network of no published size",
      () => planTraining(withSettings(base, ["model.hidden_size=512"]), { fleet }),
      /--vocabulary 32000/,
    ],
    [
      "epochs of data that is not here",
      () => planTraining(withSettings(base, ["epochs=2"]), { fleet }),
      /--tokens 1e9, or steps=N/,
    ],
  ])("%s", (_, run, message) => expect(run).toThrow(message));
});

test("256×H100 is 256xh100", () => expect(fleetOf(" 256×H100 ")).toEqual(fleetOf("256xh100")));
