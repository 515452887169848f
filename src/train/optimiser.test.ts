import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openSafetensors, readFloat32 } from "../checkpoints/safetensors.ts";
import { toOnnx } from "../graph/lower.ts";
import { bioGpt } from "../models/index.ts";
import { lossGraph } from "../models/graphs.ts";
import { int64 } from "../runtime/batch.ts";
import { createSession } from "../runtime/session.ts";
import { allocateParameters, parameterCount, readParameters } from "../runtime/parameters.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { createArena } from "./arena.ts";
import { createOptimiser, type OptimiserConfig } from "./optimiser.ts";

const folder = fileURLToPath(new URL("../../test/goldens/biogpt", import.meta.url));
const goldens = JSON.parse(readFileSync(`${folder}/goldens.json`, "utf8"));

test.each(["in an arena", "in ordinary arrays"])(
  "ten AdamW steps %s equal PyTorch's: losses and weights",
  async (where) => {
    const json: unknown = JSON.parse(readFileSync(`${folder}/model/config.json`, "utf8"));
    const graph = lossGraph(bioGpt as never, bioGpt.parseConfig(json, "config.json"), { masked: true });
    const { entries } = await openSafetensors(`${folder}/model/model.safetensors`);
    const stored = await readParameters(graph, entries, folder);
    const arena = where === "in an arena" ? createArena(parameterCount(graph), 4) : undefined;
    const parameters = allocateParameters(graph, arena?.allocate);
    parameters.flat.set(stored.flat);
    const gradients = allocateParameters(graph, arena?.allocate);
    await using session = await createSession(toOnnx(graph), { threads: 1 });
    const config = { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 } as const;
    const optimiser = createOptimiser(config, parameters.flat);

    const shifted = (goldens.labels as number[][]).map((row) => [...row.slice(1), -100]);
    const counted = shifted.flat().filter((label) => label >= 0).length;
    const inputs = {
      ids: int64(goldens.ids, 7),
      mask: int64(goldens.right, 7),
      labels: int64(shifted, 7),
      scale: tensor("float32", [], Float32Array.of(1 / counted)),
      ...Object.fromEntries(parameters.tensors),
    };
    const into = Object.fromEntries([...gradients.tensors].map(([name, value]) => [`gradient/${name}`, value]));
    for (const expected of goldens.adamw as number[]) {
      const loss = Number((await session.run(inputs, into))["loss"]!.data[0]);
      expect(Math.abs(loss - expected) / expected).toBeLessThan(1e-4);
      optimiser.update(gradients.flat, 1e-3);
    }
    const after = await openSafetensors(`${folder}/adamw.safetensors`);
    for (const [name, entry] of after.entries) {
      // The key bias has no gradient but rounding noise, which Adam scales up: both sides drift there.
      if (name.endsWith("k_proj.bias")) continue;
      const expected = await readFloat32(entry);
      const actual = parameters.tensors.get(name)!.data;
      const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0));
      const apart = Math.sqrt(expected.reduce((sum, x, i) => sum + (x - actual[i]!) ** 2, 0));
      expect(apart / size, name).toBeLessThan(1e-4);
    }
  },
);

const plain = { name: "adamw", betas: [0.9, 0.99], epsilon: 1e-8, weightDecay: 0.1, clipNorm: 0 } as const;

/** Numbers of a normal, the same for the same seed. */
function normals(length: number, seed: number, deviation = 1): Float32Array {
  const numbers = random(seed);
  return Float32Array.from({ length }, () => deviation * numbers.normal());
}

