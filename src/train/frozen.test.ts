/** Trainings beside weights in few bits, against the same on these weights in float32. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { groupedSources } from "../checkpoints/grouped.ts";
import { readFloat32 } from "../checkpoints/entries.ts";
import { type TensorSource, writeSafetensors } from "../checkpoints/safetensors.ts";
import { quantizeModel } from "../quantize.ts";
import { labelLoss, scoringGraph } from "../models/graphs.ts";
import type { Family, ModelConfig } from "../models/index.ts";
import { families } from "../models/registry.ts";
import { recipeOf } from "../recipes/index.ts";
import { type ModelFolder, openModelFolder } from "../runtime/folder.ts";
import { allocateParameters, initialise } from "../runtime/parameters.ts";
import { saveModelFolder } from "../runtime/save.ts";
import { random } from "../tensor/random.ts";
import { restoreCheckpoint, saveCheckpoint, saveModel } from "./checkpoint.ts";
import { type Config, withSettings } from "./config.ts";
import type { Objective, Start } from "./objectives/objective.ts";
import { sequenceBatch } from "./objectives/soft-prompt.ts";
import { createRun, type Run } from "./run.ts";

const scratch = mkdtempSync(join(tmpdir(), "galen-frozen-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const vocabulary = 96;
const numbers = random(3);
const texts = Array.from({ length: 20 }, () => Array.from({ length: 12 }, () => 2 + numbers.integer(vocabulary - 2)));

/** A folder of random weights in the family's miniature. */
async function writeMiniature(name: string, family: Family): Promise<string> {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const config: ModelConfig = {
    ...family.debug(Object.values(family.sizes)[0]!),
    vocab_size: vocabulary,
    pad_token_id: 1,
  };
  const graph = scoringGraph(family, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  for (const { data, dims } of parameters.tensors.values())
    if (dims.length > 1) data.forEach((x, i) => (data[i] = 4 * x));
  const json = { ...config, architectures: [family.architecture] };
  writeFileSync(join(folder, "config.json"), JSON.stringify(family.parseConfig(json, folder)));
  await writeSafetensors(
    join(folder, "model.safetensors"),
    [...parameters.tensors].map(([parameter, tensor]) => ({ name: parameter, ...tensor })),
  );
  return folder;
}

const configOf = (...settings: string[]): Config =>
  withSettings(recipeOf("ddi")(), ["trainable=lora", "lora.rank=3", "accumulate=1", "threads=1", ...settings]);

/** Two texts an update. */
const plan = { steps: 10, perEpoch: 10, update: (done: number) => [[2 * done, 2 * done + 1]] };

function objectiveOf({ folder, family, config, entries }: ModelFolder, rows?: Start["rows"]): Objective {
  const dropping = { ...family.withDropout(config, 0.1) };
  return {
    start: { folder, family, config: dropping, entries, rows },
    train: {
      count: texts.length,
      batch: (chosen) =>
        sequenceBatch(
          chosen.map((i) => texts[i]!),
          1,
        ),
    },
    order: "random",
    reduction: "sum",
    unit: "tokens",
    loss: (g) => labelLoss(g, family, dropping, { gathered: true }),
    save: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}

const distance = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  expect(actual.length).toBe(expected.length);
  const wanted = Array.from(expected);
  return Math.hypot(...wanted.map((x, i) => x - actual[i]!)) / Math.max(Math.hypot(...wanted), 1e-9);
};

/** The losses of so many updates. */
async function updates(run: Run, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < count; i++) {
    losses.push((await run.update(1e-2))!.loss);
    run.state.step += 1;
  }
  return losses;
}

/** Losses of ten updates, and the gradient of the first: the optimiser's first moment after it, but for a factor. */
async function tenUpdates(run: Run): Promise<{ losses: number[]; gradient: Float32Array }> {
  const first = await updates(run, 1);
  const gradient = run.state.optimiser.firstMoment.slice();
  return { losses: [...first, ...(await updates(run, 9))], gradient };
}

/** Of the same rounded weights: held in few bits, and in float32. */
async function both(folder: string): Promise<[few: ModelFolder, wide: ModelFolder]> {
  const few = await openModelFolder(folder);
  await saveModelFolder(`${folder}-wide`, few, { dtype: "float32" });
  return [few, await openModelFolder(`${folder}-wide`)];
}

