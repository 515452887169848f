/** What tests against PyTorch's figures share: distances, and a head's training steps. */
import { expect } from "vitest";
import { openSafetensors, readFloat32 } from "../../src/checkpoints/safetensors.ts";
import { toOnnx } from "../../src/graph/lower.ts";
import type { Model } from "../../src/model.ts";
import { headOf } from "../../src/models/index.ts";
import { lossGraph } from "../../src/models/graphs.ts";
import { labelFeeds, makeBatch, type TokenRows } from "../../src/runtime/batch.ts";
import { openModelFolder } from "../../src/runtime/folder.ts";
import { createSession } from "../../src/runtime/session.ts";
import { allocateParameters, readParameters } from "../../src/runtime/parameters.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { createOptimiser } from "../../src/train/optimiser.ts";

export interface HeadGolden {
  readonly labels: number[] | number[][];
  readonly loss: number;
  /** Losses of ten steps. */
  readonly adamw: readonly number[];
}

export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) largest = Math.max(largest, Math.abs(actual[i]! - expected[i]!));
  return largest;
}

const norm = (data: ArrayLike<number>): number => Math.sqrt(Array.from(data).reduce((sum, x) => sum + x * x, 0));

/** Norm of the difference over the norm of what is expected, or over `floor` where that is larger. */
function relative(actual: ArrayLike<number>, expected: Float32Array, floor = 0): number {
  expect(actual.length).toBe(expected.length);
  return norm(expected.map((x, i) => x - actual[i]!)) / Math.max(norm(expected), floor);
}

/** The numbers of the positions that are not padding: data [B, T, D], or [B, D] as it is. */
export function kept(data: ArrayLike<number>, mask: readonly (readonly number[])[]): number[] {
  const flat = mask.flat();
  const width = data.length / flat.length;
  if (!Number.isInteger(width)) return Array.from(data);
  return Array.from(data).filter((_, i) => flat[Math.floor(i / width)] === 1);
}

/** Logits are those of the golden; positions of padding have no meaning, all others count. */
export async function expectLogits(
  model: Model,
  { ids, mask }: Pick<TokenRows, "ids" | "mask">,
  expected: readonly number[],
): Promise<void> {
  const { logits } = await model.forward({ ids, mask });
  const counted = mask ?? ids.map((row) => row.map(() => 1));
  expect(logits.data.length).toBe(expected.length);
  expect(largestDifference(kept(logits.data, counted), kept(expected, counted))).toBeLessThan(1e-4);
}

/** The loss and every gradient are those of FOLDER/gradients.safetensors. */
export async function expectGradients(
  folder: string,
  model: Model,
  rows: TokenRows,
  golden: HeadGolden,
): Promise<void> {
  const { loss, gradients } = await model.lossAndGradients({ ...rows, labels: golden.labels });
  expect(Math.abs(loss - golden.loss) / golden.loss).toBeLessThan(1e-5);
  const { entries } = await openSafetensors(`${folder}/gradients.safetensors`);
  expect([...gradients.keys()].sort()).toEqual([...entries.keys()].sort());
  // The key bias's gradient is zero but for rounding: softmax does not see it.
  const floor = 1e-3 * norm([...gradients.values()].map(({ data }) => norm(data)));
  for (const [parameter, entry] of entries) {
    expect(relative(gradients.get(parameter)!.data, await readFloat32(entry), floor), parameter).toBeLessThan(1e-4);
  }
}

/** Ten AdamW steps of `model` with clipping give the golden's losses and the weights of FOLDER/adamw.safetensors. */
export async function expectTenSteps(
  folder: string,
  rows: TokenRows,
  golden: HeadGolden,
  model: string = folder,
): Promise<void> {
  const { family, config, entries } = await openModelFolder(model);
  const graph = lossGraph(family, config, { masked: true, typed: true, gathered: true });
  const parameters = await readParameters(graph, entries, folder);
  const gradients = allocateParameters(graph);
  await using session = await createSession(toOnnx(graph), { threads: 1 });
  const adamw = { name: "adamw", betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 } as const;
  const optimiser = createOptimiser(adamw, parameters.flat);
  const batch = makeBatch(rows, config);
  const kind = headOf(family, config)!.labels(config);
  const { feeds, counted } = labelFeeds({ ids: rows.ids, labels: golden.labels }, kind, batch.tokens);
  const inputs = {
    ...batch.tensors,
    ...feeds,
    scale: tensor("float32", [], Float32Array.of(1 / counted)),
    ...Object.fromEntries(parameters.tensors),
  };
  const into = Object.fromEntries([...gradients.tensors].map(([key, value]) => [`gradient/${key}`, value]));
  for (const expected of golden.adamw) {
    const loss = Number((await session.run(inputs, into))["loss"]!.data[0]);
    expect(Math.abs(loss - expected) / expected).toBeLessThan(1e-4);
    optimiser.update(gradients.flat, 1e-3);
  }
  const after = await openSafetensors(`${folder}/adamw.safetensors`);
  for (const [parameter, entry] of after.entries) {
    // A bias of keys has no gradient but rounding noise, which Adam scales up: both sides drift there.
    if (/\.(?:key|k_proj)\.bias$/.test(parameter)) continue;
    const [actual, expected] = [parameters.tensors.get(parameter)!.data, await readFloat32(entry)];
    if (parameter.endsWith(".c_attn.bias")) {
      // Biases of queries, keys and values.
      const width = expected.length / 3;
      expected.set(actual.subarray(width, 2 * width), width);
    }
    expect(relative(actual, expected), parameter).toBeLessThan(1e-4);
  }
}