/** Stands for the bits of a buffer, of which a failing test would print every difference. */
const digest = (values: Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

/** torch.optim's formula, as its documentation has it, in float64. */
function reference(config: OptimiserConfig, start: Float32Array) {
  const p = Float64Array.from(start);
  const m = new Float64Array(p.length);
  const v = new Float64Array(p.length);
  const [beta1, beta2] = config.betas;
  let step = 0;
  const update = (gradient: Float32Array, rate: number, scale: number): number => {
    step += 1;
    const norm = Math.sqrt(gradient.reduce((sum, g) => sum + (g / scale) ** 2, 0));
    const clip = config.clipNorm > 0 ? Math.min(1, config.clipNorm / (norm + 1e-6)) : 1;
    for (let i = 0; i < p.length; i++) {
      let g = (gradient[i]! / scale) * clip;
      if (config.name === "adam") g += config.weightDecay * p[i]!;
      else p[i]! *= 1 - rate * config.weightDecay;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      p[i]! -= (rate * (m[i]! / (1 - beta1 ** step))) / (Math.sqrt(v[i]! / (1 - beta2 ** step)) + config.epsilon);
    }
    return norm;
  };
  return { p, m, v, update };
}

describe("an update follows torch's formula in float64", () => {
  const relative = (actual: Float32Array, expected: Float64Array): number =>
    Math.hypot(...expected.map((x, i) => x - actual[i]!)) / Math.hypot(...expected);

  test.each([
    ["adamw", 0, 1],
    ["adamw", 0.5, 1],
    ["adamw", 0.5, 1024],
    ["adam", 0, 1],
    ["adam", 0.5, 1],
    ["adam", 0.5, 1024],
  ] as const)("%s, clipped to %d, loss scaled by %d", (name, clipNorm, scale) => {
    const config = { ...plain, name, clipNorm };
    const parameters = normals(1001, 1);
    const expected = reference(config, parameters);
    const optimiser = createOptimiser(config, parameters);
    for (let step = 1; step <= 10; step++) {
      const gradient = normals(1001, step + 1, 0.1 * scale);
      const { gradientNorm } = optimiser.update(gradient, 0.01 / step, scale);
      const norm = expected.update(gradient, 0.01 / step, scale);
      expect(Math.abs(gradientNorm - norm) / norm).toBeLessThan(1e-7);
    }
    expect(relative(parameters, expected.p)).toBeLessThan(2e-7);
    expect(relative(optimiser.state.firstMoment, expected.m)).toBeLessThan(1e-6);
    expect(relative(optimiser.state.secondMoment, expected.v)).toBeLessThan(1e-6);
    expect(optimiser.state.step).toBe(10);
  });
});

/** The bits that some updates leave behind; `allocate` says where each buffer lies, in the order that they are made. */
function outcome(length: number, allocate: (length: number, index: number) => Float32Array) {
  const [parameters, gradient, firstMoment, secondMoment] = [0, 1, 2, 3].map((index) => allocate(length, index)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  parameters.set(normals(length, 1));
  const state = { firstMoment, secondMoment, step: 0 };
  const optimiser = createOptimiser({ ...plain, clipNorm: 1 }, parameters, { state });
  const norms = [1, 2, 3].map((step) => {
    gradient.set(normals(length, step + 1));
    return optimiser.update(gradient, 1e-2).gradientNorm;
  });
  return { norms, parameters: digest(parameters), moments: [digest(firstMoment), digest(secondMoment)] };
}
const heap = (length: number): Float32Array => new Float32Array(length);

describe("the same bits come of any place", () => {
  // Less than a line, whole lines, tails, whole chunks of 2^16, and a tail beyond them.
  test.each([1, 3, 4, 15, 16, 17, 64, 1001, 65_536, 131_072, 200_003])("%d parameters", (length) => {
    const whole = createArena(length, 4);
    const expected = outcome(length, whole.allocate);
    expect(expected.parameters).not.toBe(digest(normals(length, 1)));
    expect(outcome(length, heap)).toEqual(expected);
    for (let full = 1; full < 4; full++) {
      expect(outcome(length, createArena(Math.max(length, 16), full).allocate)).toEqual(expected);
    }
    const two = [createArena(length, 2), createArena(length, 2)];
    expect(outcome(length, (size, index) => two[index % 2]!.allocate(size))).toEqual(expected);
    // Views that begin on no boundary, with something on either side.
    const { allocate } = createArena(length + 10, 4);
    const around: Float32Array[] = [];
    const inside = outcome(length, (size) => {
      const buffer = allocate(size + 10).fill(7);
      around.push(buffer.subarray(0, 5), buffer.subarray(size + 5));
      return buffer.subarray(5, size + 5).fill(0);
    });
    expect(inside).toEqual(expected);
    for (const side of around) expect(side).toEqual(new Float32Array(5).fill(7));
  });

  test("an update of a part is a part of the update: no element depends on where it stands", () => {
    const [long, short] = [normals(1000, 1), normals(1000, 1)];
    createOptimiser(plain, long).update(normals(1000, 2), 0.01);
    createOptimiser(plain, short.subarray(3, 990)).update(normals(1000, 2).subarray(3, 990), 0.01);
    expect(short.subarray(3, 990)).toEqual(long.subarray(3, 990));
  });
});

describe.each(["in an arena", "in ordinary arrays"])("%s", (where) => {
  const place = (length: number, count: number): ((length: number) => Float32Array) =>
    where === "in an arena" ? createArena(length, count).allocate : heap;

  test.each([
    ["NaN", NaN],
    ["infinity", Infinity],
    ["what overflows once it is squared", 3e19],
  ])("a gradient with %s changes nothing", (_, value) => {
    const allocate = place(1001, 4);
    const [parameters, gradient] = [allocate(1001), allocate(1001)];
    parameters.set(normals(1001, 1));
    const optimiser = createOptimiser(plain, parameters);
    gradient.set(normals(1001, 2));
    optimiser.update(gradient, 0.01);
    const { firstMoment, secondMoment } = optimiser.state;
    const before = [parameters.slice(), firstMoment.slice(), secondMoment.slice()];
    for (const at of [0, 500, 1000]) {
      gradient.set(normals(1001, 3));
      gradient[at] = value;
      expect(Number.isFinite(optimiser.update(gradient, 0.01).gradientNorm)).toBe(false);
      expect([parameters, firstMoment, secondMoment]).toEqual(before);
      expect(optimiser.state.step).toBe(1);
    }
  });

  test("no parameters are no mistake", () => {
    const allocate = place(0, 4);
    const optimiser = createOptimiser(plain, allocate(0));
    expect(optimiser.update(allocate(0), 0.01)).toEqual({ gradientNorm: 0 });
    expect(optimiser.state.step).toBe(1);
  });

  test("an optimiser that goes on from a state gives what one does that never stopped", () => {
    const allocate = place(1001, 2);
    const [through, resumed] = [allocate(1001), allocate(1001)];
    through.set(normals(1001, 1));
    const first = createOptimiser(plain, through);
    for (const seed of [2, 3]) first.update(normals(1001, seed), 0.01);
    const { firstMoment, secondMoment, step } = first.state;
    resumed.set(through);
    const state = { firstMoment: firstMoment.slice(), secondMoment: secondMoment.slice(), step };
    const second = createOptimiser(plain, resumed, { state });
    for (const optimiser of [first, second]) optimiser.update(normals(1001, 4), 0.01);
    expect(resumed).toEqual(through);
    expect(second.state).toEqual(first.state);
    expect(second.state.step).toBe(3);
  });
});

test("a gradient of another length than the parameters is refused", () => {
  const parameters = normals(100, 1);
  const optimiser = createOptimiser(plain, parameters);
  expect(() => optimiser.update(normals(99, 2), 0.01)).toThrow("expected equal lengths, got 100, 100, 100, 99");
  expect(parameters).toEqual(normals(100, 1));
  expect(optimiser.state.step).toBe(0);
});