async function compare([few, wide]: readonly [ModelFolder, ModelFolder], config: Config): Promise<Run["inBits"]> {
  await using narrow = await createRun(config, objectiveOf(few), { plan });
  await using plain = await createRun(config, objectiveOf(wide), { plan });
  expect(plain.inBits.size).toBe(0);
  for (const name of narrow.inBits.keys()) expect(narrow.parameters.tensors.has(name)).toBe(false);
  const [found, expected] = [await tenUpdates(narrow), await tenUpdates(plain)];
  expect(distance(found.gradient, expected.gradient)).toBeLessThan(1e-5);
  expected.losses.forEach((loss, i) => expect(Math.abs(found.losses[i]! / loss - 1), `loss ${i}`).toBeLessThan(1e-5));
  expect(expected.losses.at(-1)).not.toBe(expected.losses[0]);
  expect([...narrow.learned.tensors.keys()]).toEqual([...plain.learned.tensors.keys()]);
  expect(distance(narrow.learned.flat, plain.learned.flat)).toBeLessThan(1e-4);
  // What is written: the base's numbers with the products added.
  const [written, wanted] = [narrow.merged(), plain.merged()];
  expect([...written.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, { dims, data }] of wanted) {
    expect(written.get(name)!.dims).toEqual(dims);
    expect(distance(written.get(name)!.data, data), name).toBeLessThan(1e-5);
  }
  return narrow.inBits;
}

const decoders = Object.entries(families).filter(([, { causal }]) => causal);

describe.each(decoders)("%s", (name, family) => {
  let folder: string | undefined;
  test.each([
    [4, []],
    [8, []],
    [4, ["checkpointing=true"]],
  ] as const)(
    "ten updates of adapters beside weights in %i bits are those beside float32 %j",
    async (bits, settings) => {
      folder ??= await writeMiniature(name, family);
      const output = join(scratch, `${name}-${bits}-${settings.length}`);
      const { packed } = await quantizeModel({ source: folder, output, bits });
      const inBits = await compare(await both(output), configOf(...settings));
      expect(inBits.size).toBe(packed);
    },
  );
});

describe("one family", () => {
  const family = families["llama"]!;
  const folder = writeMiniature("one", family);
  const quantised = folder.then(async (source) => {
    const output = join(scratch, "one-4");
    await quantizeModel({ source, output, bits: 4 });
    return both(output);
  });

  test("resumed from a checkpoint, the same bits", async () => {
    const [few] = await quantised;
    const [config, output] = [configOf(), join(scratch, "resumed")];
    await using whole = await createRun(config, objectiveOf(few), { plan });
    await updates(whole, 10);
    {
      await using first = await createRun(config, objectiveOf(few), { plan });
      await updates(first, 5);
      await saveCheckpoint(output, first.state, (place) => saveModel(place, first.merged(), new Map()), { keep: 1 });
    }
    await using second = await createRun(config, objectiveOf(few), { plan });
    await restoreCheckpoint(output, second.state);
    second.learned.scatter();
    await updates(second, 5);
    expect(second.state.step).toBe(10);
    expect(second.learned.flat).toEqual(whole.learned.flat);
    expect(second.state.optimiser.firstMoment).toEqual(whole.state.optimiser.firstMoment);
  });

  test("groups that are shifted, as GGUF's Q4_1 has them", async () => {
    const [few] = await quantised;
    const place = join(scratch, "shifted");
    mkdirSync(place);
    const tensors = await Promise.all(
      [...few.entries].map(async ([name, entry]): Promise<TensorSource[]> => {
        const { grouped } = entry;
        if (grouped === undefined)
          return [{ name, dtype: "float32", dims: entry.dims, data: await readFloat32(entry) }];
        return groupedSources(name, { dims: entry.dims, shifted: true }, grouped, async () => {
          const weight = await grouped.read();
          return { ...weight, shifts: weight.scales.map((scale, i) => scale * Math.sin(i)) };
        });
      }),
    );
    await writeSafetensors(join(place, "model.safetensors"), tensors.flat(), { inOrder: true });
    copyFileSync(join(few.folder, "config.json"), join(place, "config.json"));
    const inBits = await compare(await both(place), configOf());
    expect(inBits.size).toBeGreaterThan(4);
    expect([...inBits.values()].every(({ shifted }) => shifted)).toBe(true);
  });

  test("a table of which rows learn is float32, all others stay in few bits", async () => {
    const [few, wide] = await quantised;
    const rows = { start: vocabulary - 3, count: 3 };
    const config = configOf("trainable=rows");
    await using narrow = await createRun(config, objectiveOf(few, rows), { plan });
    await using plain = await createRun(config, objectiveOf(wide, rows), { plan });
    const tables = [...few.entries].filter(([, { dims }]) => dims[0] === vocabulary).map(([name]) => name);
    const packed = [...few.entries].filter(([, { grouped }]) => grouped !== undefined).map(([name]) => name);
    expect([...narrow.inBits.keys()].sort()).toEqual(packed.filter((name) => !tables.includes(name)).sort());
    const [found, expected] = [await tenUpdates(narrow), await tenUpdates(plain)];
    expect(distance(found.gradient, expected.gradient)).toBeLessThan(1e-5);
    expect(distance(found.losses, expected.losses)).toBeLessThan(1e-5);
  });

  test.each([["trainable=all"], ["precision=float16"]])("nothing stays in few bits with %s", async (setting) => {
    const [few] = await quantised;
    await using run = await createRun(configOf(setting), objectiveOf(few), { plan });
    expect(run.inBits.size).toBe(0);
  });
});
